"""Servers that administrators take out of their users' hands, and give back."""

from __future__ import annotations

from attrs import frozen

from snfd.audit import Actor, record
from snfd.compute.states import State
from snfd.compute.store import rows
from snfd.db.port import Database, Transaction, notify
from snfd.errors import Invalid, NotFound


@frozen(eq=False)
class Custody:
    """Suspends servers by a flag; what they do they go on with."""

    db: Database

    async def suspend(self, actor: Actor, ident: int, *, suspended: bool) -> None:
        """Have users do nothing with a server but look at it, or all again.

        Open consoles end. It goes on running, and its job under way ends as ever.

        :raises NotFound: there is none.
        :raises Invalid: it is gone.
        """
        await self.db.run(self._suspend, actor, ident, suspended)

    async def _suspend(
        self, tx: Transaction, actor: Actor, ident: int, suspended: bool
    ) -> None:
        server = await rows.lock(tx, ident)
        if server is None:
            raise NotFound(f"there is no server {ident}")
        if server.state is State.DESTROYED:
            raise Invalid(f"server {ident} has been deleted")
        if server.suspended is suspended:
            return
        await rows.update(tx, ident, suspended=suspended)
        action = "server.suspend" if suspended else "server.release"
        await record(tx, actor, action, f"server:{ident}", name=server.name)
        await notify(tx, "console", ident)
        await notify(tx, "server", ident)
