"""SQL of projects and memberships (in schema ``identity``)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from snfd.db.port import Row, Statement, Transaction
from snfd.projects.model import Project

_COLUMNS = "p.uuid, p.name, p.description, p.owner_id, p.is_system, p.state = 'active'"

OF_USER = Statement(
    "projects_of_user",
    f"""
    SELECT {_COLUMNS}
      FROM identity.membership m JOIN identity.project p ON p.uuid = m.project_id
     WHERE m.user_id = $1 AND m.state IN ('accepted', 'leave_requested')
       AND p.state = 'active' AND ($2::text IS NULL OR lower(p.name) = lower($2))
     ORDER BY p.is_system, p.name, p.uuid LIMIT $3
    """,
)

ALL = Statement(
    "projects_all",
    f"""
    SELECT {_COLUMNS} FROM identity.project p
     WHERE p.state IN ('active', 'suspended')
       AND ($1::text IS NULL OR lower(p.name) = lower($1))
     ORDER BY p.is_system, p.name, p.uuid LIMIT $2
    """,
)

ONE = Statement(
    "projects_one",
    f"""
    SELECT {_COLUMNS} FROM identity.project p
     WHERE p.uuid = $1 AND p.state IN ('active', 'suspended')
       AND ($3 OR EXISTS (
            SELECT 1 FROM identity.membership m
             WHERE m.project_id = p.uuid AND m.user_id = $2
               AND m.state IN ('accepted', 'leave_requested')))
    """,
)


def project(row: Row) -> Project:
    """The project in a row of the statements above."""
    return Project(*row)


async def insert(
    tx: Transaction, one: Project, now: datetime, join_policy: str, leave_policy: str
) -> bool:
    """Add an active project; False where its uuid or live name exists."""
    return await tx.execute(
        """
        INSERT INTO identity.project (uuid, name, owner_id, state, is_system,
            private, description, created_at, join_policy, leave_policy)
        VALUES (%s, %s, %s, 'active', %s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (
            one.uuid, one.name, one.owner, one.is_system, one.is_system,
            one.description, now, join_policy, leave_policy,
        ),
    ) == 1  # fmt: skip


async def find_live(tx: Transaction, name: str) -> UUID | None:
    """The active or suspended project called ``name``, in any case of letters."""
    row = await tx.row(
        "SELECT uuid FROM identity.project WHERE lower(name) = lower(%s)"
        " AND state IN ('active', 'suspended') AND NOT is_system",
        (name,),
    )
    return None if row is None else row[0]


async def lock(tx: Transaction, uuid: UUID) -> bool:
    """Lock a live project; False where there is none."""
    row = await tx.row(
        "SELECT 1 FROM identity.project WHERE uuid = %s"
        " AND state IN ('active', 'suspended') FOR NO KEY UPDATE",
        (uuid,),
    )
    return row is not None


async def upsert_member(tx: Transaction, user: UUID, project: UUID, role: str) -> None:
    """Make ``user`` an accepted member with ``role``, whatever he was."""
    await tx.execute(
        """
        INSERT INTO identity.membership (user_id, project_id, role, state, initialized)
        VALUES (%s, %s, %s, 'accepted', true)
        ON CONFLICT (user_id, project_id) DO UPDATE
           SET role = excluded.role, state = 'accepted', initialized = true
        """,
        (user, project, role),
    )


async def is_user(tx: Transaction, user: UUID) -> bool:
    """Whether there is such a user, active or not."""
    sql = "SELECT 1 FROM identity.app_user WHERE uuid = %s"
    return await tx.row(sql, (user,)) is not None
