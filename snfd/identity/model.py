"""Values and pure rules of identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

from attrs import field, frozen

from snfd.errors import Forbidden
from snfd.identity.names import as_uuid, normalised

ADMIN = "admin"
MEMBER = "member"
READER = "reader"

ROLES = (READER, MEMBER, ADMIN)
"""Those there are, weakest first; each has what those before it have."""

APPCRED = "appcred"
"""The kind of tokens that come from an application credential."""

FREE = ("login", "session", "weblogin")
"""Kinds of tokens that are as good as a login, whatever project they are for."""

DOMAIN_ID = "default"
DOMAIN_NAME = "Default"


@frozen
class Caller:
    """Who makes a request, resolved from one token in one statement.

    :ivar project: the project that the token is bound to, else the user's
        default project.
    :ivar roles: ``reader``; with it ``member`` unless the membership is
        read-only; with both ``admin`` for administrators.
    :ivar projects: every project with an accepted membership, the user's
        own system project included.
    :ivar token_hash: sha256 of the token's secret, 32 bytes.
    :ivar reads: those of ``projects`` in which the caller may only read.
    :ivar confined: whether the token was made for ``project`` alone; then that
        is the only one of ``projects``.
    """

    user: UUID
    username: str
    project: UUID
    project_name: str
    roles: frozenset[str]
    projects: frozenset[UUID]
    token_hash: bytes
    expires: datetime
    reads: frozenset[UUID] = frozenset()
    confined: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the caller may cross projects."""
        return ADMIN in self.roles and not self.confined

    @property
    def owner(self) -> UUID | None:
        """Whose things are the caller's in whatever project: the user's own.

        None for a token that reaches nothing outside its project.
        """
        return None if self.confined else self.user

    def in_reach(self, project: UUID) -> bool:
        """Whether the token lets him have anything to do with ``project``."""
        return project == self.project or not self.confined

    @property
    def may_write(self) -> bool:
        """Whether the caller may change anything in the token's project."""
        return MEMBER in self.roles or self.is_admin


def require_writer(caller: Caller) -> None:
    """Pass if ``caller`` may change things in the token's project.

    :raises Forbidden: the membership is read-only.
    """
    if not caller.may_write:
        raise Forbidden(f"your role in project {caller.project_name} is read-only")


def require_member(caller: Caller, project: UUID) -> None:
    """Pass if ``caller`` belongs to ``project``.

    :raises Forbidden: he does not.
    """
    if project != caller.project and project not in caller.projects:
        raise Forbidden("you are no member of that project")


def require_free(caller: Caller) -> None:
    """Pass unless the token was made for one project alone.

    :raises Forbidden: it was, and what is asked for is the person's.
    """
    if caller.confined:
        raise Forbidden("this token is for one project alone, not for its owner")


def may_see(caller: Caller, user: UUID) -> bool:
    """Whether ``user``'s affairs are ``caller``'s: his own, or he is an admin."""
    return user == caller.user or caller.is_admin


def roles(membership: str, groups: Iterable[str]) -> frozenset[str]:
    """What a member of a project may be called.

    :param membership: ``member`` or ``reader``.
    :param groups: names of the user's groups; ``admin`` is everything.
    """
    if ADMIN in groups:
        return frozenset(ROLES)
    return frozenset({READER} if membership == READER else {READER, MEMBER})


def capped(all_roles: frozenset[str], cap: str | None) -> frozenset[str]:
    """``all_roles`` as far as a token may carry them.

    :param cap: the most that it may be, ``reader`` or ``member``; None for all.
    """
    if cap is None:
        return all_roles
    return all_roles & ({READER} if cap == READER else {READER, MEMBER})


class By(Enum):
    """How a credential names its user."""

    ID = "id"
    NAME = "name"
    ANY = "any"


@frozen
class UserRef:
    """A user as somebody who logs in names him: uuid, username or e-mail."""

    value: str
    by: By = By.ANY

    @property
    def uuid(self) -> UUID | None:
        """The uuid, if the name can be one."""
        return None if self.by is By.NAME else as_uuid(self.value)

    @property
    def name(self) -> str | None:
        """The username or e-mail as it is stored, if the value can be one."""
        return None if self.by is By.ID else normalised(self.value)

    def is_of(self, user: User) -> bool:
        """Whether it means ``user``."""
        uuid, name = self.uuid, self.name
        return uuid == user.uuid or (name is not None and name in user.names)


@frozen
class CredentialRef:
    """An application credential as somebody who logs in names it.

    :ivar id: the credential's; None where owner and name say which.
    """

    id: UUID | None
    user: UserRef
    name: str | None


class Scoping(Enum):
    """What kind of scope a login asks for."""

    DEFAULT = "the user's default project"
    UNSCOPED = "no project"
    PROJECT = "a named project"
    TENANT = "the tenantName of v2.0: a project, or the user's own uuid"
    NOTHING = "something that nobody can have"


@frozen
class Scope:
    """What a new token shall be good for.

    :ivar project: uuid or name of the project.
    """

    kind: Scoping
    project: str = ""
    by: By = By.ANY


@frozen
class Group:
    """A group of people; its name appears among roles in v2.0 tokens."""

    id: int
    name: str


@frozen
class User:
    """A person.

    :ivar name: first and last name, else the username.
    """

    uuid: UUID
    username: str
    email: str
    name: str
    active: bool

    @property
    def names(self) -> tuple[str, str]:
        """What he may log in as, besides the uuid."""
        return self.username, self.email


@frozen
class ProjectRef:
    """A project in a token."""

    uuid: UUID
    name: str


@frozen
class Token:
    """What a valid token says; never its secret.

    :ivar project: what it acts in: the bound project, else the user's default.
    :ivar bound: the project that it is bound to; None for an unscoped one.
    :ivar projects: every accepted membership in an active project.
    :ivar reads: those of them that are read-only.
    :ivar audit_ids: names of the token, and of the first of its chain.
    :ivar terms_due: from when on it is refused, because its user did not sign
        newer terms of service; None where he signed the newest.
    :ivar others: whether, when it was looked up, other programs served something:
        without any the catalog needs no look into the registry.
    """

    hash: bytes = field(repr=False)
    user: User
    project: ProjectRef
    bound: UUID | None
    roles: frozenset[str]
    groups: tuple[Group, ...]
    projects: tuple[UUID, ...]
    reads: tuple[UUID, ...]
    issued: datetime
    expires: datetime
    kind: str
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    terms_due: datetime | None = None
    others: bool = True

    def waits_for_terms(self, at: datetime) -> bool:
        """Whether it is good only to sign terms of service, at the time ``at``."""
        return self.terms_due is not None and self.terms_due <= at

    def may_see(self, user: UUID) -> bool:
        """The same of its `caller`, without making one."""
        admin = ADMIN in self.roles and not self.confined
        return user == self.user.uuid or admin

    @property
    def caller(self) -> Caller:
        """The one who presents this token."""
        return Caller(
            user=self.user.uuid,
            username=self.user.username,
            project=self.project.uuid,
            project_name=self.project.name,
            roles=self.roles,
            projects=frozenset(self.projects),
            token_hash=self.hash,
            expires=self.expires,
            reads=frozenset(() if ADMIN in self.roles else self.reads),
            confined=self.confined,
        )

    @property
    def confined(self) -> bool:
        """Whether it was made for one project alone, and reaches no other.

        A token that its owner bound to a project stays there; one that a
        login scoped is as good as the login.
        """
        return self.bound is not None and self.kind not in FREE

    @property
    def may_rescope(self) -> bool:
        """Whether it may be exchanged for one of another project."""
        return not self.confined


@frozen
class Issued:
    """A token together with its secret, told once."""

    secret: str = field(repr=False)
    token: Token


@frozen
class Names:
    """Who is who: uuids and login names, in the spelling that was asked."""

    by_uuid: Mapping[str, str]
    by_name: Mapping[str, str]


def joined(methods: Sequence[str], method: str) -> tuple[str, ...]:
    """``methods`` with ``method``, each once, in order of first use."""
    return tuple(dict.fromkeys((*methods, method)))
