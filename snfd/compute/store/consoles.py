"""Console tickets and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from snfd.db.port import Database, Row, Statement, Transaction
from snfd.network.scope import Scope


async def endpoint(db: Database, scope: Scope, server: int) -> Row | None:
    """Project, state, suspended, crashed, host and port of a screen, or None."""
    rows = await db.read(
        "SELECT s.project, s.state, s.suspended, s.crashed, s.console_host, "
        "s.console_port FROM compute.server s WHERE s.id = %(id)s AND NOT s.deleted "
        f"AND {scope.clause('s')}",
        {"id": server, **scope.params},
    )
    return rows[0] if rows else None


async def issue(tx: Transaction, values: Mapping[str, object]) -> None:
    """Store a ticket, and forget those that were never used in time."""
    await tx.execute(
        "DELETE FROM compute.console_session WHERE owner = %(owner)s "
        "AND used_at IS NULL AND expires < %(now)s",
        values,
    )
    await tx.execute(
        "INSERT INTO compute.console_session (id, ticket_hash, server, owner, "
        "token_hash, host, port, kind, password, expires) VALUES (%(id)s, %(hash)s, "
        "%(server)s, %(owner)s, %(token_hash)s, %(host)s, %(port)s, %(kind)s, "
        "%(password)s, %(expires)s)",
        values,
    )


async def redeem(
    tx: Transaction, ticket_hash: bytes, now: datetime, peer: str
) -> Row | None:
    """Use a ticket up; None if it is not good (any more).

    :returns: session, server, owner, token's hash, host, port, sealed password,
        and the server's owner and project.
    """
    return await tx.row(
        "UPDATE compute.console_session c SET used_at = %(now)s, "
        "peer = %(peer)s::inet FROM compute.server s WHERE c.ticket_hash = %(hash)s "
        "AND c.used_at IS NULL AND c.expires > %(now)s AND s.id = c.server "
        "AND s.state = 'STARTED' AND NOT s.suspended AND NOT s.crashed "
        "RETURNING c.id, c.server, c.owner, c.token_hash, c.host, c.port, "
        "c.password, s.owner, s.project",
        {"now": now, "peer": peer, "hash": ticket_hash},
    )


OPEN = Statement(
    "compute_console_open",
    "SELECT c.token_hash, s.owner, s.project FROM compute.console_session c "
    "JOIN compute.server s ON s.id = c.server WHERE c.id = $1 "
    "AND c.closed_at IS NULL AND s.state = 'STARTED' AND NOT s.suspended "
    "AND NOT s.crashed AND (s.console_host, s.console_port) = (c.host, c.port)",
)
"""A session that its server allows: the API token's hash, the server's owner
and project; else no row."""


async def end(
    tx: Transaction, session: UUID, now: datetime, to_server: int, to_client: int
) -> None:
    """Note that a session ended, and how many bytes it moved."""
    await tx.execute(
        "UPDATE compute.console_session SET closed_at = %s, to_server = %s, "
        "to_client = %s WHERE id = %s AND closed_at IS NULL",
        (now, to_server, to_client, session),
    )
