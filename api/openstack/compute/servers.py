"""``/servers`` of compute v2.1."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from msgspec import UNSET, UnsetType

from api.computing import MetaBody, MetadataBody
from api.links import Link, Links
from api.openstack.compute.bodies import (
    CreateServer,
    ServersQuery,
    UpdateServer,
    named_in_body,
)
from api.openstack.compute.views import (
    AddressesReply,
    BriefServer,
    BriefServersReply,
    PlainAddress,
    ServerCreated,
    ServerReply,
    ServersReply,
    ServerView,
    plain,
)
from api.operations import Answer, Reply, operation
from api.paging import dated, flag, following
from snfd.clock import Seconds, now
from snfd.compute.model import Page, Server
from snfd.compute.service import Compute
from snfd.errors import Forbidden, Invalid, NotFound
from snfd.identity.model import Caller
from snfd.network.scope import Scope


def within(caller: Caller) -> Scope:
    """What a caller reaches by id: the token's project; administrators, all."""
    return Scope.project(caller, everything=True)


@frozen(eq=False)
class Lists:
    """Finds pages of servers."""

    compute: Compute
    clock: Seconds

    async def page(self, caller: Caller, query: ServersQuery) -> Page:
        """The page that a query asks for.

        :raises Forbidden: ``all_tenants`` of somebody who is no administrator.
        :raises Invalid: a filter, marker or sort key that is none.
        """
        every = bool(flag(query.all_tenants, "all_tenants"))
        if every and not caller.is_admin:
            raise Forbidden("only administrators list all projects")
        gone = bool(flag(query.deleted, "deleted")) and caller.is_admin
        wanted = query.filter(admin=caller.is_admin, deleted=gone)
        if wanted is None:
            return Page((), now(self.clock))
        scope = Scope.project(caller, everything=every)
        return await self.compute.servers.list(scope, wanted)


def next_page(
    page: Page, links: Links, path: str, query: ServersQuery
) -> list[Link] | UnsetType:
    """The link to the next page, if there is one."""
    if not page.more:
        return UNSET
    return following(f"{links.base}/{path}", query, page.items[-1].id)


@frozen(eq=False)
class ServersApi:
    """Servers: list, make, show, rename, remove."""

    compute: Compute
    links: Links
    lists: Lists

    @operation("GET", "/servers", query=ServersQuery)
    async def list(
        self, caller: Caller, query: ServersQuery
    ) -> Answer[BriefServersReply]:
        """List servers by name."""
        page = await self.lists.page(caller, query)
        items = [_brief(server, self.links) for server in page.items]
        more = next_page(page, self.links, "servers", query)
        return Answer(BriefServersReply(items, more), headers=dated(page.at))

    @operation("GET", "/servers/detail", query=ServersQuery)
    async def detail(self, caller: Caller, query: ServersQuery) -> Answer[ServersReply]:
        """List servers in full."""
        page = await self.lists.page(caller, query)
        items = [ServerView.of(server, self.links) for server in page.items]
        more = next_page(page, self.links, "servers/detail", query)
        return Answer(ServersReply(items, more), headers=dated(page.at))

    @operation("POST", "/servers", body=CreateServer, status=202)
    async def create(self, caller: Caller, body: CreateServer) -> Answer[ServerCreated]:
        """Make a server."""
        with named_in_body():
            server, password = await self.compute.servers.create(
                caller, Scope.project(caller), body.server.spec()
            )
        where = {"Location": f"{self.links.base}/servers/{server.id}"}
        reply = ServerCreated.of(server, password, self.links)
        return Answer(reply, headers=where)

    @operation("GET", "/servers/<server>")
    async def show(self, caller: Caller, server: int) -> ServerReply:
        """Show a server."""
        found = await self.compute.servers.show(within(caller), server, gone=False)
        return ServerReply(ServerView.of(found, self.links))

    @operation("PUT", "/servers/<server>", body=UpdateServer)
    async def update(
        self, caller: Caller, server: int, body: UpdateServer
    ) -> ServerReply:
        """Rename a server."""
        found = await existing(self.compute, caller, server)
        if body.server.name is not None:
            found = await self.compute.servers.rename(
                caller, within(caller), server, body.server.name
            )
        return ServerReply(ServerView.of(found, self.links))

    @operation("DELETE", "/servers/<server>", status=204)
    async def delete(self, caller: Caller, server: int) -> None:
        """Remove a server."""
        await existing(self.compute, caller, server)
        await self.compute.actions.delete(caller, within(caller), server)


async def existing(compute: Compute, caller: Caller, server: int) -> Server:
    """A server that the caller reaches and that is not gone.

    :raises NotFound: there is none.
    """
    return await compute.servers.show(within(caller), server, gone=False)


def _brief(server: Server, links: Links) -> BriefServer:
    return BriefServer(str(server.id), server.name, links.of("servers", server.id))


class MetadataReply(Reply):
    """A server's metadata."""

    metadata: dict[str, str]


class MetaReply(Reply):
    """One metadata item."""

    meta: dict[str, str]


def only(body: MetaBody, key: str) -> dict[str, str]:
    """The one item of a body.

    :raises Invalid: it has another key, or not exactly one.
    """
    if list(body.meta) != [key]:
        raise Invalid(f"the body must hold the one key {key!r}")
    return body.meta


@frozen(eq=False)
class MetadataApi:
    """Metadata of servers."""

    compute: Compute

    @operation("GET", "/servers/<server>/metadata")
    async def list(self, caller: Caller, server: int) -> MetadataReply:
        """Show all metadata."""
        found = await existing(self.compute, caller, server)
        return MetadataReply(dict(found.metadata))

    @operation("POST", "/servers/<server>/metadata", body=MetadataBody)
    async def merge(
        self, caller: Caller, server: int, body: MetadataBody
    ) -> MetadataReply:
        """Add metadata."""
        await existing(self.compute, caller, server)
        merged = await self.compute.metadata.merge(
            caller, within(caller), server, body.metadata
        )
        return MetadataReply(dict(merged))

    @operation("PUT", "/servers/<server>/metadata", body=MetadataBody)
    async def replace(
        self, caller: Caller, server: int, body: MetadataBody
    ) -> MetadataReply:
        """Replace all metadata."""
        await existing(self.compute, caller, server)
        now_ = await self.compute.metadata.replace(
            caller, within(caller), server, body.metadata
        )
        return MetadataReply(dict(now_))

    @operation("GET", "/servers/<server>/metadata/<key>")
    async def show(self, caller: Caller, server: int, key: str) -> MetaReply:
        """Show one metadata item."""
        found = await existing(self.compute, caller, server)
        if key not in found.metadata:
            raise NotFound(f"there is no metadata item {key!r}")
        return MetaReply({key: found.metadata[key]})

    @operation("PUT", "/servers/<server>/metadata/<key>", body=MetaBody)
    async def set(
        self, caller: Caller, server: int, key: str, body: MetaBody
    ) -> MetaReply:
        """Set one metadata item."""
        item = only(body, key)
        await existing(self.compute, caller, server)
        await self.compute.metadata.merge(caller, within(caller), server, item)
        return MetaReply(item)

    @operation("DELETE", "/servers/<server>/metadata/<key>", status=204)
    async def remove(self, caller: Caller, server: int, key: str) -> None:
        """Remove one metadata item."""
        await existing(self.compute, caller, server)
        await self.compute.metadata.remove(caller, within(caller), server, key)


@frozen(eq=False)
class AddressesApi:
    """Addresses of servers."""

    compute: Compute

    @operation("GET", "/servers/<server>/ips")
    async def list(self, caller: Caller, server: int) -> AddressesReply:
        """List a server's addresses."""
        found = await existing(self.compute, caller, server)
        return AddressesReply(plain(found.attachments))

    @operation("GET", "/servers/<server>/ips/<label>")
    async def show(
        self, caller: Caller, server: int, label: str
    ) -> dict[str, Sequence[PlainAddress]]:
        """List a server's addresses on one network."""
        found = plain((await existing(self.compute, caller, server)).attachments)
        if label not in found:
            raise NotFound(f"the server is on no network {label!r}")
        return {label: found[label]}
