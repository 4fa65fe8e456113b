"""The one domain."""

from __future__ import annotations

from api.openstack.identity.filters import Filter
from api.openstack.identity.lists import DomainList, DomainReply, DomainView
from api.openstack.identity.views import Links, SelfLink
from api.operations import operation
from snfd.errors import NotFound
from snfd.identity.model import DOMAIN_ID, DOMAIN_NAME, Caller


class DomainsApi:
    """The ``/domains`` resources."""

    def __init__(self, base: str) -> None:
        self._base = base

    @operation("GET", "/domains", query=Filter)
    async def domains(self, caller: Caller, query: Filter) -> DomainList:
        """List the one domain."""
        found = [self._domain()] if query.name in (None, DOMAIN_NAME) else []
        return DomainList(found, Links(f"{self._base}/domains"))

    @operation("GET", "/domains/<domain>")
    async def domain(self, caller: Caller, domain: str) -> DomainReply:
        """Show the one domain."""
        if domain != DOMAIN_ID:
            raise NotFound(f"there is no domain {domain}")
        return DomainReply(self._domain())

    def _domain(self) -> DomainView:
        return DomainView(SelfLink(f"{self._base}/domains/{DOMAIN_ID}"))
