"""QEMU's arguments for a NIC; pure.

Without a bridge each NIC has a network of its own inside QEMU, on which the
guest finds a DHCP server that knows one address: the one shown. It is closed
(``restrict=on``) and nothing is forwarded to it.
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network

from pocket.hypervisor import Port


def arguments(ports: tuple[Port, ...], bridge: str | None) -> list[str]:
    """The command-line arguments for all NICs of a machine."""
    found: list[str] = []
    for number, port in enumerate(ports):
        if bridge is not None:
            back = f"tap,ifname={tap_name(port.mac)},script=no,downscript=no"
        else:
            back = user(port)
        front = f"virtio-net-pci,netdev=nic{number},mac={port.mac},romfile="
        kind, _, rest = back.partition(",")
        found += ["-netdev", f"{kind},id=nic{number},{rest}", "-device", front]
    return found


def tap_name(mac: str) -> str:
    """The name of a NIC's tap on the host, at most 15 bytes."""
    return f"pk{sha256(mac.encode()).hexdigest()[:12]}"


def user(port: Port) -> str:
    """A closed network with the one address in it; none without an address."""
    if port.ip is None or port.subnet is None:
        return f"hubport,hubid={int(port.mac[-8:].replace(':', ''), 16)}"
    subnet, mine = IPv4Network(port.subnet), IPv4Address(port.ip)
    host = IPv4Address(port.gateway) if port.gateway else None
    if host is None or host not in subnet or host == mine:
        host = _other(subnet, {mine})
    names = _other(subnet, {mine, host})
    return (
        f"user,restrict=on,ipv6=off,net={subnet},host={host},dns={names},"
        f"dhcpstart={mine}"
    )


def _other(subnet: IPv4Network, taken: set[IPv4Address]) -> IPv4Address:
    """An address that is not taken; not the first or last, if possible."""
    last = subnet.num_addresses - 1
    for place in (*range(last - 1, max(0, last - 5), -1), 1, 2, 3, 0, last):
        if place <= last and subnet[place] not in taken:
            return subnet[place]
    raise ValueError(f"{subnet} has no room for a host")
