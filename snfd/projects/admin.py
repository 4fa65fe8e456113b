"""Projects, as administrators change them: at once, without application.

For ``snfctl`` on the daemon's socket, and the admin API.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor
from snfd.clock import now
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.projects import acting, lifecycle, members, service, view_store
from snfd.projects.acting import Order
from snfd.projects.changes import Changes, checked
from snfd.projects.deed import Deed
from snfd.projects.desk import Office
from snfd.projects.model import MEMBER
from snfd.projects.rules import Action, Who
from snfd.projects.view_store import Shown

MAX_HISTORY = 100
MAX_EXPIRED = 1000


@frozen
class Entry:
    """What once became of a project.

    :ivar before: None where it was made.
    """

    at: datetime
    before: str | None
    after: str
    actor: str
    reason: str


@frozen
class Expired:
    """A live project whose end has passed."""

    uuid: UUID
    name: str
    ends: datetime


@frozen(eq=False)
class ProjectAdmin:
    """What administrators do with projects; each gives an `Actor`."""

    office: Office

    async def show(self, uuid: UUID) -> tuple[Shown, Sequence[Entry]]:
        """A project with its last application, and its history, newest first.

        :raises NotFound: there is none.
        """
        found = await self.office.db.read(view_store.PROJECT, (None, uuid))
        if not found:
            raise NotFound(f"there is no project {uuid}")
        past = await self.office.db.read(view_store.HISTORY, (uuid, MAX_HISTORY))
        return view_store.shown(found[0]), [Entry(*row) for row in past]

    async def create(self, actor: Actor, wanted: Changes, reason: str = "") -> UUID:
        """Make an active project; its uuid.

        :param wanted: with a name; no owner and no end are fine.
        :raises Invalid: it cannot be like that.
        :raises Conflict: a live project has the name.
        """
        deed = self.office.deed(Who.admin(actor), reason)
        if wanted.name is None:
            raise Invalid("a project needs a name")
        checked(wanted, deed.now, free_name=True)
        uuid = self.office.new_id()
        await self.office.db.run(_create, self.office, deed, uuid, wanted)
        return uuid

    async def modify(
        self, actor: Actor, uuid: UUID, wanted: Changes, reason: str = ""
    ) -> None:
        """Change a project, its limits and its owner.

        :raises NotFound: there is none.
        :raises Invalid: it cannot be like that.
        :raises Conflict: it may not change like that, or not now.
        """
        deed = self.office.deed(Who.admin(actor), reason)
        checked(wanted, deed.now, free_name=True)
        await self.office.db.run(acting.apply_now, deed, uuid, wanted)

    async def act(self, actor: Actor, uuid: UUID, order: Order) -> None:
        """Suspend, unsuspend, terminate, reinstate; or decide an application.

        :raises Invalid: a decision about no application.
        :raises NotFound: no such project or application.
        :raises Conflict: not now; `Busy` where the states forbid it.
        """
        await self.office.act(Who.admin(actor), uuid, order)

    async def add_member(
        self, actor: Actor, uuid: UUID, user: UUID, role: str = MEMBER
    ) -> None:
        """Make somebody a member, whatever the policies; or change his role.

        :raises NotFound: no such live project, or no such user.
        :raises Invalid: the role.
        :raises Conflict: it is another person's own project.
        """
        deed = self.office.deed(Who.admin(actor))
        await self.office.db.run(_add_member, deed, uuid, user, role)

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
        deed = self.office.deed(Who.admin(actor), reason)
        await self.office.db.run(_member, deed, uuid, user, action)

    async def expired(self) -> Sequence[Expired]:
        """The projects that the next round of the timer would terminate."""
        args = (now(self.office.clock), MAX_EXPIRED)
        rows = await self.office.db.read(view_store.EXPIRED, args)
        return [Expired(*row) for row in rows]


async def _create(
    tx: Transaction, office: Office, deed: Deed, uuid: UUID, wanted: Changes
) -> None:
    await deed.audit(tx, "project.create", uuid, name=wanted.name)
    await service.create_as(tx, deed, uuid, wanted, enroll_owner=office.enroll_owner)


async def _add_member(
    tx: Transaction, deed: Deed, uuid: UUID, user: UUID, role: str
) -> None:
    project = await lifecycle.taken(tx, uuid)
    if project.is_system and user != uuid:
        raise Conflict("a person's own project has no other members")
    await deed.audit(tx, "membership.add", uuid, user=str(user), role=role)
    await service.add_member(tx, uuid, user, role, deed)


async def _member(
    tx: Transaction, deed: Deed, uuid: UUID, user: UUID, action: Action
) -> None:
    project = await lifecycle.taken(tx, uuid)
    one = await members.taken(tx, uuid, user)
    if not one.id:
        raise NotFound(f"user {user} has nothing to do with project {uuid}")
    await members.act(tx, deed, project, one, action)
