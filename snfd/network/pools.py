"""Pure rules of address ranges and MAC addresses (``spec/cyclades.md`` §2.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from snfd.errors import Conflict, Invalid, TooLarge
from snfd.network.model import NewSubnet

Pool = tuple[IPv4Address, IPv4Address]

LARGEST = 22
SMALLEST = 29
"""Prefix lengths that users may give their subnets."""

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


def user_cidr(text: str) -> IPv4Network:
    """A range that a user may have: /22 to /29.

    :raises Invalid: it is no range.
    :raises TooLarge: it is larger or smaller than that.
    """
    wanted = cidr(text)
    if not LARGEST <= wanted.prefixlen <= SMALLEST:
        raise TooLarge(f"the prefix length must be {LARGEST} to {SMALLEST}")
    return wanted


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


def checked(
    wanted: NewSubnet,
) -> tuple[IPv4Network, IPv4Address | None, tuple[Pool, ...]]:
    """Range, gateway and pools of a subnet that a user wants.

    :raises Invalid: something is malformed or IPv6.
    :raises TooLarge: the range has a size that users may not have.
    :raises Conflict: the pools do not fit.
    """
    if wanted.version != 4:
        raise Invalid("only IPv4 subnets can be made here")
    if len(wanted.dns) > MAX_DNS:
        raise Invalid(f"at most {MAX_DNS} name servers")
    for server in wanted.dns:
        address(server)
    if len(wanted.routes) > MAX_ROUTES:
        raise Invalid(f"at most {MAX_ROUTES} routes")
    for destination, hop in wanted.routes:
        cidr(destination)
        address(hop)
    within = user_cidr(wanted.cidr)
    gate = gateway(wanted.gateway, within)
    return within, gate, pools(wanted.pools, within, gate)


def cluster_prefix(network_prefix: str, cluster_index: int) -> str:
    """Three octets: a network's prefix with its cluster's digit.

    :param cluster_index: 0 to 15.
    """
    return f"{network_prefix}{cluster_index:x}"


def mac(prefix: str, number: int) -> str:
    """The MAC address ``number`` (0 to 2²⁴-1) below a three-octet prefix."""
    tail = f"{number & 0xFFFFFF:06x}"
    return ":".join([prefix, tail[:2], tail[2:4], tail[4:]])
