"""Rules of networks: addresses, MACs, what may be connected; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

from pocket.errors import (
    EXISTS,
    NO_RESOURCES,
    NOT_UNIQUE,
    WRONG_INPUT,
    OpExecError,
    OpPrereqError,
)
from pocket.model import Connection, Network
from pocket.params import Op, valid_tag

Octet = Callable[[], int]
_LARGEST, _SMALLEST = 16, 30
_PREFIX = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){2}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_TRIES = 100


def address(text: Any) -> str:
    """An IPv4 address in its usual form.

    :raises OpPrereqError: it is none.
    """
    try:
        return str(IPv4Address(text))
    except (AddressValueError, TypeError) as error:
        raise OpPrereqError(f"Invalid IP address '{text}'", WRONG_INPUT) from error


def mac_prefix(text: str | None) -> str | None:
    """Three octets in their usual form, or None.

    :raises OpPrereqError: they are none.
    """
    if text is None:
        return None
    if not _PREFIX.fullmatch(text.lower()):
        raise OpPrereqError(f"Invalid MAC address prefix {text}", WRONG_INPUT)
    return text.lower()


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags, sorted and without repetition.

    :raises OpPrereqError: one is not a tag.
    """
    for tag in tags:
        if not valid_tag(tag):
            raise OpPrereqError(
                f"Tag '{tag[:128]}' contains invalid characters", WRONG_INPUT
            )
    return tuple(sorted(set(tags)))


def added(op: Op, uuid: str, now: float, taken: Collection[str]) -> Network:
    """The network that ``OP_NETWORK_ADD`` asks for.

    :param taken: names of networks that exist.
    :raises OpPrereqError: it cannot be.
    """
    name = op["network_name"]
    if op.get("network") is None:
        raise OpPrereqError("Network must be given", WRONG_INPUT)
    if name in taken:
        raise OpPrereqError(
            f"Desired network name '{name}' already exists as a network", EXISTS
        )
    span = _range(op["network"])
    gateway = address(op["gateway"]) if op.get("gateway") else None
    return Network(
        name=name,
        uuid=uuid,
        network=str(span),
        ctime=now,
        mtime=now,
        gateway=gateway,
        network6=op.get("network6"),
        gateway6=op.get("gateway6"),
        mac_prefix=mac_prefix(op.get("mac_prefix")),
        tags=checked_tags(op["tags"]),
        external=_external(span, gateway, op.get("add_reserved_ips") or ()),
    )


def _external(
    span: IPv4Network, gateway: str | None, more: Iterable[str]
) -> frozenset[str]:
    """The addresses that no instance gets.

    :raises OpExecError: one is not in the network, or is named twice.
    """
    found = {str(span[0]), str(span[-1])}
    for ip in [*([gateway] if gateway else []), *map(address, more)]:
        if IPv4Address(ip) not in span:
            raise OpExecError(f"Cannot reserve IP address '{ip}': not in {span}")
        if ip in found:
            raise OpExecError(
                f"Cannot reserve IP address '{ip}': IP {ip} is"
                " already externally reserved"
            )
        found.add(ip)
    return frozenset(found)


def _range(text: str) -> IPv4Network:
    try:
        span = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise OpPrereqError(f"Invalid network '{text}'", WRONG_INPUT) from error
    if not _LARGEST <= span.prefixlen <= _SMALLEST:
        raise OpExecError(
            f"Cannot create IP address pool for network '{text}':"
            f" the prefix must be between /{_LARGEST} and /{_SMALLEST}"
        )
    return span


def connected(op: Op) -> Connection:
    """The connection that ``OP_NETWORK_CONNECT`` asks for."""
    return Connection(op["network_mode"], op["network_link"], op["network_vlan"])


def pick(network: Network, wanted: str, used: Collection[str], check: bool) -> str:
    """The address that a NIC gets.

    :param wanted: an address, or "pool" for the lowest free one.
    :param used: addresses of the network that other NICs have.
    :param check: whether externally reserved addresses are refused.
    :raises OpPrereqError: there is none, or another has it.
    """
    if wanted == "pool":
        for number in range(network.range.num_addresses):
            ip = str(network.range[number])
            if ip not in used and ip not in network.external:
                return ip
        raise OpPrereqError(f"{network.network} is full", NO_RESOURCES)
    ip = address(wanted)
    if not network.has(ip) or ip in used or (check and ip in network.external):
        raise OpPrereqError(
            f"IP address {ip} already in use or does not belong to"
            f" network {network.name}",
            NOT_UNIQUE,
        )
    return ip


def pick_mac(
    wanted: str, prefix: str, used: Collection[str], random_octet: Octet
) -> str:
    """The MAC that a NIC gets.

    :param wanted: a MAC, or "auto" or "generate".
    :param random_octet: a random number from 0 to 255.
    :raises OpPrereqError: it is none, or another NIC has it.
    """
    if wanted not in ("auto", "generate"):
        mac = wanted.lower()
        if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1:
            raise OpPrereqError(f"Invalid MAC address {wanted}", WRONG_INPUT)
        if mac in used:
            raise OpPrereqError(
                f"MAC address {mac} already in use in cluster", NOT_UNIQUE
            )
        return mac
    for _ in range(_TRIES):
        mac = ":".join([prefix, *(f"{random_octet():02x}" for _ in range(3))])
        if mac not in used:
            return mac
    raise OpPrereqError("Can't generate unique MAC", NO_RESOURCES)
