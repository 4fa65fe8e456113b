"""Calls of Keystone v2 that Synnefo lacks and old OpenStack tools want.

Source: ``spec/astakos.md`` §2.1.3 and §2.1.4.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Protocol
from uuid import UUID

from msgspec import Meta, Struct
from msgspec import field as named
from twisted.web.iweb import IRequest

from api.dispatch import ComponentAuthenticator, token_of
from api.operations import OWN, Reply, operation
from api.synnefo.views import Role, TokenPart, tenant
from api.times import micros_offset
from snfd.catalog import Catalog, SynnefoEndpoint
from snfd.errors import NotFound, Unauthorized
from snfd.identity.model import Caller, Token
from snfd.identity.service import NO_SUBJECT, Authenticator, Identity
from snfd.projects.model import Project
from snfd.projects.service import Listed, Projects

Short = Annotated[str, Meta(max_length=255)]


class BelongsTo(Struct, rename="camel"):
    """Query of ``GET /tokens/<token>``: what it must be good for."""

    belongs_to: Short | None = None


class NameFilter(Struct):
    """Query of ``GET /tenants``."""

    name: Short | None = None


class KnownUser(Reply):
    """Whose token it is."""

    id: UUID
    name: str
    roles: list[Role]
    roles_links: list[str]


class Known(Reply):
    """A token and its user, without a catalog."""

    token: TokenPart
    user: KnownUser


class KnownReply(Reply):
    """Answer of ``GET /tokens/<token>``."""

    access: Known

    @classmethod
    def of(cls, token: Token, secret: str) -> KnownReply:
        """What a token says."""
        part = TokenPart(secret, micros_offset(token.expires), tenant(token))
        user = KnownUser(
            token.user.uuid,
            token.user.name,
            [Role(str(group.id), group.name) for group in token.groups],
            [],
        )
        return cls(Known(part, user))


class EndpointView(Reply):
    """Where a service is; the same for everybody."""

    id: str
    name: str
    type: str
    region: str
    public_url: str = named(name="publicURL")
    internal_url: str = named(name="internalURL")
    admin_url: str = named(name="adminURL")

    @classmethod
    def of(cls, one: SynnefoEndpoint) -> EndpointView:
        """An endpoint of the catalog; the service's name names it, too."""
        return cls(one.name, one.name, one.type, one.region, one.url, one.url, one.url)


class EndpointList(Reply):
    """Answer of ``GET /tokens/<token>/endpoints``."""

    endpoints: list[EndpointView]
    endpoints_links: list[str]


class TenantView(Reply):
    """A project."""

    id: UUID
    name: str
    description: str
    enabled: bool

    @classmethod
    def of(cls, one: Project) -> TenantView:
        """A project."""
        return cls(one.uuid, one.name, one.description, one.active)


class TenantList(Reply):
    """Answer of ``GET /tenants``."""

    tenants: list[TenantView]
    tenants_links: list[str]

    @classmethod
    def of(cls, listed: Listed) -> TenantList:
        """Some projects."""
        return cls([TenantView.of(one) for one in listed.projects], [])


class Extensions(Reply):
    """Extensions of the API."""

    values: list[str]


class ExtensionList(Reply):
    """Answer of ``GET /extensions``."""

    extensions: Extensions


class Granted(Protocol):
    """Looks tokens of OAuth2 up."""

    def __call__(self, secret: str, belongs_to: str | None) -> Awaitable[Token]:
        """What the token says.

        :raises NotFound: it is none, or not for that.
        """


async def no_grants(secret: str, belongs_to: str | None) -> Token:
    """Where nobody is granted any, there are none."""
    raise NotFound(NO_SUBJECT)


class KnownTokensApi:
    """Tokens that exist: their owners, administrators and components see them."""

    def __init__(
        self,
        authenticator: Authenticator,
        components: ComponentAuthenticator,
        identity: Identity,
        catalog: Catalog,
        granted: Granted = no_grants,
    ) -> None:
        self._granted = granted
        self._authenticator = authenticator
        self._components = components
        self._identity = identity
        self._catalog = catalog

    @operation("GET", "/tokens/<token>", query=BelongsTo, auth=OWN, raw=True)
    async def validate(
        self, token: str, query: BelongsTo, request: IRequest
    ) -> KnownReply:
        """Say what a token is good for.

        Without a token of one's own it is looked for among those of OAuth2.
        """
        if token_of(request) is None:
            found = await self._granted(token, query.belongs_to or None)
            return KnownReply.of(found, token)
        found = await self._inspected(request, token)
        if query.belongs_to not in (None, "", str(found.project.uuid)):
            raise NotFound(NO_SUBJECT)
        return KnownReply.of(found, token)

    @operation("GET", "/tokens/<token>/endpoints", auth=OWN, raw=True)
    async def endpoints(self, token: str, request: IRequest) -> EndpointList:
        """List the services that a token is good for."""
        await self._inspected(request, token)
        catalog = await self._catalog.current()
        return EndpointList([EndpointView.of(one) for one in catalog.synnefo()], [])

    @operation("DELETE", "/tokens/<token>", status=204)
    async def revoke(self, caller: Caller, token: str) -> None:
        """End a token."""
        await self._identity.revoke(caller, token)

    async def _inspected(self, request: IRequest, secret: str) -> Token:
        presented = token_of(request)
        try:
            return await self._authenticator.inspect(presented, secret)
        except Unauthorized as refused:
            try:
                await self._components(presented)
            except Unauthorized:
                raise refused from None
        return await self._identity.validate(secret)


class TenantsApi:
    """Projects, as Keystone v2 called them, and its extensions."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    @operation("GET", "/tenants", query=NameFilter)
    async def tenants(self, caller: Caller, query: NameFilter) -> TenantList:
        """List the active projects that the caller is a member of."""
        listed = await self._projects.of_user(caller, caller.user, query.name)
        return TenantList.of(listed)

    @operation("GET", "/extensions", auth=False)
    async def extensions(self) -> ExtensionList:
        """List the extensions: none."""
        return ExtensionList(Extensions([]))
