"""What is done to one project, as far as the actor may see it and decide."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.errors import Forbidden, Invalid, NotFound
from snfd.projects import applications, lifecycle, requirements
from snfd.projects.application_store import find as application_of
from snfd.projects.applications import Submitted
from snfd.projects.changes import Changes, Wording
from snfd.projects.context import Context
from snfd.projects.member_store import take as membership_of
from snfd.projects.model import Record
from snfd.projects.rules import Who, require_admin
from snfd.projects.states import (
    COUNTED,
    ApplicationEvent,
    MembershipState,
    ProjectState,
)

DECISIONS = ("approve", "deny", "cancel", "dismiss")
"""What can be done to a project's last application."""


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


def check_order(order: Order) -> None:
    """Pass if ``order`` makes sense.

    :raises Invalid: a decision about no application, or no known word.
    """
    if order.word in DECISIONS and order.application is None:
        raise Invalid(f"{order.word} needs app_id, the application's number")
    if order.word not in (*DECISIONS, *lifecycle.KINDS):
        raise Invalid(f"nobody can {order.word} a project")


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


async def apply_now(
    tx: Transaction, context: Context, uuid: UUID, wanted: Changes
) -> None:
    """Change a project as administrators do.

    :raises Forbidden: it is nobody like that.
    :raises NotFound: there is no such project.
    :raises Invalid: a resource or owner that is not there.
    :raises Conflict: the project may not change like that.
    """
    require_admin(context.who)
    project = await lifecycle.taken(tx, uuid)
    requirements.check_changeable(project, wanted)
    await requirements.check_references(tx, wanted, hidden=True)
    await context.audit(tx, "project.modify", uuid, changes=wanted.stored())
    await applications.apply(
        tx, context, project, wanted, enroll_owner=context.enroll_owner
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


async def modify(
    tx: Transaction, context: Context, uuid: UUID, wanted: Changes, said: Wording
) -> Submitted:
    """Apply for changes to a project.

    :raises CloudError: as `seen` and `applications.modify`.
    """
    project = await seen(tx, context.who, uuid)
    return await applications.modify(tx, context, project, wanted, said)


async def act(tx: Transaction, context: Context, uuid: UUID, order: Order) -> None:
    """Do what ``order`` says to a project.

    :raises CloudError: as `seen`, `applications` and `lifecycle.change_state`.
    """
    project = await seen(tx, context.who, uuid, order.application)
    number = order.application or 0
    if order.word in lifecycle.KINDS:
        await lifecycle.change_state(tx, context, project, order.word)
    elif order.word == "approve":
        await applications.approve(
            tx,
            context,
            project,
            number,
            reactivate=order.reactivate,
            enroll_owner=context.enroll_owner,
        )
    elif order.word == "deny":
        await applications.deny(tx, context, project, number)
    else:
        event = (
            ApplicationEvent.CANCEL
            if order.word == "cancel"
            else ApplicationEvent.DISMISS
        )
        await applications.withdraw(tx, context, project, number, event)
