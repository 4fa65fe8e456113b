"""Intents: what Ganeti shall do, written in the transaction that wants it.

Once that transaction commits, the dispatcher (`snfd.ganeti.dispatcher`) will
submit the job, even if whoever asked has hung up long ago. Intents of one
subject are submitted in the order in which they were put.
"""

from __future__ import annotations

from collections.abc import Iterable

from snfd.db.port import Jsonb, Row, Transaction, notify
from snfd.errors import Invalid
from snfd.intent import Entry, Intent, State

COLUMNS = (
    "id, cluster, kind, subject, request, ordered, depends, actor, request_id,"
    " seq, state, job, submit_after, attempts, submitted, finished, result"
)


def entry(row: Row) -> Entry:
    """The entry that a row of `COLUMNS` holds."""
    ident, cluster, kind, subject, request, ordered, depends, actor, req = row[:9]
    return Entry(
        Intent(
            ident, cluster, kind, subject, request, ordered, tuple(depends), actor, req
        ),
        row[9],
        State(row[10]),
        *row[11:],
    )


async def put(tx: Transaction, intent: Intent) -> None:
    """Have the cluster do what ``intent`` says once ``tx`` commits.

    Putting the same id again changes nothing.

    :raises Invalid: the kind or the subject is empty.
    """
    if not intent.kind or ":" not in intent.subject:
        raise Invalid(f"no proper intent: {intent.kind!r} for {intent.subject!r}")
    await tx.execute(
        "INSERT INTO ops.outbox (id, cluster, kind, subject, request, ordered,"
        " depends, actor, request_id) VALUES (%s, %s, %s, %s, %s, %s, %s::uuid[],"
        " %s, %s) ON CONFLICT (id) DO NOTHING",
        (
            intent.id,
            intent.cluster,
            str(intent.kind),
            intent.subject,
            Jsonb(intent.request),
            intent.depends_on_subject,
            [str(each) for each in intent.depends],
            intent.actor,
            intent.request_id,
        ),
    )
    await notify(tx, "intent", intent.cluster)


async def open_entries(tx: Transaction, subject: str) -> list[Entry]:
    """The intents of ``subject`` that have not ended, in order."""
    rows = await tx.rows(
        f"SELECT {COLUMNS} FROM ops.outbox WHERE subject = %s AND finished IS NULL"
        " ORDER BY seq",
        (subject,),
    )
    return [entry(row) for row in rows]


async def withdraw(tx: Transaction, subject: str) -> list[Intent]:
    """Cancel the intents of ``subject`` that no cluster has heard of yet.

    What is being submitted, or has been, is left alone.
    """
    rows = await tx.rows(
        "UPDATE ops.outbox SET state = 'canceled', finished = now(),"
        """ result = '{"error": "withdrawn"}'"""
        " WHERE subject = %s AND state = 'new' AND attempts = 0"
        f" RETURNING {COLUMNS}",
        (subject,),
    )
    return [each.intent for each in sorted_by_seq(entry(row) for row in rows)]


async def forget(tx: Transaction, cluster: int) -> None:
    """Forget all intents of a cluster that nobody will ever work on again."""
    await tx.execute("DELETE FROM ops.outbox WHERE cluster = %s", (cluster,))


def sorted_by_seq(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order in which they were put."""
    return sorted(entries, key=lambda each: each.seq)
