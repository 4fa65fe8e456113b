"""Intents: what Ganeti shall do, written in the transaction that wants it.

Once that transaction commits, the dispatcher (`snfd.ganeti.dispatcher`) will
submit the job, even if whoever asked has hung up long ago. Intents of one
subject are submitted in the order in which they were put.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Jsonb, Row, Transaction, notify
from snfd.errors import Invalid


class State(StrEnum):
    """Where an intent is on its way; the last four are final."""

    NEW = "new"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    CANCELED = "canceled"
    LOST = "lost"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self in FINAL


FINAL = frozenset({State.SUCCESS, State.ERROR, State.CANCELED, State.LOST})


@frozen
class Intent:
    """Something that a cluster shall do.

    :ivar kind: the opcode, a `snfd.ganeti.model.Kind`.
    :ivar subject: what it is done to, ``server:42`` or ``network:5``.
    :ivar request: `snfd.ganeti.requests.Request.stored`; holds no secret.
    :ivar depends_on_subject: wait for the subject's earlier jobs to end, in
        whatever way.
    :ivar depends: further intents whose jobs must have ended before, in
        whatever way; of the same cluster.
    :ivar actor: user who asked, or None for the daemon itself.
    :ivar request_id: of the API request that asked, or None.
    """

    id: UUID
    cluster: int
    kind: str
    subject: str
    request: Mapping[str, Any]
    depends_on_subject: bool = True
    depends: tuple[UUID, ...] = ()
    actor: UUID | None = None
    request_id: str | None = None


@frozen
class Entry:
    """An intent as it stands in the outbox.

    :ivar seq: position among all intents.
    :ivar job: id of its job, None before it is known.
    :ivar submit_after: highest job id seen before it was first submitted:
        its own is higher.
    :ivar submitted: when it was last claimed.
    :ivar result: what became of it: ``{"error": text}`` or the job's result.
    """

    intent: Intent
    seq: int
    state: State
    job: int | None
    submit_after: int | None
    attempts: int
    submitted: datetime | None = None
    finished: datetime | None = None
    result: Any = field(default=None)


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


def sorted_by_seq(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order in which they were put."""
    return sorted(entries, key=lambda each: each.seq)
