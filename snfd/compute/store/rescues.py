"""Rescue images, and which servers start from one."""

from __future__ import annotations

from collections.abc import Sequence

from snfd.compute.model import RescueImage
from snfd.db.port import Database, Transaction

_COLUMNS = "id, name, path, os_family, os, is_default"


async def listed(db: Database) -> Sequence[RescueImage]:
    """Every rescue image, by name."""
    rows = await db.read(
        f"SELECT {_COLUMNS} FROM compute.rescue_image WHERE NOT deleted ORDER BY name"
    )
    return [RescueImage(*row) for row in rows]


async def insert(tx: Transaction, new: RescueImage) -> int | None:
    """Add a rescue image; its id, or None if the name is taken.

    Where it is the default no other is any more; a deleted one comes back.
    """
    if new.is_default:
        await tx.execute(
            "UPDATE compute.rescue_image SET is_default = false WHERE is_default"
        )
    row = await tx.row(
        "INSERT INTO compute.rescue_image AS r (name, path, os_family, os, is_default) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET "
        "path = EXCLUDED.path, os_family = EXCLUDED.os_family, os = EXCLUDED.os, "
        "is_default = EXCLUDED.is_default, deleted = false WHERE r.deleted "
        "RETURNING r.id",
        (new.name, new.path, new.os_family, new.os, new.is_default),
    )
    return None if row is None else int(row[0])


async def lock(tx: Transaction, name: str) -> int | None:
    """Lock a rescue image; its id, or None."""
    row = await tx.row(
        "SELECT id FROM compute.rescue_image WHERE name = %s AND NOT deleted "
        "FOR UPDATE",
        (name,),
    )
    return None if row is None else int(row[0])


async def held(tx: Transaction, ident: int) -> bool:
    """Whether a rescue image is there, kept from being removed meanwhile."""
    row = await tx.row(
        "SELECT 1 FROM compute.rescue_image WHERE id = %s AND NOT deleted FOR SHARE",
        (ident,),
    )
    return row is not None


async def used(tx: Transaction, ident: int) -> bool:
    """Whether a server starts from it, or soon will."""
    row = await tx.row(
        "SELECT 1 FROM compute.server WHERE rescue_image = %s "
        "AND (rescue OR task = 'RESCUE') AND NOT deleted LIMIT 1",
        (ident,),
    )
    return row is not None


async def remove(tx: Transaction, ident: int) -> None:
    """Mark a locked rescue image deleted."""
    await tx.execute(
        "UPDATE compute.rescue_image SET deleted = true, is_default = false "
        "WHERE id = %s",
        (ident,),
    )


async def hypervisor(tx: Transaction, cluster: int) -> str:
    """The hypervisor of a cluster."""
    row = await tx.row(
        "SELECT hypervisor FROM compute.cluster WHERE id = %s", (cluster,)
    )
    assert row is not None
    return str(row[0])
