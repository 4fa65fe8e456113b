"""How intents move through the outbox: the dispatcher's and follower's SQL.

Each function is for a transaction that has checked the cluster's lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import frozen

from snfd.db.port import Jsonb, Transaction, notify
from snfd.ganeti.verdict import Verdict
from snfd.intent import Entry, State
from snfd.outbox import COLUMNS, entry, sorted_by_seq

_UNSENT = "('new', 'submitting')"


@frozen
class Claim:
    """An intent to submit now.

    :ivar jobs: those that its job must wait for.
    :ivar named: those of them that it depends on by name.
    """

    entry: Entry
    jobs: tuple[int, ...]
    named: frozenset[int] = frozenset()


async def claim(tx: Transaction, cluster: int, seen: int, most: int) -> list[Claim]:
    """Mark up to ``most`` due intents as being submitted, in order.

    Due is what no earlier intent of its subject, nor one it depends on, must
    be submitted before. A reinstallation takes no dependencies: it is due when
    all earlier ones of its subject have ended.

    :param seen: the highest job id seen: the new jobs' ids will be higher.
    """
    rows = await tx.rows(
        "UPDATE ops.outbox SET state = 'submitting', submit_after = %s,"
        " attempts = attempts + 1, submitted = now() WHERE id IN ("
        "  SELECT o.id FROM ops.outbox o WHERE o.cluster = %s AND o.state = 'new'"
        "  AND NOT (o.ordered AND EXISTS (SELECT FROM ops.outbox e"
        "   WHERE e.cluster = o.cluster AND e.subject = o.subject AND e.seq < o.seq"
        f"   AND e.state IN {_UNSENT}))"
        "  AND NOT EXISTS (SELECT FROM ops.outbox d WHERE d.id = ANY (o.depends)"
        f"   AND d.state IN {_UNSENT})"
        "  AND NOT (o.kind = 'OP_INSTANCE_REINSTALL' AND EXISTS (SELECT FROM"
        "   ops.outbox e WHERE e.cluster = o.cluster AND e.subject = o.subject"
        "   AND e.seq < o.seq AND e.finished IS NULL))"
        "  ORDER BY o.seq LIMIT %s FOR UPDATE SKIP LOCKED)"
        f" RETURNING {COLUMNS}",
        (seen, cluster, most),
    )
    entries = sorted_by_seq(entry(row) for row in rows)
    waits = await _jobs_before(tx, [each.intent.id for each in entries])
    return [Claim(each, *waits.get(each.intent.id, ((),))) for each in entries]


async def _jobs_before(
    tx: Transaction, idents: Sequence[UUID]
) -> Mapping[UUID, tuple[tuple[int, ...], frozenset[int]]]:
    if not idents:
        return {}
    rows = await tx.rows(
        "SELECT o.id, array_agg(e.job ORDER BY e.job),"
        " array_agg(e.job) FILTER (WHERE e.id = ANY (o.depends)) FROM ops.outbox o"
        " JOIN ops.outbox e ON e.cluster = o.cluster AND e.finished IS NULL"
        "  AND e.job IS NOT NULL AND (e.id = ANY (o.depends)"
        "   OR (o.ordered AND e.subject = o.subject AND e.seq < o.seq))"
        " WHERE o.id = ANY (%s::uuid[]) GROUP BY o.id",
        ([str(ident) for ident in idents],),
    )
    return {row[0]: (tuple(row[1]), frozenset(row[2] or ())) for row in rows}


async def release(tx: Transaction, ident: UUID, tried: bool) -> None:
    """Make an intent that has no job due again.

    :param tried: whether the cluster may have heard of it.
    """
    await tx.execute(
        "UPDATE ops.outbox SET state = 'new', attempts = attempts - %s"
        " WHERE id = %s AND state = 'submitting' AND job IS NULL",
        (0 if tried else 1, ident),
    )


async def assign(tx: Transaction, ident: UUID, job: int) -> bool:
    """Note an intent's job; whether that is its job now."""
    changed = await tx.execute(
        "UPDATE ops.outbox SET job = %s, state = 'queued'"
        " WHERE id = %s AND state = 'submitting' AND job IS NULL",
        (job, ident),
    )
    if changed:
        return True
    row = await tx.row("SELECT job FROM ops.outbox WHERE id = %s", (ident,))
    return row is not None and row[0] == job


async def progress(tx: Transaction, states: Mapping[UUID, State]) -> None:
    """Note how far the jobs of unfinished intents have come."""
    await tx.execute(
        "UPDATE ops.outbox o SET state = n.state FROM"
        " unnest(%s::uuid[], %s::text[]) AS n(id, state)"
        " WHERE o.id = n.id AND o.finished IS NULL AND o.job IS NOT NULL",
        ([str(ident) for ident in states], [str(each) for each in states.values()]),
    )


async def lock(tx: Transaction, ident: UUID) -> Entry | None:
    """The intent, locked; None if it is unknown or has ended."""
    row = await tx.row(
        f"SELECT {COLUMNS} FROM ops.outbox WHERE id = %s AND finished IS NULL"
        " FOR UPDATE",
        (ident,),
    )
    return entry(row) if row else None


async def finish(
    tx: Transaction, ident: UUID, verdict: Verdict, result: object
) -> None:
    """End an intent.

    :param result: what its job returned; kept on success.
    """
    failed = verdict.error != ""
    await tx.execute(
        "UPDATE ops.outbox SET state = %s, result = %s, finished = clock_timestamp()"
        " WHERE id = %s AND finished IS NULL",
        (
            str(verdict.state),
            Jsonb({"error": verdict.error} if failed else {"result": result}),
            ident,
        ),
    )


async def requeue(
    tx: Transaction, cluster: int, ident: UUID, request: Mapping[str, Any]
) -> None:
    """Have an intent submitted once more, with another request."""
    await tx.execute(
        "UPDATE ops.outbox SET state = 'new', job = NULL, request = %s"
        " WHERE id = %s AND finished IS NULL",
        (Jsonb(request), ident),
    )
    await notify(tx, "intent", cluster)


async def unsure(tx: Transaction, cluster: int) -> list[Entry]:
    """Intents that were being submitted when nobody noted the answer."""
    return await _open(tx, cluster, "state = 'submitting'")


async def followed(tx: Transaction, cluster: int) -> list[Entry]:
    """Intents whose jobs have not ended."""
    return await _open(tx, cluster, "job IS NOT NULL")


async def unwanted(tx: Transaction, cluster: int) -> list[Entry]:
    """Intents that have not ended, and that somebody wants to be given up."""
    return await _open(tx, cluster, "cancel_wanted IS NOT NULL")


async def told(tx: Transaction, ident: UUID) -> None:
    """Note that the cluster heard that an intent is to be given up."""
    await tx.execute(
        "UPDATE ops.outbox SET cancel_wanted = NULL WHERE id = %s", (ident,)
    )


async def _open(tx: Transaction, cluster: int, which: str) -> list[Entry]:
    rows = await tx.rows(
        f"SELECT {COLUMNS} FROM ops.outbox WHERE cluster = %s AND finished IS NULL"
        f" AND {which} ORDER BY seq",
        (cluster,),
    )
    return [entry(row) for row in rows]


async def entries(tx: Transaction, idents: Sequence[UUID]) -> list[Entry]:
    """The named intents that have not ended, in order."""
    rows = await tx.rows(
        f"SELECT {COLUMNS} FROM ops.outbox WHERE id = ANY (%s::uuid[])"
        " AND finished IS NULL ORDER BY seq",
        ([str(ident) for ident in idents],),
    )
    return [entry(row) for row in rows]


async def prune(tx: Transaction, cluster: int, days: int, most: int = 1000) -> int:
    """Forget up to ``most`` intents that ended ``days`` ago; how many."""
    return await tx.execute(
        "DELETE FROM ops.outbox WHERE id IN (SELECT id FROM ops.outbox"
        " WHERE cluster = %s AND finished < now() - make_interval(days => %s)"
        " LIMIT %s)",
        (cluster, days, most),
    )
