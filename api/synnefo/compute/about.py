"""Versions and extensions of Synnefo's compute v2.0."""

from __future__ import annotations

from attrs import frozen
from msgspec import field as named

from api.links import Link, MediaType
from api.operations import Reply, operation
from snfd.errors import NotFound
from snfd.identity.model import Caller


class VersionView(Reply):
    """A version of the API in a list."""

    id: str
    status: str
    links: list[Link]
    updated: str


class FullVersionView(Reply):
    """A version of the API."""

    id: str
    status: str
    links: list[Link]
    updated: str
    media_types: list[MediaType] = named(name="media-types")


class VersionsReply(Reply):
    """All versions."""

    versions: list[VersionView]


class VersionReply(Reply):
    """The one version."""

    version: FullVersionView


class ExtensionsReply(Reply):
    """Extensions; there are none."""

    extensions: list[str]


UPDATED = "2011-01-21T11:33:21-06:00"


@frozen(eq=False)
class VersionsApi:
    """Which versions of a service there are.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def versions(self) -> VersionsReply:
        """List the versions of the API."""
        link = Link("self", self.base + "/")
        return VersionsReply([VersionView("v2.0", "CURRENT", [link], UPDATED)])


@frozen(eq=False)
class AboutApi:
    """What compute v2.0 says of itself.

    :ivar base: its URL.
    """

    base: str

    @operation("GET", "", auth=False)
    async def version(self) -> VersionReply:
        """Describe this version of the API."""
        media = MediaType(
            "application/json", "application/vnd.openstack.compute.v2+json"
        )
        link = Link("self", self.base + "/")
        return VersionReply(
            FullVersionView("v2.0", "CURRENT", [link], UPDATED, [media])
        )

    @operation("GET", "/extensions")
    async def extensions(self, caller: Caller) -> ExtensionsReply:
        """List extensions: none."""
        return ExtensionsReply([])

    @operation("GET", "/extensions/<alias>")
    async def extension(self, caller: Caller, alias: str) -> ExtensionsReply:
        """There are no extensions."""
        raise NotFound(f"there is no extension {alias!r}")
