"""``/subnets`` of Synnefo's network v2.0."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from msgspec import UNSET, Struct, UnsetType

from api.links import Link, Links
from api.networking import Pool, PoolView, Route, RouteView
from api.operations import Answer, Reply, operation
from api.paging import Id, complete, number
from api.synnefo.network.networks import NOT_MODIFIED, ListQuery, Name
from snfd.clock import Seconds
from snfd.errors import Invalid
from snfd.identity.model import Caller
from snfd.network.model import NewSubnet, Subnet, SubnetChange
from snfd.network.pools import FIRST
from snfd.network.scope import Scope
from snfd.network.subnets import Subnets


class SubnetView(Reply):
    """A subnet."""

    id: str
    network_id: str
    name: str
    user_id: str | None
    tenant_id: str | None
    public: bool
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    enable_slaac: bool
    dns_nameservers: list[str]
    host_routes: list[RouteView]
    allocation_pools: list[PoolView]
    deleted: bool
    links: list[Link]

    @classmethod
    def of(cls, subnet: Subnet, links: Links) -> SubnetView:
        """A subnet as its users see it."""
        owner = str(subnet.owner) if subnet.owner else None
        return cls(
            id=str(subnet.id),
            network_id=str(subnet.network),
            name=subnet.name,
            user_id=owner,
            tenant_id=owner,
            public=subnet.public,
            ip_version=subnet.version,
            cidr=str(subnet.cidr),
            gateway_ip=str(subnet.gateway) if subnet.gateway else None,
            enable_dhcp=subnet.dhcp,
            enable_slaac=subnet.slaac,
            dns_nameservers=list(subnet.dns),
            host_routes=[RouteView(to, via) for to, via in subnet.routes],
            allocation_pools=[PoolView(str(a), str(b)) for a, b in subnet.pools],
            deleted=subnet.deleted,
            links=links.of("subnets", subnet.id),
        )


class SubnetReply(Reply):
    """One subnet."""

    subnet: SubnetView


class SubnetsReply(Reply):
    """Subnets."""

    subnets: list[SubnetView]


class WantedSubnet(Struct):
    """A subnet that somebody wants."""

    network_id: Id
    cidr: str
    ip_version: int = 4
    name: Name = ""
    gateway_ip: str | UnsetType | None = UNSET
    enable_dhcp: bool = True
    enable_slaac: bool | None = None
    dns_nameservers: list[str] = []
    host_routes: list[Route] = []
    allocation_pools: list[Pool] | None = None

    def new(self) -> NewSubnet:
        """What is wanted, in the cloud's own terms."""
        pools = self.allocation_pools
        return NewSubnet(
            network=number(self.network_id),
            cidr=self.cidr,
            version=self.ip_version,
            name=self.name,
            gateway=FIRST if self.gateway_ip is UNSET else self.gateway_ip,
            dhcp=self.enable_dhcp,
            slaac=self.enable_slaac,
            dns=tuple(self.dns_nameservers),
            routes=[(one.destination, one.nexthop) for one in self.host_routes],
            pools=None if pools is None else [(one.start, one.end) for one in pools],
        )


class CreateSubnet(Struct):
    """Body of ``POST /subnets``."""

    subnet: WantedSubnet


class SubnetRenaming(Struct, forbid_unknown_fields=True):
    """A new name; nothing else can be changed."""

    name: Name


class RenameSubnet(Struct):
    """Body of ``PUT /subnets/{subnet}``."""

    subnet: SubnetRenaming


@frozen(eq=False)
class SubnetsApi:
    """Subnets."""

    subnets: Subnets
    links: Links
    clock: Seconds

    @operation("GET", "/subnets", query=ListQuery, also={NOT_MODIFIED: None})
    @operation("GET", "/subnets/detail", query=ListQuery, also={NOT_MODIFIED: None})
    async def index(
        self, caller: Caller, query: ListQuery
    ) -> Answer[SubnetsReply | None]:
        """List subnets."""
        found: Sequence[Subnet] = await self.subnets.list(
            Scope.own(caller), query.filter(self.clock)
        )
        if query.since is not None and not found:
            return Answer(None, status=NOT_MODIFIED)
        items = complete(found, query.limit)
        return Answer(SubnetsReply([SubnetView.of(s, self.links) for s in items]))

    @operation("POST", "/subnets", body=CreateSubnet, status=201)
    async def create(self, caller: Caller, body: CreateSubnet) -> SubnetReply:
        """Give a network its range."""
        scope = Scope.own(caller)
        made = await self.subnets.create(caller, scope, body.subnet.new())
        return SubnetReply(SubnetView.of(made, self.links))

    @operation("GET", "/subnets/<subnet>")
    async def show(self, caller: Caller, subnet: int) -> SubnetReply:
        """Show a subnet."""
        found = await self.subnets.show(Scope.own(caller), subnet)
        return SubnetReply(SubnetView.of(found, self.links))

    @operation("PUT", "/subnets/<subnet>", body=RenameSubnet)
    async def rename(
        self, caller: Caller, subnet: int, body: RenameSubnet
    ) -> SubnetReply:
        """Rename a subnet."""
        scope = Scope.own(caller)
        change = SubnetChange(name=body.subnet.name)
        found = await self.subnets.update(caller, scope, subnet, change)
        return SubnetReply(SubnetView.of(found, self.links))

    @operation("DELETE", "/subnets/<subnet>", status=204)
    async def delete(self, caller: Caller, subnet: int) -> None:
        """A subnet goes with its network."""
        await self.subnets.show(Scope.own(caller), subnet)
        raise Invalid("a subnet goes with its network")
