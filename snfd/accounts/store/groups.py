"""SQL of groups."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from snfd.db.port import Transaction

NAMES = """
    ARRAY(SELECT g.name FROM identity.user_group_member x
            JOIN identity.user_group g ON g.id = x.group_id
           WHERE x.user_id = u.uuid ORDER BY g.name)
"""
"""The groups of an account ``u``."""


async def insert(tx: Transaction, name: str) -> bool:
    """Add a group; False where there is one of the name."""
    return await tx.execute(
        "INSERT INTO identity.user_group (name) VALUES (%s) ON CONFLICT DO NOTHING",
        (name,),
    ) == 1  # fmt: skip


async def delete(tx: Transaction, name: str) -> bool:
    """Remove a group and its memberships; False where there is none."""
    sql = "DELETE FROM identity.user_group WHERE name = %s"
    return await tx.execute(sql, (name,)) == 1


async def belongs(tx: Transaction, user: UUID, group: str) -> bool:
    """Whether somebody who is in, is in ``group``."""
    row = await tx.row(
        "SELECT 1 FROM identity.user_group_member m"
        " JOIN identity.user_group g ON g.id = m.group_id"
        " JOIN identity.app_user u ON u.uuid = m.user_id"
        " WHERE u.uuid = %s AND g.name = %s AND u.is_active",
        (user, group),
    )
    return row is not None


async def has_others(tx: Transaction, user: UUID, group: str) -> bool:
    """Whether somebody else who is in, is in ``group``.

    The group is locked, and whoever asks the same waits until this transaction
    ends: two cannot both count on each other.
    """
    await tx.execute(
        "SELECT 1 FROM identity.user_group WHERE name = %s FOR NO KEY UPDATE", (group,)
    )
    row = await tx.row(
        "SELECT 1 FROM identity.user_group_member m"
        " JOIN identity.user_group g ON g.id = m.group_id"
        " JOIN identity.app_user u ON u.uuid = m.user_id"
        " WHERE u.uuid <> %s AND g.name = %s AND u.is_active LIMIT 1",
        (user, group),
    )
    return row is not None


async def ensure(tx: Transaction, names: Collection[str]) -> None:
    """Make the groups that there are not."""
    await tx.execute(
        "INSERT INTO identity.user_group (name)"
        " SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (sorted(set(names)),),
    )


async def join(tx: Transaction, user: UUID, names: Collection[str]) -> int:
    """Put a person into groups; how many of them there are."""
    row = await tx.row(
        """
        WITH wanted AS (
            SELECT id FROM identity.user_group WHERE name = ANY(%s::text[])),
        joined AS (
            INSERT INTO identity.user_group_member (user_id, group_id)
            SELECT %s, id FROM wanted ON CONFLICT DO NOTHING)
        SELECT count(*) FROM wanted
        """,
        (sorted(names), user),
    )
    return 0 if row is None else int(row[0])


async def leave(tx: Transaction, user: UUID, names: Collection[str]) -> None:
    """Take a person out of groups."""
    if not names:
        return
    await tx.execute(
        "DELETE FROM identity.user_group_member m USING identity.user_group g"
        " WHERE g.id = m.group_id AND m.user_id = %s AND g.name = ANY(%s::text[])",
        (user, sorted(names)),
    )


async def forget(tx: Transaction, user: UUID) -> None:
    """Take a person out of all groups."""
    await tx.execute(
        "DELETE FROM identity.user_group_member WHERE user_id = %s", (user,)
    )
