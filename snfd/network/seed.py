"""The public network of a new cloud; making it again changes nothing."""

from __future__ import annotations

from attrs import frozen

from snfd.db.port import Transaction
from snfd.network import pools
from snfd.network.model import Kind
from snfd.network.store import networks, subnets


@frozen
class PublicNetwork:
    """A network that every server may join.

    :ivar cidr: at most a /16; its host addresses but the gateway are given out.
    :ivar link: the nodes' bridge.
    :ivar quarantine: seconds that an address rests once it was given back.
    """

    name: str = "public"
    cidr: str = "203.0.113.0/24"
    link: str = "br0"
    mac_prefix: str = "aa:00:0"
    dns: tuple[str, ...] = ()
    floating_ip_pool: bool = True
    quarantine: int = 60


async def ensure_public(tx: Transaction, wanted: PublicNetwork) -> None:
    """Make the network unless a public one of its name exists.

    :raises Invalid: its range is malformed.
    """
    ident = await networks.insert(
        tx,
        {
            "name": wanted.name,
            "kind": Kind.CUSTOM.value,
            "mode": "bridged",
            "link": wanted.link,
            "mac_prefix": wanted.mac_prefix,
            "public": True,
            "floating_ip_pool": wanted.floating_ip_pool,
        },
    )
    if ident is None:
        return
    cidr = pools.cidr(wanted.cidr)
    gateway = pools.gateway(pools.FIRST, cidr)
    ranges = pools.pools(None, cidr, gateway)
    await subnets.insert(
        tx,
        {
            "network": ident,
            "owner": None,
            "name": wanted.name,
            "version": 4,
            "cidr": str(cidr),
            "gateway": str(gateway),
            "dhcp": True,
            "slaac": False,
            "dns": list(wanted.dns),
            "routes": (),
            "pools": ranges,
            "quarantine": wanted.quarantine,
        },
    )
