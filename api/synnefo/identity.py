"""Identity v2.0, as kamaki and astakosclient speak it (``/identity/v2.0``).

Source: ``spec/astakos.md`` §2.1.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from twisted.web.iweb import IRequest

from api.addresses import DIRECT, Peers
from api.decoding import decode_body
from api.dispatch import ComponentAuthenticator, Served, build, nobody
from api.operations import operation
from api.synnefo.faults import DIALECT
from api.synnefo.keystone import Granted, KnownTokensApi, TenantsApi, no_grants
from api.synnefo.views import AccessReply, VersionDocument
from snfd.catalog import Catalog
from snfd.errors import Invalid
from snfd.identity.model import By, Issued, Scope, Scoping, UserRef
from snfd.identity.names import MAX_PASSWORD
from snfd.identity.service import Authenticator as InspectingAuthenticator
from snfd.identity.service import Identity
from snfd.projects.service import Projects

Short = Annotated[str, Meta(max_length=255)]
Secret = Annotated[str, Meta(max_length=MAX_PASSWORD)]


class TokenCredential(Struct):
    """A token to be shown again, or scoped anew."""

    id: Secret

    def __repr__(self) -> str:
        return "TokenCredential(id=…)"


class PasswordCredentials(Struct):
    """A user's name or uuid with his password, or one of his tokens."""

    username: Short
    password: Secret

    def __repr__(self) -> str:
        return f"PasswordCredentials(username={self.username!r}, password=…)"


class Auth(Struct, rename="camel"):
    """Who wants what; ``token`` wins over ``passwordCredentials``."""

    token: TokenCredential | UnsetType = UNSET
    password_credentials: PasswordCredentials | UnsetType = UNSET
    tenant_name: Short | None = None
    tenant_id: Short | None = None

    def scope(self) -> Scope:
        """The wanted project; none where neither tenant is given."""
        if self.tenant_id:
            return Scope(Scoping.PROJECT, self.tenant_id, By.ID)
        if self.tenant_name:
            return Scope(Scoping.TENANT, self.tenant_name)
        return Scope(Scoping.UNSCOPED)


class Authenticate(Struct):
    """Body of ``POST /tokens``."""

    auth: Auth


class TokensApi:
    """The ``/tokens`` resources and the version document."""

    def __init__(self, identity: Identity, catalog: Catalog, peers: Peers) -> None:
        self._identity = identity
        self._catalog = catalog
        self._peers = peers

    @operation("GET", "", auth=False)
    async def version(self) -> VersionDocument:
        """Describe this version."""
        return VersionDocument.of(self._catalog)

    @operation(
        "POST",
        "/tokens",
        auth=False,
        raw=True,
        accepts={"application/json": Authenticate},
    )
    async def authenticate(self, request: IRequest) -> AccessReply:
        """Say what a token is good for, or where the services are.

        Without a body the answer is the service catalog alone.
        """
        if not _has_body(request):
            return AccessReply.public(await self._catalog.current())
        body: Authenticate = decode_body(request, Authenticate, DIALECT)
        issued = await self._issued(body.auth, self._peers.address(request))
        catalog = await self._catalog.current(issued.token.others)
        return AccessReply.of(issued, catalog)

    async def _issued(self, auth: Auth, address: str) -> Issued:
        scope = auth.scope()
        if auth.token is not UNSET:
            return await self._identity.exchange(auth.token.id, scope, reuse=True)
        given = auth.password_credentials
        if given is UNSET:
            raise Invalid("auth needs token or passwordCredentials")
        who = UserRef(given.username)
        return await self._identity.login(
            who, given.password, scope, reuse=True, address=address
        )


def resource(
    authenticator: InspectingAuthenticator,
    identity: Identity,
    projects: Projects,
    catalog: Catalog,
    *apis: object,
    components: ComponentAuthenticator = nobody,
    peers: Peers = DIRECT,
    granted: Granted = no_grants,
) -> Served:
    """Everything below ``/identity/v2.0``.

    :param components: who else may check tokens.
    :param granted: what a token of OAuth2 says.
    """
    return build(
        DIALECT,
        authenticator,
        TokensApi(identity, catalog, peers),
        KnownTokensApi(authenticator, components, identity, catalog, granted),
        TenantsApi(projects),
        *apis,
        components=components,
    )


def _has_body(request: IRequest) -> bool:
    at = request.content.tell()
    found = bool(request.content.read(1))
    request.content.seek(at)
    return found
