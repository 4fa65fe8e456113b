"""SQL of login methods and of those who wait for an account by them.

What gives methods and groups to people is in `snfd.accounts.store`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from snfd.db.port import Jsonb, Statement, Transaction
from snfd.logins.model import Attached, Claims, Pending

ATTACHED = Statement(
    "identity_login_methods",
    "SELECT id, module, identifier, created_at, last_login_at"
    " FROM identity.login_method"
    " WHERE user_id = $1 AND active"
    " AND (module <> 'local' OR password_hash IS NOT NULL) ORDER BY id",
)
"""A person's usable methods: (uuid) → rows for `Attached`."""

PENDING = Statement(
    "identity_pending_login",
    "SELECT module, identifier, claims, next FROM identity.pending_login"
    " WHERE key_hash = $1 AND expires_at > $2",
)
"""Who waits for an account: (hash of the key, now) → a row for `pending`."""


@frozen
class Owner:
    """Whom a method's identifier belongs to."""

    id: int
    user: UUID
    enabled: bool
    verified: bool
    moderation: str
    active: bool


def pending(row: tuple[Any, ...]) -> Pending:
    """The one in a row of `PENDING`."""
    module, identifier, told, next_ = row
    groups = told.get("groups")
    claims = Claims(
        identifier,
        told["fields"],
        told["verified"],
        None if groups is None else frozenset(groups),
        frozenset(told.get("mirrored", ())),
    )
    return Pending(module, claims, next_)


async def owner(tx: Transaction, module: str, identifier: str) -> Owner | None:
    """Whom ``identifier`` belongs to, if anybody."""
    row = await tx.row(
        "SELECT m.id, u.uuid, m.active, u.email_verified, u.moderation, u.is_active"
        " FROM identity.login_method m JOIN identity.app_user u ON u.uuid = m.user_id"
        " WHERE m.module = %s AND m.identifier = %s",
        (module, identifier),
    )
    return None if row is None else Owner(*row)


async def attached(tx: Transaction, user: UUID) -> list[Attached]:
    """A person's usable methods."""
    return [
        Attached(*row)
        for row in await tx.rows(ATTACHED.sql.replace("$1", "%s"), (user,))
    ]


async def wait(
    tx: Transaction, key: bytes, one: Pending, expires: datetime, now: datetime
) -> int:
    """Let somebody wait for an account; how many wait now.

    He has one key at a time; whoever waited too long is forgotten.
    """
    await tx.execute(
        "DELETE FROM identity.pending_login WHERE expires_at <= %s", (now,)
    )
    claims = one.claims
    told = {
        "fields": dict(claims.fields),
        "verified": claims.verified,
        "groups": None if claims.groups is None else sorted(claims.groups),
        "mirrored": sorted(claims.mirrored),
    }
    await tx.execute(
        "INSERT INTO identity.pending_login"
        " (key_hash, module, identifier, claims, next, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (module, identifier) DO UPDATE SET key_hash = excluded.key_hash,"
        " claims = excluded.claims, next = excluded.next,"
        " expires_at = excluded.expires_at",
        (key, one.method, claims.identifier, Jsonb(told), one.next, expires),
    )
    row = await tx.row("SELECT count(*) FROM identity.pending_login")
    return int(row[0]) if row else 0


async def take_pending(tx: Transaction, key: bytes, now: datetime) -> Pending | None:
    """End somebody's waiting; None where the key is not good."""
    row = await tx.row(
        "DELETE FROM identity.pending_login WHERE key_hash = %s AND expires_at > %s"
        " RETURNING module, identifier, claims, next",
        (key, now),
    )
    return None if row is None else pending(row)
