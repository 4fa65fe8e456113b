"""``/servers`` of Synnefo's compute v2.0; the codes are its contract."""

from __future__ import annotations

from attrs import frozen

from api.computing import MetaBody, MetadataBody
from api.links import Links
from api.operations import Answer, operation
from api.paging import complete, dated
from api.synnefo.compute.bodies import (
    CreateServer,
    ListQuery,
    RenameServer,
)
from api.synnefo.compute.views import (
    AttachmentView,
    BriefServer,
    BriefServersReply,
    DiagnosticView,
    IpsReply,
    MetadataReply,
    MetaReply,
    NetworkIpsReply,
    PasswordReply,
    ServerReply,
    ServersReply,
    ServerView,
    addresses,
)
from snfd.clock import Seconds, now
from snfd.compute.model import Page, Server
from snfd.compute.service import Compute
from snfd.errors import Invalid, NotFound
from snfd.identity.model import Caller
from snfd.network.scope import Scope

NOT_MODIFIED = 304


@frozen(eq=False)
class Lists:
    """Finds servers."""

    compute: Compute
    clock: Seconds

    async def page(self, caller: Caller, query: ListQuery) -> Page | None:
        """What a query asks for; None where nothing changed since.

        :raises Invalid: ``changes-since`` is none, in the future or too old.
        :raises TooLarge: more servers than a list without ``limit`` may have.
        """
        wanted = query.filter(now(self.clock))
        page = await self.compute.servers.list(Scope.own(caller), wanted)
        if query.limit is None and page.more:
            complete(range(wanted.limit + 1), None)
        return None if query.since is not None and not page.items else page


@frozen(eq=False)
class ServersApi:
    """Servers: list, make, show, rename, remove."""

    compute: Compute
    links: Links
    lists: Lists

    @operation("GET", "/servers", query=ListQuery, also={NOT_MODIFIED: None})
    async def index(
        self, caller: Caller, query: ListQuery
    ) -> Answer[BriefServersReply | None]:
        """List servers by name."""
        page = await self.lists.page(caller, query)
        if page is None:
            return Answer(None, status=NOT_MODIFIED)
        items = [self._brief(server) for server in page.items]
        return Answer(BriefServersReply(items), headers=dated(page.at))

    @operation("GET", "/servers/detail", query=ListQuery, also={NOT_MODIFIED: None})
    async def detail(
        self, caller: Caller, query: ListQuery
    ) -> Answer[ServersReply | None]:
        """List servers in full."""
        page = await self.lists.page(caller, query)
        if page is None:
            return Answer(None, status=NOT_MODIFIED)
        items = [ServerView.of(server, self.links) for server in page.items]
        return Answer(ServersReply(items), headers=dated(page.at))

    @operation("POST", "/servers", body=CreateServer, status=202)
    async def create(self, caller: Caller, body: CreateServer) -> ServerReply:
        """Make a server; its password is told here and never again in a list."""
        server, password = await self.compute.servers.create(
            caller, Scope.own(caller), body.server.spec()
        )
        return ServerReply(ServerView.of(server, self.links, password))

    @operation("GET", "/servers/<server>")
    async def show(self, caller: Caller, server: int) -> ServerReply:
        """Show a server, also a deleted one."""
        found = await self.compute.servers.show(Scope.own(caller), server)
        return ServerReply(ServerView.of(found, self.links))

    @operation("PUT", "/servers/<server>", body=RenameServer, status=204)
    async def rename(self, caller: Caller, server: int, body: RenameServer) -> None:
        """Rename a server."""
        await self.compute.servers.rename(
            caller, Scope.own(caller), server, body.server.name
        )

    @operation("DELETE", "/servers/<server>", status=204)
    async def delete(self, caller: Caller, server: int) -> None:
        """Remove a server."""
        await self.compute.actions.delete(caller, Scope.own(caller), server)

    def _brief(self, server: Server) -> BriefServer:
        links = self.links.of("servers", server.id)
        return BriefServer(server.id, server.name, links)


@frozen(eq=False)
class PartsApi:
    """What hangs on a server: addresses, diagnostics, the login password."""

    compute: Compute

    @operation("GET", "/servers/<server>/ips")
    async def ips(self, caller: Caller, server: int) -> IpsReply:
        """List a server's addresses and cards."""
        found = await self.compute.servers.show(Scope.own(caller), server)
        cards = [AttachmentView.of(card) for card in found.attachments]
        return IpsReply(addresses(found.attachments), cards)

    @operation("GET", "/servers/<server>/ips/<network>")
    async def ips_on(
        self, caller: Caller, server: int, network: int
    ) -> NetworkIpsReply:
        """List a server's addresses on one network."""
        found = await self.compute.servers.show(Scope.own(caller), server)
        held = addresses(found.attachments)
        if str(network) not in held:
            raise NotFound(f"the server is not on network {network}")
        return NetworkIpsReply({str(network): held[str(network)]})

    @operation("GET", "/servers/<server>/diagnostics")
    async def diagnostics(self, caller: Caller, server: int) -> list[DiagnosticView]:
        """List what a server's owner should know, newest first."""
        found = await self.compute.servers.diagnostics(Scope.own(caller), server)
        return [DiagnosticView.of(one) for one in found]

    @operation("GET", "/servers/<server>/password")
    async def password(self, caller: Caller, server: int) -> PasswordReply:
        """Show a server's login password, while it is kept."""
        scope = Scope.own(caller)
        return PasswordReply(await self.compute.passwords.show(scope, server))

    @operation("DELETE", "/servers/<server>/password", status=204)
    async def forget(self, caller: Caller, server: int) -> None:
        """Keep a server's login password no longer."""
        await self.compute.passwords.forget(caller, Scope.own(caller), server)


@frozen(eq=False)
class MetadataApi:
    """Metadata of servers."""

    compute: Compute

    @operation("GET", "/servers/<server>/metadata")
    async def index(self, caller: Caller, server: int) -> MetadataReply:
        """Show all metadata."""
        found = await self.compute.servers.show(Scope.own(caller), server)
        return MetadataReply(dict(found.metadata))

    @operation("POST", "/servers/<server>/metadata", body=MetadataBody, status=201)
    async def merge(
        self, caller: Caller, server: int, body: MetadataBody
    ) -> MetadataReply:
        """Add metadata."""
        scope = Scope.own(caller)
        merged = await self.compute.metadata.merge(caller, scope, server, body.metadata)
        return MetadataReply(dict(merged))

    @operation("GET", "/servers/<server>/metadata/<key>")
    async def show(self, caller: Caller, server: int, key: str) -> MetaReply:
        """Show one metadata item."""
        found = await self.compute.servers.show(Scope.own(caller), server)
        if key not in found.metadata:
            raise NotFound(f"there is no metadata item {key!r}")
        return MetaReply({key: found.metadata[key]})

    @operation("PUT", "/servers/<server>/metadata/<key>", body=MetaBody, status=201)
    async def set(
        self, caller: Caller, server: int, key: str, body: MetaBody
    ) -> MetaReply:
        """Set one metadata item."""
        if list(body.meta) != [key]:
            raise Invalid(f"the body must hold the one key {key!r}")
        scope = Scope.own(caller)
        await self.compute.metadata.merge(caller, scope, server, body.meta)
        return MetaReply(body.meta)

    @operation("DELETE", "/servers/<server>/metadata/<key>", status=204)
    async def remove(self, caller: Caller, server: int, key: str) -> None:
        """Remove one metadata item."""
        await self.compute.metadata.remove(caller, Scope.own(caller), server, key)
