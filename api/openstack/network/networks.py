"""``/networks`` and ``/subnets`` of network v2.0."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from attrs import frozen
from msgspec import UNSET, UnsetType

from api.links import Link
from api.openstack.network.fields import narrowed
from api.openstack.network.port_queries import FloatingIpQuery, PortQuery
from api.openstack.network.queries import NetworkQuery, SubnetQuery
from api.openstack.network.views import (
    NetworkReply,
    NetworksMade,
    NetworksReply,
    SubnetReply,
    SubnetsMade,
    SubnetsReply,
    SubnetView,
    network_view,
)
from api.openstack.network.wanted import (
    CreateNetworks,
    CreateSubnets,
    UpdateNetwork,
    UpdateSubnet,
)
from api.operations import operation
from api.paging import following
from snfd.identity.model import Caller
from snfd.network.floating import FloatingIp
from snfd.network.model import Filter, Network, Port, Subnet
from snfd.network.scope import Scope
from snfd.network.service import Networks
from snfd.network.subnets import Subnets

T = TypeVar("T", Network, Subnet, Port, FloatingIp)


def within(caller: Caller) -> Scope:
    """What a caller reaches: the token's project; administrators, all."""
    return Scope.project(caller, everything=True)


async def page(
    url: str,
    caller: Caller,
    query: NetworkQuery | SubnetQuery | PortQuery | FloatingIpQuery,
    find: Callable[[Scope, Filter], Awaitable[Sequence[T]]],
) -> tuple[Sequence[T], list[Link] | UnsetType]:
    """The page that a query asks for, and the link to the next one.

    :raises Invalid: a marker or truth value that is none.
    """
    wanted = query.filter()
    if wanted is None:
        return (), UNSET
    found = await find(within(caller), wanted)
    if len(found) <= wanted.limit:
        return found, UNSET
    return found[: wanted.limit], following(url, query, found[wanted.limit - 1].id)


@frozen(eq=False)
class NetworksApi:
    """Networks.

    :ivar base: URL of network v2.0.
    """

    networks: Networks
    base: str

    @operation("GET", "/networks", query=NetworkQuery)
    async def index(self, caller: Caller, query: NetworkQuery) -> NetworksReply:
        """List networks."""
        url = f"{self.base}/networks"
        found, more = await page(url, caller, query, self.networks.list)
        views = [network_view(one, caller) for one in found]
        return NetworksReply(narrowed(views, query.fields), more)

    @operation("POST", "/networks", body=CreateNetworks, status=201)
    async def create(self, caller: Caller, body: CreateNetworks) -> NetworksMade:
        """Make a private network, or several."""
        scope, wanted = Scope.project(caller), body.wanted()
        made = await self.networks.create_all(caller, scope, wanted)
        views = [network_view(one, caller) for one in made]
        return NetworksMade.of(views, many=body.many)

    @operation("GET", "/networks/<network>")
    async def show(self, caller: Caller, network: int) -> NetworkReply:
        """Show a network."""
        found = await self.networks.show(within(caller), network)
        return NetworkReply(network_view(found, caller))

    @operation("PUT", "/networks/<network>", body=UpdateNetwork)
    async def update(
        self, caller: Caller, network: int, body: UpdateNetwork
    ) -> NetworkReply:
        """Rename a network."""
        if body.network.name is None:
            return await self.show(caller, network)
        found = await self.networks.rename(
            caller, within(caller), network, body.network.name
        )
        return NetworkReply(network_view(found, caller))

    @operation("DELETE", "/networks/<network>", status=204)
    async def delete(self, caller: Caller, network: int) -> None:
        """Remove a network with its subnets."""
        await self.networks.delete(caller, within(caller), network)


@frozen(eq=False)
class SubnetsApi:
    """Subnets.

    :ivar base: URL of network v2.0.
    """

    subnets: Subnets
    base: str

    @operation("GET", "/subnets", query=SubnetQuery)
    async def index(self, caller: Caller, query: SubnetQuery) -> SubnetsReply:
        """List subnets."""
        url = f"{self.base}/subnets"
        found, more = await page(url, caller, query, self.subnets.list)
        views = [SubnetView.of(one) for one in found]
        return SubnetsReply(narrowed(views, query.fields), more)

    @operation("POST", "/subnets", body=CreateSubnets, status=201)
    async def create(self, caller: Caller, body: CreateSubnets) -> SubnetsMade:
        """Give networks their ranges."""
        scope, wanted = within(caller), body.wanted()
        made = await self.subnets.create_all(caller, scope, wanted)
        views = [SubnetView.of(one) for one in made]
        return SubnetsMade.of(views, many=body.many)

    @operation("GET", "/subnets/<subnet>")
    async def show(self, caller: Caller, subnet: int) -> SubnetReply:
        """Show a subnet."""
        found = await self.subnets.show(within(caller), subnet)
        return SubnetReply(SubnetView.of(found))

    @operation("PUT", "/subnets/<subnet>", body=UpdateSubnet)
    async def update(
        self, caller: Caller, subnet: int, body: UpdateSubnet
    ) -> SubnetReply:
        """Change a subnet's name, name servers, routes, DHCP, or add addresses."""
        scope, change = within(caller), body.subnet.change()
        return SubnetReply(
            SubnetView.of(await self.subnets.update(caller, scope, subnet, change))
        )

    @operation("DELETE", "/subnets/<subnet>", status=204)
    async def delete(self, caller: Caller, subnet: int) -> None:
        """Take a network's range away."""
        await self.subnets.delete(caller, within(caller), subnet)
