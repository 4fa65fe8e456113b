"""SQL of groups and of who is what in which project."""

from __future__ import annotations

from snfd.db.port import Row, Statement
from snfd.identity.directory_model import Assignment
from snfd.identity.model import Group, ProjectRef
from snfd.identity.people_store import COLUMNS

GROUPS = Statement(
    "identity_groups",
    """
    SELECT g.id, g.name FROM identity.user_group g
     WHERE ($1::text IS NULL OR g.name = $1) AND ($2::bigint IS NULL OR g.id = $2)
       AND ($3::uuid IS NULL OR EXISTS (
            SELECT 1 FROM identity.user_group_member m
             WHERE m.group_id = g.id AND m.user_id = $3))
     ORDER BY g.name LIMIT $4
    """,
)
"""Groups: (name or None, id or None, member or None, most) → rows for `group`."""

MEMBERS = Statement(
    "identity_group_members",
    f"""
    SELECT {COLUMNS}
      FROM identity.user_group_member m JOIN identity.app_user u ON u.uuid = m.user_id
     WHERE m.group_id = $1 AND u.email_verified ORDER BY u.username LIMIT $2
    """,
)
"""Who is in a group: (id, most) → rows for `people_store.user`."""

ASSIGNMENTS = Statement(
    "identity_assignments",
    """
    SELECT u.uuid, u.username, p.uuid, p.name, m.role,
           EXISTS (SELECT 1 FROM identity.user_group_member a
                     JOIN identity.user_group g ON g.id = a.group_id
                    WHERE a.user_id = u.uuid AND g.name = 'admin')
      FROM identity.membership m
      JOIN identity.app_user u ON u.uuid = m.user_id
      JOIN identity.project p ON p.uuid = m.project_id
     WHERE m.state IN ('accepted', 'leave_requested') AND p.state = 'active'
       AND ($1::uuid IS NULL OR m.user_id = $1)
       AND ($2::uuid IS NULL OR m.project_id = $2)
     ORDER BY m.id LIMIT $3
    """,
)
"""Memberships that count: (user or None, project or None, most) → `assignment`."""


def group(row: Row) -> Group:
    """The group in a row of `GROUPS`."""
    return Group(*row)


def assignment(row: Row) -> Assignment:
    """Who is what, in a row of `ASSIGNMENTS`."""
    user, username, project, name, role, admin = row
    return Assignment(user, username, ProjectRef(project, name), role, admin)
