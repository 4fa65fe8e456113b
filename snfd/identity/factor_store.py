"""SQL of second factors (``identity.totp``, ``identity.recovery_code``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Transaction


@frozen
class Factor:
    """Someone's one-time codes.

    :ivar secret: the sealed seed.
    :ivar confirmed: whether they are asked for.
    """

    secret: bytes = field(repr=False)
    confirmed: bool
    last_step: int


async def lock(tx: Transaction, user: UUID) -> Factor | None:
    """The one-time codes of ``user``, locked; None where he has none."""
    row = await tx.row(
        "SELECT secret, confirmed_at IS NOT NULL, last_step FROM identity.totp"
        " WHERE user_id = %s FOR UPDATE",
        (user,),
    )
    return None if row is None else Factor(bytes(row[0]), row[1], row[2])


async def begin(tx: Transaction, user: UUID, secret: bytes, now: datetime) -> bool:
    """Store an unconfirmed seed in place of another; False if one is confirmed."""
    return await tx.execute(
        """
        INSERT INTO identity.totp AS t (user_id, secret, created_at)
        VALUES (%s, %s, %s)
        ON CONFLICT (user_id) DO UPDATE
           SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0
         WHERE t.confirmed_at IS NULL
        """,
        (user, secret, now),
    ) == 1  # fmt: skip


async def used(tx: Transaction, user: UUID, step: int) -> None:
    """Remember that the code of ``step`` was used."""
    await tx.execute(
        "UPDATE identity.totp SET last_step = %s WHERE user_id = %s", (step, user)
    )


async def confirm(
    tx: Transaction, user: UUID, now: datetime, recovery: Sequence[bytes]
) -> None:
    """Ask for codes from now on; with these hashes of recovery codes."""
    await tx.execute(
        "UPDATE identity.totp SET confirmed_at = %s WHERE user_id = %s", (now, user)
    )
    await tx.execute(
        "INSERT INTO identity.recovery_code (user_id, hash)"
        " SELECT %s, h FROM unnest(%s::bytea[]) AS h",
        (user, list(recovery)),
    )


async def spend(tx: Transaction, user: UUID, hash_: bytes) -> bool:
    """Use up a recovery code; False where there is none such."""
    return await tx.execute(
        "DELETE FROM identity.recovery_code WHERE user_id = %s AND hash = %s",
        (user, hash_),
    ) == 1  # fmt: skip


async def state(tx: Transaction, user: UUID) -> tuple[bool, int]:
    """Whether codes are asked for, and how many recovery codes are left."""
    row = await tx.row(
        "SELECT EXISTS (SELECT 1 FROM identity.totp"
        " WHERE user_id = %(user)s AND confirmed_at IS NOT NULL),"
        " (SELECT count(*) FROM identity.recovery_code WHERE user_id = %(user)s)",
        {"user": user},
    )
    assert row is not None
    return row[0], row[1]


async def remove(tx: Transaction, user: UUID) -> bool:
    """Forget someone's second factor; False where he has none."""
    sql = "DELETE FROM identity.totp WHERE user_id = %s"
    return await tx.execute(sql, (user,)) == 1


async def has_password(tx: Transaction, user: UUID) -> bool:
    """Whether ``user`` can log in by a password of ours."""
    row = await tx.row(
        "SELECT 1 FROM identity.login_method WHERE user_id = %s"
        " AND module = 'local' AND active AND password_hash IS NOT NULL",
        (user,),
    )
    return row is not None


async def logged_in_since(tx: Transaction, hash_: bytes, since: datetime) -> bool:
    """Whether a token comes of a login since then.

    One that was made of another token does not, nor one that a program was given.
    """
    row = await tx.row(
        "SELECT 1 FROM identity.api_token WHERE hash = %s AND created_at >= %s"
        " AND kind IN ('session', 'login') AND NOT 'token' = ANY(methods)",
        (hash_, since),
    )
    return row is not None
