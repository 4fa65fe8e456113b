"""SQL for what reconciliation compares and finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from snfd.db.port import Row, Transaction
from snfd.ganeti import names
from snfd.ganeti.model import Card
from snfd.ganeti.reconcile import Finding, Known, Looks

_KNOWN = """
    SELECT s.id, s.state, s.serial_no, s.settled_at, s.task IS NOT NULL, f.cpu, f.ram,
           c.names, c.addresses, c.works
      FROM compute.server s LEFT JOIN compute.flavor f ON f.id = s.flavor
      LEFT JOIN LATERAL (
          SELECT array_agg('snf-nic-' || p.id) AS names,
                 array_agg((SELECT host(i.addr) FROM compute.ip i WHERE i.port = p.id
                             AND NOT i.deleted AND family(i.addr) = 4
                             LIMIT 1)) AS addresses,
                 array_agg(p.state = 'ACTIVE') AS works
            FROM compute.port p WHERE p.server = s.id AND p.state <> 'ERROR'
      ) AS c ON true
     WHERE s.cluster = %s AND NOT s.deleted AND NOT EXISTS (SELECT FROM
           ops.outbox o WHERE o.subject = 'server:' || s.id AND o.finished IS NULL)
     ORDER BY s.id
"""


async def known(tx: Transaction, cluster: int) -> list[Known]:
    """The servers of a cluster that nothing is being done to."""
    return [_known(row) for row in await tx.rows(_KNOWN, (cluster,))]


def _known(row: Row) -> Known:
    cards: dict[Card, bool] = {}
    for name, address, works in zip(*(part or () for part in row[7:10]), strict=True):
        cards[name, address] = works
    subject = names.server_subject(row[0])
    size = None if row[5] is None else (row[5], row[6])
    state, serial, settled, busy = row[1:5]
    return Known(subject, state, serial, settled, size, cards, busy)


async def every(tx: Transaction, cluster: int) -> frozenset[str]:
    """All servers of a cluster that are not deleted."""
    rows = await tx.rows(
        "SELECT id FROM compute.server WHERE cluster = %s AND NOT deleted", (cluster,)
    )
    return frozenset(names.server_subject(row[0]) for row in rows)


async def is_quiet(tx: Transaction, subject: str, settled: datetime | None) -> bool:
    """Whether nothing is being done to a server, nor was settled since a look.

    Its row is locked, so that this stays so until ``tx`` ends.

    :param settled: as `Known.settled`.
    """
    row = await tx.row(
        "SELECT s.settled_at, EXISTS (SELECT FROM ops.outbox o WHERE o.subject = %s"
        " AND o.finished IS NULL) FROM compute.server s WHERE s.id = %s FOR UPDATE",
        (subject, int(subject.partition(":")[2])),
    )
    return row is not None and row[0] == settled and not row[1]


async def record(
    tx: Transaction, cluster: int | None, found: Sequence[Finding]
) -> Mapping[tuple[str, str], Looks]:
    """Note what was found, forget what no longer is.

    :param cluster: None for what concerns no cluster.
    :returns: by subject and kind: how often it was seen in a row.
    """
    rows = await tx.rows(
        "INSERT INTO ops.finding AS f (cluster, subject, kind, detail)"
        " SELECT %s::int, * FROM unnest(%s::text[], %s::text[], %s::text[])"
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
        "DELETE FROM ops.finding f WHERE f.cluster IS NOT DISTINCT FROM %s::int"
        " AND NOT EXISTS (SELECT FROM"
        " unnest(%s::text[], %s::text[]) AS n(subject, kind)"
        " WHERE n.subject = f.subject AND n.kind = f.kind)",
        (cluster, [each.subject for each in found], [each.kind for each in found]),
    )
    return {(row[0], row[1]): Looks(row[2], row[3]) for row in rows}


async def looked(
    tx: Transaction, cluster: int, took: float, counts: Sequence[int]
) -> None:
    """Note that a look at a cluster has ended.

    :param took: seconds since it began.
    :param counts: of servers, networks and findings.
    """
    await tx.execute(
        "INSERT INTO ops.look VALUES (%s, clock_timestamp()"
        " - make_interval(secs => %s), %s, %s, %s) ON CONFLICT (cluster)"
        " DO UPDATE SET (at, servers, networks, findings) = (excluded.at,"
        " excluded.servers, excluded.networks, excluded.findings)",
        (cluster, took, *counts),
    )


async def task(tx: Transaction, subject: str) -> tuple[str, UUID] | None:
    """What a server is said to be doing, and the intent of that; None: nothing."""
    row = await tx.row(
        "SELECT task, task_intent FROM compute.server WHERE id = %s AND NOT deleted",
        (int(subject.partition(":")[2]),),
    )
    return None if row is None or row[0] is None else (row[0], row[1])
