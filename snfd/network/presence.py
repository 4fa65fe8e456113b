"""Networks at clusters: made when the first server joins, gone with the network.

Only a network's own row says what users see; these rows say which clusters
know it (``spec/cyclades.md`` §3.6, §5.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from snfd import outbox
from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound
from snfd.ganeti import names
from snfd.ganeti import network_requests as requests
from snfd.ganeti.model import Event, Outcome
from snfd.ganeti.requests import Request, intent
from snfd.network import pools, telling
from snfd.network.model import Cluster, Network, Subnet
from snfd.network.store import networks, subnets
from snfd.network.store import presence as store
from snfd.network.store.presence import Presence
from snfd.quota import service as quota

QUOTA = "cyclades.network.private"


async def join(
    tx: Transaction, network: Network, cluster: Cluster, new_id: Callable[[], UUID]
) -> tuple[str, Sequence[UUID]]:
    """Have a locked network exist at a cluster.

    :returns: its MAC prefix there (three octets), and the intents that must
        have ended before a card can join.
    """
    prefix = pools.cluster_prefix(network.mac_prefix, cluster.idx)
    there, missing = await store.appear(tx, network.id, cluster.id, prefix)
    if missing:
        await _put(tx, there, await _wanted(tx, network, cluster, there), new_id)
        await store.set_presence(tx, network.id, cluster.id, "PENDING", there.added)
    elif there.state == "ACTIVE":
        return there.mac_prefix, ()
    waiting = await outbox.open_entries(tx, names.network_subject(network.id))
    open_ids = [one.intent.id for one in waiting if one.intent.cluster == cluster.id]
    return there.mac_prefix, open_ids


async def _wanted(
    tx: Transaction, network: Network, cluster: Cluster, there: Presence
) -> list[Request]:
    connects = telling.connects(network, cluster.groups)
    if there.added:
        return connects
    known = await subnets.within(tx, network.id)
    return [telling.request(network, known, there.mac_prefix), *connects]


async def spread(
    tx: Transaction, network: Network, new_id: Callable[[], UUID]
) -> Sequence[int]:
    """Have a locked network exist at every cluster that is online.

    A public one takes ports once each has told which addresses it has for itself.

    :returns: ids of those clusters.
    """
    online = await store.online(tx)
    for cluster in online:
        await join(tx, network, cluster, new_id)
    if network.public and network.numbered and await store.waits(tx, network.id):
        await networks.update(tx, network.id, state="PENDING")
    return [one.id for one in online]


async def leave(
    tx: Transaction, network: Network, cluster: int, new_id: Callable[[], UUID]
) -> None:
    """Remove a locked network, which no server there uses, from a cluster.

    :raises NotFound: the cluster does not have it.
    :raises Conflict: servers of the cluster are on it.
    """
    there = {one.cluster: one for one in await store.presences(tx, network.id)}
    if cluster not in there or there[cluster].state == "DELETED":
        raise NotFound(f"cluster {cluster} does not have network {network.id}")
    if await store.has_servers(tx, network.id, cluster):
        raise Conflict("servers of the cluster are on the network", kind="NetworkInUse")
    await _leave(tx, there[cluster], new_id)


async def retell(
    tx: Transaction,
    network: Network,
    before: Sequence[Subnet],
    new_id: Callable[[], UUID],
) -> None:
    """Have clusters that know a network hear what changed for its guests.

    :param before: its subnets as they were.
    """
    now = set(telling.told(await subnets.within(tx, network.id)))
    old = set(telling.told(before))
    changes = []
    if old - now:
        changes.append(requests.network_untag(network.id, sorted(old - now)))
    if now - old:
        changes.append(requests.network_tag(network.id, sorted(now - old)))
    for one in await store.presences(tx, network.id):
        if one.state != "DELETED":
            await _put(tx, one, changes, new_id)


async def _put(
    tx: Transaction,
    there: Presence,
    wanted: Sequence[Request],
    new_id: Callable[[], UUID],
) -> None:
    subject = names.network_subject(there.network)
    for request in wanted:
        await outbox.put(tx, intent(new_id(), there.cluster, subject, request))


async def leave_all(
    tx: Transaction, network: Network, new_id: Callable[[], UUID]
) -> None:
    """Remove a locked network from wherever it is, or bury it at once."""
    if await withdraw(tx, network, new_id):
        await networks.doom(tx, network.id)
    else:
        await _bury(tx, network.id)


async def withdraw(
    tx: Transaction, network: Network, new_id: Callable[[], UUID]
) -> bool:
    """Remove a locked network, which nothing uses, from wherever it is.

    :returns: False where no cluster knows it.
    """
    there = await store.presences(tx, network.id)
    for one in there:
        await _leave(tx, one, new_id)
    return bool(there)


async def _leave(tx: Transaction, there: Presence, new_id: Callable[[], UUID]) -> None:
    groups = await store.groups(tx, there.cluster)
    leaving = [requests.network_disconnect(there.network, group) for group in groups]
    leaving.append(requests.network_remove(there.network))
    await _put(tx, there, leaving, new_id)
    await store.set_presence(tx, there.network, there.cluster, "DELETED", added=False)


async def exists(tx: Transaction, network: int) -> bool:
    """Whether a cluster knows a network, and is not about to forget it."""
    return any(one.state != "DELETED" for one in await store.presences(tx, network))


async def settle(tx: Transaction, outcome: Outcome) -> None:
    """Write down what became of a network at a cluster; twice does no harm."""
    ident = int(outcome.subject.partition(":")[2])
    network = await networks.lock(tx, None, ident)
    if network is None:
        return
    there = {one.cluster: one for one in await store.presences(tx, ident)}
    here = there.get(outcome.cluster)
    if here is None:
        return
    if outcome.event is Event.NETWORK_REMOVED:
        await _removed(tx, network, here, last=len(there) == 1)
    elif outcome.event is Event.NETWORK_REMOVE_FAILED:
        await networks.doom(tx, ident, doomed=False)
        if here.state == "DELETED":
            await store.set_presence(tx, ident, here.cluster, "ERROR", added=True)
    elif here.state != "DELETED" and outcome.event in _PROGRESS:
        added = here.added or outcome.event in _ADDED or outcome.network is not None
        state = _PROGRESS[outcome.event] or here.state
        await store.set_presence(tx, ident, here.cluster, state, added)
    if outcome.network is not None:
        await learn(tx, ident, here.cluster, outcome.network.reserved)
    if network.state == "PENDING" and not await store.waits(tx, ident):
        await networks.update(tx, ident, state="ACTIVE")


async def learn(
    tx: Transaction, network: int, cluster: int, reserved: Iterable[str]
) -> None:
    """Note which addresses of a network a cluster has for itself."""
    for one in await subnets.held_by(tx, cluster, network):
        await keep(tx, one, cluster, reserved)


async def keep(
    tx: Transaction, known: subnets.Held, cluster: int, reserved: Iterable[str]
) -> None:
    """Note which addresses of a subnet a cluster has for itself, if that is new.

    Ganeti counts a range's ends and its gateway among them; nobody gets those.
    """
    now = frozenset(reserved) - known.never
    if now - known.addresses:
        fresh = sorted(now - known.addresses)
        await subnets.reserve(tx, known.subnet, fresh, cluster)
    if known.addresses - now:
        gone = sorted(known.addresses - now)
        await subnets.release(tx, known.subnet, gone, cluster)


async def _removed(
    tx: Transaction, network: Network, here: Presence, *, last: bool
) -> None:
    """A cluster forgot a network; unless it is being made there anew, it is gone."""
    doomed = network.action == "DESTROY"
    if doomed or here.state in ("DELETED", "ACTIVE"):
        await store.vanish(tx, network.id, here.cluster)
    if doomed and last:
        await _bury(tx, network.id)


_ADDED = (Event.NETWORK_ADDED, Event.NETWORK_CONNECTED)
_PROGRESS = {
    Event.NETWORK_ADDED: None,
    Event.NETWORK_CONNECTED: "ACTIVE",
    Event.NETWORK_ADD_FAILED: "ERROR",
    Event.NETWORK_CONNECT_FAILED: "ERROR",
}


async def bury_if_nowhere(tx: Transaction, network: Network) -> None:
    """End a locked network that is to go, if no cluster has it any more."""
    if network.action == "DESTROY" and not await store.presences(tx, network.id):
        await _bury(tx, network.id)


async def _bury(tx: Transaction, ident: int) -> None:
    charged = await networks.owner_of(tx, ident)
    await networks.bury(tx, ident)
    if charged is not None:
        await quota.charge(tx, *charged, {QUOTA: -1}, force=True)
