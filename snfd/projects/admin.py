"""Projects, as administrators change them: at once, without application.

For ``snfctl`` on the daemon's socket, and the admin API.
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.projects import acting, lifecycle, members, memberships, service
from snfd.projects.acting import Order
from snfd.projects.changes import Changes, checked
from snfd.projects.context import Context
from snfd.projects.model import MEMBER
from snfd.projects.parts import Parts
from snfd.projects.rules import Action, Who


@frozen(eq=False)
class ProjectAdmin:
    """What administrators do with projects; each gives an `Actor`."""

    parts: Parts

    async def create(self, actor: Actor, wanted: Changes, reason: str = "") -> UUID:
        """Make an active project; its uuid.

        :param wanted: with a name; no owner and no end are fine.
        :raises Invalid: it cannot be like that.
        :raises Conflict: a live project has the name.
        """
        context = self.parts.context(Who.admin(actor), reason)
        if wanted.name is None:
            raise Invalid("a project needs a name")
        checked(wanted, context.now, free_name=True)
        uuid = self.parts.new_id()
        await self.parts.db.run(_create, self.parts, context, uuid, wanted)
        return uuid

    async def modify(
        self, actor: Actor, uuid: UUID, wanted: Changes, reason: str = ""
    ) -> None:
        """Change a project, its limits and its owner.

        :raises NotFound: there is none.
        :raises Invalid: it cannot be like that.
        :raises Conflict: it may not change like that, or not now.
        """
        context = self.parts.context(Who.admin(actor), reason)
        checked(wanted, context.now, free_name=True)
        await self.parts.db.run(acting.apply_now, context, uuid, wanted)

    async def act(self, actor: Actor, uuid: UUID, order: Order) -> None:
        """Suspend, unsuspend, terminate, reinstate; or decide an application.

        :raises Invalid: a decision about no application.
        :raises NotFound: no such project or application.
        :raises Conflict: not now; `Busy` where the states forbid it.
        """
        await self.parts.act(Who.admin(actor), uuid, order)

    async def add_member(
        self, actor: Actor, uuid: UUID, user: UUID, role: str = MEMBER
    ) -> None:
        """Make somebody a member, whatever the policies; or change his role.

        :raises NotFound: no such live project, or no such user.
        :raises Invalid: the role.
        :raises Conflict: it is another person's own project.
        """
        context = self.parts.context(Who.admin(actor))
        await self.parts.db.run(_add_member, context, uuid, user, role)

    async def member(
        self,
        actor: Actor,
        uuid: UUID,
        user: UUID,
        action: Action,
        reason: str = "",
    ) -> None:
        """Do something to a membership.

        :raises NotFound: there is none.
        :raises Conflict: not now; `Busy` where the states forbid it.
        """
        context = self.parts.context(Who.admin(actor), reason)
        await self.parts.db.run(_member, context, uuid, user, action)

    async def set_default(self, actor: Actor, user: UUID, project: UUID) -> None:
        """Let unscoped tokens of ``user`` act in ``project``.

        :raises NotFound: there is no such project.
        :raises Forbidden: he is no member, or it is not active.
        """
        context = self.parts.context(Who.admin(actor))
        await self.parts.db.run(_set_default, context, project, user)


async def _create(
    tx: Transaction, parts: Parts, context: Context, uuid: UUID, wanted: Changes
) -> None:
    await context.audit(tx, "project.create", uuid, name=wanted.name)
    await service.create_as(tx, context, uuid, wanted, enroll_owner=parts.enroll_owner)


async def _add_member(
    tx: Transaction, context: Context, uuid: UUID, user: UUID, role: str
) -> None:
    project = await lifecycle.taken(tx, uuid)
    if project.is_system and user != uuid:
        raise Conflict("a person's own project has no other members")
    await context.audit(tx, "membership.add", uuid, user=str(user), role=role)
    await service.add_member(tx, uuid, user, role, context)


async def _member(
    tx: Transaction, context: Context, uuid: UUID, user: UUID, action: Action
) -> None:
    project = await lifecycle.taken(tx, uuid)
    one = await members.taken(tx, uuid, user)
    if not one.id:
        raise NotFound(f"user {user} has nothing to do with project {uuid}")
    await members.act(tx, context, project, one, action)


async def _set_default(
    tx: Transaction, context: Context, project: UUID, user: UUID
) -> None:
    await memberships.set_default(tx, context, project, user)
    actor, target = context.who.actor, f"user:{user}"
    await record(tx, actor, "user.default_project", target, project=str(project))
