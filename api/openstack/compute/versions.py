"""Version documents of compute; nobody needs a token for them."""

from __future__ import annotations

from attrs import frozen
from msgspec import field as named

from api.links import Link, MediaType
from api.openstack.microversion import LEAST, MOST, text
from api.operations import Reply, operation

UPDATED = "2013-07-23T11:33:21Z"


class VersionView(Reply):
    """A version of the API."""

    id: str
    status: str
    version: str
    min_version: str
    updated: str
    links: list[Link]
    media_types: list[MediaType] = named(name="media-types")


class VersionReply(Reply):
    """The one version."""

    version: VersionView


class BriefVersion(Reply):
    """A version of the API in a list."""

    id: str
    status: str
    version: str
    min_version: str
    updated: str
    links: list[Link]


class VersionsReply(Reply):
    """All versions."""

    versions: list[BriefVersion]


@frozen(eq=False)
class VersionsApi:
    """``/os/compute``: which versions there are.

    :ivar base: URL of v2.1.
    """

    base: str

    @operation("GET", "", auth=False)
    async def versions(self) -> VersionsReply:
        """List the versions of the API."""
        link = Link("self", self.base + "/")
        return VersionsReply(
            [BriefVersion("v2.1", "CURRENT", text(MOST), text(LEAST), UPDATED, [link])]
        )


@frozen(eq=False)
class VersionApi:
    """``/os/compute/v2.1`` itself.

    :ivar base: its URL.
    """

    base: str

    @operation("GET", "", auth=False)
    async def version(self) -> VersionReply:
        """Describe this version of the API."""
        media = MediaType(
            "application/json", "application/vnd.openstack.compute+json;version=2.1"
        )
        link = Link("self", self.base + "/")
        return VersionReply(
            VersionView(
                "v2.1", "CURRENT", text(MOST), text(LEAST), UPDATED, [link], [media]
            )
        )
