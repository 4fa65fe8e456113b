"""What ``POST /auth/tokens`` accepts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from snfd.errors import Invalid
from snfd.identity.model import (
    DOMAIN_ID,
    DOMAIN_NAME,
    By,
    CredentialRef,
    Scope,
    Scoping,
    UserRef,
)
from snfd.identity.names import MAX_PASSWORD, as_uuid
from snfd.identity.proof import MAX_PASSCODE

Short = Annotated[str, Meta(min_length=1, max_length=255)]
Secret = Annotated[str, Meta(max_length=MAX_PASSWORD)]


NOBODY = UserRef("", By.ID)


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

    id: Short | None = None
    name: Short | None = None
    domain: DomainPart = DomainPart()

    def ref(self) -> UserRef:
        """The user; nobody where the domain does not exist.

        :raises Invalid: neither id nor name.
        """
        if self.id is not None:
            return UserRef(self.id, By.ID)
        if self.name is None:
            raise Invalid("a user needs id or name - at $.auth.identity")
        return UserRef(self.name, By.NAME) if self.domain.exists else NOBODY


class PasswordUser(UserPart, kw_only=True):
    """Who logs in by password."""

    password: Secret

    def __repr__(self) -> str:
        return f"PasswordUser(id={self.id!r}, name={self.name!r}, password=…)"


class TotpUser(UserPart, kw_only=True):
    """Whose one-time or recovery code it is."""

    passcode: Annotated[str, Meta(max_length=MAX_PASSCODE)]

    def __repr__(self) -> str:
        return f"TotpUser(id={self.id!r}, name={self.name!r}, passcode=…)"


class PasswordPart(Struct):
    """The method ``password``."""

    user: PasswordUser


class TotpPart(Struct):
    """The method ``totp``, which goes with ``password``."""

    user: TotpUser


class TokenPart(Struct):
    """The method ``token``."""

    id: Secret

    def __repr__(self) -> str:
        return "TokenPart(id=…)"


class CredentialPart(Struct):
    """The method ``application_credential``: by id, or by name and owner."""

    secret: Secret
    id: Short | None = None
    name: Short | None = None
    user: UserPart | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"CredentialPart(id={self.id!r}, name={self.name!r}, secret=…)"

    def ref(self) -> CredentialRef:
        """Which one; none at all where the id is no uuid.

        :raises Invalid: neither an id nor a name with its owner.
        """
        if self.id is not None:
            return CredentialRef(as_uuid(self.id), NOBODY, None)
        if self.name is None or self.user is UNSET:
            raise Invalid("application_credential needs an id, or a name and a user")
        return CredentialRef(None, self.user.ref(), self.name)


class IdentityPart(Struct):
    """How the user proves who he is."""

    methods: Annotated[list[Short], Meta(min_length=1, max_length=8)]
    password: PasswordPart | UnsetType = UNSET
    totp: TotpPart | UnsetType = UNSET
    token: TokenPart | UnsetType = UNSET
    application_credential: CredentialPart | UnsetType = UNSET

    @property
    def wanted(self) -> frozenset[str]:
        """The methods, each with its part.

        :raises Invalid: a part is missing.
        """
        for method in self.methods:
            if getattr(self, method, None) is UNSET:
                raise Invalid(f"method {method} needs its part - at $.auth.identity")
        return frozenset(self.methods)


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
