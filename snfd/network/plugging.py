"""Network cards of servers: made, found on the instance, and taken away.

Functions for the transaction of whoever owns the server. Lock order: networks
by id, their presence at the cluster, then ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from attrs import evolve, frozen

from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, Unavailable
from snfd.network import pools, standard
from snfd.network.addressing import Owner, make_port
from snfd.network.history import because
from snfd.network.model import (
    MAX_NICS,
    Cluster,
    Network,
    Nic,
    NicRequest,
    Port,
    PortState,
)
from snfd.network.owning import changeable_port, check_sharing, joinable
from snfd.network.presence import join
from snfd.network.scope import Scope
from snfd.network.store import networks, ports

_MAC_TRIES = 20


@frozen(eq=False)
class Plugging:
    """Everything that making cards needs besides the requests.

    :ivar server: id of the server, new or locked.
    :ivar first: index of the first card.
    :ivar draw: a random integer below its argument.
    :ivar new_id: a fresh id for an intent.
    """

    scope: Scope
    owner: Owner
    server: int
    cluster: Cluster
    draw: Callable[[int], int]
    new_id: Callable[[], UUID]
    first: int = 0


@frozen
class Plugged:
    """Cards that wait for a job.

    :ivar after: intents that must have ended before that job.
    """

    nics: tuple[Nic, ...]
    after: tuple[UUID, ...]


async def plug(
    tx: Transaction, how: Plugging, wanted: Sequence[NicRequest] | None
) -> Plugged:
    """Give a server its cards, in order, with their addresses.

    :param wanted: None for one on any public network, where there is one.
    :raises NotFound: a network or port that the caller does not see.
    :raises Forbidden: the network is closed, or the caller only reads there.
    :raises Conflict: an address or port is taken, or none is left.
    :raises Invalid: too many cards, or an address outside the subnet.
    """
    if wanted is None:
        wanted = [NicRequest()] if await networks.public_ids(tx) else []
    if how.first + len(wanted) > MAX_NICS:
        raise Invalid(f"a server has at most {MAX_NICS} network cards")
    requests = [await _resolved(tx, how, one) for one in wanted]
    await because(tx, "server made" if how.first == 0 else "put on the server")
    locked = await _lock(tx, how, {i for one in requests for i in one.networks})
    prefixes: dict[int, str] = {}
    after: list[UUID] = []
    nics = []
    for index, one in enumerate(requests, how.first):
        made = await _make(tx, how, one, locked, index)
        network = locked[made.network]
        if network.id not in prefixes:
            prefix, ids = await join(tx, network, how.cluster, how.new_id)
            prefixes[network.id] = prefix
            after += ids
        mac = await _fresh_mac(tx, prefixes[network.id], how.draw)
        await ports.update(tx, made.port, mac=mac)
        nics.append(Nic(made.port, network.id, mac, made.ip, made.firewall))
    return Plugged(tuple(nics), tuple(after))


@frozen
class _Wanted:
    """A request with the networks that may serve it.

    :ivar bare: those of them on which it shall have no IPv4 address.
    """

    request: NicRequest
    networks: tuple[int, ...]
    port: Port | None = None
    bare: frozenset[int] = frozenset()


@frozen
class _Made:
    port: int
    network: int
    ip: str | None
    firewall: str


async def _resolved(tx: Transaction, how: Plugging, one: NicRequest) -> _Wanted:
    if one.port is not None:
        port = await changeable_port(tx, how.scope, one.port)
        if port.server is not None:
            raise Conflict(f"port {one.port} is in use", kind="PortInUse")
        check_sharing((port.project, port.shared), how.owner.sharing)
        return _Wanted(one, (port.network,), port)
    if one.network is not None:
        return _Wanted(one, (one.network,))
    if one.choices:
        found = await standard.choices(tx, how.scope, one.choices)
        bare = frozenset(each.network for each in found if not each.numbered)
        return _Wanted(one, tuple(each.network for each in found), bare=bare)
    return _Wanted(one, tuple(await networks.public_ids(tx)))


async def _lock(
    tx: Transaction, how: Plugging, wanted: set[int]
) -> Mapping[int, Network]:
    return {ident: await joinable(tx, how.scope, ident) for ident in sorted(wanted)}


async def _make(
    tx: Transaction,
    how: Plugging,
    one: _Wanted,
    locked: Mapping[int, Network],
    index: int,
) -> _Made:
    if one.port is not None:
        await ports.update(
            tx, one.port.id, server=how.server, idx=index,
            state="BUILD", device_owner="vm",
        )  # fmt: skip
        held = [each.addr for each in one.port.addresses if "." in each.addr]
        ip = held[0] if held else None
        return _Made(one.port.id, one.port.network, ip, one.port.firewall)
    profile = one.request.firewall
    place = {
        "server": how.server, "idx": index, "state": "BUILD", "device_owner": "vm",
        "firewall": profile,
    }  # fmt: skip
    failure: Conflict | None = None
    for ident in one.networks:
        request = evolve(one.request, numbered=ident not in one.bare)
        try:
            port, ip = await make_port(
                tx, how.scope, how.owner, locked[ident], request, place
            )
        except Conflict as error:
            if one.request.network is not None:
                raise
            failure = error
        else:
            return _Made(port, ident, ip, profile)
    if one.request.forced:
        raise Unavailable("no network that servers must have has room for another")
    raise failure or Conflict("there is no public network", kind="NoAddress")


async def _fresh_mac(tx: Transaction, prefix: str, draw: Callable[[int], int]) -> str:
    for _ in range(_MAC_TRIES):
        made = pools.mac(prefix, draw(1 << 24))
        if await ports.mac_is_free(tx, made):
            return made
    raise Conflict("no MAC address is left", kind="MacAddressGenerationFailure")


async def came_up(tx: Transaction, server: int, macs: Mapping[int, str | None]) -> None:
    """Bring a server's ports in line with its instance.

    Ports that it lacks go: those that worked at once, those that were being
    made become ERROR and give their address back.

    :param macs: port id → MAC address of each card that the instance has.
    """
    for port in await ports.of_server(tx, server):
        if port.id in macs:
            await ports.update(
                tx, port.id, state="ACTIVE", mac=macs[port.id] or port.mac
            )
        elif port.state is PortState.ACTIVE:
            await because(tx, "taken off the server")
            await ports.delete(tx, port.id)
        elif port.state is PortState.BUILD:
            await because(tx, "could not be put on the server")
            await ports.update(tx, port.id, state="ERROR")
            await ports.drop_address(tx, port.id)


async def confirm(tx: Transaction, server: int) -> None:
    """All of a server's ports that were being made work now."""
    await ports.set_states(tx, server, "BUILD", "ACTIVE")


async def failed(tx: Transaction, server: int) -> None:
    """All of a server's ports that were being made could not be made.

    They keep their addresses: the server may yet turn out to have been made.
    """
    await ports.set_states(tx, server, "BUILD", "ERROR")


async def refused(tx: Transaction, server: int) -> None:
    """A server that is there did not get ports; they give their addresses back."""
    held = await ports.of_server(tx, server)
    there = {one.id: one.mac for one in held if one.state is PortState.ACTIVE}
    await came_up(tx, server, there)


async def unplug(tx: Transaction, server: int) -> None:
    """Remove all ports of a removed server; addresses return to their pools.

    Floating IPs stay with their owner.
    """
    await because(tx, "server removed")
    for port in await ports.of_server(tx, server):
        await ports.delete(tx, port.id)


async def next_index(tx: Transaction, server: int) -> int:
    """The index that a locked server's next card gets."""
    taken = [port.idx for port in await ports.of_server(tx, server)]
    return max((idx + 1 for idx in taken if idx is not None), default=0)


async def name(tx: Transaction, port: int, text: str) -> None:
    """Give a port of the transaction's own a name."""
    await ports.update(tx, port, name=text)


async def remove(tx: Transaction, port: int) -> None:
    """Remove a port that no instance has, whatever its row says."""
    await ports.delete(tx, port)
