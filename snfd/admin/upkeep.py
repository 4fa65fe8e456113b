"""What reconciliation found, and jobs of clusters, as administrators see them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from attrs import frozen

from snfd.admin import store
from snfd.admin.model import Ask, Fact, Page, Text
from snfd.db.port import Database


class FindingAsk(Ask, frozen=True):
    """Which findings; None: whatever.

    :ivar looks: only what was seen so often in a row.
    """

    backend: Text | None = None
    kind: Text | None = None
    subject: Text | None = None
    looks: int | None = None


class FindingRow(Fact, frozen=True):
    """Something on which rows disagree with a cluster, a pool or a quota.

    :ivar backend: the cluster's name; None where it concerns none.
    :ivar looks: how often in a row it was seen.
    """

    id: int
    backend: str | None
    kind: str
    subject: str
    detail: str
    looks: int
    first_seen: datetime
    last_seen: datetime


JobState = Literal[
    "new", "submitting", "queued", "waiting", "running",
    "success", "error", "canceled", "lost",
]  # fmt: skip


class JobAsk(Ask, frozen=True):
    """Which jobs; None: whatever.

    :ivar open: only those that have not ended, or only those that have.
    """

    backend: Text | None = None
    state: JobState | None = None
    subject: Text | None = None
    kind: Text | None = None
    open: bool | None = None


class JobRow(Fact, frozen=True):
    """Something that a cluster shall do, or did.

    :ivar seq: in the order in which they were wanted.
    :ivar job: Ganeti's number of it, once that is known.
    :ivar actor: who asked; None: the daemon itself.
    """

    id: UUID
    seq: int
    backend: str
    kind: str
    subject: str
    state: str
    job: int | None
    attempts: int
    actor: str | None
    created: datetime
    submitted: datetime | None
    finished: datetime | None
    error: str | None


class JobFacts(Fact, frozen=True):
    """All of a job.

    :ivar request: what the cluster was asked, as JSON; it holds no secret.
    :ivar depends: what must have ended before, besides earlier jobs of its subject.
    :ivar request_id: of the API request that asked for it.
    :ivar giving_up: since when somebody wants it no more.
    """

    id: UUID
    seq: int
    backend: str
    kind: str
    subject: str
    state: str
    job: int | None
    attempts: int
    actor: str | None
    created: datetime
    submitted: datetime | None
    finished: datetime | None
    error: str | None
    request: str
    depends: list[UUID]
    request_id: str | None
    giving_up: datetime | None


_FINDING = """
    SELECT f.id, c.name, f.kind, f.subject, f.detail, f.looks, f.first_seen,
           f.last_seen
      FROM ops.finding f LEFT JOIN compute.cluster c ON c.id = f.cluster
"""

FINDINGS = store.Listing(
    f"""
    {_FINDING}
     WHERE (%(marker)s::bigint IS NULL OR f.id > %(marker)s)
       AND (%(backend)s::text IS NULL OR c.name = %(backend)s
            OR c.id::text = %(backend)s)
       AND (%(kind)s::text IS NULL OR f.kind = %(kind)s)
       AND (%(subject)s::text IS NULL OR f.subject = %(subject)s)
       AND (%(looks)s::int IS NULL OR f.looks >= %(looks)s)
     ORDER BY f.id LIMIT %(most)s
    """,
    FindingRow,
    lambda row: row.id,
)

_JOB = """
    o.id, o.seq, c.name, o.kind, o.subject, o.state, o.job, o.attempts, u.username,
    o.created, o.submitted, o.finished, o.result ->> 'error'
"""
_FROM = """
    FROM ops.outbox o JOIN compute.cluster c ON c.id = o.cluster
    LEFT JOIN identity.app_user u ON u.uuid = o.actor
"""

JOBS = store.Listing(
    f"""
    SELECT {_JOB} {_FROM}
     WHERE (%(marker)s::bigint IS NULL OR o.seq < %(marker)s)
       AND (%(backend)s::text IS NULL OR c.name = %(backend)s
            OR c.id::text = %(backend)s)
       AND (%(state)s::text IS NULL OR o.state = %(state)s)
       AND (%(subject)s::text IS NULL OR o.subject = %(subject)s)
       AND (%(kind)s::text IS NULL OR o.kind = upper(%(kind)s))
       AND (%(open)s::boolean IS NULL OR (o.finished IS NULL) = %(open)s)
     ORDER BY o.seq DESC LIMIT %(most)s
    """,
    JobRow,
    lambda row: row.seq,
)


@frozen(eq=False)
class UpkeepViews:
    """Findings and jobs."""

    db: Database

    async def findings(self, ask: FindingAsk) -> Page[FindingRow]:
        """What disagrees, oldest first."""
        return await store.page(self.db, FINDINGS, ask)

    async def finding(self, ident: int) -> FindingRow:
        """One finding.

        :raises NotFound: there is none of that number any more.
        """
        sql = f"{_FINDING} WHERE f.id = %(wanted)s"
        return FindingRow(*await store.one(self.db, sql, ident, "finding"))

    async def jobs(self, ask: JobAsk) -> Page[JobRow]:
        """What clusters shall do or did, newest first."""
        return await store.page(self.db, JOBS, ask)

    async def job(self, ident: UUID) -> JobFacts:
        """One job.

        :raises NotFound: there is none, or it was long ago.
        """
        sql = (
            f"SELECT {_JOB}, o.request::text, o.depends, o.request_id,"
            f" o.cancel_wanted {_FROM} WHERE o.id = %(wanted)s"
        )
        return JobFacts(*await store.one(self.db, sql, ident, "job"))
