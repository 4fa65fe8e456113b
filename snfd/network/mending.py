"""Brings networks in line with a cluster: what is missing there is made anew.

It only ever adds; what a cluster has and we do not know is told, and left alone
(``spec/cyclades.md`` §3.10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from snfd import outbox
from snfd.db.port import Transaction
from snfd.ganeti import model as ganeti
from snfd.ganeti import names
from snfd.ganeti.requests import intent
from snfd.network import presence, telling
from snfd.network.model import Cluster, Network
from snfd.network.store import networks, subnets
from snfd.network.store import presence as store
from snfd.network.store.presence import Presence

MOST = 50
"""Networks that one look sees to; the rest waits for the next."""


class Flaw(StrEnum):
    """In what way rows and a cluster disagree about a network."""

    ORPHAN = "network-orphan"
    """The cluster has a network with a name of ours that we do not know."""
    PARTED = "network-parted"
    """The cluster has it, and no row says so."""
    MISSING = "network-missing"
    """The cluster lacks it."""
    HANGING = "network-hanging"
    """Some node groups cannot use it."""
    UNSYNCED = "network-unsynced"
    """It works there, and its row says otherwise."""


@frozen
class Found:
    """A network on which rows and a cluster disagree.

    :ivar groups: names of the node groups that cannot use it.
    """

    network: int
    flaw: Flaw
    groups: tuple[str, ...] = ()


def flaws(
    cluster: Cluster,
    rows: Sequence[Presence],
    absent: Sequence[int],
    busy: frozenset[int],
    seen: Mapping[int, ganeti.Network],
) -> list[Found]:
    """All that disagrees, by network.

    :param rows: where nothing is being done.
    :param absent: networks that are to be there, and have no row.
    :param busy: networks to which something is being done there.
    :param seen: the cluster's networks with names of ours, by id.
    """
    found = [Found(ident, Flaw.MISSING) for ident in absent]
    for row in rows:
        flaw = _judge(cluster, row, seen.get(row.network))
        found += [flaw] if flaw else []
    known = busy.union((row.network for row in rows), absent)
    found += [Found(ident, Flaw.PARTED) for ident in seen if ident not in known]
    return sorted(found, key=lambda each: each.network)


def _judge(
    cluster: Cluster, row: Presence, seen: ganeti.Network | None
) -> Found | None:
    if row.state == "DELETED":
        return None
    if seen is None:
        return Found(row.network, Flaw.MISSING)
    hanging = tuple(name for name in cluster.groups if name not in seen.groups)
    if hanging:
        return Found(row.network, Flaw.HANGING, hanging)
    if row.state != "ACTIVE" or not row.added:
        return Found(row.network, Flaw.UNSYNCED)
    return None


@frozen(eq=False)
class Mending:
    """Sees to the networks of clusters."""

    new_id: Callable[[], UUID]

    async def __call__(
        self, tx: Transaction, at: int, told: Sequence[ganeti.Network]
    ) -> Sequence[Found]:
        """Put right what can be; all that was found, orphans among it.

        :param at: id of the cluster.
        :param told: every network that it has.
        """
        cluster = await store.cluster(tx, at)
        if cluster is None:
            return ()
        seen = {_number(one.name): one for one in told if _number(one.name)}
        busy = await store.busy(tx, at)
        rows, absent = await store.at(tx, at), await store.absent(tx, at)
        found = []
        for each in flaws(cluster, rows, absent, busy, seen)[:MOST]:
            found.append(await self._mend(tx, cluster, each, seen.get(each.network)))
        for known in await subnets.held_by(tx, at):
            if known.network in seen and known.network not in busy:
                await presence.keep(tx, known, at, seen[known.network].reserved)
        return found

    async def _mend(
        self,
        tx: Transaction,
        cluster: Cluster,
        found: Found,
        seen: ganeti.Network | None,
    ) -> Found:
        network = await networks.lock(tx, None, found.network)
        if network is None:
            return Found(found.network, Flaw.ORPHAN)
        ident, at = network.id, cluster.id
        match found.flaw:
            case Flaw.MISSING:
                await self._missing(tx, cluster, network)
            case Flaw.HANGING:
                await store.set_presence(tx, ident, at, "ACTIVE", added=True)
                for request in telling.connects(network, found.groups):
                    subject = names.network_subject(ident)
                    made = intent(self.new_id(), at, subject, request)
                    await outbox.put(tx, made)
            case Flaw.UNSYNCED:
                await store.set_presence(tx, ident, at, "ACTIVE", added=True)
            case Flaw.PARTED:
                assert seen is not None
                await store.appear(tx, ident, at, seen.mac_prefix or "")
                await store.set_presence(tx, ident, at, "ACTIVE", added=True)
        if network.state == "PENDING" and not await store.waits(tx, ident):
            await networks.update(tx, ident, state="ACTIVE")
        return found

    async def _missing(
        self, tx: Transaction, cluster: Cluster, network: Network
    ) -> None:
        used = await store.has_servers(tx, network.id, cluster.id)
        await store.vanish(tx, network.id, cluster.id)
        if network.action == "DESTROY":
            await presence.bury_if_nowhere(tx, network)
        elif used or network.everywhere:
            await presence.join(tx, network, cluster, self.new_id)


def _number(name: str) -> int:
    """The id of the network that Ganeti calls ``name``; 0 if it is not ours."""
    subject = names.subject_of_network(name)
    return int(subject.partition(":")[2]) if subject else 0
