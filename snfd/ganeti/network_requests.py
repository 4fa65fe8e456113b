"""Requests that make networks known to a cluster, and how to make them; pure."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.ganeti import names
from snfd.ganeti.requests import Request


@frozen
class NewNetwork:
    """A network to make known to a cluster.

    :ivar subnet: IPv4 range, or None where it has none: Ganeti wants one, so
        it gets a dummy, and NICs no address.
    :ivar mac_prefix: three octets.
    :ivar public: has Ganeti look for addresses that are in use already.
    """

    network: int
    mac_prefix: str
    subnet: str | None = None
    gateway: str | None = None
    subnet6: str | None = None
    gateway6: str | None = None
    tags: Sequence[str] = ()
    public: bool = False

    @property
    def conflicts_check(self) -> bool:
        """Whether Ganeti shall look for conflicts."""
        return self.public and self.subnet is not None


DUMMY_SUBNET = "10.0.0.0/29"


def network_add(new: NewNetwork) -> Request:
    """Make a network known to the cluster."""
    given = {
        "gateway": new.gateway if new.subnet else None,
        "network6": new.subnet6,
        "gateway6": new.gateway6,
    }
    body = {
        "network_name": names.network(new.network),
        "network": new.subnet or DUMMY_SUBNET,
        "mac_prefix": new.mac_prefix,
        "conflicts_check": new.conflicts_check,
        "tags": list(new.tags),
        **{key: value for key, value in given.items() if value is not None},
    }
    return Request("OP_NETWORK_ADD", names.network(new.network), body)


def network_connect(
    network: int, group: str, mode: str, link: str, *, conflicts_check: bool = False
) -> Request:
    """Let the nodes of ``group`` use a network."""
    body = {
        "group_name": group,
        "network_mode": mode,
        "network_link": link,
        "conflicts_check": conflicts_check,
    }
    return Request("OP_NETWORK_CONNECT", names.network(network), body)


def network_disconnect(network: int, group: str) -> Request:
    """Let the nodes of ``group`` no longer use a network."""
    return Request(
        "OP_NETWORK_DISCONNECT", names.network(network), {"group_name": group}
    )


def network_remove(network: int) -> Request:
    """Make the cluster forget a network, which nothing may use."""
    return Request("OP_NETWORK_REMOVE", names.network(network))


def network_tag(network: int, tags: Sequence[str]) -> Request:
    """Tag a network."""
    return Request("OP_TAGS_SET", names.network(network), {}, {"tag": list(tags)})


def network_untag(network: int, tags: Sequence[str]) -> Request:
    """Take tags off a network."""
    return Request("OP_TAGS_DEL", names.network(network), {}, {"tag": list(tags)})
