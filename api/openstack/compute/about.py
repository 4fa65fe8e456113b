"""What compute v2.1 says of itself, and of what there is not."""

from __future__ import annotations

from attrs import frozen
from msgspec import field as named

from api.links import Link
from api.openstack.compute.versions import UPDATED
from api.openstack.compute.views import ZONE
from api.operations import Reply, operation
from snfd.errors import Forbidden, NotFound
from snfd.identity.model import Caller


class ZoneState(Reply):
    """Whether a zone can be used."""

    available: bool


class ZoneView(Reply):
    """An availability zone."""

    name: str = named(name="zoneName")
    state: ZoneState = named(name="zoneState")
    hosts: dict[str, str] | None


class ZonesReply(Reply, rename={"zones": "availabilityZoneInfo"}):
    """All availability zones."""

    zones: list[ZoneView]


class ServerGroupsReply(Reply):
    """Server groups; there are none."""

    server_groups: list[str]


class HypervisorsReply(Reply):
    """Hypervisors; nobody sees them."""

    hypervisors: list[str]


class ServicesReply(Reply):
    """Services of the cloud; nobody sees them."""

    services: list[str]


class AggregatesReply(Reply):
    """Groups of hosts; nobody sees them."""

    aggregates: list[str]


class ExtensionView(Reply):
    """An extension of the API."""

    alias: str
    name: str
    namespace: str
    description: str
    updated: str
    links: list[Link]


class ExtensionsReply(Reply):
    """Extensions that are served beside the core of v2.1."""

    extensions: list[ExtensionView]


class ExtensionReply(Reply):
    """One extension."""

    extension: ExtensionView


_EXTENSIONS = {
    "os-keypairs": "Key pairs",
    "os-attach-interfaces": "Network cards of servers",
    "os-availability-zone": "Availability zones",
    "os-extended-volumes": "Volumes of servers",
    "os-quota-sets": "Limits of projects",
}


def extension(alias: str) -> ExtensionView:
    """The description of an extension."""
    text_ = _EXTENSIONS[alias]
    return ExtensionView(alias, text_, "", text_, UPDATED, [])


@frozen(eq=False)
class AboutApi:
    """What there is, and what there is not."""

    @operation("GET", "/os-availability-zone")
    async def zones(self, caller: Caller) -> ZonesReply:
        """List availability zones."""
        return ZonesReply([ZoneView(ZONE, ZoneState(available=True), None)])

    @operation("GET", "/os-availability-zone/detail")
    async def zones_detail(self, caller: Caller) -> ZonesReply:
        """List availability zones with their hosts; administrators only."""
        if not caller.is_admin:
            raise Forbidden("only administrators see hosts")
        return ZonesReply([ZoneView(ZONE, ZoneState(available=True), {})])

    @operation("GET", "/os-server-groups")
    async def server_groups(self, caller: Caller) -> ServerGroupsReply:
        """List server groups: none."""
        return ServerGroupsReply([])

    @operation("GET", "/extensions")
    async def extensions(self, caller: Caller) -> ExtensionsReply:
        """List extensions."""
        return ExtensionsReply([extension(alias) for alias in _EXTENSIONS])

    @operation("GET", "/extensions/<alias>")
    async def extension(self, caller: Caller, alias: str) -> ExtensionReply:
        """Show an extension."""
        if alias not in _EXTENSIONS:
            raise NotFound(f"there is no extension {alias!r}")
        return ExtensionReply(extension(alias))

    @operation("GET", "/os-hypervisors")
    async def hypervisors(self, caller: Caller) -> HypervisorsReply:
        """Nobody sees hypervisors here."""
        raise Forbidden("hypervisors are not shown")

    @operation("GET", "/os-services")
    async def services(self, caller: Caller) -> ServicesReply:
        """Nobody sees services here."""
        raise Forbidden("services are not shown")

    @operation("GET", "/os-aggregates")
    async def aggregates(self, caller: Caller) -> AggregatesReply:
        """Nobody sees aggregates here."""
        raise Forbidden("aggregates are not shown")
