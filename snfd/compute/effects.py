"""What happens beside a server's row when its state moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from attrs import frozen

from snfd.compute.model import Locked
from snfd.compute.states import Effect, Task
from snfd.compute.store import rows
from snfd.db.port import Transaction, notify
from snfd.ganeti import names
from snfd.ganeti.model import Event, Outcome
from snfd.network import plugging


@frozen
class Happening:
    """An outcome, and the locked server that it is about.

    :ivar ends: whether the server's task ends with it.
    """

    server: Locked
    outcome: Outcome
    ends: bool


async def run(tx: Transaction, effect: Effect, what: Happening) -> None:
    """Let an effect happen."""
    await EFFECTS[effect](tx, what)


async def _parts_up(tx: Transaction, what: Happening) -> None:
    server = what.server.id
    await plugging.confirm(tx, server)
    for old in ("CREATING", "ERROR"):
        await rows.volumes_status(tx, server, old, "IN_USE")
    await rows.forget_secrets(tx, server, password=False)


async def _parts_failed(tx: Transaction, what: Happening) -> None:
    await plugging.failed(tx, what.server.id)
    await rows.volumes_status(tx, what.server.id, "CREATING", "ERROR")


async def _parts_gone(tx: Transaction, what: Happening) -> None:
    await plugging.unplug(tx, what.server.id)
    await rows.volumes_gone(tx, what.server.id)


async def _sync_ports(tx: Transaction, what: Happening) -> None:
    """Let ports follow the instance's cards, unless a job still changes them."""
    server, outcome = what.server, what.outcome
    if outcome.instance is None:
        if what.ends and outcome.event is Event.MODIFY_FAILED:
            await plugging.refused(tx, server.id)
        return
    if not what.ends and server.task in (Task.CONNECT, Task.DISCONNECT):
        return
    macs: dict[int, str | None] = {}
    for card in outcome.instance.nics:
        port = _port(card.name)
        if port is not None:
            macs[port] = card.mac
    await plugging.came_up(tx, server.id, macs)


def _port(card: str | None) -> int | None:
    """The port that a network card is called after, or None."""
    number = (card or "").removeprefix("snf-nic-")
    known = card == names.nic(int(number)) if number.isdecimal() else False
    return int(number) if known else None


async def _forget(tx: Transaction, what: Happening) -> None:
    await rows.forget_secrets(tx, what.server.id, password=True)


async def _handed_over(tx: Transaction, what: Happening) -> None:
    """Somebody else's job was not handed anything."""
    if what.outcome.intent is not None:
        await rows.forget_secrets(tx, what.server.id, password=False)
        await rows.update(tx, what.server.id, new_password=None)


async def _diagnose(tx: Transaction, what: Happening) -> None:
    outcome = what.outcome
    source = f"ganeti-{outcome.event.value}"
    text = outcome.error or outcome.event.value
    await rows.diagnose(tx, what.server.id, source, outcome.at, text)


async def _close_consoles(tx: Transaction, what: Happening) -> None:
    await notify(tx, "console", what.server.id)


async def _in_the_row(tx: Transaction, what: Happening) -> None:
    """It is a matter of the server's own columns; see `snfd.compute.settle`."""


EFFECTS: Mapping[Effect, Callable[[Transaction, Happening], Awaitable[None]]] = {
    Effect.PARTS_UP: _parts_up,
    Effect.PARTS_FAILED: _parts_failed,
    Effect.PARTS_GONE: _parts_gone,
    Effect.CLOSE_CONSOLES: _close_consoles,
    Effect.FORGET_SECRETS: _forget,
    Effect.HANDED_OVER: _handed_over,
    Effect.CRASHED: _in_the_row,
    Effect.SYNC_PORTS: _sync_ports,
    Effect.SYNC_SIZE: _in_the_row,
    Effect.DIAGNOSE: _diagnose,
}
