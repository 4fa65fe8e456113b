"""SQL of failed logins (``identity.login_failure``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from snfd.db.port import Row, Statement, Transaction

FAILURES = Statement(
    "identity_login_failures",
    "SELECT subject, since, failures FROM identity.login_failure"
    " WHERE (subject = $1 OR subject = $2) AND since > $3",
)
"""Counts that still run: (subject, subject, start of the window) → rows."""


@frozen
class Count:
    """Failures of one subject since the first of them."""

    since: datetime
    failures: int


def counts(rows: Sequence[Row]) -> dict[bytes, Count]:
    """What rows of `FAILURES` say, by subject."""
    return {bytes(subject): Count(since, n) for subject, since, n in rows}


async def count(
    tx: Transaction, subjects: Sequence[bytes], now: datetime, start: datetime
) -> Mapping[bytes, Count]:
    """One more failure of each of ``subjects``.

    :param start: counts that began earlier begin anew.
    """
    rows = await tx.rows(
        """
        INSERT INTO identity.login_failure AS f (subject, since, failures)
        SELECT s, %(now)s, 1 FROM unnest(%(subjects)s::bytea[]) AS s ORDER BY s
        ON CONFLICT (subject) DO UPDATE
           SET failures = CASE WHEN f.since > %(start)s THEN f.failures + 1 ELSE 1 END,
               since = CASE WHEN f.since > %(start)s THEN f.since
                       ELSE excluded.since END
        RETURNING subject, since, failures
        """,
        {"subjects": list(subjects), "now": now, "start": start},
    )
    return counts(rows)


async def told_lately(tx: Transaction, most: int) -> bool:
    """Whether the audit trail got ``most`` failed logins in the last minute."""
    row = await tx.row(
        "SELECT count(*) FROM (SELECT 1 FROM ops.audit"
        " WHERE at > now() - interval '1 minute'"
        " AND action IN ('login.failed', 'login.throttled') LIMIT %s) AS lately",
        (most,),
    )
    return row is not None and row[0] >= most


async def purge(tx: Transaction, before: datetime, most: int) -> int:
    """Remove up to ``most`` counts that began ``before``; how many it were."""
    return await tx.execute(
        """
        DELETE FROM identity.login_failure WHERE subject IN (
            SELECT subject FROM identity.login_failure WHERE since < %s
             ORDER BY since LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (before, most),
    )
