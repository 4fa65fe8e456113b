"""SQL for what administrators have put right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction


@frozen
class Found:
    """A finding that may be put right.

    :ivar cluster: None where it concerns none.
    """

    id: int
    cluster: int | None
    kind: str
    subject: str
    detail: str


async def clusters(tx: Transaction, backend: str | None) -> Sequence[int]:
    """Ids of clusters that are not offline.

    :param backend: name or id of the only one; None for all.
    """
    rows = await tx.rows(
        "SELECT id FROM compute.cluster WHERE NOT offline AND (%(one)s::text IS NULL"
        " OR name = %(one)s OR id::text = %(one)s) ORDER BY id",
        {"one": backend},
    )
    return [row[0] for row in rows]


async def were_looked_at(
    tx: Transaction, wanted: Sequence[int], since: datetime
) -> bool:
    """Whether all of the clusters that answer were looked at."""
    row = await tx.row(
        "SELECT 1 FROM compute.cluster c LEFT JOIN ops.look l ON l.cluster = c.id"
        " WHERE c.id = ANY (%s::int[]) AND c.reachable"
        " AND (l.at IS NULL OR l.at < %s) LIMIT 1",
        (list(wanted), since),
    )
    return row is None


async def found(
    tx: Transaction,
    wanted: Sequence[int] | None,
    kinds: Sequence[str],
    age: float,
    most: int,
) -> Sequence[Found]:
    """Findings of these kinds, oldest first.

    :param wanted: ids of clusters; None for what concerns no cluster.
    :param age: seconds between their first look and the last; more than one look
        unless it is 0.
    """
    rows = await tx.rows(
        "SELECT id, cluster, kind, subject, detail FROM ops.finding"
        " WHERE kind = ANY (%(kinds)s::text[]) AND CASE WHEN %(none)s"
        " THEN cluster IS NULL ELSE cluster = ANY (%(wanted)s::int[]) END"
        " AND (%(age)s = 0 OR (looks >= 2"
        " AND last_seen - first_seen >= make_interval(secs => %(age)s)))"
        " ORDER BY id LIMIT %(most)s",
        {
            "kinds": [str(kind) for kind in kinds],
            "none": wanted is None,
            "wanted": list(wanted or ()),
            "age": age,
            "most": most,
        },
    )
    return [Found(*row) for row in rows]


async def settled(tx: Transaction, server: int) -> tuple[datetime | None, str]:
    """When what was last settled of a server had happened, and its state."""
    row = await tx.row(
        "SELECT settled_at, state FROM compute.server WHERE id = %s", (server,)
    )
    return (row[0], row[1]) if row else (None, "DESTROYED")


def after(moment: datetime) -> datetime:
    """The moment after."""
    return moment + timedelta(microseconds=1)


async def give_up(tx: Transaction, ident: UUID) -> str | None:
    """Note that an intent is to be given up.

    :returns: the state in which it has ended, empty if it has not; None: there is
        none.
    """
    row = await tx.row(
        "SELECT CASE WHEN finished IS NULL THEN '' ELSE state END FROM ops.outbox"
        " WHERE id = %s FOR UPDATE",
        (ident,),
    )
    if row is not None and not row[0]:
        await tx.execute(
            "UPDATE ops.outbox SET cancel_wanted = clock_timestamp() WHERE id = %s",
            (ident,),
        )
    return None if row is None else str(row[0])
