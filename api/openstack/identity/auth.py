"""Tokens of identity v3: ``/auth/tokens`` and what a token can reach."""

from __future__ import annotations

from msgspec import UNSET, Struct
from twisted.web.iweb import IRequest

from api.addresses import Peers
from api.dispatch import token_of
from api.openstack.identity.auth_bodies import Authenticate, AuthPart, IdentityPart
from api.openstack.identity.lists import (
    DomainList,
    DomainView,
    ProjectList,
    SystemScopes,
)
from api.openstack.identity.views import (
    CatalogReply,
    Links,
    OwnServices,
    SelfLink,
    Service,
    TokenReply,
    services,
)
from api.operations import OWN, Answer, operation
from snfd.catalog import Catalog
from snfd.errors import Invalid, Unauthorized
from snfd.identity.model import DOMAIN_ID, Caller, Issued, Scope, Token
from snfd.identity.service import REFUSED, Authenticator, Identity
from snfd.projects.service import Projects


class TokenQuery(Struct):
    """Query of ``/auth/tokens``; the key alone says yes."""

    nocatalog: str | None = None

    def wants_catalog(self, request: IRequest) -> bool:
        """Whether the key is absent; twisted.web drops one without ``=``."""
        bare = request.uri.partition(b"?")[2].split(b"&")
        return self.nocatalog is None and b"nocatalog" not in bare


class AuthApi:
    """The ``/auth`` resources."""

    def __init__(
        self,
        authenticator: Authenticator,
        identity: Identity,
        projects: Projects,
        catalog: Catalog,
        peers: Peers,
    ) -> None:
        self._peers = peers
        self._authenticator = authenticator
        self._identity = identity
        self._projects = projects
        self._catalog = catalog
        self._own = OwnServices(catalog)
        self._base = catalog.identity("v3")

    @operation(
        "POST",
        "/auth/tokens",
        body=Authenticate,
        query=TokenQuery,
        status=201,
        auth=False,
        raw=True,
    )
    async def issue(
        self, body: Authenticate, query: TokenQuery, request: IRequest
    ) -> Answer[TokenReply]:
        """Log in, or exchange a token for one of another scope."""
        issued = await self._issued(body.auth, self._peers.address(request))
        return await self._told(issued, query.wants_catalog(request))

    @operation("GET", "/auth/tokens", query=TokenQuery, auth=OWN, raw=True)
    async def show(self, query: TokenQuery, request: IRequest) -> Answer[TokenReply]:
        """Tell what the token in X-Subject-Token says."""
        if not request.getHeader("x-subject-token"):
            await self._authenticator(token_of(request))
        secret = _subject(request)
        token = await self._authenticator.inspect(token_of(request), secret)
        told = Issued(secret, token)
        return await self._told(told, query.wants_catalog(request))

    @operation("DELETE", "/auth/tokens", status=204, raw=True)
    async def revoke(self, caller: Caller, request: IRequest) -> None:
        """End the token in X-Subject-Token."""
        await self._identity.revoke(caller, _subject(request))

    @operation("GET", "/auth/catalog")
    async def catalog(self, caller: Caller) -> CatalogReply:
        """List the services for the token's project."""
        found = services(await self._catalog.current(), caller.project)
        return CatalogReply(found, Links(f"{self._base}/auth/catalog"))

    @operation("GET", "/auth/projects")
    async def projects(self, caller: Caller) -> ProjectList:
        """List the projects that the caller may scope a token to."""
        listed = await self._projects.of_user(caller, caller.user)
        return ProjectList.of(listed, self._base, "/auth/projects")

    @operation("GET", "/auth/system")
    async def system(self, caller: Caller) -> SystemScopes:
        """List the systems that the caller may scope a token to: none."""
        return SystemScopes([], Links(f"{self._base}/auth/system"))

    @operation("GET", "/auth/domains")
    async def domains(self, caller: Caller) -> DomainList:
        """List the one domain."""
        one = DomainView(SelfLink(f"{self._base}/domains/{DOMAIN_ID}"))
        return DomainList([one], Links(f"{self._base}/auth/domains"))

    async def _issued(self, auth: AuthPart, address: str) -> Issued:
        how, scope, methods = auth.identity, auth.wanted(), auth.identity.wanted
        if methods in ({"password"}, {"password", "totp"}):
            return await self._by_password(how, scope, address)
        if methods == {"token"} and how.token is not UNSET:
            return await self._identity.exchange(how.token.id, scope)
        found = how.application_credential
        if methods == {"application_credential"} and found is not UNSET:
            if auth.scope is not None:
                raise Invalid("an application credential has its own scope: give none")
            return await self._identity.with_credential(found.ref(), found.secret)
        raise Unauthorized(REFUSED)

    async def _by_password(
        self, how: IdentityPart, scope: Scope, address: str
    ) -> Issued:
        assert how.password is not UNSET
        user, code = how.password.user, None
        if "totp" in how.methods and how.totp is not UNSET:
            if how.totp.user.ref() != user.ref():
                raise Unauthorized(REFUSED)
            code = how.totp.user.passcode
        return await self._identity.login(
            user.ref(), user.password, scope, passcode=code, address=address
        )

    async def _told(self, issued: Issued, with_catalog: bool) -> Answer[TokenReply]:
        catalog = await self._services(issued.token) if with_catalog else None
        reply = TokenReply.of(issued.token, catalog)
        return Answer(reply, headers={"X-Subject-Token": issued.secret})

    async def _services(self, token: Token) -> list[Service]:
        if not token.others:
            return self._own.of(token.project.uuid)
        return services(await self._catalog.current(), token.project.uuid)


def _subject(request: IRequest) -> str:
    value = request.getHeader("x-subject-token")
    if not isinstance(value, str) or not value:
        raise Invalid("X-Subject-Token names no token")
    return value
