"""SQL of the ways in which people log in: all that changes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from snfd.accounts.model import Method
from snfd.db.port import Jsonb, Row, Statement, Transaction

NAMES = """
    ARRAY(SELECT DISTINCT l.module FROM identity.login_method l
           WHERE l.user_id = u.uuid AND l.active ORDER BY l.module)
"""
"""The ways to log in of an account ``u``."""

OF = Statement(
    "login_methods_of",
    """
    SELECT user_id, module, identifier, active, affiliation, info
      FROM identity.login_method WHERE user_id = ANY($1::uuid[]) ORDER BY id
    """,
)
"""Everybody's: (uuids) → rows for `methods`."""


def methods(rows: Iterable[Row]) -> dict[UUID, list[Method]]:
    """Each person's."""
    found: dict[UUID, list[Method]] = {}
    for user, *rest in rows:
        found.setdefault(user, []).append(Method(*rest))
    return found


async def describe(
    tx: Transaction, user: UUID, affiliation: str | None, info: Mapping[str, str] | None
) -> None:
    """Say something of the password of a person; None leaves what is there."""
    await tx.execute(
        """
        UPDATE identity.login_method
           SET affiliation = coalesce(%s, affiliation), info = coalesce(%s, info)
         WHERE user_id = %s AND module = 'local'
        """,
        (affiliation, None if info is None else Jsonb(dict(info)), user),
    )


async def password_hash(tx: Transaction, user: UUID) -> str | None:
    """The password's hash; None where he has none."""
    row = await tx.row(
        "SELECT password_hash FROM identity.login_method"
        " WHERE user_id = %s AND module = 'local' AND active",
        (user,),
    )
    return None if row is None else row[0]


async def set_password(tx: Transaction, user: UUID, hashed: str, now: datetime) -> None:
    """Give a person a new password, or a first one."""
    await tx.execute(
        """
        INSERT INTO identity.login_method (user_id, module, password_hash, created_at)
        VALUES (%s, 'local', %s, %s)
        ON CONFLICT (user_id, module, identifier) DO UPDATE
           SET password_hash = excluded.password_hash, active = true
        """,
        (user, hashed, now),
    )


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


async def forget(tx: Transaction, user: UUID) -> None:
    """Take all methods from a person."""
    await tx.execute("DELETE FROM identity.login_method WHERE user_id = %s", (user,))
