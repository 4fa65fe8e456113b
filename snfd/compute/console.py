"""Console tickets: who may see which screen, once and soon (decision 16)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address
from uuid import UUID

from attrs import field, frozen

from snfd import tokens
from snfd.clock import Seconds, now
from snfd.compute.states import State
from snfd.compute.store import consoles as store
from snfd.db.port import Database
from snfd.errors import Busy, Conflict, Forbidden, NotFound
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope
from snfd.sealed import CONSOLE_PASSWORD, Sealer

TICKET_SECONDS = 30
_PASSWORD = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # noqa: S105


@frozen
class Ticket:
    """A way to one screen, good once and for 30 seconds.

    :ivar password: that the client must prove by VNC authentication; None
        where the ticket alone suffices.
    """

    text: str = field(repr=False)
    kind: str
    password: str | None = field(default=None, repr=False)


@frozen
class Screen:
    """What a redeemed ticket opens.

    :ivar session: its name, unique for ever.
    :ivar password: see `Ticket`.
    """

    session: str
    server: int
    user: str
    host: str
    port: int
    password: str | None = field(default=None, repr=False)


@frozen(eq=False)
class ConsoleTickets:
    """Issues tickets and lets them be redeemed.

    :ivar token: 32 unpredictable bytes.
    :ivar draw: a random integer below its argument, unpredictable.
    :ivar holder: who has the API token of that sha256; None if it is not good.
    """

    db: Database
    clock: Seconds
    sealer: Sealer
    new_id: Callable[[], UUID]
    token: Callable[[], bytes]
    draw: Callable[[int], int]
    holder: Callable[[bytes], Awaitable[Caller | None]]

    async def issue(
        self,
        caller: Caller,
        scope: Scope,
        server: int,
        kind: str,
        *,
        with_password: bool = False,
    ) -> Ticket:
        """A ticket to the screen of a running server.

        :param with_password: the client must also prove a one-time password.
        :raises NotFound: there is no such server in the scope.
        :raises Busy: it is not running.
        :raises Forbidden: it is suspended, or the caller only reads.
        :raises Conflict: its cluster shows no screens.
        """
        require_writer(caller)
        found = await store.endpoint(self.db, scope, server)
        if found is None:
            raise NotFound(f"there is no server {server}")
        project, state, suspended, crashed, host, port = found
        scope.check_change(project)
        if suspended:
            raise Forbidden("the server is suspended by an administrator")
        if state != State.STARTED.value or crashed:
            raise Busy("only a running server has a console")
        if host is None or port is None:
            raise Conflict("this server's cluster shows no screens")
        secret = tokens.text(self.token())
        password = self._password() if with_password else None
        await self._store(caller, server, (host, port), kind, secret, password)
        return Ticket(secret, kind, password)

    def _password(self) -> str:
        """Eight characters: VNC authentication looks at no more."""
        return "".join(_PASSWORD[self.draw(len(_PASSWORD))] for _ in range(8))

    async def _store(
        self,
        caller: Caller,
        server: int,
        endpoint: tuple[str, int],
        kind: str,
        secret: str,
        password: str | None,
    ) -> None:
        ident = self.new_id()
        sealed = None
        if password is not None:
            sealed = self.sealer.seal(password.encode(), *CONSOLE_PASSWORD.at(ident))
        moment = now(self.clock)
        await self.db.run(
            store.issue,
            {
                "id": ident,
                "hash": tokens.digest(secret),
                "server": server,
                "owner": caller.user,
                "token_hash": caller.token_hash,
                "host": endpoint[0],
                "port": endpoint[1],
                "kind": kind,
                "password": sealed,
                "now": moment,
                "expires": moment + timedelta(seconds=TICKET_SECONDS),
            },
        )

    async def redeem(self, ticket: str, peer: str) -> Screen:
        """Use a ticket up.

        :param peer: the client's address.
        :raises NotFound: unknown, used or expired, or the server not running.
        :raises Forbidden: the API token that asked for it is not good any more,
            or its owner may not change the server any more.
        """
        peer = str(ip_address(peer.partition("%")[0]))
        mark = tokens.digest(ticket)
        row = await self.db.run(store.redeem, mark, now(self.clock), peer)
        if row is None:
            raise NotFound("this console ticket is unknown, used or expired")
        session, server, owner, token_hash, host, port, sealed, *whose = row
        if not self._may(await self.holder(token_hash), *whose):
            await self.ended(str(session), 0, 0)
            raise Forbidden("access to this console has ended")
        password = None
        if sealed is not None:
            place = CONSOLE_PASSWORD.at(session)
            password = self.sealer.open(sealed, *place).decode()
        return Screen(str(session), server, str(owner), host, port, password)

    async def still_valid(self, session: str) -> bool:
        """Whether a session may stay open: server, screen, token, role are as ever."""
        rows = await self.db.read(store.OPEN, (UUID(session),))
        if not rows:
            return False
        token_hash, *whose = rows[0]
        return self._may(await self.holder(token_hash), *whose)

    @staticmethod
    def _may(caller: Caller | None, owner: UUID, project: UUID) -> bool:
        """Whether ``caller`` may still change a server of that owner and project."""
        if caller is None or project in caller.reads:
            return False
        mine = owner == caller.owner or project in caller.projects
        return mine or caller.is_admin

    async def ended(self, session: str, to_server: int, to_client: int) -> None:
        """Note that a session ended, and the bytes that it moved each way."""
        await self.db.run(
            store.end, UUID(session), now(self.clock), to_server, to_client
        )
