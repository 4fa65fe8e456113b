"""Hand-offs to clusters, and stored login passwords."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction


@frozen
class Handoff:
    """Something that a cluster may fetch.

    :ivar image: of the server; None where it has none.
    :ivar sealed: the document, or None where the image is meant.
    """

    id: int
    server: int
    image: UUID | None
    sealed: bytes | None


async def offer(
    tx: Transaction, server: int, purpose: str, expires: datetime, sealed: bytes | None
) -> None:
    """Have something ready for the cluster; it has no token yet."""
    await tx.execute(
        "INSERT INTO compute.handoff (server, purpose, sealed, expires) "
        "VALUES (%s, %s, %s, %s)",
        (server, purpose, sealed, expires),
    )


async def arm(
    tx: Transaction, server: int, purpose: str, token_hash: bytes, expires: datetime
) -> bool:
    """Give a hand-off a (new) token; False if there is nothing to hand off."""
    return bool(
        await tx.execute(
            "UPDATE compute.handoff SET token_hash = %s, expires = %s, "
            "attempts = 0, done_at = NULL WHERE server = %s AND purpose = %s",
            (token_hash, expires, server, purpose),
        )
    )


async def claim(
    tx: Transaction, purpose: str, token_hash: bytes, now: datetime, most: int
) -> Handoff | None:
    """Begin a transfer; None if the token is not good (any more).

    :param most: transfers that one token may begin.
    """
    row = await tx.row(
        "UPDATE compute.handoff h SET attempts = attempts + 1 "
        "FROM compute.server s WHERE s.id = h.server AND h.token_hash = %(hash)s "
        "AND h.purpose = %(purpose)s AND h.expires > %(now)s AND h.done_at IS NULL "
        "AND h.attempts < %(most)s RETURNING h.id, h.server, s.image, h.sealed",
        {"now": now, "hash": token_hash, "purpose": purpose, "most": most},
    )
    return None if row is None else Handoff(*row)


async def done(tx: Transaction, ident: int, at: datetime) -> None:
    """Note that a transfer is complete: its token is used up."""
    await tx.execute(
        "UPDATE compute.handoff SET done_at = %s WHERE id = %s", (at, ident)
    )


async def take(
    tx: Transaction, purpose: str, token_hash: bytes, now: datetime
) -> Handoff | None:
    """Use a token up at once; None if it is not good (any more)."""
    found = await claim(tx, purpose, token_hash, now, 1)
    if found is not None:
        await done(tx, found.id, now)
    return found


async def keep_password(tx: Transaction, server: int, sealed: bytes) -> None:
    """Store a server's sealed login password."""
    await tx.execute(
        "INSERT INTO compute.server_password (server, sealed) VALUES (%s, %s)",
        (server, sealed),
    )


async def password(db: Database, server: int) -> bytes | None:
    """A server's sealed login password, or None."""
    rows = await db.read(
        "SELECT sealed FROM compute.server_password WHERE server = %s", (server,)
    )
    return rows[0][0] if rows else None


async def drop_password(tx: Transaction, server: int) -> bool:
    """Forget a server's password; False if none was kept."""
    return bool(
        await tx.execute(
            "DELETE FROM compute.server_password WHERE server = %s", (server,)
        )
    )
