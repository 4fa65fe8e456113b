"""Projects, applications and memberships as they are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.projects.changes import Changes, Wording
from snfd.projects.model import Record
from snfd.projects.rules import Case
from snfd.projects.states import ApplicationState, MembershipState
from snfd.quota.model import Limit


@frozen
class Application:
    """What somebody wants of a project.

    :ivar response: what was said when it was decided.
    """

    id: int
    project: UUID
    applicant: UUID
    state: ApplicationState
    changes: Changes
    said: Wording
    issued: datetime
    response: str


@frozen
class Shown:
    """A project as it is shown.

    :ivar limits: of resources that the API shows.
    :ivar membership: how the asking person stands to it.
    :ivar near: whether he sees what is only for its owner, too.
    """

    project: Record
    limits: Mapping[str, Limit]
    application: Application | None
    membership: MembershipState
    near: bool = True


@frozen
class Member:
    """A membership as it is shown.

    :ivar dates: when it came to each state it ever had, the last time.
    """

    id: int
    project: UUID
    case: Case
    dates: Mapping[MembershipState, datetime] = field(factory=dict)
