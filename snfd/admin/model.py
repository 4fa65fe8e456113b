"""What administrators see, and how they ask for it; no SQL here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from attrs import frozen
from msgspec import Meta, Struct

from snfd.errors import Invalid

R = TypeVar("R")

MOST = 1000
"""Rows of one page, by default and at most."""

Text = Annotated[str, Meta(max_length=255)]
Count = Annotated[int, Meta(ge=1, le=MOST)]
RowId = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what is shown: immutable, and closed."""


class Ask(Struct, frozen=True, kw_only=True):
    """Base of what is asked of a list.

    :ivar marker: ``next`` of the page before; None for the first page.
    """

    limit: Count = MOST
    marker: Text | None = None

    def after(self) -> int | None:
        """The number that the page follows, in a list whose markers are numbers.

        :raises Invalid: the marker is none.
        """
        if self.marker is None:
            return None
        if not self.marker.isdecimal() or len(self.marker) > 18:
            raise Invalid(f"marker {self.marker!r} is none of this list's")
        return int(self.marker)


@frozen
class Page(Generic[R]):
    """Some rows of a list.

    :ivar next: the marker of the page after; None on the last.
    """

    items: list[R]
    next: str | None


class FewAsk(Ask, frozen=True):
    """A list of which there are few: never more than a page."""


class UserAsk(Ask, frozen=True):
    """Which users; what is not asked for is not looked at.

    :ivar closed: also those who are gone.
    """

    active: bool | None = None
    verified: bool | None = None
    moderation: Literal["pending", "accepted", "rejected"] | None = None
    group: Text | None = None
    method: Text | None = None
    search: Text | None = None
    closed: bool = False


class UserRow(Fact, frozen=True):
    """A user in a list.

    :ivar status: what he waits for, or whether he is active.
    :ivar methods: the kinds of login that he has.
    """

    uuid: UUID
    username: str
    email: str
    name: str
    status: str
    active: bool
    verified: bool
    moderation: str
    groups: list[str]
    methods: list[str]
    joined: datetime
    last_login: datetime | None
    number: int


class MembershipOf(Fact, frozen=True):
    """One project of a user."""

    uuid: UUID
    project: str
    role: str
    state: str


class UserFacts(Fact, frozen=True):
    """All about one user."""

    uuid: UUID
    username: str
    email: str
    first_name: str
    last_name: str
    affiliation: str | None
    status: str
    active: bool
    verified: bool
    moderation: str
    accepted_by: str | None
    rejected_reason: str | None
    deactivated_reason: str | None
    groups: list[str]
    methods: list[str]
    signed_terms: int | None
    default_project: UUID
    tokens: int
    sessions: int
    joined: datetime
    last_login: datetime | None
    projects: list[MembershipOf]


class GroupAsk(Ask, frozen=True):
    """Which groups."""


class GroupRow(Fact, frozen=True):
    """A group, and how many are in it."""

    name: str
    members: int


class TokenAsk(Ask, frozen=True):
    """Which tokens."""

    user: Text | None = None


class TokenRow(Fact, frozen=True):
    """A token; never its secret.

    :ivar id: what the audit trail calls it.
    """

    id: str
    user: str
    kind: str
    label: str
    project: str | None
    created: datetime
    expires: datetime
    last_used: datetime | None


class AuditAsk(Ask, frozen=True):
    """Which entries of the audit trail, newest first."""

    actor: Text | None = None
    action: Text | None = None
    target: Text | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditRow(Fact, frozen=True):
    """Who did what.

    :ivar details: JSON text.
    """

    id: int
    at: datetime
    actor: str | None
    action: str
    target: str
    details: str
    request_id: str | None


class MailAsk(Ask, frozen=True):
    """Which letters, newest first."""

    state: Literal["new", "sending", "sent", "failed"] | None = None
    to: Text | None = None


class MailRow(Fact, frozen=True):
    """A letter; never its text.

    :ivar due: when it is tried; None for at once.
    """

    id: int
    kind: str
    to: str
    state: str
    attempts: int
    created: datetime
    due: datetime | None
    finished: datetime | None
    last_error: str | None
    event: str


class ComponentAsk(Ask, frozen=True):
    """Which components."""


class ComponentRow(Fact, frozen=True):
    """A program that offers services; never its token."""

    name: str
    base_url: str | None
    ui_url: str | None
    created: datetime
    has_token: bool
    token_created: datetime | None
    token_expires: datetime | None


class ServiceAsk(Ask, frozen=True):
    """Which services."""

    component: Text | None = None


class ServiceRow(Fact, frozen=True):
    """A service; ``builtin`` if this daemon serves it itself."""

    name: str
    type: str
    component: str
    builtin: bool
    urls: list[str]


class TermsAsk(Ask, frozen=True):
    """Which terms of service, newest first."""


class TermsRow(Fact, frozen=True):
    """A version of the terms of service; ``id`` is its number."""

    id: int
    issued: datetime
    enforced: datetime
    format: str


class TermsFacts(Fact, frozen=True):
    """A version with its text."""

    id: int
    issued: datetime
    enforced: datetime
    format: str
    body: str


class Ailment(Fact, frozen=True):
    """Something that is not well.

    :ivar check: which check says so.
    :ivar remedy: what to do about it.
    """

    check: str
    what: str
    how: str
    remedy: str
