"""Hand-offs to clusters, and stored login passwords."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction


@frozen
class Place:
    """A server whose cluster fetches something.

    :ivar name: what its owner calls it.
    """

    server: int
    name: str
    cluster: int
    os_name: str


async def offer(
    tx: Transaction, server: int, purpose: str, expires: datetime, sealed: bytes | None
) -> None:
    """Have something ready for the cluster, instead of what was; without a token.

    :param sealed: the document, or None where the image is meant.
    """
    await tx.execute(
        "INSERT INTO compute.handoff AS h (server, purpose, sealed, expires) "
        "VALUES (%s, %s, %s, %s) ON CONFLICT (server, purpose) DO UPDATE SET "
        "sealed = EXCLUDED.sealed, expires = EXCLUDED.expires, token_hash = NULL, "
        "attempts = 0, done_at = NULL",
        (server, purpose, sealed, expires),
    )


async def withdraw(tx: Transaction, server: int, purpose: str) -> None:
    """Have something ready no longer."""
    await tx.execute(
        "DELETE FROM compute.handoff WHERE server = %s AND purpose = %s",
        (server, purpose),
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


_GOOD = (
    "s.id = h.server AND c.id = s.cluster AND h.token_hash = %(hash)s "
    "AND h.purpose = %(purpose)s AND h.expires > %(now)s AND h.done_at IS NULL "
    "AND (c.handoff_from = '{}' OR %(peer)s::inet <<= ANY (c.handoff_from))"
)


async def claim(
    tx: Transaction, token_hash: bytes, peer: str | None, now: datetime, most: int
) -> tuple[int, int, UUID] | None:
    """Begin a transfer of an image: the hand-off, the server and the image.

    :param peer: address that asks.
    :param most: transfers that one token may begin.
    :returns: None if the token is not good (any more).
    """
    row = await tx.row(
        "UPDATE compute.handoff h SET attempts = attempts + 1 "
        f"FROM compute.server s, compute.cluster c WHERE {_GOOD} "
        "AND h.attempts < %(most)s AND s.image IS NOT NULL "
        "RETURNING h.id, h.server, s.image",
        {"now": now, "hash": token_hash, "purpose": "image", "peer": peer,
         "most": most},
    )  # fmt: skip
    return None if row is None else (row[0], row[1], row[2])


async def done(tx: Transaction, ident: int, at: datetime) -> None:
    """Note that a transfer is complete: its token is used up."""
    await tx.execute(
        "UPDATE compute.handoff SET done_at = %s WHERE id = %s", (at, ident)
    )


async def take(
    tx: Transaction, token_hash: bytes, peer: str | None, now: datetime
) -> tuple[Place, bytes] | None:
    """Take a sealed document away; None if the token is not good (any more)."""
    row = await tx.row(
        "DELETE FROM compute.handoff h USING compute.server s, compute.cluster c "
        f"WHERE {_GOOD} AND h.sealed IS NOT NULL "
        "RETURNING h.server, s.name, c.id, c.os_name, h.sealed",
        {"now": now, "hash": token_hash, "purpose": "params", "peer": peer},
    )
    return None if row is None else (Place(*row[:4]), row[4])


async def purge(tx: Transaction, before: datetime, limit: int) -> int:
    """Drop hand-offs that expired before then; how many."""
    return await tx.execute(
        "DELETE FROM compute.handoff WHERE id IN (SELECT id FROM compute.handoff "
        "WHERE expires < %s ORDER BY expires LIMIT %s FOR UPDATE SKIP LOCKED)",
        (before, limit),
    )


async def allow(tx: Transaction, cluster: int, networks: Sequence[str]) -> None:
    """Set where a cluster's hand-offs may be fetched from."""
    await tx.execute(
        "UPDATE compute.cluster SET handoff_from = %s::cidr[] WHERE id = %s",
        (list(networks), cluster),
    )


async def allowed(tx: Transaction, cluster: int) -> list[str]:
    """Where a cluster's hand-offs may be fetched from; empty: from anywhere."""
    row = await tx.row(
        "SELECT handoff_from::text[] FROM compute.cluster WHERE id = %s", (cluster,)
    )
    return [] if row is None else list(row[0])


async def keep_password(tx: Transaction, server: int, sealed: bytes) -> None:
    """Store a server's sealed login password, instead of what was."""
    await tx.execute(
        "INSERT INTO compute.server_password (server, sealed) VALUES (%s, %s) "
        "ON CONFLICT (server) DO UPDATE SET sealed = EXCLUDED.sealed",
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
