"""Regions, services and endpoints: the catalog, as administrators look at it.

They follow what this cloud serves, its configuration and the registry; nobody
changes them over this API.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from api.openstack.identity.views import INTERFACES, Links, SelfLink, endpoint_id
from api.operations import Reply, operation
from snfd.catalog import Catalog, OpenStackEndpoint
from snfd.errors import NotFound
from snfd.identity.model import Caller

Short = Annotated[str, Meta(max_length=255)]


class RegionView(Reply):
    """A region."""

    id: str
    links: SelfLink
    description: str = ""
    parent_region_id: None = None


class RegionReply(Reply):
    """One region."""

    region: RegionView


class RegionList(Reply):
    """All regions."""

    regions: list[RegionView]
    links: Links


class ServiceView(Reply):
    """A service."""

    id: str
    name: str
    type: str
    links: SelfLink
    enabled: bool = True
    description: str = ""

    @classmethod
    def of(cls, one: OpenStackEndpoint, base: str) -> ServiceView:
        """A service of the catalog."""
        link = SelfLink(f"{base}/services/{one.service}")
        return cls(one.service, one.name, one.type, link)


class ServiceReply(Reply):
    """One service."""

    service: ServiceView


class ServiceList(Reply):
    """Some services."""

    services: list[ServiceView]
    links: Links


class EndpointView(Reply):
    """Where a service is, for one of the interfaces.

    ``%(project_id)s`` in ``url`` stands for the project of a token.
    """

    id: str
    interface: str
    region: str
    region_id: str
    service_id: str
    url: str
    links: SelfLink
    enabled: bool = True


class EndpointReply(Reply):
    """One endpoint."""

    endpoint: EndpointView


class EndpointList(Reply):
    """Some endpoints."""

    endpoints: list[EndpointView]
    links: Links


class ServiceFilter(Struct):
    """Filters of ``/services``."""

    name: Short | None = None
    type: Short | None = None


class EndpointFilter(Struct):
    """Filters of ``/endpoints``."""

    service_id: Short | None = None
    interface: Short | None = None
    region_id: Short | None = None
    region: Short | None = None


class RegistryApi:
    """The ``/regions``, ``/services`` and ``/endpoints`` resources."""

    def __init__(self, catalog: Catalog, base: str) -> None:
        self._catalog = catalog
        self._base = base

    @operation("GET", "/regions")
    async def regions(self, caller: Caller) -> RegionList:
        """List the one region."""
        return RegionList([self._region()], Links(f"{self._base}/regions"))

    @operation("GET", "/regions/<region>")
    async def region(self, caller: Caller, region: str) -> RegionReply:
        """Show the one region."""
        if region != self._catalog.region:
            raise NotFound(f"there is no region {region}")
        return RegionReply(self._region())

    @operation("GET", "/services", query=ServiceFilter)
    async def services(self, caller: Caller, query: ServiceFilter) -> ServiceList:
        """List the services."""
        found = [
            ServiceView.of(one, self._base)
            for one in await self._all()
            if query.name in (None, one.name) and query.type in (None, one.type)
        ]
        return ServiceList(found, Links(f"{self._base}/services"))

    @operation("GET", "/services/<service>")
    async def service(self, caller: Caller, service: str) -> ServiceReply:
        """Show one service."""
        for one in await self._all():
            if one.service == service:
                return ServiceReply(ServiceView.of(one, self._base))
        raise NotFound(f"there is no service {service}")

    @operation("GET", "/endpoints", query=EndpointFilter)
    async def endpoints(self, caller: Caller, query: EndpointFilter) -> EndpointList:
        """List the endpoints."""
        found = [one for one in await self._endpoints() if _matches(one, query)]
        return EndpointList(found, Links(f"{self._base}/endpoints"))

    @operation("GET", "/endpoints/<ident>")
    async def endpoint(self, caller: Caller, ident: str) -> EndpointReply:
        """Show one endpoint."""
        for one in await self._endpoints():
            if one.id == ident:
                return EndpointReply(one)
        raise NotFound(f"there is no endpoint {ident}")

    def _region(self) -> RegionView:
        region = self._catalog.region
        return RegionView(region, SelfLink(f"{self._base}/regions/{region}"))

    async def _all(self) -> Sequence[OpenStackEndpoint]:
        catalog = await self._catalog.current()
        return catalog.openstack("%(project_id)s")

    async def _endpoints(self) -> list[EndpointView]:
        return [
            EndpointView(
                endpoint_id(one, interface),
                interface,
                one.region,
                one.region,
                one.service,
                one.url,
                SelfLink(f"{self._base}/endpoints/{endpoint_id(one, interface)}"),
            )
            for one in await self._all()
            for interface in INTERFACES
        ]


def _matches(one: EndpointView, query: EndpointFilter) -> bool:
    return (
        query.service_id in (None, one.service_id)
        and query.interface in (None, one.interface)
        and query.region_id in (None, one.region_id)
        and query.region in (None, one.region)
    )
