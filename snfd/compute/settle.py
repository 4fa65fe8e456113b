"""What outcomes mean for servers: states, parts and quota in one transaction.

Outcomes may come twice, late and out of order; what does not apply (any more)
changes nothing. Usage of quota is always that of the state, whoever moved it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snfd.compute import effects, sizing
from snfd.compute.model import Locked
from snfd.compute.states import (
    Effect,
    Footprint,
    State,
    Step,
    Task,
    difference,
    step,
)
from snfd.compute.store import rows, tags
from snfd.db.port import Transaction, notify
from snfd.ganeti import requests
from snfd.ganeti.model import Event, Instance, Outcome
from snfd.network import firewall, presence
from snfd.quota import service as quota


async def settle(tx: Transaction, outcome: Outcome) -> None:
    """Write down what became of a server or a network."""
    if outcome.subject.startswith("network:"):
        await presence.settle(tx, outcome)
        return
    server = await rows.lock(tx, int(outcome.subject.partition(":")[2]))
    if server is None or server.state is State.DESTROYED:
        return
    if outcome.intent is None and outcome.cluster != server.cluster:
        return
    tagged = await tags.settled(tx, server.id, outcome)
    if await firewall.settled(tx, server.id, outcome) or tagged:
        await notify(tx, "server", server.id)
    await apply(tx, server, outcome)


async def apply(tx: Transaction, server: Locked, outcome: Outcome) -> None:
    """Apply an outcome to a locked server that is not gone."""
    ends = outcome.intent is not None and outcome.intent.id == server.intent
    move = None if _stale(server, outcome, ends) else step(server.state, event(outcome))
    if move is None and not ends:
        return
    to = move or Step(server.state)
    gone = to.state is State.DESTROYED
    size = await _size(tx, server, outcome, to)
    changes = _changes(server, outcome, to, clear=ends or gone, moves=move is not None)
    if changes:
        await rows.update(tx, server.id, **changes)
    for effect in to.effects:
        await effects.run(tx, effect, effects.Happening(server, outcome, ends))
    await notify(tx, "server", server.id)
    await _quota(tx, server, to.state, size, ends or gone)


_IF_DOWN = {
    Event.CREATED: Event.STOPPED,
    Event.REINSTALLED: Event.REINSTALLED_DOWN,
    Event.REINSTALL_FAILED: Event.REINSTALL_FAILED_DOWN,
}


def event(outcome: Outcome) -> Event:
    """The event of an outcome; of some it matters that the instance is down now."""
    instance = outcome.instance
    down = (
        instance is not None
        and instance.oper_state is False
        and instance.admin_state == "down"
    )
    return _IF_DOWN.get(outcome.event, outcome.event) if down else outcome.event


def _stale(server: Locked, outcome: Outcome, ends: bool) -> bool:
    """Whether newer things than ``outcome`` have been settled already."""
    if outcome.job is not None:
        return server.settled_job is not None and outcome.job.id <= server.settled_job
    if outcome.intent is not None:
        # Refused, or its job is lost: only the task that waits for it cares.
        return not ends
    if server.task is not None:
        return True
    return server.settled_at is not None and outcome.at <= server.settled_at


_OF_TASK = (
    *("task", "task_intent", "task_to", "task_flavor"),
    *("commission", "commission_from"),
)


async def _size(
    tx: Transaction, server: Locked, outcome: Outcome, to: Step
) -> Footprint:
    """What the server takes from now on."""
    if outcome.instance is None or Effect.SYNC_SIZE not in to.effects:
        return server.footprint
    return await sizing.follow(tx, server, outcome.instance)


def _changes(
    server: Locked, outcome: Outcome, to: Step, *, clear: bool, moves: bool
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if to.state is not server.state:
        changes["state"] = to.state.value
    if clear:
        changes.update(dict.fromkeys(_OF_TASK))
    if moves:
        changes.update(_moved(server, outcome, to))
    return changes


def _moved(server: Locked, outcome: Outcome, to: Step) -> Mapping[str, object]:
    changes: dict[str, object] = {"settled_at": outcome.at}
    if outcome.job is not None:
        changes["settled_job"] = outcome.job.id
    if outcome.instance is not None:
        changes.update(_seen(outcome.instance))
        rescue = changes["rescue"] = requests.rescued(outcome.instance.hvparams)
        if not rescue and server.task is not Task.RESCUE:
            changes["rescue_image"] = None
    if to.state is State.ERROR:
        changes["fault"] = outcome.error[:2000] or "the server could not be made"
    if to.state in (State.STARTED, State.STOPPED):
        changes.update(crashed=Effect.CRASHED in to.effects, progress=100, fault=None)
    if to.state is State.STARTED and server.state is not State.STARTED:
        changes["launched"] = outcome.at
    if to.state is State.DESTROYED:
        changes.update(deleted_at=outcome.at, console_host=None, console_port=None)
    return changes


def _seen(instance: Instance) -> Mapping[str, object]:
    """What a server's row keeps of its instance."""
    host = instance.hvparams.get("vnc_bind_address")
    usable = isinstance(host, str) and host and not host.startswith("/")
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = instance.node
    return {
        "node": instance.node,
        "serial_no": instance.serial,
        "console_host": host if usable else None,
        "console_port": instance.port if usable else None,
    }


async def _quota(
    tx: Transaction, server: Locked, to: State, size: Footprint, ends: bool
) -> None:
    """Bring the project's usage in line with the server's new state and size.

    A commission that was made for exactly this move is accepted; any other is
    called off, and the difference charged whatever the limits say: it is real.
    A task that goes on gets a new commission for what is left of its way.
    """
    change = difference(server.state, to, server.footprint, size)
    pending = server.commission
    if pending is not None and ends and change and change == expected(server):
        await quota.accept(tx, pending)
        return
    if pending is not None and (ends or change):
        await quota.reject(tx, pending)
    if change:
        await quota.charge(tx, server.owner, server.project, change, force=True)
    if pending is not None and change and not ends:
        await _again(tx, server, to, size)


async def _again(tx: Transaction, server: Locked, now: State, size: Footprint) -> None:
    """Reserve anew for the task of a server that is in another state now."""
    assert server.target is not None and server.intent is not None
    left = difference(now, server.target[0], size, server.task_size or size)
    serial = None
    if left:
        serial = await quota.reserve(
            tx, server.owner, server.project, left, server.intent, force=True
        )
    began = now.value if left else None
    await rows.update(tx, server.id, commission=serial, commission_from=began)


def expected(server: Locked) -> Mapping[str, int]:
    """What the commission of a server's task was made for."""
    if server.target is None or server.commission_from is None:
        return {}
    state, size = server.target
    return difference(server.commission_from, state, server.footprint, size)
