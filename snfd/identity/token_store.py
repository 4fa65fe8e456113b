"""SQL that makes and ends tokens, whoever wants it (schema ``identity``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Transaction, notify

ID = "coalesce(t.audit_ids[1], left(encode(t.hash, 'hex'), 22))"
"""What people and audit records call the token ``t``."""


@frozen
class NewToken:
    """A token to be stored.

    :ivar role: the most that it may be; None for as much as the person.
    :ivar credential: the application credential that it dies with.
    """

    hash: bytes = field(repr=False)
    user: UUID
    project: UUID | None
    kind: str
    methods: Sequence[str]
    audit_ids: Sequence[str]
    issued: datetime
    expires: datetime
    label: str = ""
    role: str | None = None
    credential: UUID | None = None


async def insert_token(tx: Transaction, new: NewToken, most: int) -> None:
    """Store ``new``; where its owner has too many like it, his oldest end.

    Tokens that were made of others by an exchange are counted on their own, so that
    they never push out what somebody made to keep.

    :param most: how many of its kind one person has at once.
    """
    await tx.execute(
        """
        INSERT INTO identity.api_token (hash, user_id, project_id, kind, label,
            methods, audit_ids, created_at, expires_at, role, credential_id)
        VALUES (%s, %s, %s, %s, %s, %s::text[], %s::text[], %s, %s, %s, %s)
        """,
        (
            new.hash, new.user, new.project, new.kind, new.label,
            list(new.methods), list(new.audit_ids), new.issued, new.expires,
            new.role, new.credential,
        ),
    )  # fmt: skip
    await _end_oldest(tx, new, most)


async def _end_oldest(tx: Transaction, new: NewToken, most: int) -> None:
    ended = await tx.execute(
        """
        DELETE FROM identity.api_token WHERE hash IN (
            SELECT hash FROM identity.api_token
             WHERE user_id = %(user)s AND kind = %(kind)s AND hash <> %(hash)s
               AND (cardinality(audit_ids) > 1) = %(derived)s
             ORDER BY created_at DESC OFFSET %(left)s)
        """,
        {
            "user": new.user,
            "kind": new.kind,
            "hash": new.hash,
            "derived": len(new.audit_ids) > 1,
            "left": most - 1,
        },
    )
    if ended:
        await notify(tx, "token", new.user)


async def origin(
    tx: Transaction, hash_: bytes
) -> tuple[str | None, UUID | None] | None:
    """What tokens made of a token inherit: its role and its credential.

    It stays until this transaction ends. None where it is gone.
    """
    row = await tx.row(
        "SELECT role, credential_id FROM identity.api_token WHERE hash = %s"
        " FOR KEY SHARE",
        (hash_,),
    )
    return None if row is None else (row[0], row[1])


async def delete_token(tx: Transaction, hash_: bytes) -> bool:
    """Remove a token; False where there is none."""
    sql = "DELETE FROM identity.api_token WHERE hash = %s"
    return await tx.execute(sql, (hash_,)) == 1


async def touch_tokens(tx: Transaction, used: Mapping[bytes, datetime]) -> None:
    """Note when tokens were used last; rows that somebody locks are left."""
    await tx.execute(
        """
        WITH used AS (
            SELECT * FROM unnest(%s::bytea[], %s::timestamptz[]) AS k (hash, at)),
        free AS (
            SELECT t.hash FROM identity.api_token t JOIN used USING (hash)
             ORDER BY t.hash FOR NO KEY UPDATE OF t SKIP LOCKED)
        UPDATE identity.api_token t SET last_used_at = used.at
          FROM used JOIN free USING (hash)
         WHERE t.hash = used.hash
           AND (t.last_used_at IS NULL OR t.last_used_at < used.at)
        """,
        (list(used), list(used.values())),
    )


async def purge_tokens(tx: Transaction, before: datetime, most: int) -> int:
    """Remove up to ``most`` tokens that expired ``before``; how many it were."""
    return await tx.execute(
        """
        DELETE FROM identity.api_token WHERE hash IN (
            SELECT hash FROM identity.api_token WHERE expires_at < %s
             ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (before, most),
    )


async def end_one(
    tx: Transaction, user: UUID, ident: str, kinds: Sequence[str]
) -> bool:
    """End one token of a person by its id; False where he has none such."""
    ended = await tx.execute(
        f"DELETE FROM identity.api_token t WHERE t.user_id = %s AND {ID} = %s"
        " AND t.kind = ANY(%s::text[])",
        (user, ident, list(kinds)),
    )
    if ended:
        await notify(tx, "token", ident)
    return ended > 0


async def end_all(
    tx: Transaction,
    user: UUID,
    but: bytes | None = None,
    kinds: Sequence[str] | None = None,
) -> int:
    """End tokens of a person; how many.

    :param but: sha256 of the one that goes on.
    :param kinds: only those; None for all.
    """
    ended = await tx.execute(
        "DELETE FROM identity.api_token WHERE user_id = %s"
        " AND hash IS DISTINCT FROM %s"
        " AND (%s::text[] IS NULL OR kind = ANY(%s::text[]))",
        (user, but, *[None if kinds is None else list(kinds)] * 2),
    )
    if ended:
        await notify(tx, "token", user)
    return ended
