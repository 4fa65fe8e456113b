"""SQL of keys that letters carry; only their sha256 is stored."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Transaction


class Purpose(StrEnum):
    """What a key is good for."""

    VERIFY = "verify"
    RESET = "reset"
    EMAIL = "email"


@frozen
class Key:
    """A key that was sent.

    :ivar email: where to.
    """

    user: UUID
    purpose: Purpose
    hash: bytes = field(repr=False)
    email: str
    sent: datetime
    expires: datetime


async def put(tx: Transaction, key: Key) -> None:
    """Store a key, in place of an earlier one for the same purpose."""
    await tx.execute(
        """
        INSERT INTO identity.letter_key (user_id, purpose, hash, email, sent_at,
            expires_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (user_id, purpose) DO UPDATE SET hash = excluded.hash,
            email = excluded.email, sent_at = excluded.sent_at,
            expires_at = excluded.expires_at
        """,
        (
            key.user, str(key.purpose), key.hash, key.email, key.sent, key.expires,
        ),
    )  # fmt: skip


async def sent(tx: Transaction, user: UUID, purpose: Purpose) -> datetime | None:
    """When the last key for ``purpose`` was sent; None where none is good."""
    row = await tx.row(
        "SELECT sent_at FROM identity.letter_key WHERE user_id = %s AND purpose = %s",
        (user, str(purpose)),
    )
    return None if row is None else row[0]


async def look(
    tx: Transaction, hash_: bytes, purpose: Purpose, now: datetime
) -> Key | None:
    """The key with this sha256, if it is good now."""
    row = await tx.row(
        "SELECT user_id, email, sent_at, expires_at FROM identity.letter_key"
        " WHERE hash = %s AND purpose = %s AND expires_at > %s",
        (hash_, str(purpose), now),
    )
    return None if row is None else Key(row[0], purpose, hash_, *row[1:])


async def use(tx: Transaction, key: Key) -> bool:
    """Take a key out of use; False where somebody else just did."""
    sql = "DELETE FROM identity.letter_key WHERE hash = %s"
    return await tx.execute(sql, (key.hash,)) == 1


async def drop(tx: Transaction, user: UUID) -> None:
    """Take all keys of a person out of use."""
    await tx.execute("DELETE FROM identity.letter_key WHERE user_id = %s", (user,))


async def purge(tx: Transaction, before: datetime, most: int) -> int:
    """Remove keys that expired ``before``, but for those of new accounts."""
    return await tx.execute(
        """
        DELETE FROM identity.letter_key WHERE hash IN (
            SELECT hash FROM identity.letter_key
             WHERE expires_at < %s AND purpose <> 'verify'
             ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (before, most),
    )
