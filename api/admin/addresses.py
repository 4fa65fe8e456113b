"""Ports and floating IPs of everybody, and who had a public address when."""

from __future__ import annotations

from msgspec import Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.operations import operation
from api.paging import RowId
from snfd.admin.address_model import (
    EventAsk,
    EventRow,
    FloatingAsk,
    FloatingRow,
    HolderAsk,
    PortAsk,
    PortFacts,
    PortRow,
)
from snfd.admin.addresses import AddressViews
from snfd.admin.reading import Readings
from snfd.admin.rights import Right, Staff
from snfd.compute.address_staff import AddressStaff
from snfd.network.floating import NewFloatingIp


class MadeFloatingIp(Struct):
    """A floating IP to be taken for somebody.

    :ivar network: null for any pool.
    :ivar address: null for any of the pool's.
    """

    owner: Short
    project: Short
    network: RowId | None = None
    address: Short | None = None
    shared: bool = False


class Where(Struct):
    """A server by number."""

    server: RowId


class PortsApi:
    """Ports."""

    def __init__(self, views: AddressViews, addresses: AddressStaff) -> None:
        self._views = views
        self._addresses = addresses

    @operation("GET", "/ports", query=PortAsk)
    async def all(self, staff: Staff, query: PortAsk) -> Listing[PortRow]:
        """List ports by number."""
        return Listing.of(await self._views.ports(query))

    @operation("GET", "/ports/<port>")
    async def show(self, staff: Staff, port: RowId) -> PortFacts:
        """Show a port."""
        return await self._views.port(port)

    @operation("DELETE", "/ports/<port>", status=202)
    async def remove(self, staff: Staff, port: RowId) -> None:
        """Remove a port, from its server by a job."""
        await self._addresses.remove_port(staff.to(Right.CLUSTERS), port)


class FloatingIpsApi:
    """Floating IPs."""

    def __init__(self, views: AddressViews, addresses: AddressStaff) -> None:
        self._views = views
        self._addresses = addresses

    @operation("GET", "/floating-ips", query=FloatingAsk)
    async def all(self, staff: Staff, query: FloatingAsk) -> Listing[FloatingRow]:
        """List floating IPs by number."""
        return Listing.of(await self._views.floating(query))

    @operation("GET", "/floating-ips/<floating_ip>")
    async def show(self, staff: Staff, floating_ip: RowId) -> FloatingRow:
        """Show a floating IP."""
        return await self._views.floating_ip(floating_ip)

    @operation("POST", "/floating-ips", body=MadeFloatingIp, status=201)
    async def create(self, staff: Staff, body: MadeFloatingIp) -> FloatingRow:
        """Take a floating IP for somebody."""
        actor, find = staff.to(Right.CLUSTERS), self._views.find
        owner, project = await find.user(body.owner), await find.project(body.project)
        new = NewFloatingIp(body.network, body.address, shared=body.shared)
        made = await self._addresses.take(actor, owner, new, project)
        return await self._views.floating_ip(made)

    @operation("DELETE", "/floating-ips/<floating_ip>", status=204)
    async def remove(self, staff: Staff, floating_ip: RowId) -> None:
        """Give a floating IP, which no server has, back to its pool."""
        await self._addresses.give_back(staff.to(Right.CLUSTERS), floating_ip)

    @operation("POST", "/floating-ips/<floating_ip>/server", body=Where, status=202)
    async def attach(self, staff: Staff, floating_ip: RowId, body: Where) -> None:
        """Give a server a card with a floating IP."""
        actor = staff.to(Right.CLUSTERS)
        await self._addresses.attach(actor, floating_ip, body.server)

    @operation("DELETE", "/floating-ips/<floating_ip>/server", status=202)
    async def detach(self, staff: Staff, floating_ip: RowId) -> None:
        """Take a floating IP off its server."""
        await self._addresses.detach(staff.to(Right.CLUSTERS), floating_ip)


class AddressHistoryApi:
    """Who had public addresses."""

    def __init__(self, views: AddressViews) -> None:
        self._views = views
        self._told = Readings(views.db).told_of_helpers

    @operation("GET", "/address-history", query=EventAsk)
    async def history(self, staff: Staff, query: EventAsk) -> Listing[EventRow]:
        """List when public addresses came to servers and left them, latest first."""
        what = query.address or query.user or query.server or "*"
        await self._told(staff, "address.history", f"address:{what}")
        return Listing.of(await self._views.history(query))

    @operation("GET", "/addresses/<address>/holders", query=HolderAsk)
    async def holders(
        self, staff: Staff, address: str, query: HolderAsk
    ) -> Listing[EventRow]:
        """Show who had a public address at a time."""
        await self._told(staff, "address.holders", f"address:{address}")
        return Listing.of(await self._views.holders(address, query))
