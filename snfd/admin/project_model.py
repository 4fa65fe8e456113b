"""What administrators see of projects, limits and usage."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from snfd.admin.model import Ask, Fact, Text

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HoldingMarker = Annotated[str, Meta(pattern=f"^{_UUID}/{_UUID}/[^/]+$")]


class ProjectAsk(Ask, frozen=True):
    """Which projects; people's own ones only if they are asked for.

    :ivar pending: only those with an application that waits.
    """

    state: Text | None = None
    owner: Text | None = None
    search: Text | None = None
    system: bool = False
    pending: bool = False


class ProjectRow(Fact, frozen=True):
    """A project in a list; ``pending`` is the application that waits."""

    uuid: UUID
    name: str
    owner: str | None
    state: str
    system: bool
    members: int
    created: datetime
    ends: datetime | None
    pending: int | None


class LimitFacts(Fact, frozen=True):
    """What a project grants of a resource, and what is used of that."""

    resource: str
    unit: str | None
    member: int
    project: int
    used: int


class ApplicationFacts(Fact, frozen=True):
    """What somebody wants of a project.

    :ivar changes: JSON text.
    """

    number: int
    applicant: str
    state: str
    issued: datetime
    comments: str
    changes: str
    response: str


class EntryFacts(Fact, frozen=True):
    """What once became of a project; ``before`` is null where it was made."""

    at: datetime
    before: str | None
    after: str
    actor: str
    reason: str


class ExpiredAsk(Ask, frozen=True):
    """Which projects are past their end."""


class ExpiredRow(Fact, frozen=True):
    """A live project whose end has passed."""

    uuid: UUID
    name: str
    ends: datetime


class ProjectFacts(Fact, frozen=True):
    """All about one project.

    :ivar application: the last one, if there was any.
    :ivar history: newest first.
    """

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
    deactivated: datetime | None
    application: list[ApplicationFacts]
    limits: list[LimitFacts]
    history: list[EntryFacts]


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
