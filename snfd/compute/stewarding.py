"""What administrators, and some helpers, do with anybody's servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from attrs import evolve, frozen

from snfd.audit import Actor, record
from snfd.clock import now
from snfd.compute import reassigning
from snfd.compute.actions import Actions, changeable
from snfd.compute.custody import Custody
from snfd.compute.rescuing import Rescuing
from snfd.compute.resizing import Resizing
from snfd.compute.service import Compute, Servers
from snfd.compute.store import belonging
from snfd.compute.witness import Witnessed
from snfd.db.port import Database, Transaction
from snfd.errors import Forbidden, NotFound
from snfd.identity.model import MEMBER, Caller
from snfd.network.scope import Reach, Scope

_NOBODY = UUID(int=0)
"""Stands for who acts without an account: root on the daemon's machine."""


@frozen
class Steward:
    """Somebody who acts on other people's servers.

    :ivar spared: groups whose members' servers he leaves alone; none for an
        administrator.
    """

    actor: Actor
    spared: frozenset[str] = frozenset()


@frozen(eq=False)
class Bench:
    """What one act on one server needs: users' services, each step witnessed."""

    compute: Compute
    db: Database
    caller: Caller

    @property
    def scope(self) -> Scope:
        """Every server, suspended or not."""
        return Scope(Reach.ALL, self.caller.user, (), custodian=True)

    @property
    def actions(self) -> Actions:
        """Start, stop, reboot, delete."""
        return evolve(self.compute.actions, db=self.db)

    @property
    def resizing(self) -> Resizing:
        """Other flavors."""
        return evolve(self.compute.resizing, actions=self.actions)

    @property
    def rescuing(self) -> Rescuing:
        """Rescue images."""
        return evolve(self.compute.rescuing, actions=self.actions)

    @property
    def servers(self) -> Servers:
        """Names."""
        return evolve(self.compute.servers, db=self.db)

    @property
    def custody(self) -> Custody:
        """Suspension."""
        return evolve(self.compute.custody, db=self.db)


@frozen(eq=False)
class Stewards:
    """Acts on anybody's servers; each leaves an entry in the audit trail.

    All of it raises what the same raises for users, but suspended servers obey.
    """

    compute: Compute

    async def act(
        self,
        steward: Steward,
        ident: int,
        action: str,
        work: Callable[[Bench], Awaitable[object]],
        **details: object,
    ) -> None:
        """Have ``work`` done with a server, and told.

        :param action: what the audit trail calls it: ``server.stop``.
        :param details: what else the audit trail should tell.
        :raises NotFound: there is no such server.
        :raises Forbidden: it is of somebody whom ``steward`` leaves alone.
        """
        actor = steward.actor

        async def first(tx: Transaction) -> None:
            await _check(tx, steward, ident)
            await record(tx, actor, action, f"server:{ident}", **details)

        db = self.compute.actions.db
        caller = await self._caller(actor, ident)
        await work(Bench(self.compute, Witnessed(db, first), caller))

    async def suspend(self, steward: Steward, ident: int, *, suspended: bool) -> None:
        """Have users do nothing with a server but look at it, or all again.

        :raises NotFound: there is none.
        :raises Forbidden: it is of somebody whom ``steward`` leaves alone.
        :raises Invalid: it is gone.
        """

        async def first(tx: Transaction) -> None:
            await _check(tx, steward, ident)

        caller = await self._caller(steward.actor, ident)
        bench = Bench(self.compute, Witnessed(self.compute.actions.db, first), caller)
        await bench.custody.suspend(steward.actor, ident, suspended=suspended)

    async def reassign(
        self, actor: Actor, ident: int, project: UUID, *, shared: bool
    ) -> None:
        """Have a server, and its usage, belong to another project of its owner.

        :raises NotFound: there is no such server.
        :raises Invalid: it is gone, or its owner no member of the project.
        :raises Forbidden: its cluster or flavor is not for the project.
        :raises Busy: it is being built, or has a task.
        :raises Conflict: it has a port or volume of somebody else.
        :raises OverQuota: the project has no room.
        """
        await self.compute.actions.db.run(self._reassign, actor, ident, project, shared)

    async def _reassign(
        self, tx: Transaction, actor: Actor, ident: int, project: UUID, shared: bool
    ) -> None:
        scope = Scope(Reach.ALL, actor.uuid or _NOBODY, (), custodian=True)
        server = await changeable(tx, scope, ident)
        await reassigning.require_member(tx, server.owner, project)
        target = f"server:{ident}"
        await record(
            tx, actor, "server.reassign", target,
            old=str(server.project), new=str(project),
        )  # fmt: skip
        await reassigning.moved(tx, server, project, shared)

    async def _caller(self, actor: Actor, ident: int) -> Caller:
        """``actor`` as users' services know callers: one of the server's project."""
        db = self.compute.actions.db
        project = await belonging.project_of(db, ident)
        if project is None:
            raise NotFound(f"there is no server {ident}")
        return Caller(
            user=actor.uuid or _NOBODY,
            username=actor.name,
            project=project,
            project_name="",
            roles=frozenset({MEMBER}),
            projects=frozenset({project}),
            token_hash=b"",
            expires=now(self.compute.actions.clock),
            confined=True,
        )


async def _check(tx: Transaction, steward: Steward, ident: int) -> None:
    if steward.spared and await belonging.one_of(tx, ident, sorted(steward.spared)):
        raise Forbidden("the server's owner looks after the cloud himself")
