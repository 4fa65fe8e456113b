"""The lives of projects, applications and memberships, as tables.

Source: ``spec/astakos.md`` §6.1, with W13 and W14: approving a change leaves
a suspended or terminated project as it is, unless that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from snfd.errors import Busy


class ProjectState(StrEnum):
    """What a project is."""

    UNINITIALIZED = "uninitialized"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    DELETED = "deleted"


class ProjectEvent(StrEnum):
    """What happens to a project; the words stand in messages."""

    APPROVE = "approved"
    CHANGE = "changed"
    REACTIVATE = "reactivated"
    ABANDON = "abandoned"
    SUSPEND = "suspended"
    UNSUSPEND = "unsuspended"
    TERMINATE = "terminated"
    REINSTATE = "reinstated"


class ApplicationState(StrEnum):
    """What became of an application."""

    PENDING = "pending"
    APPROVED = "approved"
    REPLACED = "replaced"
    DENIED = "denied"
    DISMISSED = "dismissed"
    CANCELLED = "cancelled"


class ApplicationEvent(StrEnum):
    """What happens to an application; the words stand in messages."""

    APPROVE = "approved"
    REPLACE = "replaced"
    DENY = "denied"
    DISMISS = "dismissed"
    CANCEL = "cancelled"


class MembershipState(StrEnum):
    """How a person stands to a project.

    ``NONE`` is never stored: there is no row.
    """

    NONE = "none"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    LEAVE_REQUESTED = "leave_requested"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    REMOVED = "removed"


class MembershipEvent(StrEnum):
    """What happens to a membership; the words stand in messages."""

    JOIN = "requested"
    ENROLL = "enrolled"
    ACCEPT = "accepted"
    REJECT = "rejected"
    CANCEL = "cancelled"
    ASK_TO_LEAVE = "given notice"
    KEEP = "kept"
    LEAVE = "left"
    REMOVE = "removed"
    SUSPEND = "suspended"
    UNSUSPEND = "unsuspended"


P, A, M = ProjectState, ApplicationState, MembershipState

INITIALIZED = frozenset({P.ACTIVE, P.SUSPENDED, P.TERMINATED})
ALIVE = frozenset({P.ACTIVE, P.SUSPENDED})
GRANTED = frozenset({M.ACCEPTED, M.LEAVE_REQUESTED})
"""Members who have a share of the project's quota while it is active."""
COUNTED = GRANTED | {M.SUSPENDED}
"""Members who take one of the project's places."""
ASSOCIATED = COUNTED | {M.REQUESTED}
LEFT = frozenset({M.NONE, M.REJECTED, M.CANCELLED, M.REMOVED})

PROJECT_STEPS: Mapping[tuple[ProjectState, ProjectEvent], ProjectState] = {
    (P.UNINITIALIZED, ProjectEvent.APPROVE): P.ACTIVE,
    (P.UNINITIALIZED, ProjectEvent.ABANDON): P.DELETED,
    (P.ACTIVE, ProjectEvent.SUSPEND): P.SUSPENDED,
    (P.SUSPENDED, ProjectEvent.UNSUSPEND): P.ACTIVE,
    (P.ACTIVE, ProjectEvent.TERMINATE): P.TERMINATED,
    (P.SUSPENDED, ProjectEvent.TERMINATE): P.TERMINATED,
    (P.TERMINATED, ProjectEvent.REINSTATE): P.ACTIVE,
    **{(state, ProjectEvent.CHANGE): state for state in INITIALIZED},
    **{(state, ProjectEvent.REACTIVATE): P.ACTIVE for state in INITIALIZED},
}

APPLICATION_STEPS: Mapping[
    tuple[ApplicationState, ApplicationEvent], ApplicationState
] = {
    (A.PENDING, ApplicationEvent.APPROVE): A.APPROVED,
    (A.PENDING, ApplicationEvent.REPLACE): A.REPLACED,
    (A.PENDING, ApplicationEvent.DENY): A.DENIED,
    (A.PENDING, ApplicationEvent.CANCEL): A.CANCELLED,
    (A.DENIED, ApplicationEvent.DISMISS): A.DISMISSED,
}

MEMBERSHIP_STEPS: Mapping[tuple[MembershipState, MembershipEvent], MembershipState] = {
    **{(state, MembershipEvent.JOIN): M.REQUESTED for state in LEFT},
    **{(state, MembershipEvent.ENROLL): M.ACCEPTED for state in LEFT},
    (M.REQUESTED, MembershipEvent.ENROLL): M.ACCEPTED,
    (M.REQUESTED, MembershipEvent.ACCEPT): M.ACCEPTED,
    (M.REQUESTED, MembershipEvent.REJECT): M.REJECTED,
    (M.REQUESTED, MembershipEvent.CANCEL): M.CANCELLED,
    (M.ACCEPTED, MembershipEvent.ASK_TO_LEAVE): M.LEAVE_REQUESTED,
    (M.LEAVE_REQUESTED, MembershipEvent.KEEP): M.ACCEPTED,
    **{(state, MembershipEvent.LEAVE): M.REMOVED for state in COUNTED},
    **{(state, MembershipEvent.REMOVE): M.REMOVED for state in COUNTED},
    **{(state, MembershipEvent.SUSPEND): M.SUSPENDED for state in GRANTED},
    (M.SUSPENDED, MembershipEvent.UNSUSPEND): M.ACCEPTED,
}

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def step(
    table: Mapping[tuple[State, Event], State], state: State, event: Event, what: str
) -> State:
    """Where ``event`` leads from ``state``.

    :param what: of which the message speaks, ``project``.
    :raises Busy: nowhere: the pair is not listed.
    """
    found = table.get((state, event))
    if found is None:
        plain = state.replace("_", " ")
        raise Busy(f"the {what} is {plain}: it cannot be {event}")
    return found
