"""The service that holds the open consoles and ends them when it must."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from attrs import define, field
from autobahn.websocket import USES_NVX
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.error import TimeoutError as TimedOut
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from snfd.errors import NotFound, TooManyRequests, Unavailable
from snfd.tasks import Tasks
from vnc.bridge import Bridge
from vnc.model import (
    IDLE,
    NOT_ACTIVE,
    STOPPING,
    TOO_LONG,
    WITHDRAWN,
    Closing,
    ConsoleTarget,
    Limits,
)
from vnc.ports import Socket

PERIOD = 30.0
"""Seconds between two looks at whether the open sessions may stay open."""

_TICKET = re.compile(r"[A-Za-z0-9_-]{20,128}\Z")


@define(eq=False)
class Consoles(Service):
    """Lets tickets in, keeps their consoles and ends them.

    :ivar redeem: ``(ticket, peer)``; consumes the ticket and says what it
        opens. Raises NotFound for a ticket that is unknown, used or expired,
        Forbidden for one whose owner or server no longer qualifies.
    :ivar connect: an endpoint for a node's host and port.
    :ivar still_valid: whether the named session may stay open.
    :ivar ended: told once per redeemed ticket: session, bytes from the
        client, bytes to the client.
    :ivar tasks: runs what nobody awaits.
    :ivar entropy: gives that many random bytes.
    :ivar accelerated: whether autobahn's native masking is in use; without it
        every byte from a client costs some fifty times as much.
    """

    redeem: Callable[[str, str], Awaitable[ConsoleTarget]]
    connect: Callable[[str, int], IStreamClientEndpoint]
    still_valid: Callable[[str], Awaitable[bool]]
    ended: Callable[[str, int, int], Awaitable[None]]
    clock: IReactorTime
    tasks: Tasks
    limits: Limits = field(factory=Limits)
    entropy: Callable[[int], bytes] = secrets.token_bytes
    accelerated: bool = USES_NVX
    _open: dict[str, Bridge] = field(init=False, factory=dict)
    _seen: dict[str, tuple[int, float]] = field(init=False, factory=dict)
    _loop: LoopingCall = field(init=False)
    _emptied: Deferred[None] = field(init=False)
    _stopped: Deferred[Any] = field(init=False, factory=lambda: succeed(None))
    _log = Logger()

    def startService(self) -> None:
        """Admit clients from now on."""
        super().startService()  # type: ignore[no-untyped-call]
        if not self.accelerated:
            self._log.error(
                "autobahn runs without its native parts (NVX): consoles will be"
                " slow; install its binary wheel and unset AUTOBAHN_USE_NVX"
            )
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self.recheck()))
        self._loop.clock = self.clock
        self._emptied = Deferred()
        self._stopped = self._loop.start(PERIOD, now=False)

    def stopService(self) -> Deferred[Any]:
        """Close all consoles; fires when they are gone, within a few seconds."""
        if not self.running:
            return succeed(None)
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop.running:
            self._loop.stop()
        self._close(self.open, STOPPING)
        if not self._open:
            self._emptied.callback(None)
        gone = DeferredList([self._stopped, self._emptied], consumeErrors=True)
        gone.addTimeout(self.limits.close + 2, self.clock)
        gone.addErrback(lambda failure: failure.trap(TimedOut))
        return gone

    @property
    def open(self) -> tuple[Bridge, ...]:
        """The open consoles, oldest first."""
        return tuple(self._open.values())

    async def admit(self, ticket: str, peer: str) -> ConsoleTarget:
        """Redeem ``ticket`` for a client at ``peer``.

        The answer must be given to `opened` or to `turned_away` at once.

        :raises NotFound: no such ticket, or used or expired.
        :raises Forbidden: its owner or server no longer qualifies.
        :raises TooManyRequests: its owner has too many consoles open.
        :raises Unavailable: too many are open, or the service is stopped.
        """
        if not self.running:
            raise Unavailable("the cloud's console is not running")
        if len(self._open) >= self.limits.sessions:
            raise Unavailable("too many consoles are open, try again later")
        if not _TICKET.match(ticket):
            raise NotFound("this console ticket is unknown, used or expired")
        target = await self.redeem(ticket, peer)
        mine = sum(bridge.target.user == target.user for bridge in self.open)
        if mine >= self.limits.per_user:
            self.turned_away(target)
            raise TooManyRequests(f"you have {mine} consoles open, close one first")
        return target

    def opened(self, target: ConsoleTarget, socket: Socket) -> Bridge:
        """Join ``socket`` with the screen that ``target`` names."""
        bridge = Bridge(target, socket, self.clock, self.limits, self.entropy)
        self._open[target.session] = bridge
        bridge.done.addCallback(self._gone)
        bridge.start(self.connect(target.host, target.port))
        if not self.running:
            bridge.close(STOPPING)
        return bridge

    def turned_away(self, target: ConsoleTarget) -> None:
        """A ticket was redeemed but its client did not get in."""
        self._tell_ended(target.session, 0, 0)

    def close_server(self, server: int, closing: Closing = NOT_ACTIVE) -> int:
        """Close the consoles of ``server``; how many that were."""
        return self._close((b for b in self.open if b.target.server == server), closing)

    def close_user(self, user: str, closing: Closing = WITHDRAWN) -> int:
        """Close the consoles of ``user``; how many that were."""
        return self._close((b for b in self.open if b.target.user == user), closing)

    def _close(self, bridges: Iterable[Bridge], closing: Closing) -> int:
        found = list(bridges)
        for bridge in found:
            bridge.close(closing)
        return len(found)

    def _gone(self, bridge: Bridge) -> Bridge:
        session = bridge.target.session
        del self._open[session]
        self._seen.pop(session, None)
        self._tell_ended(session, bridge.rx, bridge.tx)
        if not self._open and not self.running and not self._emptied.called:
            self._emptied.callback(None)
        return bridge

    def _tell_ended(self, session: str, rx: int, tx: int) -> None:
        async def tell() -> None:
            await self.ended(session, rx, tx)

        self.tasks.start(tell(), f"recording the end of console {session}")

    async def recheck(self) -> None:
        """Close what may not stay open; a check that fails closes nothing."""
        for bridge in self.open:
            overdue = self._overdue(bridge)
            if overdue is not None:
                bridge.close(overdue)
                continue
            try:
                valid = await self.still_valid(bridge.target.session)
            except Exception:
                self._log.failure(
                    "console {session} could not be checked; again in {period} s",
                    session=bridge.target.session,
                    period=PERIOD,
                )
                continue
            if not valid:
                bridge.close(WITHDRAWN)

    def _overdue(self, bridge: Bridge) -> Closing | None:
        """Which limit of time the console has passed, if any."""
        now, session = self.clock.seconds(), bridge.target.session
        if self.limits.lifetime and now - bridge.started > self.limits.lifetime:
            return TOO_LONG
        moved = bridge.rx + bridge.tx
        before, since = self._seen.get(session, (-1, now))
        if moved != before:
            self._seen[session] = (moved, now)
        elif self.limits.idle and now - since > self.limits.idle:
            return IDLE
        return None
