"""What the cluster holds: instances, their NICs and disks, networks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from msgspec import Struct


class Nic(Struct, frozen=True):
    """A network interface.

    :ivar network: the network's name, or None.
    :ivar ip: the address shown, or None.
    """

    uuid: str
    mac: str
    name: str | None = None
    ip: str | None = None
    mode: str = "bridged"
    link: str = ""
    network: str | None = None


class Disk(Struct, frozen=True):
    """A disk; ``size`` in MiB.

    :ivar extra: what the request carried besides, such as ``provider``.
    """

    uuid: str
    size: int
    name: str | None = None
    mode: str = "rw"
    extra: dict[str, Any] = {}


class Instance(Struct, frozen=True):
    """A virtual machine as the configuration has it.

    :ivar admin_state: what it should be: up, down or offline.
    :ivar port: TCP port of its screen, or None.
    :ivar osparams: without the secret ones.
    """

    name: str
    uuid: str
    os: str | None
    hypervisor: str
    disk_template: str
    beparams: dict[str, Any]
    hvparams: dict[str, Any]
    osparams: dict[str, Any]
    nics: tuple[Nic, ...]
    disks: tuple[Disk, ...]
    tags: tuple[str, ...]
    admin_state: str
    ctime: float
    mtime: float
    port: int | None = None
    serial_no: int = 1

    @property
    def memory(self) -> int:
        """MiB it takes while it runs."""
        return int(self.beparams["maxmem"])

    @property
    def vcpus(self) -> int:
        """Number of virtual processors."""
        return int(self.beparams["vcpus"])


class Connection(Struct, frozen=True):
    """How a network meets the node group."""

    mode: str
    link: str
    vlan: str = ""


class Network(Struct, frozen=True):
    """A range of addresses.

    :ivar external: addresses that no instance gets.
    :ivar connection: None where no instance may use it yet.
    """

    name: str
    uuid: str
    network: str
    ctime: float
    mtime: float
    gateway: str | None = None
    network6: str | None = None
    gateway6: str | None = None
    mac_prefix: str | None = None
    tags: tuple[str, ...] = ()
    external: frozenset[str] = frozenset()
    connection: Connection | None = None
    serial_no: int = 1

    @property
    def range(self) -> IPv4Network:
        """The addresses as a value to compute with."""
        return IPv4Network(self.network)

    def has(self, address: str) -> bool:
        """Whether an address lies in the network."""
        return IPv4Address(address) in self.range
