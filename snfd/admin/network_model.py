"""What administrators see of networks, subnets and pools; no SQL here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from snfd.admin.model import Ask, Fact, RowId, Text


class NetworkAsk(Ask, frozen=True):
    """Which networks; None: whatever.

    :ivar backend: only those that this cluster has, by name or number.
    :ivar deleted: those that are gone, and no others.
    """

    public: bool | None = None
    kind: Text | None = None
    drained: bool | None = None
    user: Text | None = None
    project: Text | None = None
    name: Text | None = None
    backend: Text | None = None
    deleted: bool = False


class NetworkRow(Fact, frozen=True):
    """A network in a list.

    :ivar state: ``ACTIVE``, ``PENDING`` until its clusters have told, ``DRAINED``,
        ``ERROR``, ``DESTROYING`` or ``DELETED``.
    :ivar addresses_free: of IPv4.
    """

    id: int
    name: str
    kind: str
    state: str
    public: bool
    owner: str | None
    project: str | None
    cidr: str | None
    cidr6: str | None
    addresses_free: int
    ports: int
    backends: int


class NetworkPlace(Fact, frozen=True):
    """A network at a cluster.

    :ivar mac_prefix: three octets.
    """

    backend: str
    state: str
    mac_prefix: str
    ports: int


class SubnetRow(Fact, frozen=True):
    """A subnet in a list.

    :ivar reserved: addresses that nobody gets, whoever says so.
    """

    id: int
    network: int
    name: str
    ip_version: int
    cidr: str
    gateway: str | None
    dhcp: bool
    addresses: int
    used: int
    reserved: int


class NetworkFacts(Fact, frozen=True):
    """All about a network.

    :ivar everywhere: whether every cluster is to have it, servers or not.
    """

    id: int
    name: str
    kind: str
    state: str
    public: bool
    owner: str | None
    project: str | None
    shared: bool
    drained: bool
    floating_ip_pool: bool
    floating_ips: int
    mode: str
    link: str
    mac_prefix: str
    mtu: int
    tags: list[str]
    everywhere: bool
    created: datetime
    updated: datetime
    subnets: list[SubnetRow]
    backends: list[NetworkPlace]


class SubnetAsk(Ask, frozen=True):
    """Which subnets; None: whatever."""

    network: RowId | None = None
    ip_version: Literal[4, 6] | None = None
    public: bool | None = None


class ReservedAddress(Fact, frozen=True):
    """An address that nobody gets.

    :ivar by: the cluster that has it for itself, or ``administrator``.
    """

    address: str
    by: str


class SubnetFacts(Fact, frozen=True):
    """All about a subnet; at most 1000 of its reserved addresses.

    :ivar pools: ranges that addresses are taken from.
    :ivar quarantine: seconds that an address rests once it is given back.
    """

    id: int
    network: int
    name: str
    ip_version: int
    cidr: str
    gateway: str | None
    dhcp: bool
    slaac: bool
    dns: list[str]
    routes: list[str]
    pools: list[str]
    quarantine: int
    addresses: int
    used: int
    resting: int
    reserved: int
    reserved_addresses: list[ReservedAddress]


class PoolAsk(Ask, frozen=True):
    """Which pools; None: whatever."""

    kind: Literal["bridge", "mac-prefix"] | None = None


class PoolRow(Fact, frozen=True):
    """A pool."""

    id: int
    kind: str
    base: str
    size: int
    used: int
    reserved: int
    free: int


class PoolSlot(Fact, frozen=True):
    """Something of a pool that is taken or reserved."""

    value: str
    state: str
    network: int | None


class PoolFacts(Fact, frozen=True):
    """A pool, and at most 1000 of what is taken of it or reserved."""

    id: int
    kind: str
    base: str
    size: int
    used: int
    reserved: int
    free: int
    taken: list[PoolSlot]


class UnaskedCards(Fact, frozen=True):
    """Cards that servers get unasked; each says its choices, by commas.

    :ivar forced: whatever their users ask for.
    :ivar default: where they ask for nothing.
    """

    forced: list[str]
    default: list[str]
