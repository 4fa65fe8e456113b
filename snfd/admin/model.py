"""What administrators see, and how they ask for it; no SQL here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from attrs import frozen
from msgspec import Meta, Struct

R = TypeVar("R")

MOST = 1000
"""Rows of one page, by default and at most."""

Text = Annotated[str, Meta(max_length=255)]
Count = Annotated[int, Meta(ge=1, le=MOST)]
RowId = Annotated[int, Meta(ge=0, le=2**63 - 1)]

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HoldingMarker = Annotated[str, Meta(pattern=f"^{_UUID}/{_UUID}/[^/]+$")]


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what is shown: immutable, and closed."""


class Ask(Struct, frozen=True, kw_only=True):
    """Base of what is asked of a list.

    :ivar marker: ``next`` of the page before; None for the first page.
    """

    limit: Count = MOST
    marker: Text | None = None


@frozen
class Page(Generic[R]):
    """Some rows of a list.

    :ivar next: the marker of the page after; None on the last.
    """

    items: list[R]
    next: str | None


class UserAsk(Ask, frozen=True):
    """Which users; what is not asked for is not looked at."""

    active: bool | None = None
    verified: bool | None = None
    moderation: Literal["pending", "accepted", "rejected"] | None = None
    group: Text | None = None
    method: Text | None = None
    search: Text | None = None


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


class ProjectAsk(Ask, frozen=True):
    """Which projects; people's own ones only if they are asked for."""

    state: Text | None = None
    owner: Text | None = None
    search: Text | None = None
    system: bool = False


class ProjectRow(Fact, frozen=True):
    """A project in a list."""

    uuid: UUID
    name: str
    owner: str | None
    state: str
    system: bool
    members: int
    created: datetime
    ends: datetime | None


class LimitFacts(Fact, frozen=True):
    """What a project grants of a resource, and what is used of that."""

    resource: str
    unit: str | None
    member: int
    project: int
    used: int


class ProjectFacts(Fact, frozen=True):
    """All about one project."""

    uuid: UUID
    name: str
    owner: str | None
    state: str
    system: bool
    private: bool
    homepage: str
    description: str
    join_policy: str
    leave_policy: str
    max_members: int
    members: int
    created: datetime
    ends: datetime | None
    limits: list[LimitFacts]


class MemberAsk(Ask, frozen=True):
    """Which members of a project."""

    state: Text | None = None


class MemberRow(Fact, frozen=True):
    """A member of a project."""

    uuid: UUID
    username: str
    email: str
    role: str
    state: str


class QuotaAsk(Ask, frozen=True):
    """Which holdings; whole projects' ones only if they are asked for.

    :ivar over: only those whose usage is above the limit.
    """

    user: Text | None = None
    project: Text | None = None
    resource: Text | None = None
    over: bool = False
    whole: bool = False


class QuotaRow(Fact, frozen=True):
    """What a member, or (user None) a whole project, has of a resource."""

    user: str | None
    project: str
    resource: str
    unit: str | None
    limit: int
    usage: int
    pending: int
    project_uuid: UUID
    user_uuid: UUID | None


class CommissionAsk(Ask, frozen=True):
    """Which commissions.

    :ivar overdue: only those pending for so many seconds.
    """

    overdue: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    issuer: Text | None = None


class CommissionRow(Fact, frozen=True):
    """A pending commission."""

    serial: int
    issuer: str
    name: str
    issued: datetime
    age: int
    provisions: int


class ProvisionFacts(Fact, frozen=True):
    """One quantity of a commission."""

    project: str
    user: str | None
    resource: str
    quantity: int


class CommissionFacts(Fact, frozen=True):
    """All about a pending commission."""

    serial: int
    issuer: str
    name: str
    issued: datetime
    age: int
    waits_for: UUID | None
    provisions: list[ProvisionFacts]


class ResourceAsk(Ask, frozen=True):
    """Which resources."""


class ResourceRow(Fact, frozen=True):
    """Something that is counted."""

    name: str
    description: str
    unit: str | None
    service: str
    system_default: int
    project_default: int
    api_visible: bool
    ui_visible: bool


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
    """A letter; never its text."""

    id: int
    kind: str
    to: str
    state: str
    attempts: int
    created: datetime
    due: datetime
    finished: datetime | None
    last_error: str | None
    event: str
