"""Who is who, what is counted, what is used.

Source: ``spec/astakos.md`` §2.2–§2.4.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from api.operations import operation
from api.synnefo.views import NameCatalogs, ResourceView, UsageView, quotas
from snfd.identity.model import Caller
from snfd.identity.people import People
from snfd.quota.service import Quota

Names = list[Annotated[str, Meta(max_length=255)]]


class AskedNames(Struct):
    """Body of ``POST /user_catalogs``; null means none."""

    uuids: Names | None = None
    displaynames: Names | None = None


class AccountApi:
    """User catalogs, resources and quotas."""

    def __init__(self, people: People, quota: Quota) -> None:
        self._people = people
        self._quota = quota

    @operation("POST", "/user_catalogs", body=AskedNames)
    async def user_catalogs(self, caller: Caller, body: AskedNames) -> NameCatalogs:
        """Translate uuids to login names and back."""
        names = await self._people.names(body.uuids or [], body.displaynames or [])
        return NameCatalogs.of(names)

    @operation("GET", "/resources", auth=False)
    async def resources(self) -> dict[str, ResourceView]:
        """Name what is counted."""
        found = await self._quota.resources()
        return {one.name: ResourceView.of(one) for one in found}

    @operation("GET", "/quotas")
    async def quotas(self, caller: Caller) -> dict[str, dict[str, UsageView]]:
        """Tell use and limits in each of the caller's projects."""
        return quotas(await self._quota.usage(caller))
