"""What Synnefo's network v2.0 says of itself; nobody needs a token for it."""

from __future__ import annotations

from attrs import frozen

from api.links import Link
from api.networking import CollectionsReply, collections
from api.operations import Reply, operation


class NetworkVersionView(Reply):
    """A version of the API."""

    id: str
    status: str
    links: list[Link]
    updated: str


class NetworkVersionsReply(Reply):
    """All versions."""

    versions: list[NetworkVersionView]


@frozen(eq=False)
class NetworkVersionsApi:
    """``/network``: which versions there are.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def versions(self) -> NetworkVersionsReply:
        """List the versions of the API."""
        link = Link("self", self.base + "/")
        view = NetworkVersionView(
            "v2.0", "CURRENT", [link], "2011-01-21T11:33:21-06:00"
        )
        return NetworkVersionsReply([view])


@frozen(eq=False)
class NetworkAboutApi:
    """``/network/v2.0`` itself.

    :ivar base: its URL.
    """

    base: str

    @operation("GET", "", auth=False)
    async def resources(self) -> CollectionsReply:
        """List the collections of the API."""
        return collections(self.base)
