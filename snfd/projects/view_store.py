"""SQL that looks at projects and memberships, and locks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from snfd.db.port import Row, Statement
from snfd.projects import application_store, store
from snfd.projects.application_store import application
from snfd.projects.rules import Case, Terms
from snfd.projects.shown import Member, Shown
from snfd.projects.states import MembershipState, ProjectState
from snfd.quota.model import Limit

_SHOWN = f"""
    SELECT {store.RECORD}, {application_store.COLUMNS},
           (SELECT jsonb_object_agg(l.resource,
                                    jsonb_build_array(l.project_cap, l.member_cap))
              FROM quota.project_limit l JOIN quota.resource r ON r.name = l.resource
             WHERE l.project_id = p.uuid AND r.api_visible),
           m.state
      FROM identity.project p
      LEFT JOIN identity.application a ON a.id = p.last_application
      LEFT JOIN identity.membership m ON m.project_id = p.uuid AND m.user_id = $1::uuid
"""

PROJECT = Statement("projects_shown_one", f"{_SHOWN} WHERE p.uuid = $2::uuid")
"""One project: (caller, uuid) → a row for `shown`."""

PROJECTS = Statement(
    "projects_shown",
    f"""
    {_SHOWN}
     WHERE ($3::text IS NULL OR p.name = $3)
       AND ($4::uuid IS NULL OR (p.owner_id = $4 AND NOT p.is_system))
       AND ($5::text IS NULL OR p.state = $5)
       AND ($6::boolean IS NULL OR p.private = $6)
       AND ($7::boolean IS NULL OR p.is_system = $7)
       AND CASE $8::text
           WHEN 'member' THEN
                p.state = 'active' AND m.state IN ('accepted', 'leave_requested')
           WHEN 'active' THEN
                p.state = 'active' AND ($2::boolean OR NOT p.private)
           ELSE $2::boolean OR p.owner_id = $1
                OR coalesce(a.applicant = $1, false)
                OR coalesce(m.state IN
                   ('accepted', 'leave_requested', 'suspended'), false)
                OR ($8::text = 'default' AND p.state = 'active'
                    AND NOT p.private)
           END
       AND (p.created_at, p.uuid) > ($9::timestamptz, $10::uuid)
     ORDER BY p.created_at, p.uuid LIMIT $11
    """,
)
"""Projects: (caller, is he admin, name, owner, state, private, system, mode,
made after, that uuid, most) → rows for `shown`."""

MADE = Statement(
    "projects_made", "SELECT created_at FROM identity.project WHERE uuid = $1"
)
"""When a project was made: (uuid) → a time."""

_MEMBER = """
    SELECT m.id, m.user_id, m.project_id, m.state, u.is_active,
           p.state, p.owner_id, p.is_system, p.join_policy, p.leave_policy,
           p.max_members,
           CASE WHEN m.state = 'requested' THEN (
                SELECT count(*) FROM identity.membership o
                 WHERE o.project_id = p.uuid
                   AND o.state IN ('accepted', 'leave_requested', 'suspended'))
                ELSE 0 END,
           (SELECT jsonb_object_agg(d.to_state, d.at) FROM (
                SELECT l.to_state, max(l.at) AS at FROM identity.membership_log l
                 WHERE l.membership_id = m.id GROUP BY l.to_state) d)
      FROM identity.membership m
      JOIN identity.project p ON p.uuid = m.project_id
      JOIN identity.app_user u ON u.uuid = m.user_id
"""

MEMBERSHIP = Statement("memberships_shown_one", f"{_MEMBER} WHERE m.id = $1")
"""One membership: (number) → a row for `member`."""

_PAGE = """
       AND ($1::uuid IS NULL OR m.project_id = $1) AND m.id > $2::bigint
     ORDER BY m.id LIMIT $3
"""

ALL_MEMBERSHIPS = Statement("memberships_shown_all", f"{_MEMBER} WHERE true {_PAGE}")
"""Anybody's memberships: (project, after, most) → rows for `member`."""

MEMBERSHIPS = Statement(
    "memberships_shown",
    f"""
    {_MEMBER}
     WHERE m.id IN (
           SELECT o.id FROM identity.membership o WHERE o.user_id = $4
           UNION SELECT o.id FROM identity.project q
             JOIN identity.membership o ON o.project_id = q.uuid
            WHERE q.owner_id = $4)
    {_PAGE}
    """,
)
"""Those that are somebody's affair: (project, after, most, whose) → the same."""

EXPIRED = Statement(
    "projects_expired",
    """
    SELECT uuid, name, ends_at FROM identity.project
     WHERE state IN ('active', 'suspended') AND NOT is_system AND ends_at <= $1
     ORDER BY ends_at, uuid LIMIT $2
    """,
)
"""Live projects that end before a time: (time, most) → (uuid, name, end)."""

TO_WARN = Statement(
    "projects_to_warn",
    """
    SELECT uuid FROM identity.project
     WHERE state IN ('active', 'suspended') AND NOT is_system
       AND ends_at > $1 AND ends_at <= $1 + interval '1 day' * $2::integer
       AND (warned_days IS NULL OR warned_days > $2::integer)
     ORDER BY ends_at, uuid LIMIT $3
    """,
)
"""Those that were not warned of an end in so many days: (now, days, most) → uuid."""


def shown(row: Row) -> Shown:
    """The project in a row of `PROJECT`."""
    record = store.record(row)
    rest = row[store.WIDTH :]
    last = None if rest[0] is None else application(rest)
    limits, state = rest[application_store.WIDTH :]
    granted = {name: Limit(*pair) for name, pair in (limits or {}).items()}
    if record.state in (ProjectState.UNINITIALIZED, ProjectState.DELETED) and last:
        granted = dict(last.changes.resources)
    return Shown(record, granted, last, MembershipState(state or "none"))


def member(row: Row) -> Member:
    """The membership in a row of `MEMBERSHIP`."""
    terms = Terms(ProjectState(row[5]), *row[6:12])
    case = Case(row[1], MembershipState(row[3]), row[4], terms)
    return Member(row[0], row[2], case, _dates(row[12] or {}))


def members(rows: Sequence[Row]) -> Sequence[Member]:
    """The memberships in rows of `MEMBERSHIPS`."""
    return [member(row) for row in rows]


def _dates(told: Mapping[str, Any]) -> dict[MembershipState, datetime]:
    return {
        MembershipState(state): datetime.fromisoformat(at) for state, at in told.items()
    }
