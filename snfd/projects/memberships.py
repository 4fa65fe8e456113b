"""What people do with memberships, over an API or as administrators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.errors import Conflict, Forbidden, NotFound
from snfd.identity.model import Caller
from snfd.identity.names import normalised
from snfd.projects import lifecycle, member_store, members, store, view_store
from snfd.projects.acting import visible
from snfd.projects.context import Context
from snfd.projects.desk import PAGE
from snfd.projects.model import Record
from snfd.projects.parts import Parts
from snfd.projects.rules import Action, Who, allowed
from snfd.projects.shown import Member
from snfd.projects.states import GRANTED, MembershipState, ProjectState

T = TypeVar("T")


class NoSuchPerson(Conflict):
    """Nobody who was let in has that name."""


@frozen
class AskedMembers:
    """Which memberships are wanted, and how many of them.

    :ivar project: only in this one.
    :ivar after: the number that they follow; 0 for the first page.
    """

    project: UUID | None
    after: int
    most: int


@frozen
class ShownMember:
    """A membership, and what the one who asked may do about it."""

    member: Member
    actions: Sequence[Action]


@frozen(eq=False)
class Memberships:
    """Joining projects, leaving them, and letting people in."""

    parts: Parts

    async def list(
        self, caller: Caller, asked: AskedMembers, each: Callable[[ShownMember], T]
    ) -> Sequence[T]:
        """What ``each`` makes of memberships, by number: the caller's own and
        those in projects that he owns, or all for administrators.
        """
        who, after, found = Who.of(caller), asked.after, list[T]()
        while len(found) < asked.most:
            size = min(PAGE, asked.most - len(found))
            page = await self._page(who, asked.project, after, size)
            within = [one for one in page if caller.in_reach(one.project)]
            found += [each(_shown(who, one)) for one in within]
            if len(page) < size:
                break
            after = page[-1].id
        return found

    async def _page(
        self, who: Who, project: UUID | None, after: int, size: int
    ) -> Sequence[Member]:
        everybody = view_store.ALL_MEMBERSHIPS, (project, after, size)
        near = view_store.MEMBERSHIPS, (project, after, size, who.user)
        rows = await self.parts.db.read(*(everybody if who.is_admin else near))
        return view_store.members(rows)

    async def get(self, caller: Caller, number: int) -> ShownMember:
        """One membership.

        :raises NotFound: there is none.
        :raises Forbidden: it is somebody else's, in somebody else's project.
        """
        who = Who.of(caller)
        for row in await self.parts.db.read(view_store.MEMBERSHIP, (number,)):
            one = view_store.member(row)
            if not caller.in_reach(one.project):
                break
            _near(who, one.case.user, one.case.terms.owner)
            return _shown(who, one)
        raise NotFound(f"there is no membership {number}")

    async def join(self, caller: Caller, project: UUID) -> int:
        """Ask to be a member; the membership's number.

        :raises NotFound: there is no such project, or a private one that he
            never had to do with.
        :raises Conflict: he is associated already, or nobody can join.
        """
        context = self.parts.context(Who.doing(caller))
        return await self.parts.db.run(_join, context, project, caller.user)

    async def enroll(self, caller: Caller, project: UUID, name: str) -> int:
        """Put somebody in; the membership's number.

        :param name: his e-mail or username.
        :raises Forbidden: only the owner and administrators may.
        :raises Conflict: no such project or person (`NoSuchPerson`), or not now.
        """
        context = self.parts.context(Who.doing(caller))
        return await self.parts.db.run(_enroll, context, project, normalised(name))

    async def act(
        self, caller: Caller, number: int, action: Action, reason: str
    ) -> None:
        """Do ``action`` to a membership.

        :raises NotFound: there is none.
        :raises Forbidden: it is not the caller's to do.
        :raises Conflict: not now; `Busy` where the states forbid it.
        """
        context = self.parts.context(Who.doing(caller), reason)
        await self.parts.db.run(_act, context, number, action)

    async def set_default(self, caller: Caller, project: UUID) -> None:
        """Let the caller's unscoped tokens act in ``project``.

        :raises NotFound: there is no such project that he may see.
        :raises Forbidden: he is no member, or it is not active.
        """
        context = self.parts.context(Who.doing(caller))
        await self.parts.db.run(set_default, context, project, caller.user)


async def set_default(
    tx: Transaction, context: Context, uuid: UUID, user: UUID
) -> None:
    """Let unscoped tokens of ``user`` act in a project.

    :raises NotFound: as `Memberships.set_default`.
    :raises Forbidden: as `Memberships.set_default`.
    """
    project = await lifecycle.taken(tx, uuid)
    one = await members.taken(tx, uuid, user)
    if one.state not in GRANTED:
        _known(context.who, project, one.state)
        raise Forbidden("only a member's project can be his default")
    if project.state is not ProjectState.ACTIVE:
        raise Forbidden(f"the project is {project.state}")
    await store.set_default(tx, user, uuid, context.now)


def _near(who: Who, user: UUID, owner: UUID | None) -> None:
    if not (who.is_admin or who.owns(owner) or who.owns(user)):
        raise Forbidden("this membership is of other people")


def _shown(who: Who, one: Member) -> ShownMember:
    return ShownMember(one, allowed(who, one.case))


def _known(who: Who, project: Record, state: MembershipState) -> None:
    """Pass if ``who`` may know that there is ``project``.

    :raises NotFound: it is private and none of his; or a thing of others that
        never came to be.
    """
    if state is not MembershipState.NONE:
        return
    try:
        visible(who, project, state)
    except Forbidden:
        return


async def _join(tx: Transaction, context: Context, uuid: UUID, user: UUID) -> int:
    project = await lifecycle.taken(tx, uuid)
    one = await members.taken(tx, uuid, user)
    _known(context.who, project, one.state)
    return await members.join(tx, context, project, user)


async def _enroll(tx: Transaction, context: Context, uuid: UUID, name: str) -> int:
    try:
        project = await lifecycle.taken(tx, uuid)
        _known(context.who, project, MembershipState.NONE)
    except NotFound as error:
        # so it is told since Synnefo 0.15
        raise Conflict(error.message) from None
    if not (context.who.is_admin or context.who.owns(project.owner)):
        raise Forbidden("only a project's owner adds people")
    user = await member_store.accepted_person(tx, name)
    if user is None:
        raise NoSuchPerson("there is no such user")
    return await members.enroll(tx, context, project, user)


async def _act(tx: Transaction, context: Context, number: int, action: Action) -> None:
    uuid = await member_store.project_of(tx, number)
    if uuid is None:
        raise NotFound(f"there is no membership {number}")
    project = await lifecycle.taken(tx, uuid)
    one = await member_store.take(tx, uuid, number=number)
    assert one is not None
    _near(context.who, one.user, project.owner)
    await members.act(tx, context, project, one, action)
