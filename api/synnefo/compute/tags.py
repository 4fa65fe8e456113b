"""``/servers/{server}/tags`` of Synnefo's compute v2.0."""

from __future__ import annotations

from urllib.parse import quote

from attrs import frozen
from msgspec import Struct

from api.links import Links
from api.operations import Answer, Reply, operation
from snfd.compute.service import Compute
from snfd.compute.tags import States
from snfd.errors import NotFound
from snfd.identity.model import Caller
from snfd.network.scope import Scope


class TagsBody(Struct):
    """All tags that a server shall have."""

    tags: list[str]


class TagsReply(Reply):
    """Tags, and of each how far it has come."""

    tags: list[str]
    statuses: list[str]

    @classmethod
    def of(cls, found: States) -> TagsReply:
        """Tags with their states."""
        return cls(list(found), list(found.values()))


@frozen(eq=False)
class TagsApi:
    """Tags of servers."""

    compute: Compute
    links: Links

    @operation("GET", "/servers/<server>/tags")
    async def index(self, caller: Caller, server: int) -> TagsReply:
        """List a server's tags."""
        found = await self.compute.tags.show(Scope.own(caller), server)
        return TagsReply.of(found)

    @operation("PUT", "/servers/<server>/tags", body=TagsBody)
    async def replace(self, caller: Caller, server: int, body: TagsBody) -> TagsReply:
        """Have these tags and nothing else."""
        scope = Scope.own(caller)
        found = await self.compute.tags.replace(caller, scope, server, body.tags)
        return TagsReply.of(found)

    @operation("DELETE", "/servers/<server>/tags", status=204)
    async def clear(self, caller: Caller, server: int) -> None:
        """Remove all tags."""
        await self.compute.tags.clear(caller, Scope.own(caller), server)

    @operation("GET", "/servers/<server>/tags/<path:tag>", status=204)
    async def show(self, caller: Caller, server: int, tag: str) -> Answer[None]:
        """Tell in a header how far a tag has come."""
        found = await self.compute.tags.show(Scope.own(caller), server)
        if tag not in found:
            raise NotFound(f"there is no tag {tag!r}")
        return Answer(None, headers={"tag-status": found[tag]})

    @operation("PUT", "/servers/<server>/tags/<path:tag>", status=204, also={201: None})
    async def add(self, caller: Caller, server: int, tag: str) -> Answer[None]:
        """Add a tag; 204 where it is there."""
        if not await self.compute.tags.add(caller, Scope.own(caller), server, tag):
            return Answer(None)
        where = f"{self.links.base}/servers/{server}/tags/{quote(tag, safe='')}"
        return Answer(None, status=201, headers={"Location": where})

    @operation("DELETE", "/servers/<server>/tags/<path:tag>", status=204)
    async def remove(self, caller: Caller, server: int, tag: str) -> None:
        """Remove a tag."""
        await self.compute.tags.remove(caller, Scope.own(caller), server, tag)
