"""SQL of terms of service and who signed them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from snfd.accounts.model import TermsVersion
from snfd.db.port import Row, Statement, Transaction

LIST = Statement(
    "terms_list",
    "SELECT id, issued_at, enforced_at, format FROM identity.terms"
    " WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
)
"""Versions before one, newest first: (id or None, most) → rows for `version`."""

ONE = Statement(
    "terms_one",
    "SELECT id, issued_at, enforced_at, format, body FROM identity.terms WHERE id = $1",
)

NEWEST = Statement(
    "terms_newest",
    "SELECT id, issued_at, enforced_at, format FROM identity.terms"
    " ORDER BY id DESC LIMIT 1",
)


def version(row: Row) -> TermsVersion:
    """The terms in a row of the statements above."""
    return TermsVersion(*row)


async def newest(tx: Transaction) -> int | None:
    """The terms in force; None where there never were any."""
    row = await tx.row("SELECT max(id) FROM identity.terms")
    return None if row is None else row[0]


async def insert(
    tx: Transaction, body: str, form: str, issued: datetime, enforced: datetime
) -> int:
    """Add a version; its id."""
    row = await tx.row(
        "INSERT INTO identity.terms (issued_at, enforced_at, format, body)"
        " VALUES (%s, %s, %s, %s) RETURNING id",
        (issued, enforced, form, body),
    )
    assert row is not None
    return int(row[0])


async def sign(tx: Transaction, user: UUID, terms: int, now: datetime) -> bool:
    """Note that ``user`` agrees to ``terms``; False where he did before."""
    added = await tx.execute(
        "INSERT INTO identity.signed_terms (user_id, terms_id, signed_at)"
        " VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (user, terms, now),
    )
    await tx.execute(
        "UPDATE identity.app_user SET terms_id = %(terms)s, updated_at = %(now)s"
        " WHERE uuid = %(user)s AND coalesce(terms_id, 0) < %(terms)s",
        {"user": user, "terms": terms, "now": now},
    )
    return added == 1
