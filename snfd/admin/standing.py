"""How users stand to projects, as administrators change it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.clock import now
from snfd.db.port import Transaction
from snfd.projects import view_store
from snfd.projects.deed import Deed
from snfd.projects.desk import Office
from snfd.projects.expiry import MAX_ROUND, terminate
from snfd.projects.letters import Letters
from snfd.projects.member_desk import set_default
from snfd.projects.rules import Who


@frozen(eq=False)
class Standing:
    """Chooses default projects for others, and ends projects in time."""

    office: Office

    async def set_default(self, user: UUID, project: UUID, actor: Actor) -> None:
        """Let unscoped tokens of ``user`` act in ``project``.

        :raises NotFound: there is no such project.
        :raises Forbidden: he is no member, or it is not active.
        """
        deed = self.office.deed(Who.admin(actor))
        await self.office.db.run(_set_default, deed, project, user)

    async def expire(self, actor: Actor) -> list[UUID]:
        """Terminate the live projects whose end has passed; which these are."""
        at = now(self.office.clock)
        found = await self.office.db.read(view_store.EXPIRED, (at, MAX_ROUND))
        for uuid, *_ in found:
            await self.office.db.run(_expired, uuid, at, self.office.letters, actor)
        return [uuid for uuid, *_ in found]


async def _expired(
    tx: Transaction, uuid: UUID, at: datetime, letters: Letters | None, actor: Actor
) -> None:
    await terminate(tx, uuid, at, letters)
    await record(tx, actor, "project.expire", f"project:{uuid}")


async def _set_default(tx: Transaction, deed: Deed, project: UUID, user: UUID) -> None:
    await set_default(tx, deed, project, user)
    await record(
        tx, deed.who.actor, "user.default_project", f"user:{user}", project=str(project)
    )
