"""What clusters tell of builds, as rows."""

from __future__ import annotations

from datetime import datetime

from snfd.db.port import Database, Transaction

KEPT = 100
"""Diagnostics that are kept of a server: the newest."""


async def secret(tx: Transaction, cluster: int) -> bytes | None:
    """The sealed secret of a cluster's nodes, locked; None if there is none yet."""
    row = await tx.row(
        "SELECT report_secret FROM compute.cluster WHERE id = %s FOR NO KEY UPDATE",
        (cluster,),
    )
    return None if row is None else row[0]


async def keep_secret(tx: Transaction, cluster: int, sealed: bytes) -> None:
    """Store the secret of a cluster's nodes."""
    await tx.execute(
        "UPDATE compute.cluster SET report_secret = %s WHERE id = %s",
        (sealed, cluster),
    )


async def judge(db: Database, server: int) -> tuple[int, bytes, bool] | None:
    """A server's cluster, that one's sealed secret, and whether it may report.

    :returns: None if there is no such server, or no secret.
    """
    rows = await db.read(
        "SELECT c.id, c.report_secret, NOT s.deleted "
        "AND (s.state = 'BUILD' OR s.task IS NOT NULL) "
        "FROM compute.server s JOIN compute.cluster c ON c.id = s.cluster "
        "WHERE s.id = %s AND c.report_secret IS NOT NULL",
        (server,),
    )
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


async def advance(tx: Transaction, server: int, percent: int) -> bool:
    """Let a build's progress grow, never shrink; whether it did."""
    return bool(
        await tx.execute(
            "UPDATE compute.server SET progress = %(percent)s WHERE id = %(id)s "
            "AND (state = 'BUILD' OR task IS NOT NULL) AND progress < %(percent)s",
            {"id": server, "percent": percent},
        )
    )


async def note(
    tx: Transaction,
    server: int,
    level: str,
    source: str,
    at: datetime,
    message: str,
    details: str,
) -> None:
    """Keep a message for the server's owner, and only the newest of all."""
    await tx.execute(
        "INSERT INTO compute.diagnostic (server, level, source, source_date, message, "
        "details) VALUES (%s, %s, %s, %s, %s, %s)",
        (server, level, source, at, message, details),
    )
    await tx.execute(
        "DELETE FROM compute.diagnostic WHERE server = %(id)s AND id < (SELECT min(id) "
        "FROM (SELECT id FROM compute.diagnostic WHERE server = %(id)s "
        "ORDER BY id DESC LIMIT %(kept)s) newest)",
        {"id": server, "kept": KEPT},
    )
