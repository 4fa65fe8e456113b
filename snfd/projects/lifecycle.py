"""What becomes of projects: suspended, terminated, and back.

Locks are taken in the order projects, memberships, users, holdings; who
calls `suspend_of_user` must not have locked rows of users before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor
from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound
from snfd.mail.model import Kind
from snfd.projects import members, store
from snfd.projects.context import Context
from snfd.projects.letters import Letters
from snfd.projects.model import Record
from snfd.projects.rules import Who, require_admin
from snfd.projects.states import (
    GRANTED,
    MembershipEvent,
    MembershipState,
    ProjectEvent,
    ProjectState,
)
from snfd.quota import service as quota

DEACTIVATION = "user_deactivation"
ACTIVATION = "user_activation"
"""The reasons that logs tell where a person's account was the cause."""


@frozen
class _Kind:
    event: ProjectEvent
    letter: Kind


SUSPEND = _Kind(ProjectEvent.SUSPEND, Kind.PROJECT_SUSPENDED)
UNSUSPEND = _Kind(ProjectEvent.UNSUSPEND, Kind.PROJECT_UNSUSPENDED)
TERMINATE = _Kind(ProjectEvent.TERMINATE, Kind.PROJECT_TERMINATED)
REINSTATE = _Kind(ProjectEvent.REINSTATE, Kind.PROJECT_REINSTATED)

KINDS = {
    "suspend": SUSPEND,
    "unsuspend": UNSUSPEND,
    "terminate": TERMINATE,
    "reinstate": REINSTATE,
}
"""The changes that administrators make, by the word for each."""


async def taken(tx: Transaction, project: UUID) -> Record:
    """A project, locked.

    :raises NotFound: there is none.
    """
    found = await store.take(tx, project)
    if found is None:
        raise NotFound(f"there is no project {project}")
    return found


async def change_state(
    tx: Transaction, context: Context, project: Record, word: str
) -> None:
    """Suspend, unsuspend, terminate or reinstate a locked project.

    Limits follow, the owner and the members are told.

    :param word: a key of `KINDS`.
    :raises Forbidden: not an administrator.
    :raises Conflict: a person's own project cannot be terminated; another
        project has the name now; the end has passed. `Busy` where its state
        forbids it.
    """
    require_admin(context.who)
    kind = KINDS[word]
    if kind is TERMINATE and project.is_system:
        raise Conflict("a person's own project cannot be terminated")
    if kind is REINSTATE and project.state is ProjectState.TERMINATED:
        await require_name(tx, project.name, project.uuid)
        require_future(project, context.now)
    _, entry = await context.move(tx, project, kind.event)
    if kind is TERMINATE:
        await store.forget_default(tx, project.uuid)
    await context.audit(tx, f"project.{word}", project.uuid)
    if context.letters is not None:
        await context.letters.everybody(
            tx, project, f"project:{entry}", kind.letter, reason=context.reason
        )
    await quota.refresh(tx, project.uuid)


async def require_name(tx: Transaction, name: str, project: UUID) -> None:
    """Pass if no other live project is called ``name``.

    :raises Conflict: one is.
    """
    found = await store.find_live(tx, name)
    if found is not None and found != project:
        raise Conflict(f"there is a project {name!r} already")


def require_future(project: Record, now: datetime) -> None:
    """Pass if the project's end lies ahead.

    :raises Conflict: it would be terminated again at once.
    """
    if project.ends is not None and project.ends <= now:
        raise Conflict("the project's end date has passed; give it another one first")


async def suspend_of_user(
    tx: Transaction,
    user: UUID,
    actor: Actor,
    now: datetime,
    letters: Letters | None = None,
) -> None:
    """Suspend what a person who is deactivated has.

    That is his own project, active projects that he owns, and his memberships.
    Call it before anything that locks rows of users. What is suspended already
    stays so, also afterwards.

    :param letters: tells the members of those projects; None tells nobody.
    """
    context = Context(Who.admin(actor), now, DEACTIVATION, letters, user)
    for project in await _all_of(tx, user):
        if project.owner == user and project.state is ProjectState.ACTIVE:
            await change_state(tx, context, project, "suspend")
    await _move_all(tx, context, sorted(GRANTED), MembershipEvent.SUSPEND)


async def unsuspend_of_user(
    tx: Transaction,
    user: UUID,
    actor: Actor,
    now: datetime,
    letters: Letters | None = None,
) -> None:
    """Undo exactly what `suspend_of_user` did, where nobody else touched it.

    :param letters: as there.
    """
    context = Context(Who.admin(actor), now, ACTIVATION, letters, user)
    for project in await _all_of(tx, user):
        suspended = project.owner == user and project.state is ProjectState.SUSPENDED
        if suspended and await store.cause(tx, project.uuid) == user:
            await change_state(tx, context, project, "unsuspend")
    states = [MembershipState.SUSPENDED]
    await _move_all(tx, context, states, MembershipEvent.UNSUSPEND, user)


async def _all_of(tx: Transaction, user: UUID) -> Sequence[Record]:
    """Every project that ``user`` has to do with, locked in order."""
    return [await taken(tx, uuid) for uuid in await store.of_person(tx, user)]


async def _move_all(
    tx: Transaction,
    context: Context,
    states: Sequence[MembershipState],
    event: MembershipEvent,
    because_of: UUID | None = None,
) -> None:
    assert context.because_of is not None
    for one in await members.of_user(tx, context.because_of, states, because_of):
        await members.move(tx, context, one, event)
        await quota.refresh(tx, one.project, context.because_of)
