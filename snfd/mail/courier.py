"""The way to a mail server, with a real one at its end or one in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory

from snfd.errors import Unavailable
from snfd.mail.port import Connection, Go, Parcel, Verdict
from snfd.mail.smtp import SmtpConnection, Terms
from snfd.mail.states import Outcome


class _Endpoint(Protocol):
    def connect(self, factory: Any) -> Deferred[Any]: ...


@frozen(eq=False)
class SmtpCourier:
    """A `Courier` to an SMTP server.

    :ivar endpoint: of the server, wrapped in TLS if it speaks nothing else.
    """

    clock: Any
    endpoint: _Endpoint
    terms: Terms

    async def connect(self) -> Connection:
        """See `Courier.connect`."""
        factory = Factory.forProtocol(lambda: SmtpConnection(self.clock, self.terms))
        factory.noisy = False
        try:
            made: SmtpConnection = await self.endpoint.connect(factory)
        except CancelledError:
            raise
        except Exception as error:
            raise Unavailable(f"mail server: {error or type(error).__name__}") from None
        return await made.ready


@define(eq=False)
class MemoryCourier:
    """A `Courier` to a mail server that there is not.

    :ivar taken: the parcels that it took, oldest first.
    :ivar connections: how many were made.
    :ivar script: what happens at a point (``connect``, ``mail``, ``rcpt``,
        ``data``, ``end``) instead of a good answer: a code, ``"lost"`` or, at
        ``end``, ``"taken and lost"``. Each is used up by one letter or attempt.
    """

    taken: list[Parcel] = field(factory=list)
    connections: int = 0
    script: dict[str, list[int | str]] = field(factory=dict)
    before: Callable[[str], Awaitable[None]] | None = None

    async def connect(self) -> Connection:
        """See `Courier.connect`."""
        if self.next("connect"):
            raise Unavailable("mail server: away")
        self.connections += 1
        return _MemoryConnection(self)

    def next(self, point: str) -> int | str | None:
        """What shall happen at the point, this time."""
        left = self.script.get(point)
        return left.pop(0) if left else None


@define(eq=False)
class _MemoryConnection:
    server: MemoryCourier
    usable: bool = True

    async def send(self, parcel: Parcel, go: Go) -> Verdict:
        """See `Connection.send`."""
        for point in ("mail", "rcpt", "data"):
            event = await self._at(point)
            if event is not None:
                return self._verdict(point, event, Outcome.LATER)
        allowed = False
        try:
            allowed = await go()
        finally:
            self.usable = allowed
        if not allowed:
            return Verdict(Outcome.UNTRIED)
        event = await self._at("end")
        if event is None or event == "taken and lost":
            self.server.taken.append(parcel)
        if event is not None:
            return self._verdict("end", event, Outcome.DOUBTFUL)
        return Verdict(Outcome.TAKEN)

    async def close(self) -> None:
        """See `Connection.close`."""
        self.usable = False

    async def _at(self, point: str) -> int | str | None:
        if not self.usable:
            return "lost"
        if self.server.before is not None:
            await self.server.before(point)
        return self.server.next(point)

    def _verdict(self, point: str, event: int | str, lost: Outcome) -> Verdict:
        if isinstance(event, str):
            self.usable = False
            return Verdict(lost, "the connection was lost")
        if event >= 500 and point == "mail":
            self.usable = False
            return Verdict(Outcome.UNTRIED, f"{event} no")
        self.usable = event != 421
        kind = Outcome.REFUSED if event >= 500 else Outcome.LATER
        return Verdict(kind, f"{event} no")
