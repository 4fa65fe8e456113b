"""What both dialects of network v2.0 say in the same words."""

from __future__ import annotations

from msgspec import Struct

from api.links import Link
from api.operations import Reply

_COLLECTIONS = {
    "network": "networks",
    "subnet": "subnets",
    "port": "ports",
    "floatingip": "floatingips",
}


class CollectionView(Reply):
    """A collection of the API."""

    name: str
    collection: str
    links: list[Link]


class CollectionsReply(Reply):
    """All collections."""

    resources: list[CollectionView]


def collections(base: str) -> CollectionsReply:
    """The collections below ``base``."""
    return CollectionsReply(
        [
            CollectionView(name, many, [Link("self", f"{base}/{many}")])
            for name, many in _COLLECTIONS.items()
        ]
    )


class Pool(Struct):
    """A range that addresses are taken from."""

    start: str
    end: str


class Route(Struct):
    """A route that hosts of a subnet get."""

    destination: str
    nexthop: str


class PoolView(Reply):
    """A range that addresses are taken from."""

    start: str
    end: str


class RouteView(Reply):
    """A route that hosts of a subnet get."""

    destination: str
    nexthop: str
