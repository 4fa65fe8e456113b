"""QEMU's names and arguments for NICs and disks; pure.

Without a bridge each NIC has a network of its own inside QEMU, on which the
guest finds a DHCP server that knows one address: the one shown. It is closed
(``restrict=on``) and nothing is forwarded to it.
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from pocket.hypervisor import Port


def arguments(ports: tuple[Port, ...], bridge: str | None) -> list[str]:
    """The command-line arguments for all NICs of a machine."""
    found: list[str] = []
    for port in ports:
        back = backend(port, bridge)
        words = [back.pop("type"), *(f"{k}={_word(v)}" for k, v in back.items())]
        name = nic_name(port.mac)
        front = f"virtio-net-pci,netdev={name},id=dev{name},mac={port.mac},romfile="
        found += ["-netdev", ",".join(words), "-device", front]
    return found


def _word(value: Any) -> str:
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def nic_name(mac: str) -> str:
    """The id of a NIC's back end; its device has ``dev`` before it."""
    return f"nic{mac.replace(':', '')}"


def disk_node(path: Path) -> str:
    """The id of a disk's back end; its device has ``dev`` before it."""
    return f"disk{sha256(path.name.encode()).hexdigest()[:12]}"


def tap_name(mac: str) -> str:
    """The name of a NIC's tap on the host, at most 15 bytes."""
    return f"pk{sha256(mac.encode()).hexdigest()[:12]}"


def backend(port: Port, bridge: str | None) -> dict[str, Any]:
    """A NIC's back end: a tap, or a closed network with one address in it, or
    a hub of its own where the NIC has no address.
    """
    name = nic_name(port.mac)
    if bridge is not None:
        tap = {"type": "tap", "id": name, "ifname": tap_name(port.mac)}
        return {**tap, "script": "no", "downscript": "no"}
    if port.ip is None or port.subnet is None:
        number = int(port.mac[-8:].replace(":", ""), 16)
        return {"type": "hubport", "id": name, "hubid": number}
    subnet, mine = IPv4Network(port.subnet), IPv4Address(port.ip)
    host = IPv4Address(port.gateway) if port.gateway else None
    if host is None or host not in subnet or host == mine:
        host = _other(subnet, {mine})
    return {
        "type": "user",
        "id": name,
        "restrict": True,
        "ipv6": False,
        "net": str(subnet),
        "host": str(host),
        "dns": str(_other(subnet, {mine, host})),
        "dhcpstart": str(mine),
    }


def _other(subnet: IPv4Network, taken: set[IPv4Address]) -> IPv4Address:
    """An address that is not taken; not the first or last, if possible."""
    last = subnet.num_addresses - 1
    for place in (*range(last - 1, max(0, last - 5), -1), 1, 2, 3, 0, last):
        if place <= last and subnet[place] not in taken:
            return subnet[place]
    raise ValueError(f"{subnet} has no room for a host")
