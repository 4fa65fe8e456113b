"""SQL of login methods (schema ``identity``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


async def lock_user(tx: Transaction, user: UUID) -> bool:
    """Lock a person's row; False where there is none."""
    sql = "SELECT 1 FROM identity.app_user WHERE uuid = %s FOR NO KEY UPDATE"
    return await tx.row(sql, (user,)) is not None


async def attached(tx: Transaction, user: UUID) -> list[Attached]:
    """A person's usable methods."""
    return [
        Attached(*row)
        for row in await tx.rows(ATTACHED.sql.replace("$1", "%s"), (user,))
    ]


async def attach(
    tx: Transaction,
    user: UUID,
    module: str,
    identifier: str,
    info: Mapping[str, str],
    now: datetime,
) -> bool:
    """Give a person a method; False where the identifier is somebody's."""
    added = await tx.execute(
        "INSERT INTO identity.login_method"
        " (user_id, module, identifier, info, created_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (user, module, identifier, Jsonb(dict(info)), now),
    )
    return added == 1


async def detach(tx: Transaction, user: UUID, ident: int) -> None:
    """Take a method away."""
    await tx.execute(
        "DELETE FROM identity.login_method WHERE id = %s AND user_id = %s",
        (ident, user),
    )


async def used(tx: Transaction, ident: int, now: datetime) -> None:
    """Note that a method logged somebody in; at most once a minute."""
    await tx.execute(
        "UPDATE identity.login_method SET last_login_at = %(now)s"
        " WHERE id = %(id)s AND (last_login_at IS NULL"
        " OR last_login_at < %(now)s - interval '1 minute')",
        {"id": ident, "now": now},
    )


async def refresh(
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


async def join(tx: Transaction, user: UUID, groups: Collection[str]) -> None:
    """Put a person into groups, which are made where there are none such."""
    if not groups:
        return
    names = sorted(set(groups))
    await tx.execute(
        "INSERT INTO identity.user_group (name)"
        " SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (names,),
    )
    await tx.execute(
        "INSERT INTO identity.user_group_member (user_id, group_id)"
        " SELECT %s, id FROM identity.user_group WHERE name = ANY(%s::text[])"
        " ON CONFLICT DO NOTHING",
        (user, names),
    )


async def leave(tx: Transaction, user: UUID, groups: Collection[str]) -> None:
    """Take a person out of groups."""
    if groups:
        await tx.execute(
            "DELETE FROM identity.user_group_member m USING identity.user_group g"
            " WHERE g.id = m.group_id AND m.user_id = %s AND g.name = ANY(%s::text[])",
            (user, sorted(groups)),
        )


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
