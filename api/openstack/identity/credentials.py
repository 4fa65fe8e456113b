"""Application credentials of identity v3: keys for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.openstack.identity.views import Links, SelfLink
from api.operations import Reply, operation
from api.paging import moment
from api.times import micros_bare
from snfd.errors import Invalid
from snfd.identity.credential_model import (
    MAX_DESCRIPTION,
    MAX_NAME,
    Created,
    Credential,
    NewCredential,
)
from snfd.identity.credentials import Credentials
from snfd.identity.model import Caller

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
RULES = "access_rules are not kept here: give roles instead"
DRAWN = "secrets are drawn here: give none"


class RolePart(Struct):
    """A role by id or name, which are the same."""

    id: Name | None = None
    name: Name | None = None

    def word(self) -> str:
        """What it is called.

        :raises Invalid: neither is given.
        """
        found = self.id or self.name
        if found is None:
            raise Invalid("a role needs id or name - at $.application_credential.roles")
        return found


class NewPart(Struct):
    """A credential to be made.

    ``secret`` and ``access_rules`` must be left out: secrets are drawn here,
    and what is asked of other services is theirs to allow.
    """

    name: Name
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | None = None
    roles: Annotated[list[RolePart], Meta(max_length=8)] = []
    unrestricted: bool = False
    expires_at: Annotated[str, Meta(max_length=64)] | None = None
    secret: Annotated[str, Meta(max_length=MAX_NAME)] | None = None
    access_rules: list[dict[str, str]] | None = None

    def wanted(self) -> NewCredential:
        """What is asked for.

        :raises Invalid: it has what we do not take, or a time that is none.
        """
        if self.access_rules:
            raise Invalid(RULES)
        if self.secret is not None:
            raise Invalid(DRAWN)
        until = self.expires_at
        return NewCredential(
            self.name,
            self.description or "",
            [role.word() for role in self.roles],
            self.unrestricted,
            None if until is None else moment(until, "expires_at"),
        )


class Create(Struct):
    """Body of ``POST /users/<user>/application_credentials``."""

    application_credential: NewPart


class NameFilter(Struct):
    """Filter of the list."""

    name: Annotated[str, Meta(max_length=MAX_NAME)] | None = None


class RoleRef(Reply):
    """A role of a credential."""

    id: str
    name: str
    domain_id: None = None


class CredentialView(Reply):
    """A credential; ``secret`` only in the answer that tells of its making."""

    id: UUID
    name: str
    description: str
    user_id: UUID
    project_id: UUID
    roles: list[RoleRef]
    unrestricted: bool
    expires_at: str | None
    links: SelfLink
    system: None = None
    secret: str | UnsetType = UNSET

    @classmethod
    def of(cls, one: Credential, base: str) -> CredentialView:
        """A credential."""
        return cls(
            id=one.id,
            name=one.name,
            description=one.description,
            user_id=one.user,
            project_id=one.project,
            roles=[RoleRef(role, role) for role in one.roles],
            unrestricted=one.unrestricted,
            expires_at=None if one.expires is None else micros_bare(one.expires),
            links=SelfLink(f"{base}/users/{one.user}/application_credentials/{one.id}"),
        )


class CredentialReply(Reply):
    """One credential."""

    application_credential: CredentialView

    @classmethod
    def made(cls, made: Created, base: str) -> CredentialReply:
        """A new one, with its secret."""
        view = CredentialView.of(made.credential, base)
        view.secret = made.secret
        return cls(view)


class CredentialList(Reply):
    """Someone's credentials."""

    application_credentials: list[CredentialView]
    links: Links


class CredentialsApi:
    """The ``/users/<user>/application_credentials`` resources."""

    def __init__(self, credentials: Credentials, base: str) -> None:
        self._credentials = credentials
        self._base = base

    @operation("POST", "/users/<user>/application_credentials", body=Create, status=201)
    async def create(self, caller: Caller, user: UUID, body: Create) -> CredentialReply:
        """Make a credential for the project of the token."""
        wanted = body.application_credential.wanted()
        made = await self._credentials.create(caller, user, wanted)
        return CredentialReply.made(made, self._base)

    @operation("GET", "/users/<user>/application_credentials", query=NameFilter)
    async def all(
        self, caller: Caller, user: UUID, query: NameFilter
    ) -> CredentialList:
        """List someone's credentials."""
        found = await self._credentials.list(caller, user, query.name)
        return self._list(found, user)

    @operation("GET", "/users/<user>/application_credentials/<credential>")
    async def one(
        self, caller: Caller, user: UUID, credential: UUID
    ) -> CredentialReply:
        """Show one credential."""
        found = await self._credentials.get(caller, user, credential)
        return CredentialReply(CredentialView.of(found, self._base))

    @operation(
        "DELETE", "/users/<user>/application_credentials/<credential>", status=204
    )
    async def delete(self, caller: Caller, user: UUID, credential: UUID) -> None:
        """Delete one credential; its tokens end."""
        await self._credentials.delete(caller, user, credential)

    def _list(self, found: Sequence[Credential], user: UUID) -> CredentialList:
        views = [CredentialView.of(one, self._base) for one in found]
        link = f"{self._base}/users/{user}/application_credentials"
        return CredentialList(views, Links(link))
