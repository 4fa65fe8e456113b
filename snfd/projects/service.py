"""Use cases of projects: who has which, making them, joining people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve, frozen

from snfd.audit import DAEMON
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Forbidden, Invalid, NotFound
from snfd.identity.model import Caller
from snfd.projects import members, requirements, store
from snfd.projects.changes import LIFETIME, Changes
from snfd.projects.context import Context
from snfd.projects.member_store import Membership
from snfd.projects.model import (
    MEMBER,
    Project,
    check_name,
    check_role,
    system_name,
)
from snfd.projects.rules import Who
from snfd.projects.states import MembershipEvent, MembershipState, ProjectState
from snfd.quota import service as quota
from snfd.quota.model import Limit

MAX_LIST = 1000
"""The most projects that one answer holds."""


async def create(
    tx: Transaction,
    uuid: UUID,
    name: str,
    owner: UUID | None,
    limits: Mapping[str, Limit],
    now: datetime,
    description: str = "",
) -> Project:
    """Make an active project, as an administrator does, without application.

    :param limits: resource → limit; others get the resource's default.
    :raises Invalid: the name, or a resource that does not exist.
    :raises Conflict: a live project has the name, or any has the uuid.
    """
    wanted = Changes(
        name=check_name(name), owner=owner, description=description, resources=limits
    )
    context = Context(Who.admin(DAEMON), now)
    await create_as(tx, context, uuid, wanted, enroll_owner=False)
    return Project(uuid, name, description, owner, False, True)


async def create_as(
    tx: Transaction,
    context: Context,
    uuid: UUID,
    wanted: Changes,
    *,
    enroll_owner: bool,
) -> None:
    """Make an active project that is as ``wanted``, without application.

    :param enroll_owner: make its owner, if any, a member.
    :raises Invalid: a resource, or the owner, that cannot be.
    :raises Conflict: a live project has the name, or any has the uuid.
    """
    await requirements.check_references(tx, wanted, hidden=True)
    project = requirements.fresh(uuid, wanted, context, ProjectState.ACTIVE)
    if not await store.insert(tx, project):
        raise Conflict(f"there is a project {project.name!r} already")
    await store.log(tx, uuid, (None, project.state), context.who.actor, context.now)
    if enroll_owner:
        await members.settle_owner(tx, context, project)
    await quota.open_project(tx, uuid, wanted.resources)


async def create_system(tx: Transaction, user: UUID, now: datetime) -> Project:
    """Make the own project of ``user``, which has his uuid, and join him.

    :raises Conflict: he has one.
    """
    wanted = Changes(
        name=system_name(user),
        owner=user,
        description=f"the own project of user {user}",
        ends=now + LIFETIME,
        join_policy="closed",
        leave_policy="closed",
        max_members=1,
        private=True,
    )
    context = Context(Who.admin(DAEMON), now)
    plain = requirements.fresh(user, wanted, context, ProjectState.ACTIVE)
    if not await store.insert(tx, evolve(plain, is_system=True)):
        raise Conflict(f"user {user} has an own project already")
    await store.log(tx, user, (None, ProjectState.ACTIVE), DAEMON, now)
    one = Membership(0, user, user, MembershipState.NONE, True)
    await members.move(tx, context, one, MembershipEvent.ENROLL)
    await quota.open_project(tx, user, {})
    return Project(user, plain.name, plain.description, user, True, True)


async def add_member(
    tx: Transaction,
    project: UUID,
    user: UUID,
    role: str = MEMBER,
    context: Context | None = None,
) -> None:
    """Make ``user`` an accepted member of a live ``project`` with ``role``.

    No policy and no limit of members counts. Doing it again changes only the
    role.

    :param context: who does it and when; None at a cloud's first start.
    :raises Invalid: the role.
    :raises NotFound: no such project, or no such user.
    """
    check_role(role)
    if not await store.lock(tx, project):
        raise NotFound(f"there is no project {project}")
    if not await store.is_user(tx, user):
        raise NotFound(f"there is no user {user}")
    await members.admit(tx, project, user, role, context)
    await quota.refresh(tx, project, user)


async def set_default(
    tx: Transaction, user: UUID, project: UUID, now: datetime
) -> None:
    """Let unscoped tokens of ``user`` act in ``project``, as long as he is in it."""
    await store.set_default(tx, user, project, now)


async def find(tx: Transaction, name: str) -> UUID | None:
    """The live project called ``name``, or None."""
    return await store.find_live(tx, name)


@frozen
class Slice:
    """Which part of a long list.

    :ivar after: only what comes after this project.
    :ivar limit: so many at most, `MAX_LIST` anyway.
    """

    after: UUID | None = None
    limit: int = MAX_LIST

    @property
    def most(self) -> int:
        """How many at most."""
        return min(self.limit, MAX_LIST)


WHOLE = Slice()
"""The first `MAX_LIST`."""


@frozen
class Listed:
    """Some projects.

    :ivar truncated: whether there are more than the answer may hold.
    """

    projects: Sequence[Project]
    truncated: bool


@frozen(eq=False)
class Projects:
    """Answers which projects there are."""

    db: Database

    async def of_user(
        self,
        caller: Caller,
        user: UUID,
        name: str | None = None,
        page: Slice = WHOLE,
    ) -> Listed:
        """The active projects that ``user`` is an accepted member of.

        :param name: only those with this name, in any case of letters.
        :raises Forbidden: it is somebody else and the caller no administrator.
        :raises Invalid: the page begins after no project that the caller sees.
        """
        if user != caller.user and not caller.is_admin:
            raise Forbidden("only administrators see other people's projects")
        if caller.confined:
            one = await self.get(caller, caller.project)
            named = name is None or name.lower() == one.name.lower()
            return Listed([one] if named and page.after != one.uuid else [], False)
        place = await self._place(caller, page)
        args = (user, name, *place, page.most + 1)
        return _listed(await self.db.read(store.OF_USER, args), page)

    async def visible(
        self, caller: Caller, name: str | None = None, page: Slice = WHOLE
    ) -> Listed:
        """All projects for an administrator, else the caller's own.

        :param name: as in `of_user`.
        :raises Invalid: as `of_user`.
        """
        if not caller.is_admin:
            return await self.of_user(caller, caller.user, name, page)
        place = await self._place(caller, page)
        args = (name, *place, page.most + 1)
        return _listed(await self.db.read(store.ALL, args), page)

    async def _place(self, caller: Caller, page: Slice) -> Sequence[object]:
        if page.after is None:
            return None, None, None
        try:
            await self.get(caller, page.after)
        except NotFound:
            raise Invalid(f"marker {page.after} is no project") from None
        (place,) = await self.db.read(store.PLACE, (page.after,))
        return place

    async def get(self, caller: Caller, uuid: UUID) -> Project:
        """One project that the caller may see.

        :raises NotFound: there is none, or he may not.
        """
        wanted = uuid if caller.in_reach(uuid) else None
        args = (wanted, caller.user, caller.is_admin)
        for row in await self.db.read(store.ONE, args):
            return store.project(row)
        raise NotFound(f"there is no project {uuid}")


def _listed(rows: Sequence[tuple[object, ...]], page: Slice) -> Listed:
    projects = [store.project(row) for row in rows[: page.most]]
    return Listed(projects, len(rows) > page.most)
