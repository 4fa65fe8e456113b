"""Groups: names that give their members rights."""

from __future__ import annotations

from snfd.db.port import Transaction


async def addresses(tx: Transaction, group: str, limit: int) -> tuple[str, ...]:
    """E-mail addresses of a group's active members, oldest account first."""
    rows = await tx.rows(
        "SELECT u.email FROM identity.user_group g"
        " JOIN identity.user_group_member m ON m.group_id = g.id"
        " JOIN identity.app_user u ON u.uuid = m.user_id"
        " WHERE g.name = %s AND u.is_active ORDER BY u.number LIMIT %s",
        (group, limit),
    )
    return tuple(row[0] for row in rows)
