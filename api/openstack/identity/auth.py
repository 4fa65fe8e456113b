"""Tokens of identity v3: ``/auth/tokens`` and what a token can reach."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from twisted.web.iweb import IRequest

from api.dispatch import token_of
from api.openstack.identity.lists import DomainList, DomainView, ProjectList
from api.openstack.identity.views import (
    CatalogReply,
    Links,
    SelfLink,
    TokenReply,
    services,
)
from api.operations import OWN, Answer, operation
from snfd.catalog import Catalog
from snfd.errors import Invalid, Unauthorized
from snfd.identity.model import (
    DOMAIN_ID,
    DOMAIN_NAME,
    By,
    Caller,
    Issued,
    Scope,
    Scoping,
    UserRef,
)
from snfd.identity.names import MAX_PASSWORD
from snfd.identity.service import REFUSED, Authenticator, Identity
from snfd.projects.service import Projects

Short = Annotated[str, Meta(min_length=1, max_length=255)]
Secret = Annotated[str, Meta(max_length=MAX_PASSWORD)]


class DomainPart(Struct, frozen=True):
    """A domain by id or name; there is only one."""

    id: Short | None = None
    name: Short | None = None

    @property
    def exists(self) -> bool:
        """Whether it is that one; one that is not named at all is."""
        return self.id in (None, DOMAIN_ID) and self.name in (None, DOMAIN_NAME)


class UserPart(Struct):
    """Who logs in, by id or by name (username or e-mail)."""

    password: Secret
    id: Short | None = None
    name: Short | None = None
    domain: DomainPart = DomainPart()

    def __repr__(self) -> str:
        return f"UserPart(id={self.id!r}, name={self.name!r}, password=…)"

    def ref(self) -> UserRef:
        """The user; nobody where the domain does not exist.

        :raises Invalid: neither id nor name.
        """
        if self.id is not None:
            return UserRef(self.id, By.ID)
        if self.name is None:
            raise Invalid("user needs id or name - at $.auth.identity.password.user")
        return UserRef(self.name, By.NAME) if self.domain.exists else UserRef("", By.ID)


class PasswordPart(Struct):
    """The method ``password``."""

    user: UserPart


class TokenPart(Struct):
    """The method ``token``."""

    id: Secret

    def __repr__(self) -> str:
        return "TokenPart(id=…)"


class IdentityPart(Struct):
    """How the user proves who he is."""

    methods: Annotated[list[Short], Meta(min_length=1, max_length=8)]
    password: PasswordPart | UnsetType = UNSET
    token: TokenPart | UnsetType = UNSET


class ProjectPart(Struct):
    """A project by id, or by name in its domain."""

    id: Short | None = None
    name: Short | None = None
    domain: DomainPart = DomainPart()

    def scope(self) -> Scope:
        """The project.

        :raises Invalid: neither id nor name.
        """
        if self.id is not None:
            return Scope(Scoping.PROJECT, self.id, By.ID)
        if self.name is None:
            raise Invalid("project needs id or name - at $.auth.scope.project")
        if not self.domain.exists:
            return Scope(Scoping.NOTHING)
        return Scope(Scoping.PROJECT, self.name, By.NAME)


class ScopePart(Struct):
    """What the token shall be good for; exactly one of these."""

    project: ProjectPart | UnsetType = UNSET
    domain: DomainPart | UnsetType = UNSET
    system: dict[str, bool] | UnsetType = UNSET
    unscoped: dict[str, str] | UnsetType = UNSET

    def scope(self) -> Scope:
        """The wanted scope; of domains and the system nobody has one.

        :raises Invalid: none or several are given.
        """
        given = [self.project, self.domain, self.system, self.unscoped]
        if sum(part is not UNSET for part in given) != 1:
            raise Invalid("scope must be one of project, domain, system, unscoped")
        if self.project is not UNSET:
            return self.project.scope()
        unscoped = self.unscoped is not UNSET
        return Scope(Scoping.UNSCOPED if unscoped else Scoping.NOTHING)


class AuthPart(Struct):
    """Who, and for what; without a scope it is the default project."""

    identity: IdentityPart
    scope: ScopePart | Literal["unscoped"] | None = None

    def wanted(self) -> Scope:
        """The scope that is asked for.

        :raises Invalid: as `ScopePart.scope`.
        """
        if self.scope is None:
            return Scope(Scoping.DEFAULT)
        if isinstance(self.scope, str):
            return Scope(Scoping.UNSCOPED)
        return self.scope.scope()


class Authenticate(Struct):
    """Body of ``POST /auth/tokens``."""

    auth: AuthPart


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
    ) -> None:
        self._authenticator = authenticator
        self._identity = identity
        self._projects = projects
        self._catalog = catalog
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
        issued = await self._issued(body.auth)
        return self._told(issued, query.wants_catalog(request))

    @operation("GET", "/auth/tokens", query=TokenQuery, auth=OWN, raw=True)
    async def show(self, query: TokenQuery, request: IRequest) -> Answer[TokenReply]:
        """Tell what the token in X-Subject-Token says."""
        if not request.getHeader("x-subject-token"):
            await self._authenticator(token_of(request))
        secret = _subject(request)
        token = await self._authenticator.inspect(token_of(request), secret)
        return self._told(Issued(secret, token), query.wants_catalog(request))

    @operation("DELETE", "/auth/tokens", status=204, raw=True)
    async def revoke(self, caller: Caller, request: IRequest) -> None:
        """End the token in X-Subject-Token."""
        await self._identity.revoke(caller, _subject(request))

    @operation("GET", "/auth/catalog")
    async def catalog(self, caller: Caller) -> CatalogReply:
        """List the services for the token's project."""
        found = services(self._catalog, caller.project)
        return CatalogReply(found, Links(f"{self._base}/auth/catalog"))

    @operation("GET", "/auth/projects")
    async def projects(self, caller: Caller) -> ProjectList:
        """List the projects that the caller may scope a token to."""
        listed = await self._projects.of_user(caller, caller.user)
        return ProjectList.of(listed, self._base, "/auth/projects")

    @operation("GET", "/auth/domains")
    async def domains(self, caller: Caller) -> DomainList:
        """List the one domain."""
        one = DomainView(SelfLink(f"{self._base}/domains/{DOMAIN_ID}"))
        return DomainList([one], Links(f"{self._base}/auth/domains"))

    async def _issued(self, auth: AuthPart) -> Issued:
        how, scope = auth.identity, auth.wanted()
        if how.methods == ["password"]:
            if how.password is UNSET:
                raise Invalid("method password needs its part - at $.auth.identity")
            user = how.password.user
            return await self._identity.login(user.ref(), user.password, scope)
        if how.methods == ["token"]:
            if how.token is UNSET:
                raise Invalid("method token needs its part - at $.auth.identity")
            return await self._identity.exchange(how.token.id, scope)
        raise Unauthorized(REFUSED)

    def _told(self, issued: Issued, with_catalog: bool) -> Answer[TokenReply]:
        catalog = self._catalog if with_catalog else None
        reply = TokenReply.of(issued.token, catalog)
        return Answer(reply, headers={"X-Subject-Token": issued.secret})


def _subject(request: IRequest) -> str:
    value = request.getHeader("x-subject-token")
    if not isinstance(value, str) or not value:
        raise Invalid("X-Subject-Token names no token")
    return value
