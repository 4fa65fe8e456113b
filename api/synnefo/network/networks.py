"""``/networks`` of Synnefo's network v2.0."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta, Struct
from msgspec import field as named

from api.links import Link, Links
from api.operations import Answer, Reply, operation
from api.paging import Id, Limit, complete, number, recent, wanted
from api.times import micros_offset
from snfd.clock import Seconds, now
from snfd.errors import Invalid
from snfd.identity.model import Caller
from snfd.network.model import Filter, Kind, Network, NewNetwork
from snfd.network.scope import Scope
from snfd.network.service import Networks

Name = Annotated[str, Meta(max_length=128)]
NOT_MODIFIED = 304


class NetworkView(Reply):
    """A network."""

    id: str
    name: str
    type: str
    status: str
    user_id: str | None
    tenant_id: str | None
    shared_to_project: bool
    public: bool
    shared: bool
    external: bool = named(name="router:external")
    admin_state_up: bool
    subnets: list[str]
    pool: bool = named(name="SNF:floating_ip_pool")
    deleted: bool
    created: str
    updated: str
    links: list[Link]

    @classmethod
    def of(cls, network: Network, links: Links) -> NetworkView:
        """A network as its users see it."""
        return cls(
            id=str(network.id),
            name=network.name,
            type=network.kind.value,
            status="SNF:DRAINED" if network.drained else network.state,
            user_id=str(network.owner) if network.owner else None,
            tenant_id=str(network.project) if network.project else None,
            shared_to_project=network.shared,
            public=network.public,
            shared=network.public,
            external=network.public,
            admin_state_up=True,
            subnets=[str(subnet) for subnet in network.subnets],
            pool=network.floating_ip_pool,
            deleted=network.deleted,
            created=micros_offset(network.created),
            updated=micros_offset(network.updated),
            links=links.of("networks", network.id),
        )


class NetworkReply(Reply):
    """One network."""

    network: NetworkView


class NetworksReply(Reply):
    """Networks."""

    networks: list[NetworkView]


class WantedNetwork(Struct):
    """A network that somebody wants."""

    type: str
    name: Name = ""
    project: UUID | None = None
    shared: bool = named(name="shared_to_project", default=False)

    def new(self) -> NewNetwork:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: a type that there is not.
        """
        if self.type not in Kind.__members__:
            raise Invalid(f"there is no network type {self.type!r}")
        return NewNetwork(self.name, Kind(self.type), self.project, self.shared)


class CreateNetwork(Struct):
    """Body of ``POST /networks``."""

    network: WantedNetwork


class Reassignment(Struct):
    """The project that shall pay for it."""

    project: UUID
    shared: bool = named(name="shared_to_project", default=False)


class NetworkAction(Struct):
    """Body of ``POST /networks/{network}/action``: exactly one key."""

    reassign: Reassignment


class Renaming(Struct):
    """A new name."""

    name: Name


class RenameNetwork(Struct):
    """Body of ``PUT /networks/{network}``."""

    network: Renaming


class ListQuery(Struct):
    """How a list is narrowed."""

    since: str | None = named(name="changes-since", default=None)
    limit: Limit | None = None
    marker: Id | None = None

    def filter(self, clock: Seconds) -> Filter:
        """The filter.

        :raises Invalid: ``changes-since`` is none, in the future or too old.
        """
        return Filter(
            since=recent(self.since, now(clock)),
            limit=wanted(self.limit),
            marker=None if self.marker is None else number(self.marker),
        )


@frozen(eq=False)
class NetworksApi:
    """Networks."""

    networks: Networks
    links: Links
    clock: Seconds

    @operation("GET", "/networks", query=ListQuery, also={NOT_MODIFIED: None})
    @operation("GET", "/networks/detail", query=ListQuery, also={NOT_MODIFIED: None})
    async def index(
        self, caller: Caller, query: ListQuery
    ) -> Answer[NetworksReply | None]:
        """List networks."""
        found = await self.networks.list(Scope.own(caller), query.filter(self.clock))
        if query.since is not None and not found:
            return Answer(None, status=NOT_MODIFIED)
        items = complete(found, query.limit)
        return Answer(NetworksReply([NetworkView.of(n, self.links) for n in items]))

    @operation("POST", "/networks", body=CreateNetwork, status=201)
    async def create(self, caller: Caller, body: CreateNetwork) -> NetworkReply:
        """Make a network; clusters hear of it when a server joins."""
        scope = Scope.own(caller)
        made = await self.networks.create(caller, scope, body.network.new())
        return NetworkReply(NetworkView.of(made, self.links))

    @operation("GET", "/networks/<network>")
    async def show(self, caller: Caller, network: int) -> NetworkReply:
        """Show a network."""
        found = await self.networks.show(Scope.own(caller), network)
        return NetworkReply(NetworkView.of(found, self.links))

    @operation("PUT", "/networks/<network>", body=RenameNetwork)
    async def rename(
        self, caller: Caller, network: int, body: RenameNetwork
    ) -> NetworkReply:
        """Rename a network."""
        scope = Scope.own(caller)
        found = await self.networks.rename(caller, scope, network, body.network.name)
        return NetworkReply(NetworkView.of(found, self.links))

    @operation("DELETE", "/networks/<network>", status=204)
    async def delete(self, caller: Caller, network: int) -> None:
        """Remove a network with its subnets."""
        await self.networks.delete(caller, Scope.own(caller), network)

    @operation("POST", "/networks/<network>/action", body=NetworkAction)
    async def act(
        self, caller: Caller, network: int, body: NetworkAction
    ) -> NetworkReply:
        """Have another project pay for a network."""
        wanted = body.reassign
        await self.networks.reassign(caller, network, wanted.project, wanted.shared)
        return await self.show(caller, network)
