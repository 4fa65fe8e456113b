"""SQL of groups."""

from __future__ import annotations

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
