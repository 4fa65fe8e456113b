"""``/floatingips`` of Synnefo's network v2.0."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from msgspec import Struct
from msgspec import field as named

from api.links import Links
from api.operations import Answer, Reply, operation
from api.paging import Id, complete, number
from api.synnefo.network.networks import NOT_MODIFIED, ListQuery, NetworkAction
from snfd.clock import Seconds
from snfd.errors import NotImplementedHere
from snfd.identity.model import Caller
from snfd.network.floating import FloatingIp, FloatingIps, NewFloatingIp
from snfd.network.scope import Scope


class FloatingIpView(Reply):
    """A floating IP."""

    id: str
    floating_ip_address: str
    fixed_ip_address: str | None
    floating_network_id: str
    port_id: str | None
    instance_id: str | None
    user_id: str
    tenant_id: str
    shared_to_project: bool
    deleted: bool

    @classmethod
    def of(cls, one: FloatingIp) -> FloatingIpView:
        """A floating IP as its owner sees it."""
        return cls(
            id=str(one.id),
            floating_ip_address=one.addr,
            fixed_ip_address=None,
            floating_network_id=str(one.network),
            port_id=None if one.port is None else str(one.port),
            instance_id=None if one.server is None else str(one.server),
            user_id=str(one.owner),
            tenant_id=str(one.project),
            shared_to_project=one.shared,
            deleted=False,
        )


class FloatingIpReply(Reply):
    """One floating IP."""

    floatingip: FloatingIpView


class FloatingIpsReply(Reply):
    """Floating IPs."""

    floatingips: list[FloatingIpView]


class WantedFloatingIp(Struct):
    """A floating IP that somebody wants."""

    floating_network_id: Id | None = None
    floating_ip_address: str | None = None
    project: UUID | None = None
    shared: bool = named(name="shared_to_project", default=False)

    def new(self) -> NewFloatingIp:
        """What is wanted, in the cloud's own terms."""
        network = self.floating_network_id
        return NewFloatingIp(
            None if network is None else number(network),
            self.floating_ip_address,
            self.project,
            self.shared,
        )


class CreateFloatingIp(Struct):
    """Body of ``POST /floatingips``."""

    floatingip: WantedFloatingIp


@frozen(eq=False)
class FloatingIpsApi:
    """Floating IPs."""

    floating: FloatingIps
    links: Links
    clock: Seconds

    @operation("GET", "/floatingips", query=ListQuery, also={NOT_MODIFIED: None})
    @operation("GET", "/floatingips/detail", query=ListQuery, also={NOT_MODIFIED: None})
    async def index(
        self, caller: Caller, query: ListQuery
    ) -> Answer[FloatingIpsReply | None]:
        """List floating IPs."""
        found = await self.floating.list(Scope.own(caller), query.filter(self.clock))
        if query.since is not None and not found:
            return Answer(None, status=NOT_MODIFIED)
        items = complete(found, query.limit)
        return Answer(FloatingIpsReply([FloatingIpView.of(one) for one in items]))

    @operation("POST", "/floatingips", body=CreateFloatingIp)
    async def create(self, caller: Caller, body: CreateFloatingIp) -> FloatingIpReply:
        """Take a floating IP."""
        scope = Scope.own(caller)
        made = await self.floating.create(caller, scope, body.floatingip.new())
        return FloatingIpReply(FloatingIpView.of(made))

    @operation("GET", "/floatingips/<floatingip>")
    async def show(self, caller: Caller, floatingip: int) -> FloatingIpReply:
        """Show a floating IP."""
        found = await self.floating.show(Scope.own(caller), floatingip)
        return FloatingIpReply(FloatingIpView.of(found))

    @operation("PUT", "/floatingips/<floatingip>")
    async def update(self, caller: Caller, floatingip: int) -> FloatingIpReply:
        """A floating IP is put on a port by making the port."""
        raise NotImplementedHere("make a port with the address instead")

    @operation("POST", "/floatingips/<floatingip>/action", body=NetworkAction)
    async def act(
        self, caller: Caller, floatingip: int, body: NetworkAction
    ) -> FloatingIpReply:
        """Have another project pay for a floating IP."""
        wanted = body.reassign
        await self.floating.reassign(
            caller, floatingip, wanted.project, shared=wanted.shared
        )
        return await self.show(caller, floatingip)

    @operation("DELETE", "/floatingips/<floatingip>", status=204)
    async def delete(self, caller: Caller, floatingip: int) -> None:
        """Give a floating IP back."""
        await self.floating.delete(caller, Scope.own(caller), floatingip)
