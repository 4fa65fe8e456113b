"""Administrators give servers to other people, with all that goes along."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.compute import reassigning
from snfd.compute.actions import idle
from snfd.compute.model import Locked
from snfd.compute.states import State, usage
from snfd.compute.store import belonging, rows
from snfd.db.port import Database, Transaction, notify
from snfd.errors import Invalid, NotFound
from snfd.network.history import because
from snfd.quota import service as quota
from snfd.quota.model import Key, provisions

FLOATING_IP = "cyclades.floating_ip"


@frozen(eq=False)
class Giving:
    """Gives servers to other owners."""

    db: Database

    async def give(self, actor: Actor, ident: int, owner: UUID, project: UUID) -> None:
        """Have a server belong to somebody else, in one of his projects.

        Its disks, cards and addresses go along, floating ones too, and what all
        that uses of quotas, in the same transaction. What only the old owner
        should know, a stored password, is forgotten; open consoles end. It is
        shared no more. Networks that it is on stay whosever they are.

        :raises NotFound: there is no such server.
        :raises Invalid: it is gone, or his already; or he is no member of the
            project.
        :raises Forbidden: its cluster or flavor is not for the project.
        :raises Busy: it is being built, or has a task.
        :raises Conflict: it has a port or volume of a third person.
        :raises OverQuota: the new owner, or the project, has no room.
        """
        await self.db.run(self._give, actor, ident, owner, project)

    async def _give(
        self, tx: Transaction, actor: Actor, ident: int, owner: UUID, project: UUID
    ) -> None:
        server = await rows.lock(tx, ident)
        if server is None:
            raise NotFound(f"there is no server {ident}")
        if server.state is State.DESTROYED:
            raise Invalid(f"server {ident} has been deleted")
        if server.owner == owner:
            raise Invalid("that is its owner already; 'reassign' changes the project")
        idle(server)
        await reassigning.require_member(tx, owner, project)
        await reassigning.check(tx, server, project)
        await because(tx, "given to somebody else")
        floating = await belonging.floating(tx, ident)
        await belonging.give(tx, ident, owner, project)
        await rows.forget_secrets(tx, ident, password=True)
        await _tell(tx, actor, server, owner, project)
        await quota.transfer(tx, _moved(server, owner, project, floating))


async def _tell(
    tx: Transaction, actor: Actor, server: Locked, owner: UUID, project: UUID
) -> None:
    await record(
        tx, actor, "server.change-owner", f"server:{server.id}", name=server.name,
        old=str(server.owner), new=str(owner), project=str(project),
    )  # fmt: skip
    await notify(tx, "console", server.id)
    await notify(tx, "server", server.id)


def _moved(
    server: Locked,
    owner: UUID,
    project: UUID,
    floating: list[tuple[UUID, UUID]],
) -> dict[Key, int]:
    """What changes of holdings; amounts that cancel each other out do not."""
    held = usage(server.state, server.footprint)
    changes: Counter[Key] = Counter()
    freed = {name: -amount for name, amount in held.items()}
    changes.update(provisions(server.owner, server.project, freed))
    changes.update(provisions(owner, project, held))
    for had, where in floating:
        changes.update(provisions(had, where, {FLOATING_IP: -1}))
        changes.update(provisions(owner, project, {FLOATING_IP: 1}))
    return {key: amount for key, amount in changes.items() if amount}
