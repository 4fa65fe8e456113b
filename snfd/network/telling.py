"""How a cluster is told of a network: everything that its nodes need; pure.

Nodes learn all of it from Ganeti: hooks get a network's range, gateway, mode, link
and tags in their environment. What Ganeti has no field for, name servers and routes
among it, is in tags; so no node needs to talk to us.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from snfd.ganeti import network_requests as requests
from snfd.ganeti.requests import Request
from snfd.network.model import Kind, Network, Subnet

KINDS = {
    Kind.MAC_FILTERED: "private-filtered",
    Kind.IP_LESS_ROUTED: "ip-less-routed",
    Kind.PHYSICAL_VLAN: "physical-vlan",
}
"""What snf-network's hooks on nodes look for."""

OURS = ("snfd:dns:", "snfd:route:")


def request(network: Network, there: Sequence[Subnet], mac_prefix: str) -> Request:
    """The request that makes ``network``, with its subnets, known to a cluster.

    :param mac_prefix: three octets.
    """
    return requests.network_add(_described(network, there, mac_prefix))


def _described(
    network: Network, there: Sequence[Subnet], mac_prefix: str
) -> requests.NewNetwork:
    v4 = next((one for one in there if one.version == 4), None)
    v6 = next((one for one in there if one.version == 6), None)
    return requests.NewNetwork(
        network.id,
        mac_prefix,
        str(v4.cidr) if v4 else None,
        str(v4.gateway) if v4 and v4.gateway else None,
        str(v6.cidr) if v6 else None,
        str(v6.gateway) if v6 and v6.gateway else None,
        tags=tags(network, there),
        public=network.public,
    )


def connects(network: Network, groups: Iterable[str]) -> list[Request]:
    """The requests that let the nodes of ``groups`` use it."""
    check = network.public and bool(network.numbered)
    return [
        requests.network_connect(
            network.id, group, network.mode, network.link, conflicts_check=check
        )
        for group in groups
    ]


def tags(network: Network, there: Sequence[Subnet]) -> tuple[str, ...]:
    """All tags of a network, as snf-network spells them, and ours."""
    found = [*network.tags]
    found += [KINDS[network.kind]] if network.kind in KINDS else []
    found += ["nfdhcpd"] if any(one.dhcp for one in there) else []
    found.append("public" if network.public else "private")
    return tuple(dict.fromkeys([*found, *told(there)]))


def told(there: Sequence[Subnet]) -> tuple[str, ...]:
    """The tags that say which name servers and routes guests shall get."""
    return tuple(
        [f"{OURS[0]}{server}" for one in there for server in one.dns]
        + [f"{OURS[1]}{to}@{via}" for one in there for to, via in one.routes]
    )
