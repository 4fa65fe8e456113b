"""Components, the services that they offer, and the terms of service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.operations import Reply, operation
from api.paging import RowId
from snfd.accounts.model import MAX_TERMS
from snfd.accounts.terms import Terms
from snfd.admin.model import (
    ComponentAsk,
    ComponentRow,
    Page,
    ServiceAsk,
    ServiceRow,
    TermsAsk,
    TermsFacts,
    TermsRow,
)
from snfd.admin.rights import Right, Staff
from snfd.registry.document import Document
from snfd.registry.importing import Services
from snfd.registry.model import Component, Scalar, Service
from snfd.registry.service import Registry, Urls

Url = Annotated[str, Meta(max_length=2000)]


class NewComponent(Struct):
    """A component to be made."""

    name: Short
    base_url: Url | None = None
    ui_url: Url | None = None


class ComponentUrls(Struct):
    """Where a component is; null leaves it, an empty string removes it."""

    base_url: Url | None = None
    ui_url: Url | None = None


class Renewal(Struct):
    """When a component's new token ends; null for never."""

    expires: datetime | None = None


class Introduction(Reply):
    """A component and its new token, told only now."""

    name: str
    token: str


class Purged(Reply):
    """The services that were removed."""

    removed: list[str]


class Definition(Struct):
    """Service definitions, as components publish them."""

    services: Document


class Imported(Reply):
    """What came of definitions; ``skipped`` are those that are not public."""

    services: list[str]
    skipped: list[str]
    resources: list[str]
    warnings: list[str]


class ResourceTold(Reply):
    """A resource in a definition."""

    name: str
    desc: str
    unit: str | None
    service_type: str
    service_origin: str
    ui_visible: bool
    api_visible: bool


class ServiceTold(Reply):
    """A service in a definition."""

    type: str
    component: str
    public: bool
    endpoints: list[dict[str, Scalar]]
    resources: dict[str, ResourceTold]


class NewTerms(Struct):
    """Terms of service to be issued.

    ``grace``: seconds until API tokens of those who did not sign are refused; null
    for what the configuration says.
    """

    body: Annotated[str, Meta(min_length=1, max_length=MAX_TERMS)]
    format: Literal["text", "markdown", "html"] = "text"
    grace: Annotated[int, Meta(ge=0, le=366 * 86400)] | None = None


class ComponentsApi:
    """Other programs that offer services, or charge quota."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @operation("GET", "/components", query=ComponentAsk)
    async def all(self, staff: Staff, query: ComponentAsk) -> Listing[ComponentRow]:
        """List components by name."""
        found = await self._registry.list(query.marker, query.limit)
        last = found[-1].name if len(found) == query.limit else None
        return Listing.of(Page([component(one) for one in found], last))

    @operation("GET", "/components/<component_name>")
    async def show(self, staff: Staff, component_name: str) -> ComponentRow:
        """Show a component."""
        return component(await self._registry.show(component_name))

    @operation("POST", "/components", body=NewComponent, status=201)
    async def add(self, staff: Staff, body: NewComponent) -> Introduction:
        """Make a component; its token is told only now."""
        actor, urls = staff.to(Right.REGISTRY), Urls(body.base_url, body.ui_url)
        made = await self._registry.create(actor, body.name, urls)
        return Introduction(made.component.name, made.token)

    @operation("PATCH", "/components/<component_name>", body=ComponentUrls)
    async def modify(
        self, staff: Staff, component_name: str, body: ComponentUrls
    ) -> ComponentRow:
        """Change where a component is."""
        actor = staff.to(Right.REGISTRY)
        modify = self._registry.modify
        return component(
            await modify(actor, component_name, body.base_url, body.ui_url)
        )

    @operation("PUT", "/components/<component_name>/token", body=Renewal)
    async def renew(
        self, staff: Staff, component_name: str, body: Renewal
    ) -> Introduction:
        """Give a component another token; the one before ends at once."""
        actor, expires = staff.to(Right.REGISTRY), body.expires
        renew = self._registry.renew_token
        made = await renew(actor, component_name, expires=expires)
        return Introduction(made.component.name, made.token)

    @operation("DELETE", "/components/<component_name>/services")
    async def purge(self, staff: Staff, component_name: str) -> Purged:
        """Remove all services of a component."""
        actor = staff.to(Right.REGISTRY)
        gone = await self._registry.purge_services(actor, component_name)
        return Purged(list(gone))

    @operation("DELETE", "/components/<component_name>", status=204)
    async def remove(self, staff: Staff, component_name: str) -> None:
        """Remove a component with its token and services."""
        await self._registry.remove(staff.to(Right.REGISTRY), component_name)


class ServicesApi:
    """What components offer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @operation("GET", "/services", query=ServiceAsk)
    async def all(self, staff: Staff, query: ServiceAsk) -> Listing[ServiceRow]:
        """List services by name."""
        found = await self._services.list(query.component, query.marker, query.limit)
        last = found[-1].name if len(found) == query.limit else None
        return Listing.of(Page([service(one) for one in found], last))

    @operation("GET", "/components/<component_name>/services")
    async def export(self, staff: Staff, component_name: str) -> dict[str, ServiceTold]:
        """Tell the definitions of a component's services."""
        told = await self._services.export(component_name)
        return msgspec.json.decode(told, type=dict[str, ServiceTold])

    @operation("POST", "/services", body=Definition)
    async def import_(self, staff: Staff, body: Definition) -> Imported:
        """Register what components publish, all of it or nothing."""
        actor, raw = staff.to(Right.REGISTRY), msgspec.json.encode(body.services)
        done = await self._services.import_(actor, raw)
        lists = done.services, done.skipped, done.resources, done.warnings
        return Imported(*map(list, lists))


class TermsApi:
    """Versions of the terms of service."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    @operation("GET", "/terms", query=TermsAsk)
    async def all(self, staff: Staff, query: TermsAsk) -> Listing[TermsRow]:
        """List versions, newest first, without their text."""
        found = await self._terms.all(query.after(), query.limit)
        rows = [TermsRow(o.id, o.issued_at, o.enforced_at, o.format) for o in found]
        last = str(rows[-1].id) if len(rows) == query.limit else None
        return Listing.of(Page(rows, last))

    @operation("GET", "/terms/<version>")
    async def show(self, staff: Staff, version: RowId) -> TermsFacts:
        """Show one version with its text."""
        o = await self._terms.get(version)
        return TermsFacts(o.id, o.issued_at, o.enforced_at, o.format, o.body or "")

    @operation("POST", "/terms", body=NewTerms, status=201)
    async def add(self, staff: Staff, body: NewTerms) -> TermsRow:
        """Issue a new version, which everybody must sign."""
        grace = None if body.grace is None else timedelta(seconds=body.grace)
        actor = staff.to(Right.REGISTRY)
        o = await self._terms.add(body.body, body.format, actor, grace)
        return TermsRow(o.id, o.issued_at, o.enforced_at, o.format)


def component(one: Component) -> ComponentRow:
    """A component as it is shown."""
    return ComponentRow(
        one.name,
        one.base_url,
        one.ui_url,
        one.created,
        one.has_token,
        one.token_created,
        one.expires,
    )


def service(one: Service) -> ServiceRow:
    """A service as it is shown."""
    urls = [str(endpoint.get("publicURL", "")) for endpoint in one.endpoints]
    return ServiceRow(one.name, one.type, one.component, one.builtin, urls)
