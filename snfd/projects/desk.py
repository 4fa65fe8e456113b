"""What people do with projects, over an API or as administrators.

`Projects` (in `snfd.projects.service`) answers which there are for tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar
from uuid import UUID, uuid4

from attrs import field, frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Row, Transaction
from snfd.errors import Forbidden, Invalid, NotFound
from snfd.identity.model import Caller
from snfd.projects import applications, lifecycle, requirements, view_store
from snfd.projects.application_store import find as application_of
from snfd.projects.applications import Submitted
from snfd.projects.changes import Changes, Wording, check_wording, checked
from snfd.projects.deed import MAX_REASON, Deed
from snfd.projects.letters import Letters
from snfd.projects.member_store import take as membership_of
from snfd.projects.model import Record
from snfd.projects.rules import Who, require_admin
from snfd.projects.states import (
    COUNTED,
    ApplicationEvent,
    MembershipState,
    ProjectState,
)
from snfd.projects.view_store import Shown

T = TypeVar("T")
Mode = Literal["default", "member", "related", "active"]

PAGE = 25
"""Rows that are looked at in one go, which takes a few milliseconds."""

DECISIONS = ("approve", "deny", "cancel", "dismiss")
"""What can be done to a project's last application."""


@frozen
class Asked:
    """Which projects are wanted, and how many of them.

    :ivar name: exactly.
    :ivar after: the project that they follow; None for the first page.
    """

    name: str | None = None
    owner: UUID | None = None
    state: ProjectState | None = None
    mode: Mode = "default"
    private: bool | None = None
    system: bool | None = None
    after: UUID | None = None
    most: int = 1000


@frozen
class Order:
    """What shall become of a project.

    :ivar word: one of `DECISIONS`, or of `lifecycle.KINDS`.
    :ivar application: which, for decisions.
    :ivar reactivate: whether a change that is approved also makes a suspended
        or terminated project active.
    """

    word: str
    reason: str = ""
    application: int | None = None
    reactivate: bool = False


@frozen(eq=False)
class Office:
    """What use cases of projects need.

    :ivar letters: None where nobody is told.
    :ivar enroll_owner: whether an approved project's owner is its first member.
    """

    db: Database
    clock: Seconds
    letters: Letters | None = None
    new_id: Callable[[], UUID] = uuid4
    enroll_owner: bool = field(default=True, kw_only=True)

    def deed(self, who: Who, reason: str = "") -> Deed:
        """Something that ``who`` does now.

        :raises Invalid: the reason is too long.
        """
        if len(reason) > MAX_REASON:
            raise Invalid(f"a reason has at most {MAX_REASON} characters")
        return Deed(who, now(self.clock), reason, self.letters)


@frozen(eq=False)
class ProjectDesk:
    """Looking at projects, applying for them, deciding about them."""

    office: Office

    async def list(
        self, caller: Caller, asked: Asked, each: Callable[[Shown], T]
    ) -> Sequence[T]:
        """What ``each`` makes of the projects that the caller may see.

        They come in the order of their making, a few at a time, so that a
        long list holds nobody up.

        :raises Invalid: ``asked.after`` is no project.
        """
        who, after, found = Who.of(caller), asked.after, list[T]()
        if after is not None:
            await self._there(after)
        while len(found) < asked.most:
            size = min(PAGE, asked.most - len(found))
            rows = await self._page(caller, asked, after, size)
            shown = [view_store.shown(row) for row in rows]
            found += [each(_for(who, one)) for one in shown]
            if len(rows) < size:
                break
            after = shown[-1].project.uuid
        return found

    async def get(self, caller: Caller, uuid: UUID) -> Shown:
        """One project.

        :raises NotFound: there is none, or a private one of others.
        :raises Forbidden: it is not the caller's, and not open to all.
        """
        for row in await self.office.db.read(view_store.PROJECT, (caller.user, uuid)):
            found = view_store.shown(row)
            who = Who.of(caller)
            visible(who, found.project, found.membership, _applicant(found))
            return _for(who, found)
        raise NotFound(f"there is no project {uuid}")

    async def submit(self, caller: Caller, wanted: Changes, said: Wording) -> Submitted:
        """Apply for a new project.

        :raises Invalid: it cannot be like that.
        :raises Conflict: the caller has too many undecided applications.
        """
        if wanted.name is None or wanted.ends is None:
            raise Invalid("a new project needs a name and an end_date")
        deed = self.office.deed(Who.of(caller))
        checked(wanted, deed.now)
        check_wording(said)
        uuid = self.office.new_id()
        return await self.office.db.run(applications.submit, deed, uuid, wanted, said)

    async def modify(
        self,
        caller: Caller,
        uuid: UUID,
        wanted: Changes,
        said: Wording,
        *,
        at_once: bool = False,
    ) -> Submitted:
        """Apply for changes to a project, or make them as administrator.

        :param at_once: make them.
        :raises Invalid: it cannot be like that.
        :raises Forbidden: only the owner applies, only administrators decide.
        :raises NotFound: there is no such project that the caller may see.
        :raises Conflict: it may not change like that, or not now.
        """
        deed = self.office.deed(Who.of(caller))
        checked(wanted, deed.now, free_name=at_once)
        check_wording(said)
        if at_once:
            await self.office.db.run(apply_now, self.office, deed, uuid, wanted)
            return Submitted(uuid, None)
        return await self.office.db.run(_modify, deed, uuid, wanted, said)

    async def act(self, caller: Caller, uuid: UUID, order: Order) -> None:
        """Decide about a project or its application, as far as one may.

        :raises Invalid: a decision about no application.
        :raises Forbidden: it is not the caller's to decide.
        :raises NotFound: no such project or application.
        :raises Conflict: not now; `Busy` where the states forbid it.
        """
        await act(self.office, Who.of(caller), uuid, order)

    async def _page(
        self, caller: Caller, asked: Asked, after: UUID | None, size: int
    ) -> Sequence[Row]:
        state = asked.state and str(asked.state)
        args = (
            *(caller.user, caller.is_admin, asked.name, asked.owner, state),
            *(asked.private, asked.system, asked.mode, after, size),
        )
        return await self.office.db.read(view_store.PROJECTS, args)

    async def _there(self, uuid: UUID) -> None:
        # also where he may not see it: a page may end with what was hidden since
        if not await self.office.db.read(view_store.HISTORY, (uuid, 1)):
            raise Invalid(f"marker: there is no project {uuid}")


def visible(
    who: Who,
    project: Record,
    membership: MembershipState,
    applicant: UUID | None = None,
) -> None:
    """Pass if ``who`` may look at ``project``.

    :param applicant: who applied for it, or for changes to it.
    :raises NotFound: it is private (W17).
    :raises Forbidden: it is not, but is not open now.
    """
    public = project.state is ProjectState.ACTIVE and not project.private
    mine = who.is_admin or who.owns(project.owner) or who.owns(applicant)
    if public or mine or membership in COUNTED:
        return
    if project.private:
        raise NotFound(f"there is no project {project.uuid}")
    raise Forbidden("this project is not open to you")


async def act(office: Office, who: Who, uuid: UUID, order: Order) -> None:
    """Do what ``order`` says to a project.

    :raises CloudError: as `ProjectDesk.act`.
    """
    if order.word in DECISIONS and order.application is None:
        raise Invalid(f"{order.word} needs app_id, the application's number")
    if order.word not in (*DECISIONS, *lifecycle.KINDS):
        raise Invalid(f"nobody can {order.word} a project")
    deed = office.deed(who, order.reason)
    await office.db.run(_act, office, deed, uuid, order)


async def apply_now(
    tx: Transaction, office: Office, deed: Deed, uuid: UUID, wanted: Changes
) -> None:
    """Change a project as administrators do.

    :raises Forbidden: it is nobody like that.
    :raises NotFound: there is no such project.
    :raises Invalid: a resource or owner that is not there.
    :raises Conflict: the project may not change like that.
    """
    require_admin(deed.who)
    project = await lifecycle.taken(tx, uuid)
    requirements.check_changeable(project, wanted)
    await requirements.check_references(tx, wanted, hidden=True)
    await deed.audit(tx, "project.modify", uuid, changes=wanted.stored())
    await applications.apply(
        tx, deed, project, wanted, enroll_owner=office.enroll_owner
    )


async def seen(
    tx: Transaction, who: Who, uuid: UUID, number: int | None = None
) -> Record:
    """A project that ``who`` may see, locked.

    :param number: an application of his makes him see it, too.
    :raises NotFound: as `visible`, or there is none.
    :raises Forbidden: as `visible`.
    """
    project = await lifecycle.taken(tx, uuid)
    if who.user is None or who.is_admin:
        return project
    one = await membership_of(tx, uuid, user=who.user)
    applied = None if number is None else await application_of(tx, uuid, number)
    visible(
        who,
        project,
        one.state if one else MembershipState.NONE,
        applied.applicant if applied else None,
    )
    return project


async def _modify(
    tx: Transaction, deed: Deed, uuid: UUID, wanted: Changes, said: Wording
) -> Submitted:
    project = await seen(tx, deed.who, uuid)
    return await applications.modify(tx, deed, project, wanted, said)


async def _act(
    tx: Transaction, office: Office, deed: Deed, uuid: UUID, order: Order
) -> None:
    project = await seen(tx, deed.who, uuid, order.application)
    number = order.application or 0
    if order.word in lifecycle.KINDS:
        await lifecycle.change_state(tx, deed, project, order.word)
    elif order.word == "approve":
        await applications.approve(
            tx,
            deed,
            project,
            number,
            reactivate=order.reactivate,
            enroll_owner=office.enroll_owner,
        )
    elif order.word == "deny":
        await applications.deny(tx, deed, project, number)
    else:
        event = (
            ApplicationEvent.CANCEL
            if order.word == "cancel"
            else ApplicationEvent.DISMISS
        )
        await applications.withdraw(tx, deed, project, number, event)


def _for(who: Who, found: Shown) -> Shown:
    """Without what only administrators, the owner and the applicant see."""
    near = who.owns(found.project.owner) or who.owns(_applicant(found))
    if who.is_admin or near:
        return found
    return Shown(found.project, found.limits, None, found.membership, near=False)


def _applicant(found: Shown) -> UUID | None:
    return found.application.applicant if found.application else None
