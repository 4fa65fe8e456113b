"""SQL of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from snfd.accounts.model import Account, NewAccount
from snfd.accounts.states import STORED, Columns, State
from snfd.accounts.store import groups, keys, methods
from snfd.db.port import Row, Statement, Transaction
from snfd.db.sql import changes_to, row_of
from snfd.identity import credential_store, factor_store

COLUMNS = f"""
    u.uuid, u.number, u.username, u.email, u.first_name, u.last_name, u.affiliation,
    u.email_verified, u.moderation, u.is_active, u.closed_at IS NOT NULL,
    u.verified_at, u.moderated_at, u.accepted_policy, u.rejected_reason,
    u.deactivated_at, u.deactivated_reason, u.closed_at, u.terms_id,
    u.default_project, u.joined_at, u.updated_at, u.last_login_at,
    {groups.NAMES}, {methods.NAMES},
    (SELECT max(t.expires_at) FROM identity.api_token t WHERE t.user_id = u.uuid)
"""

ONE = Statement(
    "account",
    f"SELECT {COLUMNS} FROM identity.app_user u WHERE u.uuid = $1",
)
"""One account: (uuid) → a row for `account`."""

LIST = Statement(
    "accounts",
    f"""
    SELECT {COLUMNS} FROM identity.app_user u
     WHERE u.number > $1 AND u.closed_at IS NULL ORDER BY u.number LIMIT $2
    """,
)
"""Accounts after a number that are not closed: (number, most)."""

NUMBER = Statement(
    "account_number", "SELECT number FROM identity.app_user WHERE uuid = $1"
)


def account(row: Row) -> Account:
    """The account in a row of the statements above."""
    columns, within, ways = Columns(*row[7:11]), tuple(row[23]), tuple(row[24])
    return Account(*(*row[:7], columns, *row[11:23], within, ways, row[25]))


async def find(tx: Transaction, user: UUID, *, lock: bool = False) -> Account | None:
    """An account; None where there is none.

    :param lock: against changes by others, until the transaction ends.
    """
    row = await tx.row(
        f"SELECT {COLUMNS} FROM identity.app_user u WHERE u.uuid = %s"
        + (" FOR NO KEY UPDATE OF u" if lock else ""),
        (user,),
    )
    return None if row is None else account(row)


async def lock(tx: Transaction, user: UUID) -> bool:
    """Lock a person's row; False where there is none."""
    sql = "SELECT 1 FROM identity.app_user WHERE uuid = %s FOR NO KEY UPDATE"
    return await tx.row(sql, (user,)) is not None


async def by_email(
    tx: Transaction, email: str, *, lock: bool = False
) -> Sequence[Account]:
    """Everybody with this address, whoever proved it first; closed ones never."""
    rows = await tx.rows(
        f"SELECT {COLUMNS} FROM identity.app_user u WHERE u.email = %s"
        " AND u.closed_at IS NULL ORDER BY u.email_verified DESC, u.number DESC"
        + (" FOR NO KEY UPDATE OF u" if lock else ""),
        (email,),
    )
    return [account(row) for row in rows]


async def insert(
    tx: Transaction,
    new: NewAccount,
    now: datetime,
    more: Mapping[str, object] | None = None,
) -> bool:
    """Add an account; False where its name, or proven address, is taken.

    :param more: columns of one that is in already; None: nobody verified it yet.
    """
    columns = {
        "uuid": new.uuid,
        "username": new.username or new.email,
        "email": new.email,
        "first_name": new.first_name,
        "last_name": new.last_name,
        "affiliation": new.affiliation,
        "joined_at": now,
        "updated_at": now,
        **(more or {}),
    }
    if not await tx.execute(
        f"INSERT INTO identity.app_user {row_of(columns)} ON CONFLICT DO NOTHING",
        columns,
    ):
        return False
    if new.password_hash is not None:
        await methods.set_password(tx, new.uuid, new.password_hash, now)
    await groups.join(tx, new.uuid, new.groups)
    return True


async def update(
    tx: Transaction, user: UUID, now: datetime, changes: Mapping[str, object]
) -> None:
    """Set columns of an account."""
    await tx.execute(
        f"UPDATE identity.app_user SET {changes_to(changes)}, updated_at = %(_now)s"
        " WHERE uuid = %(_user)s",
        {**changes, "_now": now, "_user": user},
    )


def stored(state: State) -> dict[str, object]:
    """The columns that make a row be in ``state``; but for ``closed_at``."""
    columns = STORED[state]
    return {
        "email_verified": columns.email_verified,
        "moderation": columns.moderation,
        "is_active": columns.is_active,
    }


async def follow(
    tx: Transaction, user: UUID, fields: Mapping[str, str], now: datetime
) -> None:
    """Let a person's fields follow his login method.

    An e-mail that somebody else has, or logs in by, is left as it was.
    """
    given: dict[str, object] = dict.fromkeys(
        ("email", "first_name", "last_name", "affiliation")
    )
    await tx.execute(
        """
        UPDATE identity.app_user u SET
            first_name = coalesce(%(first_name)s, first_name),
            last_name = coalesce(%(last_name)s, last_name),
            affiliation = coalesce(%(affiliation)s, affiliation),
            email = coalesce(n.email, u.email),
            username = CASE WHEN u.username = u.email
                            THEN coalesce(n.email, u.username) ELSE u.username END,
            updated_at = %(now)s
          FROM (SELECT (
                SELECT %(email)s::text WHERE NOT EXISTS (
                SELECT 1 FROM identity.app_user o WHERE o.uuid <> %(user)s
                   AND (o.username = %(email)s
                        OR (o.email = %(email)s AND o.email_verified))))
               ) AS n (email)
         WHERE u.uuid = %(user)s AND (
            (%(first_name)s, %(last_name)s, %(affiliation)s, n.email)
            IS DISTINCT FROM (NULL, NULL, NULL, NULL))
        """,
        {**given, **fields, "user": user, "now": now},
    )


async def delete(tx: Transaction, user: UUID) -> None:
    """Remove an account that owns nothing yet, with all that hangs on it."""
    await tx.execute("DELETE FROM identity.app_user WHERE uuid = %s", (user,))


async def forget(tx: Transaction, user: UUID) -> None:
    """Remove what a person logs in with, his groups, and keys that were sent."""
    await methods.forget(tx, user)
    await groups.forget(tx, user)
    await keys.drop(tx, user)
    await credential_store.forget(tx, user)
    await factor_store.remove(tx, user)


async def belongings(tx: Transaction, user: UUID) -> str:
    """What a person still has, in words; empty where it is nothing."""
    rows = await tx.rows(
        """
        (SELECT 'project ' || name FROM identity.project
          WHERE owner_id = %(user)s AND NOT is_system
            AND state IN ('active', 'suspended') ORDER BY name LIMIT 5)
        UNION ALL
        (SELECT DISTINCT resource FROM quota.holding
          WHERE user_id = %(user)s AND usage_max > 0 ORDER BY resource LIMIT 5)
        """,
        {"user": user},
    )
    return ", ".join(row[0] for row in rows)


async def name_taken(tx: Transaction, username: str, by_other_than: UUID) -> bool:
    """Whether somebody else logs in with this name or (proven) address."""
    row = await tx.row(
        "SELECT 1 FROM identity.app_user WHERE uuid <> %(user)s"
        " AND (username = %(name)s OR (email = %(name)s AND email_verified)) LIMIT 1",
        {"user": by_other_than, "name": username},
    )
    return row is not None


async def address_taken(tx: Transaction, email: str, by_other_than: UUID) -> bool:
    """Whether somebody else proved that he reads this address."""
    row = await tx.row(
        "SELECT 1 FROM identity.app_user"
        " WHERE uuid <> %s AND email = %s AND email_verified",
        (by_other_than, email),
    )
    return row is not None


async def stale(tx: Transaction, before: datetime, most: int) -> Sequence[UUID]:
    """Remove accounts that nobody verified, whose last key expired ``before``.

    :param most: how many at most; which it were.
    """
    rows = await tx.rows(
        """
        DELETE FROM identity.app_user WHERE uuid IN (
            SELECT u.uuid FROM identity.app_user u
              JOIN identity.letter_key k ON k.user_id = u.uuid AND k.purpose = 'verify'
             WHERE NOT u.email_verified AND u.moderation = 'pending'
               AND u.closed_at IS NULL AND k.expires_at < %s
             ORDER BY k.expires_at LIMIT %s FOR UPDATE OF u SKIP LOCKED)
        RETURNING uuid
        """,
        (before, most),
    )
    return [row[0] for row in rows]
