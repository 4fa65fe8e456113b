"""Values of networks, subnets, ports and addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from uuid import UUID

from attrs import field, frozen

MAX_NAME = 128
MAX_NICS = 8
MAX_LOOSE = 200
"""Ports without a server that a project may have."""

OPEN = "DISABLED"
"""The firewall profile that lets everything through."""


class Kind(Enum):
    """How Ganeti builds a network (Synnefo's network flavors)."""

    CUSTOM = "CUSTOM"
    IP_LESS_ROUTED = "IP_LESS_ROUTED"
    MAC_FILTERED = "MAC_FILTERED"
    PHYSICAL_VLAN = "PHYSICAL_VLAN"


class PortState(Enum):
    """A port's life: free, waiting for its job, seen on the instance."""

    DOWN = "DOWN"
    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    ERROR = "ERROR"


@frozen
class Network:
    """A network as its users see it.

    :ivar owner: None for public networks.
    :ivar subnets: ids, in order; ``numbered`` are those of IPv4.
    :ivar mac_prefix: two octets and a digit; each cluster adds its own digit.
    :ivar everywhere: whether every cluster is to have it, servers or not.
    """

    id: int
    name: str
    owner: UUID | None
    project: UUID | None
    shared: bool
    kind: Kind
    mode: str
    link: str
    mac_prefix: str
    tags: tuple[str, ...]
    public: bool
    drained: bool
    floating_ip_pool: bool
    mtu: int
    state: str
    action: str | None
    created: datetime
    updated: datetime
    subnets: tuple[int, ...]
    numbered: tuple[int, ...] = ()
    everywhere: bool = False

    @property
    def deleted(self) -> bool:
        """Whether nothing of it is left."""
        return self.state == "DELETED"

    @property
    def usable(self) -> bool:
        """Whether new ports may join."""
        return self.state == "ACTIVE" and self.action is None and not self.drained


@frozen
class Subnet:
    """A range of a network.

    :ivar gateway: None where there is none.
    :ivar pools: (first, last) of each range that addresses are taken from.
    :ivar routes: destination and next hop of each.
    :ivar slaac: whether hosts give themselves IPv6 addresses.
    :ivar quarantine: seconds that an address rests once it was given back.
    """

    id: int
    network: int
    owner: UUID | None
    project: UUID | None
    public: bool
    name: str
    cidr: IPv4Network | IPv6Network
    gateway: IPv4Address | IPv6Address | None
    dhcp: bool
    dns: tuple[str, ...]
    routes: Sequence[Sequence[str]]
    pools: tuple[tuple[IPv4Address, IPv4Address], ...]
    created: datetime
    updated: datetime
    deleted: bool
    slaac: bool = False
    quarantine: int = 0

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.cidr.version


@frozen
class Address:
    """An address that a port holds."""

    subnet: int
    addr: str
    floating: bool

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.addr else 4


@frozen
class Port:
    """A network card, on a server or not yet.

    :ivar mac: None until it is on a server.
    :ivar extra: whether it only carries a floating IP that is shown with another.
    """

    id: int
    name: str
    owner: UUID
    project: UUID
    shared: bool
    server: int | None
    network: int
    network_name: str
    public: bool
    idx: int | None
    mac: str | None
    firewall: str
    state: PortState
    created: datetime
    updated: datetime
    addresses: tuple[Address, ...]
    extra: bool = False


@frozen
class Cluster:
    """What networks need to know of a cluster.

    :ivar idx: its digit in MAC addresses, 0 to 15.
    :ivar groups: names of its node groups.
    """

    id: int
    idx: int
    groups: tuple[str, ...]


@frozen
class NewNetwork:
    """A network that somebody wants.

    :ivar kind: None for the first that users may make.
    :ivar project: None for the token's project.
    :ivar shared: None for what the dialect does by default.
    """

    name: str = ""
    kind: Kind | None = None
    project: UUID | None = None
    shared: bool | None = None


@frozen
class NewSubnet:
    """A subnet that somebody wants.

    :ivar gateway: None for none; `pools.FIRST` for the first address.
    :ivar pools: None for the whole range without the gateway.
    :ivar slaac: None for what the version does by default.
    """

    network: int
    cidr: str
    version: int = 4
    name: str = ""
    gateway: str | None = field(default="first")
    dhcp: bool = True
    dns: tuple[str, ...] = ()
    routes: Sequence[Sequence[str]] = ()
    pools: Sequence[tuple[str, str]] | None = None
    slaac: bool | None = None


@frozen
class SubnetChange:
    """What shall be different of a subnet; None leaves it."""

    name: str | None = None
    dns: Sequence[str] | None = None
    routes: Sequence[Sequence[str]] | None = None
    dhcp: bool | None = None
    pools: Sequence[tuple[str, str]] | None = None


@frozen
class NewPort:
    """A port that somebody wants, on a server or loose."""

    network: int
    name: str = ""
    server: int | None = None
    fixed_ip: str | None = None
    firewall: str = OPEN


@frozen
class NicRequest:
    """One network card that a new server shall have.

    :ivar network: id; None together with ``port`` None: any public network.
    :ivar port: id of an existing loose port.
    :ivar fixed_ip: the address it must get, or None for any.
    :ivar for_port: id of the port that a floating IP shall be shown with.
    :ivar needs_floating: on public networks, refuse anything but a floating
        IP of the caller's (the synnefo dialect's rule).
    :ivar numbered: whether it shall have an IPv4 address, where there are any.
    :ivar choices: instead of ``network``: see `snfd.network.standard.choices`.
    :ivar forced: whether its user did not ask for it: none is our fault then.
    :ivar firewall: the profile that it shall have; an existing port keeps its own.
    :ivar named: on public networks, refuse to choose an address.
    """

    network: int | None = None
    port: int | None = None
    fixed_ip: str | None = None
    needs_floating: bool = False
    for_port: int | None = None
    numbered: bool = True
    choices: tuple[str, ...] = ()
    forced: bool = False
    firewall: str = OPEN
    named: bool = False


@frozen
class Nic:
    """A card of a server as its cluster must make it.

    :ivar ip: None where the network has no IPv4.
    """

    port: int
    network: int
    mac: str
    ip: str | None
    firewall: str = OPEN


@frozen
class Filter:
    """What a list is narrowed to; None means "whatever".

    :ivar since: rows changed at or after it, gone ones included.
    :ivar up: whether a network takes new ports as far as administrators say.
    :ivar device: what a port is there for, in neutron's words.
    :ivar fixed: the address of the port that a floating IP is shown with.
    :ivar marker: id of the last row of the previous page.
    :ivar limit: most rows to return.
    :ivar sort: names of attributes to sort by, each with whether it descends;
        always followed by the id.
    """

    ids: tuple[int, ...] | None = None
    name: str | None = None
    network: int | None = None
    server: int | None = None
    mac: str | None = None
    port: int | None = None
    address: str | None = None
    status: str | None = None
    public: bool | None = None
    project: UUID | None = None
    since: datetime | None = None
    marker: int | None = None
    limit: int = 10_000
    version: int | None = None
    cidr: str | None = None
    gateway: str | None = None
    dhcp: bool | None = None
    up: bool | None = None
    mtu: int | None = None
    kind: str | None = None
    device: str | None = None
    subnet: int | None = None
    fixed: str | None = None
    sort: tuple[tuple[str, bool], ...] = ()
