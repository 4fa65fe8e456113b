"""Networks, ports and addresses of instances that are taken over."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from attrs import field, frozen

from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound
from snfd.ganeti import names
from snfd.ganeti.adopter import Terms
from snfd.ganeti.adoption import Card
from snfd.ganeti.model import Network as There
from snfd.network.model import Kind
from snfd.network.presence import QUOTA
from snfd.network.store import adoption as store
from snfd.network.store import networks, ports

DUMMY = "10.0.0.0/29"
"""What Synnefo tells Ganeti of networks without IPv4."""

_KINDS = {
    "private-filtered": Kind.MAC_FILTERED,
    "ip-less-routed": Kind.IP_LESS_ROUTED,
    "physical-vlan": Kind.PHYSICAL_VLAN,
}
_LARGEST = 16
"""Longest prefix of a subnet whose addresses are made rows."""


@frozen
class Known:
    """A network that cards can be on.

    :ivar pooled: whether its addresses are floating IPs.
    :ivar made: whether it was made just now.
    :ivar charge: what of its owner's quota that takes.
    """

    id: int
    pooled: bool
    made: bool = False
    charge: Mapping[str, int] = field(factory=dict)


@frozen
class Place:
    """Where a card is."""

    server: int
    index: int
    terms: Terms


async def known(tx: Transaction, ident: int, card: Card, terms: Terms) -> Known:
    """A network that an instance's card is on, locked; made if that is wanted.

    :raises NotFound: it is not known here, and shall not be made.
    :raises Conflict: it is deleted here, or its MAC prefix is another's.
    """
    there = terms.networks.get(names.network(ident))
    if there is None:
        raise NotFound(f"the cluster has no network {names.network(ident)}")
    found = await networks.lock(tx, None, ident)
    if found is None:
        if not terms.wanted.networks:
            raise NotFound(f"there is no network {ident} here")
        found_as = await _make(tx, ident, card, there, terms)
    else:
        found_as = Known(ident, found.public and found.floating_ip_pool)
    await store.there(tx, ident, terms.cluster, there.mac_prefix or "")
    return found_as


async def _make(
    tx: Transaction, ident: int, card: Card, there: There, terms: Terms
) -> Known:
    public = "public" in there.tags
    wanted = terms.wanted
    owner = None if public else wanted.owner
    prefix = (there.mac_prefix or "aa:00:00")[:7].lower()
    kind = next((_KINDS[tag] for tag in there.tags if tag in _KINDS), Kind.CUSTOM)
    if not wanted.dry_run:
        await store.skip(tx, "network", ident)
    values = {
        "id": ident,
        "name": there.name,
        "owner": owner,
        "project": None if public else wanted.project,
        "shared": wanted.shared,
        "kind": kind.value,
        "mode": card.mode,
        "link": card.link,
        "mac_prefix": prefix,
        "public": public,
        "floating_ip_pool": public,
    }
    if not await store.insert(tx, "network", values):
        raise Conflict(f"network {ident}: its MAC prefix, link or name is another's")
    await store.use_prefix(tx, prefix)
    facts = _subnet(there)
    if facts is not None:
        await store.subnet(tx, ident, owner, facts)
    charge = {} if public else {QUOTA: 1}
    return Known(ident, public, made=True, charge=charge)


def _subnet(there: There) -> Mapping[str, object] | None:
    if there.network is None or (there.network == DUMMY and there.gateway is None):
        return None
    try:
        cidr = IPv4Network(there.network)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise Conflict(f"{there.name}: {there.network!r} is no subnet") from None
    if cidr.prefixlen < _LARGEST:
        raise Conflict(f"{there.name}: {cidr} is larger than a /{_LARGEST}")
    dhcp = "nfdhcpd" in there.tags
    return {"cidr": str(cidr), "gateway": there.gateway, "dhcp": dhcp}


async def plugged(tx: Transaction, network: Known, card: Card, place: Place) -> bool:
    """Record a card with its address; whether that is a floating IP.

    :raises Conflict: its number, MAC or address is taken.
    """
    wanted = place.terms.wanted
    assert card.port is not None
    if not wanted.dry_run:
        await store.skip(tx, "port", card.port)
    owner = {"owner": wanted.owner, "project": wanted.project, "shared": wanted.shared}
    values = {
        "id": card.port,
        **owner,
        "server": place.server,
        "network": network.id,
        "idx": place.index,
        "mac": card.mac,
        "firewall": card.firewall,
        "state": "BUILD",
        "device_owner": "vm",
    }
    if not await store.insert(tx, "port", values):
        raise Conflict(f"port {card.port} or its MAC {card.mac} is another's")
    if card.ip is not None and not await _address(tx, network, card, owner):
        raise Conflict(f"{card.ip} is in use on network {network.id}")
    await ports.update(tx, card.port, state="ACTIVE")
    return network.pooled and card.ip is not None


async def _address(
    tx: Transaction, network: Known, card: Card, owner: Mapping[str, object]
) -> bool:
    assert card.ip is not None
    taken = await store.address(tx, network.id, card.ip)
    if taken is None:
        raise Conflict(f"{card.ip} is in no subnet of network {network.id}")
    subnet, free = taken
    held = {
        "subnet": subnet,
        "network": network.id,
        "addr": card.ip,
        "port": card.port,
        "floating": network.pooled,
        **owner,
    }
    return free and await store.insert(tx, "ip", held)
