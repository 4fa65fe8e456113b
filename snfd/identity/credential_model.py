"""Values and pure rules of application credentials."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.errors import Forbidden, Invalid
from snfd.identity.model import ADMIN, MEMBER, READER, ROLES

MAX_NAME = 255
MAX_DESCRIPTION = 1000


@frozen
class Credential:
    """A key to one project that its owner gives to a program.

    :ivar role: the most that its tokens may be; None for as much as the owner.
    :ivar unrestricted: whether its tokens may make and delete credentials.
    :ivar expires: None for never.
    """

    id: UUID
    user: UUID
    project: UUID
    name: str
    description: str
    role: str | None
    unrestricted: bool
    created: datetime
    expires: datetime | None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of its tokens, strongest last, while its owner has them."""
        return ROLES[: ROLES.index(self.role or ADMIN) + 1]


@frozen
class NewCredential:
    """What is asked for.

    :ivar roles: some of the owner's; empty for all of them.
    """

    name: str
    description: str = ""
    roles: Collection[str] = ()
    unrestricted: bool = False
    expires: datetime | None = None


@frozen
class Created:
    """A credential together with its secret, told once."""

    credential: Credential
    secret: str = field(repr=False)


def check(new: NewCredential, now: datetime) -> NewCredential:
    """``new`` if it may be made.

    :raises Invalid: name, description or expiry.
    """
    if not 1 <= len(new.name) <= MAX_NAME or not new.name.strip():
        raise Invalid(f"a credential's name has 1 to {MAX_NAME} characters")
    if len(new.description) > MAX_DESCRIPTION:
        raise Invalid(f"a description has at most {MAX_DESCRIPTION} characters")
    if new.expires is not None and new.expires <= now:
        raise Invalid("expires_at lies in the past")
    return new


def most(wanted: Collection[str], held: Collection[str]) -> str | None:
    """The most that a credential may be; None for as much as an administrator.

    It never grows with its owner: without a wish it is what he is now.

    :param wanted: some of ``held``; empty for all of them.
    :raises Invalid: there is no such role.
    :raises Forbidden: he has not got it.
    """
    for role in wanted:
        if role not in ROLES:
            raise Invalid(f"there is no role {role!r}")
        if role not in held:
            raise Forbidden(f"you have not got the role {role}")
    chosen = wanted or held
    if ADMIN in chosen:
        return None
    return MEMBER if MEMBER in chosen else READER
