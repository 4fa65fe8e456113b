"""Pure rules of address ranges and MAC addresses (``spec/cyclades.md`` §2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
    ip_address,
    ip_network,
)

from attrs import frozen

from snfd.errors import Conflict, Invalid, TooLarge
from snfd.network.model import NewSubnet

Pool = tuple[IPv4Address, IPv4Address]

LARGEST = 22
SMALLEST = 29
"""Prefix lengths that users may give their IPv4 subnets."""

SLAAC_LENGTH = 64
"""Prefix length of IPv6 subnets: hosts make the other half of their addresses."""

ADMIN_LARGEST = 16
"""Shortest prefix length that anybody may give: each address is a row."""

FIRST = "first"
"""Stands for "the first address" where a subnet's gateway is wanted."""

MAX_DNS = 5
MAX_ROUTES = 20


def address(text: str) -> IPv4Address:
    """``text`` as an IPv4 address.

    :raises Invalid: it is none.
    """
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise Invalid(f"{text!r} is no IPv4 address") from None


def cidr(text: str) -> IPv4Network:
    """``text`` as an IPv4 range whose host bits are zero.

    :raises Invalid: it is none.
    """
    try:
        if "/" not in text:
            raise Invalid(f"{text!r} lacks a prefix length")
        return IPv4Network(text, strict=True)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise Invalid(f"{text!r} is no IPv4 range without host bits") from None


def user_cidr(
    text: str, largest: int = LARGEST, smallest: int = SMALLEST
) -> IPv4Network:
    """A range that a user may have: /22 to /29 if nothing else is said.

    :raises Invalid: it is no range.
    :raises TooLarge: it is larger or smaller than that.
    """
    wanted = cidr(text)
    if not largest <= wanted.prefixlen <= smallest:
        raise TooLarge(f"the prefix length must be {largest} to {smallest}")
    return wanted


def cidr6(text: str) -> IPv6Network:
    """``text`` as an IPv6 range of the one length that there may be.

    :raises Invalid: it is none.
    """
    try:
        found = IPv6Network(text, strict=True)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise Invalid(f"{text!r} is no IPv6 range without host bits") from None
    if found.prefixlen != SLAAC_LENGTH or found.is_link_local or found.is_multicast:
        raise Invalid(f"an IPv6 range must be a /{SLAAC_LENGTH} that is routed")
    return found


def either(text: str) -> str:
    """An address of either version in its usual form.

    :raises Invalid: it is none.
    """
    try:
        return str(ip_address(text))
    except ValueError:
        raise Invalid(f"{text!r} is no IP address") from None


def gateway(wanted: str | None, within: IPv4Network) -> IPv4Address | None:
    """The gateway of ``within``: none, the first address, or a given one.

    :raises Invalid: it lies outside.
    """
    if wanted is None:
        return None
    found = within[1] if wanted == FIRST else address(wanted)
    if not within.network_address < found < within.broadcast_address:
        raise Invalid(f"the gateway {found} is no host address of {within}")
    return found


def gateway6(wanted: str | None, within: IPv6Network) -> IPv6Address | None:
    """The same of an IPv6 range.

    :raises Invalid: it lies outside.
    """
    if wanted is None:
        return None
    try:
        found = within[1] if wanted == FIRST else IPv6Address(wanted)
    except AddressValueError:
        raise Invalid(f"{wanted!r} is no IPv6 address") from None
    if found not in within or found == within.network_address or found.scope_id:
        raise Invalid(f"the gateway {found} is no host address of {within}")
    return found


def pools(
    wanted: Sequence[tuple[str, str]] | None,
    within: IPv4Network,
    gate: IPv4Address | None,
) -> tuple[Pool, ...]:
    """The ranges that addresses of ``within`` are taken from, in order.

    :param wanted: None for all host addresses but the gateway.
    :raises Invalid: a range is not made of addresses, or upside down.
    :raises Conflict: ranges overlap, leave the subnet or hold the gateway.
    """
    if wanted is None:
        return _whole(within, gate)
    ranges = sorted((address(first), address(last)) for first, last in wanted)
    previous = within.network_address
    for first, last in ranges:
        if first > last:
            raise Invalid(f"a range cannot start at {first} and end at {last}")
        if first <= previous or last >= within.broadcast_address:
            raise Conflict(f"{first}-{last} overlaps or leaves the subnet's hosts")
        if gate is not None and first <= gate <= last:
            raise Conflict(f"{first}-{last} holds the gateway {gate}")
        previous = last
    return tuple(ranges)


def _whole(within: IPv4Network, gate: IPv4Address | None) -> tuple[Pool, ...]:
    first, last = within.network_address + 1, within.broadcast_address - 1
    if gate is None:
        return ((first, last),)
    parts = ((first, gate - 1), (gate + 1, last))
    return tuple((a, b) for a, b in parts if a <= b)


def slots(ranges: Sequence[Pool]) -> Iterator[IPv4Address]:
    """Every address of ``ranges``, in order."""
    for first, last in ranges:
        for number in range(int(first), int(last) + 1):
            yield IPv4Address(number)


def grown(old: Sequence[Pool], new: Sequence[Pool]) -> tuple[Pool, ...]:
    """What ``new`` holds and ``old`` does not.

    :raises Conflict: ``new`` lacks an address of ``old``.
    """
    kept = set(slots(old))
    wanted = list(slots(new))
    if not kept.issubset(wanted):
        raise Conflict("pools of addresses can only grow")
    return ranges(one for one in wanted if one not in kept)


def ranges(addresses: Iterable[IPv4Address]) -> tuple[Pool, ...]:
    """Sorted ``addresses`` as few ranges."""
    found: list[Pool] = []
    for one in addresses:
        if found and int(found[-1][1]) + 1 == int(one):
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return tuple(found)


@frozen
class Plan:
    """A subnet that can be made."""

    cidr: IPv4Network | IPv6Network
    gateway: IPv4Address | IPv6Address | None
    pools: tuple[Pool, ...]
    slaac: bool
    dns: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]


def checked(
    wanted: NewSubnet, largest: int = LARGEST, smallest: int = SMALLEST
) -> Plan:
    """What comes of a subnet that somebody wants.

    :param largest: shortest prefix length that an IPv4 range may have.
    :param smallest: the longest.
    :raises Invalid: something is malformed, or an IPv6 range is no /64.
    :raises TooLarge: the range has a size that it may not have.
    :raises Conflict: the pools do not fit.
    """
    names, hops = checked_dns(wanted.dns), checked_routes(wanted.routes)
    if wanted.version == 4:
        if wanted.slaac:
            raise Invalid("hosts give themselves addresses of IPv6 only")
        within = user_cidr(wanted.cidr, largest, smallest)
        gate = gateway(wanted.gateway, within)
        parts = pools(wanted.pools, within, gate)
        return Plan(within, gate, parts, False, names, hops)
    if wanted.version != 6:
        raise Invalid("the version of IP is 4 or 6")
    if wanted.pools:
        raise Conflict("an IPv6 range has no pools: hosts make their addresses")
    range6 = cidr6(wanted.cidr)
    slaac = wanted.dhcp if wanted.slaac is None else wanted.slaac
    return Plan(range6, gateway6(wanted.gateway, range6), (), slaac, names, hops)


def checked_dns(wanted: Sequence[str]) -> tuple[str, ...]:
    """Addresses of name servers in their usual form.

    :raises Invalid: too many, or one is none.
    """
    if len(wanted) > MAX_DNS:
        raise Invalid(f"at most {MAX_DNS} name servers")
    return tuple(either(one) for one in wanted)


def checked_routes(wanted: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Routes, each a destination and a next hop of one version.

    :raises Invalid: too many, or one is malformed.
    """
    if len(wanted) > MAX_ROUTES:
        raise Invalid(f"at most {MAX_ROUTES} routes")
    found = []
    for destination, hop in wanted:
        try:
            to, via = ip_network(destination, strict=True), ip_address(hop)
        except ValueError:
            raise Invalid(f"no route leads to {destination!r} via {hop!r}") from None
        if to.version != via.version:
            raise Invalid(f"the route to {to} has a next hop of another version")
        found.append((str(to), str(via)))
    return tuple(found)


def cluster_prefix(network_prefix: str, cluster_index: int) -> str:
    """Three octets: a network's prefix with its cluster's digit.

    :param cluster_index: 0 to 15.
    """
    return f"{network_prefix}{cluster_index:x}"


def mac(prefix: str, number: int) -> str:
    """The MAC address ``number`` (0 to 2²⁴-1) below a three-octet prefix."""
    tail = f"{number & 0xFFFFFF:06x}"
    return ":".join([prefix, tail[:2], tail[2:4], tail[4:]])
