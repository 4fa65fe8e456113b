"""Makes servers of instances that run already, in one transaction for each.

Ids, addresses and MACs stay as they are; quota is charged whatever the limits
say: what runs is real (``spec/cyclades.md`` §5.10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from attrs import frozen

from snfd.compute.states import Footprint, State, usage
from snfd.compute.store import adoption as store
from snfd.db.port import Transaction, notify
from snfd.errors import Conflict
from snfd.ganeti.adopter import Terms
from snfd.ganeti.adoption import Adoptee, gib
from snfd.network import adopting as network
from snfd.network.store.adoption import insert, skip
from snfd.quota import service as quota

FLOATING = "cyclades.floating_ip"


@frozen(eq=False)
class Adopting:
    """Takes instances over.

    :ivar new_id: a fresh id for a volume.
    """

    new_id: Callable[[], UUID]

    async def adopt(self, tx: Transaction, one: Adoptee, terms: Terms) -> str:
        """Record an instance as a server; tells what was made for it.

        Lock order: networks, then the server and its parts, holdings last.

        :raises Conflict: a number, an address or a MAC is taken.
        :raises NotFound: it is on a network that is not known here.
        :raises Forbidden: the owner is no member of the project.
        """
        numbers = sorted({card.network for card in one.cards if card.network})
        known = {}
        notes: list[str] = []
        amounts: dict[str, int] = {}
        for ident in numbers:
            card = next(card for card in one.cards if card.network == ident)
            known[ident] = found = await network.known(tx, ident, card, terms)
            if found.made:
                notes.append(f"made network {ident}")
                _add(amounts, found.charge)
        kind = await store.volume_type(tx, one.template)
        size = gib(one.disks[0].size)
        flavor, made = await store.flavor(tx, one.vcpus, one.memory, size, kind)
        if made:
            notes.append(f"made flavor {flavor}")
        await self._server(tx, one, terms, flavor)
        await self._disks(tx, one, terms, kind)
        for index, card in enumerate(one.cards):
            assert card.network is not None
            place = network.Place(one.server, index, terms)
            if await network.plugged(tx, known[card.network], card, place):
                _add(amounts, {FLOATING: 1})
        _add(amounts, usage(_state(one), _footprint(one)))
        await notify(tx, "server", one.server)
        wanted = terms.wanted
        await quota.charge(tx, wanted.owner, wanted.project, amounts, force=True)
        return ", ".join(notes)

    async def _server(
        self, tx: Transaction, one: Adoptee, terms: Terms, flavor: int
    ) -> None:
        if not terms.wanted.dry_run:
            await skip(tx, "server", one.server)
        values = {
            "id": one.server,
            "name": one.name,
            **_owner(terms),
            "cluster": terms.cluster,
            "flavor": flavor,
            "state": _state(one).value,
            "crashed": not one.runs and one.meant,
            "progress": 100,
            "settled_at": terms.at,
            "node": one.node,
            # no instance has that: reconciliation soon looks at all of it
            "serial_no": 0,
        }
        if not await insert(tx, "server", values):
            raise Conflict(f"there is, or was, another server {one.server}")

    async def _disks(
        self, tx: Transaction, one: Adoptee, terms: Terms, kind: int
    ) -> None:
        for index, disk in enumerate(one.disks):
            values: dict[str, object] = {
                "id": self.new_id(),
                **_owner(terms),
                "size": gib(disk.size),
                "volume_type": kind,
                "status": "IN_USE",
                "server": one.server,
                "idx": index,
                "cluster": terms.cluster,
            }
            if disk.number is not None:
                if not terms.wanted.dry_run:
                    await skip(tx, "volume", disk.number)
                values["disk_number"] = disk.number
            if not await insert(tx, "volume", values):
                raise Conflict(f"there is, or was, another disk snf-vol-{disk.number}")


def _state(one: Adoptee) -> State:
    """A crashed one counts as running: Ganeti's watcher will start it again."""
    return State.STARTED if one.runs or one.meant else State.STOPPED


def _footprint(one: Adoptee) -> Footprint:
    return Footprint(one.vcpus, one.memory, one.gib)


def _owner(terms: Terms) -> dict[str, object]:
    wanted = terms.wanted
    return {"owner": wanted.owner, "project": wanted.project, "shared": wanted.shared}


def _add(amounts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        amounts[name] = amounts.get(name, 0) + amount
