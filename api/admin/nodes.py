"""Nodes of clusters: who may fetch hand-offs, and what lets them report."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from api.operations import Reply, operation
from snfd.admin.rights import Right, Staff
from snfd.compute.nodes import MAX_NETWORKS, Nodes

Network = Annotated[str, Meta(min_length=1, max_length=64)]


class Allowed(Struct):
    """Addresses or networks; none: anywhere."""

    networks: Annotated[list[Network], Meta(max_length=MAX_NETWORKS)] = []


class AllowedReply(Reply):
    """From where hand-offs may be fetched; none: from anywhere."""

    networks: list[str]


class NodeSecret(Reply):
    """What a cluster's nodes need to tell how builds go, in hex."""

    secret: str


class NodesApi:
    """Clusters' nodes."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    @operation("GET", "/backends/<backend>/nodes")
    async def show(self, staff: Staff, backend: str) -> AllowedReply:
        """Tell from where a cluster's hand-offs may be fetched."""
        return AllowedReply(list(await self._nodes.show(backend)))

    @operation("PUT", "/backends/<backend>/nodes", body=Allowed, status=204)
    async def allow(self, staff: Staff, backend: str, body: Allowed) -> None:
        """Say from where a cluster's hand-offs may be fetched."""
        actor = staff.to(Right.CLUSTERS)
        await self._nodes.allow(actor, backend, body.networks)

    @operation("POST", "/backends/<backend>/nodes/secret")
    async def secret(self, staff: Staff, backend: str) -> NodeSecret:
        """Show what a cluster's nodes need to tell how builds go."""
        actor = staff.to(Right.CLUSTERS)
        return NodeSecret(await self._nodes.secret(actor, backend))
