"""``/ports`` and ``/floatingips`` of network v2.0."""

from __future__ import annotations

from attrs import frozen

from api.openstack.network.bodies import (
    CreateFloatingIp,
    CreatePort,
    UpdateFloatingIp,
    UpdatePort,
    card,
)
from api.openstack.network.fields import narrowed
from api.openstack.network.networks import page, within
from api.openstack.network.port_queries import FloatingIpQuery, PortQuery
from api.openstack.network.views import (
    FloatingIpReply,
    FloatingIpsReply,
    FloatingIpView,
    PortReply,
    PortsReply,
    PortView,
)
from api.operations import operation
from api.paging import number
from snfd.compute.carrying import Carrying
from snfd.compute.firewalls import Firewalls
from snfd.compute.nics import Nics
from snfd.identity.model import Caller
from snfd.network.floating import FloatingIps
from snfd.network.groups import chosen
from snfd.network.scope import Scope
from snfd.network.service import Ports


@frozen(eq=False)
class PortsApi:
    """Ports, with a server or without.

    :ivar base: URL of network v2.0.
    """

    ports: Ports
    nics: Nics
    firewalls: Firewalls
    base: str

    @operation("GET", "/ports", query=PortQuery)
    async def index(self, caller: Caller, query: PortQuery) -> PortsReply:
        """List ports."""
        url = f"{self.base}/ports"
        found, more = await page(url, caller, query, self.ports.list)
        views = [PortView.of(one) for one in found]
        return PortsReply(narrowed(views, query.fields), more)

    @operation("POST", "/ports", body=CreatePort, status=201)
    async def create(self, caller: Caller, body: CreatePort) -> PortReply:
        """Make a port; with ``device_id``, a network card of that server."""
        new, scope = body.port.new(caller.project), within(caller)
        if new.server is not None:
            made = await self.nics.connect(caller, scope, new, card(new))
            return await self.show(caller, made)
        mine = Scope.project(caller)
        return PortReply(
            PortView.of(await self.ports.create(caller, mine, new, card(new)))
        )

    @operation("GET", "/ports/<port>")
    async def show(self, caller: Caller, port: int) -> PortReply:
        """Show a port."""
        return PortReply(PortView.of(await self.ports.show(within(caller), port)))

    @operation("PUT", "/ports/<port>", body=UpdatePort)
    async def update(self, caller: Caller, port: int, body: UpdatePort) -> PortReply:
        """Rename a port, or have another firewall profile on it."""
        scope, wanted = within(caller), body.port
        found = await self.ports.show(scope, port)
        wanted.check(found)
        if wanted.security_groups is not None:
            profile = chosen(found.project, wanted.security_groups)
            await self.firewalls.put_on_port(caller, scope, port, profile)
        if wanted.name is not None:
            await self.ports.rename(caller, scope, port, wanted.name)
        return await self.show(caller, port)

    @operation("DELETE", "/ports/<port>", status=204)
    async def delete(self, caller: Caller, port: int) -> None:
        """Remove a port; from its server, if it has one, by a job."""
        found = await self.ports.show(within(caller), port)
        if found.server is not None:
            await self.nics.disconnect(caller, within(caller), found)
        else:
            await self.ports.delete(caller, within(caller), port)


@frozen(eq=False)
class FloatingIpsApi:
    """Floating IPs.

    :ivar base: URL of network v2.0.
    """

    floating: FloatingIps
    ports: Ports
    carrying: Carrying
    base: str

    @operation("GET", "/floatingips", query=FloatingIpQuery)
    async def index(self, caller: Caller, query: FloatingIpQuery) -> FloatingIpsReply:
        """List floating IPs."""
        url = f"{self.base}/floatingips"
        found, more = await page(url, caller, query, self.floating.list)
        views = [FloatingIpView.of(one) for one in found]
        return FloatingIpsReply(narrowed(views, query.fields), more)

    @operation("POST", "/floatingips", body=CreateFloatingIp, status=201)
    async def create(self, caller: Caller, body: CreateFloatingIp) -> FloatingIpReply:
        """Take a floating IP."""
        scope, wanted = Scope.project(caller), body.floatingip
        if wanted.port_id is None:
            made = await self.floating.create(caller, scope, wanted.new())
        else:
            port = await self.ports.show(within(caller), number(wanted.port_id))
            made = await self.carrying.create_on(caller, scope, wanted.new(), port)
        return FloatingIpReply(FloatingIpView.of(made))

    @operation("GET", "/floatingips/<floatingip>")
    async def show(self, caller: Caller, floatingip: int) -> FloatingIpReply:
        """Show a floating IP."""
        found = await self.floating.show(within(caller), floatingip)
        return FloatingIpReply(FloatingIpView.of(found))

    @operation("PUT", "/floatingips/<floatingip>", body=UpdateFloatingIp)
    async def update(
        self, caller: Caller, floatingip: int, body: UpdateFloatingIp
    ) -> FloatingIpReply:
        """Put a floating IP on a port's server, or take it off."""
        scope, wanted = within(caller), body.floatingip.port_id
        found = await self.floating.show(scope, floatingip)
        if wanted is None and found.port is not None:
            held = await self.ports.show(scope, found.port)
            await self.carrying.nics.disconnect(caller, scope, held)
        elif isinstance(wanted, int | str):
            port = await self.ports.show(scope, number(wanted))
            await self.carrying.put(caller, scope, floatingip, port)
        return await self.show(caller, floatingip)

    @operation("DELETE", "/floatingips/<floatingip>", status=204)
    async def delete(self, caller: Caller, floatingip: int) -> None:
        """Give a floating IP back."""
        await self.floating.delete(caller, within(caller), floatingip)
