"""SQL of what users spend of their allowances.

It stands beside failed logins (``identity.login_failure``), which are counted
and forgotten in the same way.
"""

from __future__ import annotations

from datetime import datetime

from snfd.db.port import Transaction
from snfd.identity.throttle_store import Count


async def spend(
    tx: Transaction, subject: bytes, amount: int, now: datetime, start: datetime
) -> Count:
    """Add ``amount`` to what was spent.

    :param subject: sha256 of what and whose it is.
    :param start: counts that began earlier begin anew.
    """
    row = await tx.row(
        """
        INSERT INTO identity.login_failure AS f (subject, since, failures)
        VALUES (%(subject)s, %(now)s, %(amount)s)
        ON CONFLICT (subject) DO UPDATE
           SET failures = CASE WHEN f.since > %(start)s THEN f.failures ELSE 0 END
                          + excluded.failures,
               since = CASE WHEN f.since > %(start)s THEN f.since
                       ELSE excluded.since END
        RETURNING since, failures
        """,
        {"subject": subject, "amount": amount, "now": now, "start": start},
    )
    assert row is not None
    return Count(*row)
