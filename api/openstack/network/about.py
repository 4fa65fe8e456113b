"""What network v2.0 says of itself, and of what there is not."""

from __future__ import annotations

from attrs import frozen

from api.links import Link
from api.networking import CollectionsReply, collections
from api.operations import Reply, operation
from snfd.errors import NotFound, NotImplementedHere
from snfd.identity.model import Caller


class VersionView(Reply):
    """A version of the API."""

    id: str
    status: str
    links: list[Link]


class VersionsReply(Reply):
    """All versions."""

    versions: list[VersionView]


@frozen(eq=False)
class VersionsApi:
    """``/os/network``: which versions there are.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def versions(self) -> VersionsReply:
        """List the versions of the API."""
        link = Link("self", self.base + "/")
        return VersionsReply([VersionView("v2.0", "CURRENT", [link])])


class ExtensionView(Reply):
    """An extension of the API."""

    alias: str
    name: str
    description: str
    updated: str
    links: list[Link]


class ExtensionsReply(Reply):
    """Everything that is served beside networks, subnets and ports."""

    extensions: list[ExtensionView]


class ExtensionReply(Reply):
    """One extension."""

    extension: ExtensionView


_EXTENSIONS = {
    "external-net": "Networks that lead outside",
    "net-mtu": "The MTU of networks",
    "pagination": "Lists in pages",
    "project-id": "Owners as project_id",
    "quotas": "Limits of projects",
    "router": "Floating IPs",
    "security-group": "Firewall profiles as security groups, which are read only",
    "sorting": "Lists in order",
    "standard-attr-timestamp": "When things were made and changed",
}


def extension(alias: str) -> ExtensionView:
    """The description of an extension."""
    text = _EXTENSIONS[alias]
    return ExtensionView(alias, text, text, "2016-01-01T00:00:00-00:00", [])


class RouterView(Reply):
    """A router; there are none."""

    id: str


class RoutersReply(Reply):
    """Routers: none."""

    routers: list[RouterView]


@frozen(eq=False)
class AboutApi:
    """What there is, and what there is not.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def resources(self) -> CollectionsReply:
        """List the collections of the API."""
        return collections(self.base)

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

    @operation("GET", "/routers")
    async def routers(self, caller: Caller) -> RoutersReply:
        """List routers: none."""
        return RoutersReply([])

    @operation("POST", "/routers")
    async def no_router(self, caller: Caller) -> RoutersReply:
        """There are no routers."""
        raise NotImplementedHere("there are no routers in this cloud")
