"""Versions of the identity API."""

from __future__ import annotations

from api.openstack.identity.views import (
    Version,
    VersionDocument,
    VersionList,
    VersionValues,
)
from api.operations import operation
from snfd.catalog import Catalog


class VersionsApi:
    """Lists the versions: v3 alone, so that clients do not choose v2.0."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @operation("GET", "", status=300, auth=False)
    async def versions(self) -> VersionList:
        """List the versions."""
        return VersionList(VersionValues([Version.v3(self._catalog)]))


class VersionApi:
    """The root of v3."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @operation("GET", "", auth=False)
    async def version(self) -> VersionDocument:
        """Describe this version."""
        return VersionDocument(Version.v3(self._catalog))
