"""What changes of users take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.operations import Reply
from snfd.accounts.editing import Wanted as WantedUser
from snfd.identity.names import MAX_PASSWORD

Text = Annotated[str, Meta(max_length=4096)]
Short = Annotated[str, Meta(max_length=255)]
Password = Annotated[str, Meta(min_length=1, max_length=MAX_PASSWORD)]
GroupNames = Annotated[list[Short], Meta(max_length=100)]


class NewUser(Struct):
    """A user to be made.

    :ivar password: null has one made, which the answer tells.
    :ivar waiting: whether he must verify his address and be accepted, as if he had
        signed up himself.
    :ivar signed: whether he agreed to the terms of service elsewhere.
    """

    email: Short
    first_name: Short = ""
    last_name: Short = ""
    username: Short | None = None
    affiliation: Short | None = None
    password: Password | None = None
    groups: GroupNames = []
    waiting: bool = False
    signed: bool = False

    def __repr__(self) -> str:
        return f"NewUser(email={self.email!r}, …)"

    def wanted(self) -> WantedUser:
        """The account that it describes."""
        return WantedUser(
            email=self.email,
            first_name=self.first_name,
            last_name=self.last_name,
            username=self.username,
            affiliation=self.affiliation,
            password=self.password,
            groups=self.groups,
            active=not self.waiting,
            signed=self.signed,
        )


class MadeUser(Reply):
    """A new user; the password only if it was made here, and only now."""

    uuid: UUID
    email: str
    password: str | None


class NewNames(Struct):
    """What changes of a user; null leaves it."""

    first_name: Short | None = None
    last_name: Short | None = None
    username: Short | None = None
    affiliation: Short | None = None


class NewEmail(Struct):
    """Another address, which the administrator vouches for."""

    email: Short


class NewPassword(Struct):
    """Another password; null has one made."""

    password: Password | None = None

    def __repr__(self) -> str:
        return "NewPassword(…)"


class MadePassword(Reply):
    """The new password, if it was made here."""

    password: str | None


class NewGroups(Struct):
    """Groups to join and to leave."""

    add: GroupNames = []
    remove: GroupNames = []


class NewDefault(Struct):
    """The project that unscoped tokens act in, by uuid or name."""

    project: Short


class Closing(Struct):
    """Whether to close an account that still owns or uses something."""

    force: bool = False


class NewGroup(Struct):
    """A group to be made."""

    name: Short


class NewToken(Struct):
    """A token to be made; it lasts as long as may be unless ``expires`` says."""

    label: Short = ""
    expires: datetime | None = None
    project: Short | None = None


class MadeToken(Reply):
    """A new token, and its secret, told only now."""

    id: str
    secret: str
    user: UUID
    expires: datetime


class Ended(Reply):
    """How many were ended."""

    ended: int


class SignedTerms(Reply):
    """Which terms of service were signed; null where there are none."""

    terms: int | None


class Reason(Struct):
    """Why something is done; whom it concerns is told."""

    reason: Text = ""
