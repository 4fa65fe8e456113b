"""The life of a server as tables (``spec/cyclades.md`` §3).

An event may come twice, late or out of order: what a pair of state and event
does not list has no meaning then, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from attrs import frozen

from snfd.errors import BuildInProgress, Busy
from snfd.ganeti.model import Event


class State(Enum):
    """What the cluster last confirmed."""

    BUILD = "BUILD"
    ERROR = "ERROR"
    STOPPED = "STOPPED"
    STARTED = "STARTED"
    DESTROYED = "DESTROYED"


class Effect(Enum):
    """What else must happen in the transaction that moves the state."""

    PARTS_UP = "ports and disks are in use"
    PARTS_FAILED = "ports and disks are in error"
    PARTS_GONE = "ports go, their addresses return, disks are deleted"
    CLOSE_CONSOLES = "open consoles end"
    FORGET_SECRETS = "hand-offs and the stored password go"
    CRASHED = "it is shown as stopped, but keeps its charge"
    SYNC_PORTS = "ports follow the instance's network cards"
    HANDED_OVER = "hand-offs go, and a password that waited for its turn"
    SYNC_SIZE = "the flavor follows the instance's processors and memory"
    DIAGNOSE = "the job's message is kept for the owner"


class Step(NamedTuple):
    """Where an event leads, and what it takes along."""

    state: State
    effects: tuple[Effect, ...] = ()


_ERROR = Step(State.ERROR, (Effect.PARTS_FAILED, Effect.DIAGNOSE))
_UP = Step(State.STARTED, (Effect.PARTS_UP, Effect.SYNC_PORTS))
_UP_BUT_STOPPED = Step(State.STOPPED, (Effect.PARTS_UP, Effect.SYNC_PORTS))
_SYNC = (Effect.SYNC_PORTS, Effect.SYNC_SIZE)
_RUNS = Step(State.STARTED, _SYNC)
_STOPS = Step(State.STOPPED, (Effect.CLOSE_CONSOLES,))
_GONE = Step(
    State.DESTROYED,
    (Effect.PARTS_GONE, Effect.CLOSE_CONSOLES, Effect.FORGET_SECRETS),
)
_ALIVE = (State.BUILD, State.ERROR, State.STOPPED, State.STARTED)
_NO_CHANGE = (
    Event.START_FAILED,
    Event.STOP_FAILED,
    Event.REBOOT_FAILED,
    Event.REMOVE_FAILED,
)

_REINSTALLED = {
    Event.REINSTALLED: Step(State.STARTED, (*_SYNC, Effect.HANDED_OVER)),
    Event.REINSTALLED_DOWN: Step(
        State.STOPPED, (Effect.HANDED_OVER, Effect.CLOSE_CONSOLES)
    ),
    Event.REINSTALL_FAILED_DOWN: Step(
        State.STOPPED, (Effect.HANDED_OVER, Effect.CLOSE_CONSOLES, Effect.DIAGNOSE)
    ),
}

STEPS: Mapping[tuple[State, Event], Step] = {
    (State.BUILD, Event.CREATED): _UP,
    (State.BUILD, Event.CREATE_FAILED): _ERROR,
    (State.BUILD, Event.STARTED): _UP,
    (State.BUILD, Event.STOPPED): _UP_BUT_STOPPED,
    # A create that was given up, and then seen to have worked.
    (State.ERROR, Event.CREATED): _UP,
    (State.ERROR, Event.STARTED): _UP,
    (State.ERROR, Event.REBOOTED): _UP,
    (State.ERROR, Event.STOPPED): _UP_BUT_STOPPED,
    (State.STOPPED, Event.STARTED): _RUNS,
    (State.STOPPED, Event.REBOOTED): _RUNS,
    (State.STOPPED, Event.STOPPED): Step(State.STOPPED),
    (State.STARTED, Event.STARTED): _RUNS,
    (State.STARTED, Event.REBOOTED): _RUNS,
    (State.STARTED, Event.STOPPED): _STOPS,
    # Ganeti's watcher may start it again, and must find room for it then.
    (State.STARTED, Event.CRASHED): Step(
        State.STARTED, (Effect.CRASHED, Effect.CLOSE_CONSOLES, Effect.DIAGNOSE)
    ),
    **{(state, Event.REMOVED): _GONE for state in _ALIVE},
    **{
        (state, event): Step(state, (Effect.DIAGNOSE,))
        for state in _ALIVE
        for event in _NO_CHANGE
    },
    **{
        (state, Event.MODIFIED): Step(state, _SYNC)
        for state in (State.STARTED, State.STOPPED)
    },
    **{
        (state, event): step_
        for state in (State.STARTED, State.STOPPED)
        for event, step_ in _REINSTALLED.items()
    },
    **{
        (state, Event.REINSTALL_FAILED): Step(
            state, (Effect.HANDED_OVER, Effect.DIAGNOSE)
        )
        for state in (State.STARTED, State.STOPPED)
    },
    **{
        (state, Event.MODIFY_FAILED): Step(state, (*_SYNC, Effect.DIAGNOSE))
        for state in (State.STARTED, State.STOPPED)
    },
}


def step(state: State, event: Event) -> Step | None:
    """Where ``event`` leads from ``state``; None where it means nothing."""
    return STEPS.get((state, event))


class Task(Enum):
    """What a server is doing for its owner; at most one at a time."""

    BUILD = "BUILD"
    START = "START"
    STOP = "STOP"
    REBOOT = "REBOOT"
    DESTROY = "DESTROY"
    CONNECT = "CONNECT"
    DISCONNECT = "DISCONNECT"
    RESIZE = "RESIZE"
    REBUILD = "REBUILD"
    RESCUE = "RESCUE"
    UNRESCUE = "UNRESCUE"


ALLOWED: Mapping[Task, frozenset[State]] = {
    Task.START: frozenset({State.STOPPED}),
    Task.STOP: frozenset({State.STARTED}),
    Task.REBOOT: frozenset({State.STARTED, State.STOPPED}),
    Task.DESTROY: frozenset(_ALIVE),
    Task.CONNECT: frozenset({State.STARTED, State.STOPPED}),
    Task.DISCONNECT: frozenset({State.STARTED, State.STOPPED}),
    Task.RESIZE: frozenset({State.STARTED, State.STOPPED}),
    Task.REBUILD: frozenset({State.STARTED, State.STOPPED}),
    Task.RESCUE: frozenset({State.STARTED, State.STOPPED}),
    Task.UNRESCUE: frozenset({State.STARTED, State.STOPPED}),
}
"""In which states a task may begin."""

DONE: Mapping[Task, State] = {
    Task.BUILD: State.STARTED,
    Task.START: State.STARTED,
    Task.STOP: State.STOPPED,
    Task.REBOOT: State.STARTED,
    Task.DESTROY: State.DESTROYED,
}
"""Where a task leads if its job succeeds; its commission is made for that.

Tasks that are not here leave the state as it is, or say where they lead when
they begin: a resize leads back to where it began.
"""


def may_begin(state: State, current: Task | None, wanted: Task) -> None:
    """Check that ``wanted`` may begin now.

    :raises BuildInProgress: the server is still being built.
    :raises Busy: its state or its current task excludes the wanted one.
    """
    if wanted is Task.DESTROY and state is not State.DESTROYED:
        return
    if current is Task.BUILD or state is State.BUILD:
        raise BuildInProgress("the server is still being built")
    if current is not None:
        raise Busy(f"the server is busy with {current.value}")
    if state not in ALLOWED.get(wanted, ()):
        raise Busy(f"the server is {state.value}; that excludes {wanted.value}")


@frozen
class Footprint:
    """What a server takes of its project's quota.

    :ivar cpu: virtual processors.
    :ivar ram: MiB.
    :ivar disk: GiB, of all volumes that live and die with the server.
    """

    cpu: int
    ram: int
    disk: int


RESOURCES = (
    "cyclades.vm",
    "cyclades.total_cpu",
    "cyclades.total_ram",
    "cyclades.cpu",
    "cyclades.ram",
    "cyclades.disk",
)


def usage(state: State, size: Footprint) -> Mapping[str, int]:
    """What a server in ``state`` holds; bytes where the resource is a size.

    Everything but a stopped server counts as running: an ERROR keeps its
    charge until it is deleted.
    """
    here = 0 if state is State.DESTROYED else 1
    runs = 0 if state in (State.DESTROYED, State.STOPPED) else 1
    amounts = (
        here,
        here * size.cpu,
        here * size.ram << 20,
        runs * size.cpu,
        runs * size.ram << 20,
        here * size.disk << 30,
    )
    return dict(zip(RESOURCES, amounts, strict=True))


def difference(
    old: State, new: State, size: Footprint, resized: Footprint | None = None
) -> Mapping[str, int]:
    """What a move from ``old`` to ``new`` adds to the usage; no zeros.

    :param resized: what the server takes afterwards, if that is not ``size``.
    """
    before = usage(old, size)
    after = usage(new, size if resized is None else resized)
    changes = {name: after[name] - before[name] for name in RESOURCES}
    return {name: change for name, change in changes.items() if change}
