"""What is known of the systems inside servers."""

from __future__ import annotations

from uuid import UUID

from snfd.db.port import Transaction


async def os_name(tx: Transaction, cluster: int) -> str:
    """The OS definition that a cluster makes servers with."""
    row = await tx.row("SELECT os_name FROM compute.cluster WHERE id = %s", (cluster,))
    assert row is not None
    return str(row[0])


async def new_password(tx: Transaction, server: int) -> bytes | None:
    """The sealed document that waits for a server's next start, or None."""
    row = await tx.row(
        "SELECT new_password FROM compute.server WHERE id = %s", (server,)
    )
    return None if row is None or row[0] is None else bytes(row[0])


async def rebuilt(tx: Transaction, server: int, image: UUID, os: str | None) -> None:
    """Note the image that a locked server's first disk starts as anew."""
    await tx.execute(
        "UPDATE compute.server SET image = %s, os = %s, new_password = NULL "
        "WHERE id = %s",
        (image, os, server),
    )
    await tx.execute(
        "UPDATE compute.volume SET source_kind = 'image', source = %s "
        "WHERE server = %s AND idx = 0 AND NOT deleted",
        (image, server),
    )
