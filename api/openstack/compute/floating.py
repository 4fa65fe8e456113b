"""Floating IPs and security groups as old clients ask compute v2.1 for them."""

from __future__ import annotations

from attrs import frozen
from msgspec import Struct

from api.openstack.compute.servers import existing, within
from api.openstack.network.queries import is_row
from api.operations import Reply, operation
from snfd.compute.service import Compute
from snfd.errors import NotFound
from snfd.identity.model import Caller
from snfd.network.floating import FloatingIp, FloatingIps, NewFloatingIp
from snfd.network.groups import Group, called, groups
from snfd.network.model import Filter, Network
from snfd.network.scope import Scope
from snfd.network.service import Networks


class AddressView(Reply):
    """A floating IP."""

    id: str
    ip: str
    instance_id: str | None
    fixed_ip: str | None
    pool: str | None

    @classmethod
    def of(cls, one: FloatingIp) -> AddressView:
        """A floating IP; its pool is its network's number."""
        server = None if one.server is None else str(one.server)
        return cls(str(one.id), one.addr, server, one.fixed, str(one.network))


class AddressReply(Reply):
    """One floating IP."""

    floating_ip: AddressView


class AddressesReply(Reply):
    """Floating IPs."""

    floating_ips: list[AddressView]


class PoolView(Reply):
    """A network that floating IPs come from."""

    name: str


class PoolsReply(Reply):
    """All such networks."""

    floating_ip_pools: list[PoolView]


class WantedAddress(Struct):
    """A floating IP that somebody wants.

    :ivar pool: name or number of a network, or None for any.
    """

    pool: str | None = None


@frozen(eq=False)
class FloatingApi:
    """Floating IPs."""

    floating: FloatingIps
    networks: Networks

    @operation("GET", "/os-floating-ips")
    async def index(self, caller: Caller) -> AddressesReply:
        """List floating IPs."""
        found = await self.floating.list(within(caller), Filter())
        return AddressesReply([AddressView.of(one) for one in found])

    @operation("GET", "/os-floating-ips/<address>")
    async def show(self, caller: Caller, address: int) -> AddressReply:
        """Show a floating IP."""
        return AddressReply(
            AddressView.of(await self.floating.show(within(caller), address))
        )

    @operation("POST", "/os-floating-ips", body=WantedAddress)
    async def create(self, caller: Caller, body: WantedAddress) -> AddressReply:
        """Take a floating IP."""
        pools = {one.name: one.id for one in await self._pools(caller)}
        network = pools.get(body.pool or "")
        if network is None and body.pool:
            if not is_row(body.pool):
                raise NotFound(f"there is no pool {body.pool!r}")
            network = int(body.pool)
        made = await self.floating.create(
            caller, Scope.project(caller), NewFloatingIp(network)
        )
        return AddressReply(AddressView.of(made))

    @operation("DELETE", "/os-floating-ips/<address>", status=202)
    async def delete(self, caller: Caller, address: int) -> None:
        """Give a floating IP back."""
        await self.floating.delete(caller, within(caller), address)

    @operation("GET", "/os-floating-ip-pools")
    async def pools(self, caller: Caller) -> PoolsReply:
        """List the networks that floating IPs come from."""
        return PoolsReply([PoolView(one.name) for one in await self._pools(caller)])

    async def _pools(self, caller: Caller) -> list[Network]:
        found = await self.networks.list(within(caller), Filter(public=True))
        return [one for one in found if one.floating_ip_pool and one.usable]


class GroupView(Reply):
    """A security group."""

    id: str
    name: str
    description: str
    tenant_id: str
    rules: list[str]

    @classmethod
    def of(cls, one: Group, caller: Caller) -> GroupView:
        """A group of the token's project."""
        return cls(str(one.id), one.name, one.description, str(caller.project), [])


class GroupsReply(Reply):
    """Security groups."""

    security_groups: list[GroupView]


@frozen(eq=False)
class GroupsApi:
    """Security groups: those that stand for firewall profiles."""

    compute: Compute

    @operation("GET", "/os-security-groups")
    async def index(self, caller: Caller) -> GroupsReply:
        """List security groups."""
        found = groups(caller.project)
        return GroupsReply([GroupView.of(one, caller) for one in found])

    @operation("GET", "/servers/<server>/os-security-groups")
    async def of_server(self, caller: Caller, server: int) -> GroupsReply:
        """List the security groups that a server's cards are in."""
        found = await existing(self.compute, caller, server)
        held = {called(one.firewall) for one in found.attachments}
        return GroupsReply(
            [
                GroupView.of(one, caller)
                for one in groups(caller.project)
                if one.name in held
            ]
        )
