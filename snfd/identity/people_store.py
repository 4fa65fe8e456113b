"""SQL of people (schema ``identity``)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.db.port import Row, Statement, Transaction
from snfd.identity.model import User
from snfd.identity.names import full_name, normalised

COLUMNS = "u.uuid, u.username, u.email, u.first_name, u.last_name, u.is_active"
"""What `user` takes of a person ``u``."""

USER = Statement(
    "identity_user",
    f"SELECT {COLUMNS} FROM identity.app_user u"
    " WHERE u.uuid = $1 AND u.closed_at IS NULL",
)
"""A person who did not leave: (uuid) → a row for `user`."""

USERS = Statement(
    "identity_users",
    f"""
    SELECT {COLUMNS} FROM identity.app_user u
     WHERE ($1::uuid IS NULL OR uuid = $1) AND email_verified
       AND ($2::text IS NULL OR username = $2 OR email = $2)
       AND ($3::text IS NULL OR username > $3)
     ORDER BY username LIMIT $4
    """,
)
"""People: (uuid or None, name or None, username of the last one seen or None,
most) → rows for `user`."""

NAMES_BY_UUID = Statement(
    "identity_names_by_uuid",
    "SELECT uuid, username FROM identity.app_user"
    " WHERE uuid = ANY($1::uuid[]) AND email_verified"
    " UNION ALL SELECT uuid, name FROM identity.project"
    " WHERE uuid = ANY($1::uuid[]) AND uuid = ANY($2::uuid[]) AND NOT is_system",
)
"""People, and those of some projects: (uuids, projects) → rows of (uuid, name)."""

EVERYONE = Statement(
    "identity_everyone",
    "SELECT uuid, username FROM identity.app_user WHERE email_verified"
    " ORDER BY username LIMIT $1",
)

UUIDS_BY_NAME = Statement(
    "identity_uuids_by_name",
    "SELECT username, email, uuid FROM identity.app_user"
    " WHERE (username = ANY($1::text[]) OR email = ANY($1::text[]))"
    " AND email_verified",
)


def user(row: Row) -> User:
    """The person in a row of `USER`."""
    uuid, username, email, first, last, active = row
    return User(uuid, username, email, full_name(first, last, username), active)


async def addresses(tx: Transaction, group: str, limit: int) -> Sequence[str]:
    """E-mail addresses of a group's active members, oldest account first."""
    rows = await tx.rows(
        "SELECT u.email FROM identity.user_group g"
        " JOIN identity.user_group_member m ON m.group_id = g.id"
        " JOIN identity.app_user u ON u.uuid = m.user_id"
        " WHERE g.name = %s AND u.is_active ORDER BY u.number LIMIT %s",
        (group, limit),
    )
    return tuple(row[0] for row in rows)


async def find_user(tx: Transaction, name: str) -> UUID | None:
    """The user with this username or e-mail, which he verified."""
    row = await tx.row(
        "SELECT uuid FROM identity.app_user"
        " WHERE (username = %(name)s OR email = %(name)s) AND email_verified",
        {"name": normalised(name)},
    )
    return None if row is None else row[0]
