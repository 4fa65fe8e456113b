"""SQL of groups."""

from __future__ import annotations

from uuid import UUID

from snfd.db.port import Transaction


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
