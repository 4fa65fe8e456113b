"""SQL of people's tokens and sessions, as they themselves see them.

What changes them is in `snfd.identity.token_store`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.accounts.model import HeldToken
from snfd.db.port import Row, Statement, Transaction
from snfd.identity.token_store import ID

EVERY = ("personal", "session", "login", "weblogin", "appcred")

LIST = Statement(
    "held_tokens",
    f"""
    SELECT {ID}, t.kind, t.label, t.project_id, p.name, t.created_at, t.expires_at,
           t.last_used_at, t.hash = $3
      FROM identity.api_token t LEFT JOIN identity.project p ON p.uuid = t.project_id
     WHERE t.user_id = $1 AND t.kind = ANY($2::text[]) AND t.expires_at > $4
       AND ($5::timestamptz IS NULL OR (t.created_at, {ID}) < ($5, $6))
     ORDER BY t.created_at DESC, {ID} DESC LIMIT $7
    """,
)
"""Tokens of a person, newest first: (user, kinds, hash of the one presented, now,
created and id of the last one seen or None, most) → rows for `held`."""

MARKER = Statement(
    "held_token_marker",
    f"SELECT t.created_at FROM identity.api_token t WHERE t.user_id = $1 AND {ID} = $2",
)


SINCE = Statement(
    "token_since", "SELECT created_at FROM identity.api_token WHERE hash = $1"
)


@frozen
class Presented:
    """The token that somebody presents, where it matters which it is.

    :ivar bound: the project that it is bound to, if any.
    """

    kind: str
    bound: UUID | None
    expires: datetime


def held(row: Row) -> HeldToken:
    """The token in a row of `LIST`."""
    return HeldToken(*row)


async def presented(tx: Transaction, hash_: bytes) -> Presented | None:
    """What kind of token has this sha256; None where it is gone."""
    row = await tx.row(
        "SELECT kind, project_id, expires_at FROM identity.api_token WHERE hash = %s",
        (hash_,),
    )
    return None if row is None else Presented(*row)


async def count(tx: Transaction, user: UUID, kind: str, now: datetime) -> int:
    """How many good tokens of ``kind`` a person has; none made of others."""
    row = await tx.row(
        "SELECT count(*) FROM identity.api_token"
        " WHERE user_id = %s AND kind = %s AND expires_at > %s"
        " AND cardinality(audit_ids) < 2",
        (user, kind, now),
    )
    return 0 if row is None else int(row[0])


async def member_of(tx: Transaction, user: UUID, project: UUID) -> bool:
    """Whether a token of ``user`` may be bound to ``project``."""
    row = await tx.row(
        "SELECT 1 FROM identity.membership m"
        " JOIN identity.project p ON p.uuid = m.project_id"
        " WHERE m.user_id = %s AND m.project_id = %s AND p.state = 'active'"
        " AND m.state IN ('accepted', 'leave_requested')",
        (user, project),
    )
    return row is not None
