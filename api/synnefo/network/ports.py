"""``/ports`` of Synnefo's network v2.0."""

from __future__ import annotations

from typing import Annotated

from attrs import frozen
from msgspec import Meta, Struct

from api.links import Link, Links
from api.operations import Reply, operation
from api.paging import Id, Limit, complete, number, wanted
from api.times import micros_offset
from snfd.compute.nics import Nics
from snfd.errors import Forbidden, Invalid
from snfd.identity.model import Caller
from snfd.network.model import Filter, NewPort, NicRequest, Port
from snfd.network.scope import Scope
from snfd.network.service import Ports

Name = Annotated[str, Meta(max_length=128)]


class FixedIpView(Reply):
    """An address of a port."""

    ip_address: str
    subnet: str
    subnet_id: str


class PortView(Reply):
    """A port."""

    id: str
    name: str
    user_id: str
    tenant_id: str
    device_id: str | None
    device_owner: str | None
    admin_state_up: bool
    mac_address: str | None
    status: str
    network_id: str
    fixed_ips: list[FixedIpView]
    security_groups: list[str]
    created: str
    updated: str
    links: list[Link]

    @classmethod
    def of(cls, port: Port, links: Links) -> PortView:
        """A port as its users see it."""
        return cls(
            id=str(port.id),
            name=port.name,
            user_id=str(port.owner),
            tenant_id=str(port.owner),
            device_id=None if port.server is None else str(port.server),
            device_owner=None if port.server is None else "vm",
            admin_state_up=True,
            mac_address=port.mac,
            status=port.state.value,
            network_id=str(port.network),
            fixed_ips=[
                FixedIpView(one.addr, str(one.subnet), str(one.subnet))
                for one in port.addresses
            ],
            security_groups=[],
            created=micros_offset(port.created),
            updated=micros_offset(port.updated),
            links=links.of("ports", port.id),
        )


class PortReply(Reply):
    """One port."""

    port: PortView


class PortsReply(Reply):
    """Ports."""

    ports: list[PortView]


class WantedAddress(Struct):
    """An address that a port must get."""

    ip_address: str


class WantedPort(Struct):
    """A port that somebody wants."""

    network_id: Id
    device_id: Id | None = None
    name: Name = ""
    fixed_ips: list[WantedAddress] | None = None

    def new(self) -> NewPort:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: several addresses.
        """
        held = self.fixed_ips or []
        if len(held) > 1:
            raise Invalid("a port has one fixed ip")
        return NewPort(
            number(self.network_id),
            self.name,
            None if self.device_id is None else number(self.device_id),
            held[0].ip_address if held else None,
        )


class CreatePort(Struct):
    """Body of ``POST /ports``."""

    port: WantedPort


class PortChange(Struct):
    """What may be changed of a port."""

    name: Name


class UpdatePort(Struct):
    """Body of ``PUT /ports/{port}``."""

    port: PortChange


class PortsQuery(Struct):
    """How a list of ports is narrowed."""

    device_id: Id | None = None
    network_id: Id | None = None
    limit: Limit | None = None
    marker: Id | None = None

    def filter(self) -> Filter:
        """The filter."""
        return Filter(
            server=None if self.device_id is None else number(self.device_id),
            network=None if self.network_id is None else number(self.network_id),
            limit=wanted(self.limit),
            marker=None if self.marker is None else number(self.marker),
        )


def card(new: NewPort) -> NicRequest:
    """The network card that a port stands for; public ones need a floating IP."""
    return NicRequest(
        network=new.network, fixed_ip=new.fixed_ip, needs_floating=True, named=True
    )


@frozen(eq=False)
class PortsApi:
    """Ports, with a server or without."""

    ports: Ports
    nics: Nics
    links: Links

    @operation("GET", "/ports", query=PortsQuery)
    @operation("GET", "/ports/detail", query=PortsQuery)
    async def index(self, caller: Caller, query: PortsQuery) -> PortsReply:
        """List ports."""
        found = await self.ports.list(Scope.own(caller), query.filter())
        items = complete(found, query.limit)
        return PortsReply([PortView.of(one, self.links) for one in items])

    @operation("POST", "/ports", body=CreatePort, status=201)
    async def create(self, caller: Caller, body: CreatePort) -> PortReply:
        """Make a port; with ``device_id``, a network card of that server."""
        new, scope = body.port.new(), Scope.own(caller)
        if new.server is not None:
            made = await self.nics.connect(caller, scope, new, card(new))
            return await self.show(caller, made)
        port = await self.ports.create(caller, scope, new, card(new))
        return PortReply(PortView.of(port, self.links))

    @operation("GET", "/ports/<port>")
    async def show(self, caller: Caller, port: int) -> PortReply:
        """Show a port."""
        found = await self.ports.show(Scope.own(caller), port)
        return PortReply(PortView.of(found, self.links))

    @operation("PUT", "/ports/<port>", body=UpdatePort)
    async def update(self, caller: Caller, port: int, body: UpdatePort) -> PortReply:
        """Rename a port."""
        scope = Scope.own(caller)
        found = await self.ports.rename(caller, scope, port, body.port.name)
        return PortReply(PortView.of(found, self.links))

    @operation("DELETE", "/ports/<port>", status=204)
    async def delete(self, caller: Caller, port: int) -> None:
        """Remove a port; from its server, if it has one, by a job."""
        scope = Scope.own(caller)
        found = await self.ports.show(scope, port)
        if found.public and not any(one.floating for one in found.addresses):
            raise Forbidden("a server keeps its card on a public network")
        if found.server is not None:
            await self.nics.disconnect(caller, scope, found)
        else:
            await self.ports.delete(caller, scope, port)
