"""What can become of an account, as a table (``spec/astakos.md`` §5.1).

A state is told by four columns of its row; what is not in the table is `Busy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from attrs import frozen

from snfd.errors import Busy


class State(StrEnum):
    """Where an account stands; the values are what administrators read."""

    UNVERIFIED = "pending verification"
    PENDING = "pending moderation"
    REJECTED = "rejected"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    GONE = "removed"


class Event(Enum):
    """What is done to an account."""

    VERIFY = "verified"
    ACCEPT = "accepted"
    REJECT = "rejected"
    ACTIVATE = "activated"
    DEACTIVATE = "deactivated"
    CLOSE = "closed"
    REMOVE = "removed"


class Effect(Enum):
    """What goes along with a change, in the same transaction."""

    OPEN_PROJECT = "his own project and its quota are made"
    SUSPEND = "what he owns, and his memberships, are suspended"
    UNSUSPEND = "what his deactivation suspended is active again"
    END_TOKENS = "his tokens and sessions end"
    FORGET = "his names, address, methods to log in and groups are removed"


@frozen
class Step:
    """The next state, and what goes along."""

    state: State
    effects: tuple[Effect, ...] = ()


_IN = Step(State.ACTIVE, (Effect.OPEN_PROJECT,))
_OUT = (Effect.SUSPEND, Effect.END_TOKENS)
_CLOSED = Step(State.CLOSED, (*_OUT, Effect.FORGET))
_GONE = Step(State.GONE)

STEPS: Mapping[tuple[State, Event], Step] = {
    (State.UNVERIFIED, Event.VERIFY): Step(State.PENDING),
    (State.PENDING, Event.ACCEPT): _IN,
    (State.PENDING, Event.REJECT): Step(State.REJECTED),
    (State.REJECTED, Event.ACCEPT): _IN,
    (State.ACTIVE, Event.DEACTIVATE): Step(State.INACTIVE, _OUT),
    (State.INACTIVE, Event.ACTIVATE): Step(State.ACTIVE, (Effect.UNSUSPEND,)),
    (State.ACTIVE, Event.CLOSE): _CLOSED,
    (State.INACTIVE, Event.CLOSE): _CLOSED,
    (State.UNVERIFIED, Event.REMOVE): _GONE,
    (State.PENDING, Event.REMOVE): _GONE,
    (State.REJECTED, Event.REMOVE): _GONE,
}


def step(state: State, event: Event) -> Step:
    """What ``event`` makes of an account.

    :raises Busy: it cannot happen to one in that state.
    """
    found = STEPS.get((state, event))
    if found is None:
        if (state, event) == (State.UNVERIFIED, Event.ACCEPT):
            raise Busy("its address is not verified yet: verify that first")
        raise Busy(f"an account that is {state.value} cannot be {event.value}")
    return found


@frozen
class Columns:
    """How a state is stored."""

    email_verified: bool
    moderation: str
    is_active: bool
    closed: bool = False


STORED: Mapping[State, Columns] = {
    State.UNVERIFIED: Columns(False, "pending", False),
    State.PENDING: Columns(True, "pending", False),
    State.REJECTED: Columns(True, "rejected", False),
    State.ACTIVE: Columns(True, "accepted", True),
    State.INACTIVE: Columns(True, "accepted", False),
    State.CLOSED: Columns(False, "accepted", False, True),
}
"""Every state that has a row."""

_STATES = {columns: state for state, columns in STORED.items()}


def state_of(columns: Columns) -> State:
    """The state of a row.

    :raises KeyError: nothing but this table writes rows, and it has none such.
    """
    return _STATES[columns]
