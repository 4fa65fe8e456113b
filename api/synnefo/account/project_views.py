"""Projects and memberships → replies.

Shapes: ``spec/astakos.md`` §2.6.2, §2.6.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Raw, UnsetType
from msgspec.json import encode

from api.operations import Reply
from api.times import micros_offset
from snfd.projects.applications import Submitted
from snfd.projects.memberships import ShownMember
from snfd.projects.shown import Application, Shown
from snfd.projects.states import MembershipState
from snfd.quota.model import Limit


class LimitView(Reply):
    """What a project grants of one resource."""

    project_capacity: int
    member_capacity: int


class ApplicationView(Reply):
    """The last application for a project; null where it changes nothing."""

    id: int
    state: str
    name: str | None
    owner: UUID | None
    applicant: UUID
    homepage: str | None
    description: str | None
    start_date: str | None
    end_date: str | None
    comments: str
    join_policy: str | None
    leave_policy: str | None
    max_members: int | None
    private: bool | None
    resources: dict[str, LimitView]

    @classmethod
    def of(cls, one: Application) -> ApplicationView:
        """As its owner sees it."""
        wanted = one.changes
        return cls(
            id=one.id,
            state=str(one.state),
            name=wanted.name,
            owner=wanted.owner,
            applicant=one.applicant,
            homepage=wanted.homepage,
            description=wanted.description,
            start_date=_date(one.said.start),
            end_date=_date(wanted.ends),
            comments=one.said.comments,
            join_policy=wanted.join_policy,
            leave_policy=wanted.leave_policy,
            max_members=wanted.max_members,
            private=wanted.private,
            resources=_limits(wanted.resources),
        )


class ProjectView(Reply):
    """A project; its last application and end only for those near to it."""

    id: UUID
    state: str
    creation_date: str
    name: str
    owner: UUID | None
    homepage: str
    description: str
    end_date: str | None
    join_policy: str
    leave_policy: str
    max_members: int
    private: bool
    system_project: bool
    resources: dict[str, LimitView]
    last_application: ApplicationView | UnsetType = UNSET
    deactivation_date: str | UnsetType = UNSET

    @classmethod
    def of(cls, found: Shown) -> ProjectView:
        """As whoever asked may see it; nobody owns a person's own project."""
        one, last = found.project, found.application
        return cls(
            id=one.uuid,
            state=str(one.state),
            creation_date=micros_offset(one.created),
            name=one.name,
            owner=None if one.is_system else one.owner,
            homepage=one.homepage,
            description=one.description,
            end_date=_date(one.ends),
            join_policy=one.join_policy,
            leave_policy=one.leave_policy,
            max_members=one.max_members,
            private=one.private,
            system_project=one.is_system,
            resources=_limits(found.limits),
            last_application=UNSET if last is None else ApplicationView.of(last),
            deactivation_date=micros_offset(one.deactivated)
            if found.near and one.deactivated
            else UNSET,
        )


class SubmittedReply(Reply):
    """A project and the application for it; none where it was made at once.

    ``warning`` says why it may be denied.
    """

    id: UUID
    application: int | None
    warning: str | UnsetType = UNSET

    @classmethod
    def of(cls, done: Submitted) -> SubmittedReply:
        """What was submitted."""
        return cls(done.project, done.application, done.warning or UNSET)


class MembershipView(Reply, kw_only=True):
    """A membership, with the last date of each state that it ever had."""

    id: int
    user: UUID
    project: UUID
    state: str
    requested: str | UnsetType = UNSET
    accepted: str | UnsetType = UNSET
    leave_requested: str | UnsetType = UNSET
    suspended: str | UnsetType = UNSET
    rejected: str | UnsetType = UNSET
    cancelled: str | UnsetType = UNSET
    removed: str | UnsetType = UNSET
    allowed_actions: list[str]

    @classmethod
    def of(cls, found: ShownMember) -> MembershipView:
        """With what the one who asked may do."""
        one = found.member
        view = cls(
            id=one.id,
            user=one.case.user,
            project=one.project,
            state=str(one.case.state),
            allowed_actions=[str(action) for action in found.actions],
        )
        for state in MembershipState:
            if state in one.dates:
                setattr(view, state, micros_offset(one.dates[state]))
        return view


class MembershipId(Reply):
    """Answer of ``POST /projects/memberships``."""

    id: int


def project_json(found: Shown) -> Raw:
    """A `ProjectView`, written already: the end of a long list is cheap then."""
    return Raw(encode(ProjectView.of(found)))


def membership_json(found: ShownMember) -> Raw:
    """The same of a `MembershipView`."""
    return Raw(encode(MembershipView.of(found)))


def _date(at: datetime | None) -> str | None:
    return None if at is None else micros_offset(at)


def _limits(granted: Mapping[str, Limit]) -> dict[str, LimitView]:
    return {
        name: LimitView(limit.project, limit.member)
        for name, limit in sorted(granted.items())
    }
