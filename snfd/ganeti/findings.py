"""SQL for what reconciliation compares and finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from snfd.db.port import Transaction
from snfd.ganeti import names
from snfd.ganeti.reconcile import Finding, Known, Looks


async def known(tx: Transaction, cluster: int) -> list[Known]:
    """The servers of a cluster that nothing is being done to."""
    rows = await tx.rows(
        "SELECT s.id, s.state, s.serial_no FROM compute.server s"
        " WHERE s.cluster = %s AND NOT s.deleted AND NOT EXISTS (SELECT FROM"
        "  ops.outbox o WHERE o.subject = 'server:' || s.id AND o.finished IS NULL)"
        " ORDER BY s.id",
        (cluster,),
    )
    return [Known(names.server_subject(row[0]), row[1], row[2]) for row in rows]


async def every(tx: Transaction, cluster: int) -> frozenset[str]:
    """All servers of a cluster that are not deleted."""
    rows = await tx.rows(
        "SELECT id FROM compute.server WHERE cluster = %s AND NOT deleted", (cluster,)
    )
    return frozenset(names.server_subject(row[0]) for row in rows)


async def record(
    tx: Transaction, cluster: int, found: Sequence[Finding]
) -> Mapping[tuple[str, str], Looks]:
    """Note what was found, forget what no longer is.

    :returns: by subject and kind: how often it was seen in a row.
    """
    rows = await tx.rows(
        "INSERT INTO ops.finding AS f (cluster, subject, kind, detail)"
        " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[])"
        " ON CONFLICT (cluster, subject, kind) DO UPDATE SET looks = f.looks + 1,"
        " detail = excluded.detail, last_seen = now()"
        " RETURNING subject, kind, looks,"
        " extract(epoch FROM now() - first_seen)::float8",
        (
            cluster,
            [each.subject for each in found],
            [each.kind for each in found],
            [each.detail for each in found],
        ),
    )
    await tx.execute(
        "DELETE FROM ops.finding f WHERE f.cluster = %s AND NOT EXISTS (SELECT FROM"
        " unnest(%s::text[], %s::text[]) AS n(subject, kind)"
        " WHERE n.subject = f.subject AND n.kind = f.kind)",
        (cluster, [each.subject for each in found], [each.kind for each in found]),
    )
    return {(row[0], row[1]): Looks(row[2], row[3]) for row in rows}
