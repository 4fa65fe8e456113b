"""Servers move to other projects, and what they use with them."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.compute.actions import changeable, idle
from snfd.compute.model import Locked
from snfd.compute.states import usage
from snfd.compute.store import belonging
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Forbidden, Invalid
from snfd.identity.model import Caller, require_writer
from snfd.network.history import because
from snfd.network.scope import Scope, project_for
from snfd.quota import service as quota
from snfd.quota.model import provisions


@frozen(eq=False)
class Reassigning:
    """Moves servers from project to project."""

    db: Database

    async def reassign(
        self, caller: Caller, scope: Scope, ident: int, project: UUID, *, shared: bool
    ) -> None:
        """Have a server belong to another project, or be (un)shared in its own.

        Its usage moves in the same transaction, with the disks that go with it;
        floating IPs stay where they are.

        :raises NotFound: there is no such server in the scope.
        :raises Invalid: it is gone, or the caller no member of the project.
        :raises Forbidden: the caller is not its owner, or only reads in one of the
            projects; the server is suspended; its cluster or flavor is not for
            the project.
        :raises Busy: it is being built, or has a task.
        :raises Conflict: it has a port or volume of somebody else.
        :raises OverQuota: the project has no room.
        """
        require_writer(caller)
        wanted = project_for(caller, project)
        await self.db.run(self._reassign, caller, scope, ident, wanted, shared)

    async def _reassign(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        ident: int,
        project: UUID,
        shared: bool,
    ) -> None:
        server = await changeable(tx, scope, ident)
        if server.owner != caller.user:
            raise Forbidden("only its owner gives a server to another project")
        await moved(tx, server, project, shared)


async def moved(tx: Transaction, server: Locked, project: UUID, shared: bool) -> None:
    """Have a locked server, and its usage, belong to a project.

    :raises Forbidden: as `Reassigning.reassign`.
    :raises Busy: as `Reassigning.reassign`.
    :raises Conflict: as `Reassigning.reassign`.
    :raises OverQuota: as `Reassigning.reassign`.
    """
    idle(server)
    if project != server.project:
        await check(tx, server, project)
    await because(tx, "given to another project")
    await belonging.move(tx, server.id, project, shared)
    if project != server.project:
        await _charge(tx, server, project)


async def require_member(tx: Transaction, user: UUID, project: UUID) -> None:
    """Pass if somebody may have servers in a project.

    :raises Invalid: he is no member of it, or only reads there.
    """
    if not await belonging.belongs(tx, user, project):
        raise Invalid(f"the owner must be a member of project {project}")


async def check(tx: Transaction, server: Locked, project: UUID) -> None:
    """Pass if a locked server may come to a project.

    :raises Forbidden: its cluster or flavor is not for that project.
    :raises Conflict: it has a port or volume of somebody else.
    """
    if not await belonging.serves(tx, server.cluster, project):
        raise Forbidden("the server's cluster is not for that project")
    if not await belonging.sold_to(tx, server.flavor, project):
        raise Forbidden("the server's flavor is not for that project")
    if await belonging.strangers_parts(tx, server.id, server.owner):
        raise Conflict("the server has a port or volume of somebody else")


async def _charge(tx: Transaction, server: Locked, project: UUID) -> None:
    held = usage(server.state, server.footprint)
    freed = {name: -amount for name, amount in held.items()}
    await quota.transfer(
        tx,
        {
            **provisions(server.owner, server.project, freed),
            **provisions(server.owner, project, held),
        },
    )
