"""Subnets, and pools of what networks must have for themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.admin.networks import Name, Texts, ranges
from api.operations import operation
from api.paging import RowId
from snfd.admin.network_model import (
    PoolAsk,
    PoolFacts,
    PoolRow,
    SubnetAsk,
    SubnetFacts,
    SubnetRow,
)
from snfd.admin.networks import NetworkViews
from snfd.admin.rights import Right, Staff
from snfd.network.model import NewSubnet, SubnetChange
from snfd.network.pooling import Pools
from snfd.network.pools import FIRST
from snfd.network.ranging import SubnetStaff

Rest = Annotated[int, Meta(ge=0, le=86400)]
Many = Annotated[list[Short], Meta(min_length=1, max_length=1000)]


class MadeSubnet(Struct):
    """A subnet to be made.

    :ivar gateway: the first address if nothing is said; ``none`` for none.
    """

    network: RowId
    cidr: Short
    name: Name = ""
    gateway: Short | None = None
    no_dhcp: bool = False
    dns: Texts = []
    route: Texts = []
    pool: Texts = []

    def new(self) -> NewSubnet:
        """The subnet that it describes.

        :raises Invalid: a route or range has no two ends.
        """
        return NewSubnet(
            self.network,
            self.cidr,
            6 if ":" in self.cidr else 4,
            self.name,
            FIRST if self.gateway is None else None if self.gateway == "none"
            else self.gateway,
            not self.no_dhcp,
            tuple(self.dns),
            routes(self.route),
            ranges(self.pool) if self.pool else None,
        )  # fmt: skip


def routes(given: list[str]) -> list[tuple[str, str]]:
    """Destination and next hop of each, ``10.0.0.0/8@10.1.1.1``."""
    parts = [one.partition("@") for one in given]
    return [(to.strip(), via.strip()) for to, _, via in parts]


class SubnetChanges(Struct):
    """What shall be different; null leaves it, an empty list removes all.

    :ivar quarantine: seconds that an address rests once it is given back.
    """

    name: Name | None = None
    dns: Texts | None = None
    route: Texts | None = None
    dhcp: bool | None = None
    pool: Texts | None = None
    quarantine: Rest | None = None

    def wanted(self) -> SubnetChange:
        """The changes that it describes.

        :raises Invalid: a range has no two ends.
        """
        return SubnetChange(
            self.name,
            self.dns,
            None if self.route is None else routes(self.route),
            self.dhcp,
            None if self.pool is None else ranges(self.pool),
        )


class Addresses(Struct):
    """Addresses, or ranges such as ``10.0.0.5-10.0.0.9``."""

    addresses: Many


class SubnetsApi:
    """Subnets."""

    def __init__(self, views: NetworkViews, subnets: SubnetStaff) -> None:
        self._views = views
        self._subnets = subnets

    @operation("GET", "/subnets", query=SubnetAsk)
    async def all(self, staff: Staff, query: SubnetAsk) -> Listing[SubnetRow]:
        """List subnets by number."""
        return Listing.of(await self._views.subnets(query))

    @operation("GET", "/subnets/<subnet>")
    async def show(self, staff: Staff, subnet: RowId) -> SubnetFacts:
        """Show a subnet, how full it is, and which addresses nobody gets."""
        return await self._views.subnet(subnet)

    @operation("POST", "/subnets", body=MadeSubnet, status=201)
    async def create(self, staff: Staff, body: MadeSubnet) -> SubnetFacts:
        """Give a network, which no cluster has yet, a range."""
        actor = staff.to(Right.CLUSTERS)
        return await self._views.subnet(await self._subnets.create(actor, body.new()))

    @operation("PATCH", "/subnets/<subnet>", body=SubnetChanges)
    async def modify(
        self, staff: Staff, subnet: RowId, body: SubnetChanges
    ) -> SubnetFacts:
        """Change a subnet; its pools can only grow."""
        actor, change = staff.to(Right.CLUSTERS), body.wanted()
        await self._subnets.modify(actor, subnet, change, body.quarantine)
        return await self._views.subnet(subnet)

    @operation("DELETE", "/subnets/<subnet>", status=204)
    async def remove(self, staff: Staff, subnet: RowId) -> None:
        """Remove a subnet of which no address is taken."""
        await self._subnets.remove(staff.to(Right.CLUSTERS), subnet)

    @operation("POST", "/subnets/<subnet>/reserved", body=Addresses, status=204)
    async def reserve(self, staff: Staff, subnet: RowId, body: Addresses) -> None:
        """Give addresses to nobody any more; who has one keeps it."""
        actor = staff.to(Right.CLUSTERS)
        await self._subnets.reserve(actor, subnet, body.addresses)

    @operation("DELETE", "/subnets/<subnet>/reserved/<addresses>", status=204)
    async def release(self, staff: Staff, subnet: RowId, addresses: str) -> None:
        """Give an address, or a range of them, out again."""
        actor = staff.to(Right.CLUSTERS)
        await self._subnets.reserve(actor, subnet, [addresses], keep=False)


class MadePool(Struct):
    """A pool to be made: ``size`` values from ``base`` on."""

    kind: Literal["bridge", "mac-prefix"]
    base: Short
    size: Annotated[int, Meta(ge=1, le=65536)]


class PoolSize(Struct):
    """How much a pool shall hold."""

    size: Annotated[int, Meta(ge=1, le=65536)]


class Values(Struct):
    """Some of what a pool holds."""

    values: Many


class PoolsApi:
    """Pools of MAC prefixes and of bridges."""

    def __init__(self, views: NetworkViews, pools: Pools) -> None:
        self._views = views
        self._pools = pools

    @operation("GET", "/pools", query=PoolAsk)
    async def all(self, staff: Staff, query: PoolAsk) -> Listing[PoolRow]:
        """List pools by number."""
        return Listing.of(await self._views.pools(query))

    @operation("GET", "/pools/<pool>")
    async def show(self, staff: Staff, pool: RowId) -> PoolFacts:
        """Show a pool, and what of it is taken or reserved."""
        return await self._views.pool(pool)

    @operation("POST", "/pools", body=MadePool, status=201)
    async def create(self, staff: Staff, body: MadePool) -> PoolFacts:
        """Make a pool."""
        actor = staff.to(Right.CLUSTERS)
        made = await self._pools.create(actor, body.kind, body.base, body.size)
        return await self._views.pool(made)

    @operation("PATCH", "/pools/<pool>", body=PoolSize)
    async def modify(self, staff: Staff, pool: RowId, body: PoolSize) -> PoolFacts:
        """Have a pool hold more."""
        await self._pools.grow(staff.to(Right.CLUSTERS), pool, body.size)
        return await self._views.pool(pool)

    @operation("DELETE", "/pools/<pool>", status=204)
    async def remove(self, staff: Staff, pool: RowId) -> None:
        """Remove a pool of which nothing is taken."""
        await self._pools.remove(staff.to(Right.CLUSTERS), pool)

    @operation("POST", "/pools/<pool>/reserved", body=Values, status=204)
    async def reserve(self, staff: Staff, pool: RowId, body: Values) -> None:
        """Give values of a pool to no more networks; who has one keeps it."""
        await self._pools.reserve(staff.to(Right.CLUSTERS), pool, body.values)

    @operation("DELETE", "/pools/<pool>/reserved/<value>", status=204)
    async def release(self, staff: Staff, pool: RowId, value: str) -> None:
        """Give a value of a pool out again."""
        actor = staff.to(Right.CLUSTERS)
        await self._pools.reserve(actor, pool, [value], wanted=False)
