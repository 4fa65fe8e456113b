"""SQL of commissions and their provisions (schema ``quota``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from snfd.db.port import Row, Statement, Transaction
from snfd.quota.model import Commission, Key, Provisions, Settled
from snfd.quota.store import NIL, columns

PENDING = Statement(
    "quota_pending",
    """
    SELECT serial FROM quota.commission
     WHERE clientkey = $1 AND serial > $2 ORDER BY serial LIMIT $3
    """,
)
"""Serials of a client's pending commissions: (clientkey, after, most)."""

ONE = Statement(
    "quota_commission",
    """
    SELECT c.serial, c.clientkey, c.name, c.issued_at,
           p.project_id, p.member, p.resource, p.quantity
      FROM quota.commission c LEFT JOIN quota.provision p USING (serial)
     WHERE c.serial = $1 AND ($2::text IS NULL OR c.clientkey = $2)
     ORDER BY p.position, p.project_id, p.member, p.resource
    """,
)
"""One pending commission: (serial, clientkey or None) → rows for `commission`."""

OTHERS = Statement(
    "quota_of_other_components",
    """
    SELECT r.name FROM quota.resource r
     WHERE NOT EXISTS (SELECT 1 FROM identity.service s
                        WHERE s.name = r.service_origin AND s.component_id = $1)
    """,
)
"""Resources that a component does not account for: (component) → names."""


def commission(rows: Sequence[Row]) -> Commission:
    """The commission in the rows of `ONE`, of which there is at least one."""
    parts = {Key(*row[4:7]): row[7] for row in rows if row[4] is not None}
    serial, clientkey, name, issued = rows[0][:4]
    return Commission(serial, clientkey, name, issued, parts)


async def insert(
    tx: Transaction, clientkey: str, name: str, ref: UUID | None, parts: Provisions
) -> int:
    """Record a commission whose holdings are locked and charged; its serial.

    :raises Conflict: (at the database's door) ``ref`` has one already.
    """
    row = await tx.row(
        f"""
        WITH made AS (
            INSERT INTO quota.commission (clientkey, name, ref)
            VALUES (%(clientkey)s, %(name)s, %(ref)s) RETURNING serial
        ), parts AS (
            INSERT INTO quota.provision
                   (serial, project_id, user_id, resource, quantity, position)
            SELECT made.serial, k.project,
                   nullif(k.member, {NIL}),
                   k.resource, k.quantity, k.position
              FROM made, unnest(%(projects)s::uuid[], %(members)s::uuid[],
                                %(resources)s::text[], %(quantities)s::bigint[])
                         WITH ORDINALITY
                         AS k (project, member, resource, quantity, position)
        )
        SELECT serial FROM made
        """,
        {
            **columns(parts),
            "clientkey": clientkey,
            "name": name,
            "ref": ref,
            "quantities": list(parts.values()),
        },
    )
    assert row is not None
    serial: int = row[0]
    return serial


async def next_serial(tx: Transaction) -> tuple[int, datetime]:
    """A serial for a commission that is settled at once, and its time."""
    row = await tx.row(
        "SELECT nextval(pg_get_serial_sequence('quota.commission', 'serial')), now()"
    )
    assert row is not None
    return row[0], row[1]


async def serial_of(tx: Transaction, ref: UUID) -> int | None:
    """The pending commission that ``ref`` waits for, or None."""
    row = await tx.row("SELECT serial FROM quota.commission WHERE ref = %s", (ref,))
    return None if row is None else row[0]


async def take(
    tx: Transaction, serials: Iterable[int], clientkey: str | None = None
) -> list[Commission]:
    """Lock and read pending commissions, in ascending order.

    Those that are resolved are missing.

    :param clientkey: only those of this client; None for any.
    """
    heads = await tx.rows(
        "SELECT serial, clientkey, name, issued_at FROM quota.commission"
        " WHERE serial = ANY(%s::bigint[]) AND (%s::text IS NULL OR clientkey = %s)"
        " ORDER BY serial FOR UPDATE",
        (sorted(set(serials)), clientkey, clientkey),
    )
    if not heads:
        return []
    rows = await tx.rows(
        "SELECT serial, project_id, member, resource, quantity FROM quota.provision"
        " WHERE serial = ANY(%s::bigint[]) ORDER BY serial, position",
        ([head[0] for head in heads],),
    )
    parts: dict[int, dict[Key, int]] = {head[0]: {} for head in heads}
    for serial, project, member, resource, quantity in rows:
        parts[serial][Key(project, member, resource)] = quantity
    return [
        Commission(serial, client, name, issued, parts[serial])
        for serial, client, name, issued in heads
    ]


async def resolve(
    tx: Transaction, serials: Sequence[int], settled: Sequence[Settled]
) -> None:
    """Remove commissions, and log what became of their provisions."""
    await tx.execute(
        f"""
        WITH gone AS (
            DELETE FROM quota.commission WHERE serial = ANY(%(gone)s::bigint[]))
        INSERT INTO quota.provision_log (serial, clientkey, name, project_id, user_id,
            resource, cap, usage_min, usage_max, delta, issued_at, reason)
        SELECT k.serial, k.clientkey, k.name, k.project,
               nullif(k.member, {NIL}),
               k.resource, k.cap, k.low, k.high, k.delta, k.issued, k.reason
          FROM unnest(%(serials)s::bigint[], %(clients)s::text[], %(names)s::text[],
                      %(projects)s::uuid[], %(members)s::uuid[], %(resources)s::text[],
                      %(caps)s::bigint[], %(low)s::bigint[], %(high)s::bigint[],
                      %(deltas)s::bigint[], %(issued)s::timestamptz[],
                      %(reasons)s::text[])
               AS k (serial, clientkey, name, project, member, resource, cap, low,
                     high, delta, issued, reason)
        """,
        {
            "gone": list(serials),
            **columns(one.holding.key for one in settled),
            **_logged(settled),
        },
    )


async def purge(tx: Transaction, before: datetime, limit: int) -> int:
    """Remove what was logged before; how many rows, ``limit`` at most."""
    return await tx.execute(
        "DELETE FROM quota.provision_log WHERE id IN (SELECT id"
        " FROM quota.provision_log WHERE logged_at < %s ORDER BY logged_at LIMIT %s)",
        (before, limit),
    )


_LOGGED: dict[str, Callable[[Settled], object]] = {
    "serials": lambda one: one.commission.serial,
    "clients": lambda one: one.commission.clientkey,
    "names": lambda one: one.commission.name,
    "issued": lambda one: one.commission.issued,
    "reasons": lambda one: f"{one.why}:{one.commission.name}"[:128],
    "caps": lambda one: one.holding.cap,
    "low": lambda one: one.holding.usage_min,
    "high": lambda one: one.holding.usage_max,
    "deltas": lambda one: one.delta,
}


def _logged(settled: Sequence[Settled]) -> dict[str, object]:
    return {name: [read(one) for one in settled] for name, read in _LOGGED.items()}
