"""Memberships: people in projects, and how they come and go."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.audit import DAEMON
from snfd.db.port import Transaction
from snfd.mail.model import Kind
from snfd.projects import member_store as store
from snfd.projects import store as project_store
from snfd.projects.context import Context
from snfd.projects.member_store import Membership
from snfd.projects.model import Record
from snfd.projects.rules import Action, Case, Terms, enrolling, joining, outcome
from snfd.projects.states import (
    COUNTED,
    GRANTED,
    MEMBERSHIP_STEPS,
    MembershipEvent,
    MembershipState,
    step,
)
from snfd.quota import service as quota

_TOLD = {
    MembershipEvent.ACCEPT: Kind.MEMBER_ACCEPTED,
    MembershipEvent.ENROLL: Kind.MEMBER_ENROLLED,
    MembershipEvent.REJECT: Kind.MEMBER_REJECTED,
    MembershipEvent.REMOVE: Kind.MEMBER_REMOVED,
    MembershipEvent.SUSPEND: Kind.MEMBER_SUSPENDED,
    MembershipEvent.KEEP: Kind.MEMBER_ACCEPTED,
    MembershipEvent.UNSUSPEND: Kind.MEMBER_ACCEPTED,
}
"""What the person is told, unless he did it himself."""
_ASKED = {
    MembershipEvent.JOIN: Kind.JOIN_REQUESTED,
    MembershipEvent.ASK_TO_LEAVE: Kind.LEAVE_REQUESTED,
}
"""What the owner is told."""


async def taken(tx: Transaction, project: UUID, user: UUID) -> Membership:
    """How ``user`` stands to a locked project; the row is locked, if any."""
    found = await store.take(tx, project, user=user)
    if found is not None:
        return found
    active = await store.person(tx, user)
    return Membership(0, user, project, MembershipState.NONE, bool(active))


async def of_user(
    tx: Transaction,
    user: UUID,
    states: Sequence[MembershipState],
    because_of: UUID | None = None,
) -> Sequence[Membership]:
    """The memberships of ``user`` in ``states``, locked.

    :param because_of: only those that came to it by that person's deactivation.
    """
    return await store.in_states(tx, user, states, because_of)


async def join(tx: Transaction, context: Context, project: Record, user: UUID) -> int:
    """Have ``user`` ask for membership; the membership's number.

    He is in at once where the project takes everybody and has room.

    :raises Conflict: he is associated already, or nobody can join.
    """
    one = await taken(tx, project.uuid, user)
    events = joining(_case(one, await store.terms(tx, project)))
    for event in events:
        one, entry = await move(tx, context, one, event)
        await context.audit(tx, f"membership.{event.name.lower()}", project.uuid,
                         user=str(user))  # fmt: skip
    if events == [MembershipEvent.JOIN]:
        await _tell(tx, context, project, (one, entry), events[0])
    else:
        await quota.refresh(tx, project.uuid, user)
    return one.id


async def enroll(tx: Transaction, context: Context, project: Record, user: UUID) -> int:
    """Put ``user`` into a locked project; the membership's number.

    :raises Forbidden: only its owner and administrators may.
    :raises Conflict: he is in it already, or it is not possible now.
    """
    one = await taken(tx, project.uuid, user)
    event = enrolling(context.who, _case(one, await store.terms(tx, project)))
    return (await _do(tx, context, project, one, event)).id


async def settle_owner(tx: Transaction, context: Context, project: Record) -> None:
    """Make the owner a member where there is room and he is not one (W15).

    Holdings are not touched: the caller refreshes all of the project's.
    """
    if project.owner is None or project.is_system:
        return
    one = await taken(tx, project.uuid, project.owner)
    terms = await store.terms(tx, project)
    if one.state not in COUNTED and one.active and terms.has_room:
        await move(tx, context, one, MembershipEvent.ENROLL)


async def admit(
    tx: Transaction, project: UUID, user: UUID, role: str, context: Context | None
) -> None:
    """Make ``user`` a member of a locked project with ``role``, whatever he was.

    Holdings are not touched.

    :param context: None at a cloud's first start: the time is the database's.
    """
    one = await taken(tx, project, user)
    if one.state is not MembershipState.ACCEPTED:
        number = await store.put(tx, user, project, MembershipState.ACCEPTED)
        await store.log(
            tx,
            number,
            (one.state, MembershipState.ACCEPTED),
            context.who.actor if context else DAEMON,
            context.now if context else None,
            context.reason if context else "",
        )
    await store.set_role(tx, user, project, role)


async def act(
    tx: Transaction, context: Context, project: Record, one: Membership, action: Action
) -> None:
    """Do ``action`` to a membership; both rows are locked.

    :raises Forbidden: the actor may not.
    :raises Conflict: it is not possible now.
    """
    case = _case(one, await store.terms(tx, project))
    await _do(tx, context, project, one, outcome(action, context.who, case))


async def move(
    tx: Transaction, context: Context, one: Membership, event: MembershipEvent
) -> tuple[Membership, int]:
    """Have ``event`` happen to a locked membership, and log it; no more.

    :return: what it is now, and the log entry's number.
    :raises Busy: its state forbids it.
    """
    after = step(MEMBERSHIP_STEPS, one.state, event, "membership")
    number = await store.put(tx, one.user, one.project, after)
    entry = await store.log(
        tx,
        number,
        (one.state, after),
        context.who.actor,
        context.now,
        context.reason,
        context.because_of,
    )
    return Membership(number, one.user, one.project, after, one.active), entry


async def _do(
    tx: Transaction,
    context: Context,
    project: Record,
    one: Membership,
    event: MembershipEvent,
) -> Membership:
    after, entry = await move(tx, context, one, event)
    word = f"membership.{event.name.lower()}"
    await context.audit(tx, word, project.uuid, user=str(one.user))
    await _tell(tx, context, project, (after, entry), event)
    if after.state is MembershipState.REMOVED:
        await project_store.forget_default(tx, project.uuid, one.user)
    if {one.state, after.state} & GRANTED:
        await quota.refresh(tx, project.uuid, one.user)
    return after


async def _tell(
    tx: Transaction,
    context: Context,
    project: Record,
    moved: tuple[Membership, int],
    event: MembershipEvent,
) -> None:
    if context.letters is None:
        return
    one, entry = moved
    name = f"membership:{entry}"
    if event in _ASKED:
        await context.letters.owner(tx, project, one.user, name, _ASKED[event])
    elif event in _TOLD and context.who.user != one.user:
        await context.letters.person(
            tx, project, one.user, name, _TOLD[event], context.reason
        )


def _case(one: Membership, terms: Terms) -> Case:
    return Case(one.user, one.state, one.active, terms)
