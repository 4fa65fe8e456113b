"""SQL of application credentials (``identity.app_credential``)."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Row, Statement, Transaction, notify
from snfd.identity.credential_model import Credential
from snfd.identity.model import FREE

_COLUMNS = """c.id, c.user_id, c.project_id, c.name, c.description, c.role,
    c.unrestricted, c.created_at, c.expires_at"""

LOGIN = Statement(
    "identity_credential_login",
    """
    SELECT c.id, c.user_id, c.project_id, c.role, c.expires_at, c.secret_hash
      FROM identity.app_credential c
      JOIN identity.app_user u ON u.uuid = c.user_id
     WHERE c.id = $1
        OR ($1 IS NULL AND c.name = $4
            AND (u.uuid = $2 OR u.username = $3 OR (u.email = $3 AND u.email_verified)))
    """,
)
"""Which credential: (id or None, user's uuid, user's name, name) → `Known`."""

OF_USER = Statement(
    "identity_credentials_of_user",
    f"""
    SELECT {_COLUMNS} FROM identity.app_credential c
     WHERE c.user_id = $1 AND ($2::text IS NULL OR c.name = $2)
     ORDER BY c.name LIMIT $3
    """,
)
"""Someone's credentials: (user, name or None, most) → rows for `credential`."""

ONE = Statement(
    "identity_credential",
    f"SELECT {_COLUMNS} FROM identity.app_credential c"
    " WHERE c.user_id = $1 AND c.id = $2",
)


@frozen
class Known:
    """A credential that somebody logs in with.

    :ivar hash: sha256 of its secret.
    """

    id: UUID
    user: UUID
    project: UUID
    role: str | None
    expires: datetime | None
    hash: bytes = field(repr=False, converter=bytes)

    def opens(self, hash_: bytes, at: datetime) -> bool:
        """Whether a secret with this sha256 is the right one, at ``at``."""
        right = compare_digest(self.hash, hash_)
        return right and (self.expires is None or self.expires > at)


def credential(row: Row) -> Credential:
    """The credential in a row of the statements above."""
    return Credential(*row)


async def insert(
    tx: Transaction, new: Credential, secret_hash: bytes, now: datetime
) -> bool:
    """Store ``new``; False where its owner has one of that name."""
    return await tx.execute(
        """
        INSERT INTO identity.app_credential (id, user_id, project_id, name, description,
            secret_hash, role, unrestricted, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (user_id, name) DO NOTHING
        """,
        (
            new.id, new.user, new.project, new.name, new.description,
            secret_hash, new.role, new.unrestricted, now, new.expires,
        ),
    ) == 1  # fmt: skip


async def count(tx: Transaction, user: UUID) -> int:
    """How many ``user`` has; his row is locked against another at once."""
    await tx.execute(
        "SELECT 1 FROM identity.app_user WHERE uuid = %s FOR NO KEY UPDATE", (user,)
    )
    row = await tx.row(
        "SELECT count(*) FROM identity.app_credential WHERE user_id = %s", (user,)
    )
    assert row is not None
    return int(row[0])


async def hold(tx: Transaction, id_: UUID) -> bool:
    """Keep a credential until this transaction ends; False where there is none."""
    sql = "SELECT 1 FROM identity.app_credential WHERE id = %s FOR KEY SHARE"
    return await tx.row(sql, (id_,)) is not None


async def delete(tx: Transaction, user: UUID, id_: UUID) -> str | None:
    """Remove a credential and its tokens; its name, None where there is none."""
    row = await tx.row(
        "DELETE FROM identity.app_credential WHERE user_id = %s AND id = %s"
        " RETURNING name",
        (user, id_),
    )
    return None if row is None else row[0]


async def ends(tx: Transaction, token_hash: bytes) -> datetime | None:
    """When the credential expires that a token comes from; None for never or none."""
    row = await tx.row(
        "SELECT c.expires_at FROM identity.api_token t"
        " JOIN identity.app_credential c ON c.id = t.credential_id WHERE t.hash = %s",
        (token_hash,),
    )
    return None if row is None else row[0]


async def restricted(tx: Transaction, token_hash: bytes) -> bool:
    """Whether a token may make no further ones: it comes from a credential that
    says so, or its owner made it for one project.
    """
    row = await tx.row(
        "SELECT 1 FROM identity.api_token t"
        " LEFT JOIN identity.app_credential c ON c.id = t.credential_id"
        " WHERE t.hash = %s AND (NOT c.unrestricted"
        " OR (t.credential_id IS NULL AND t.project_id IS NOT NULL"
        " AND NOT t.kind = ANY(%s::text[])))",
        (token_hash, list(FREE)),
    )
    return row is not None


async def forget(tx: Transaction, user: UUID) -> int:
    """Remove all credentials of a person, and their tokens; how many."""
    gone = await tx.execute(
        "DELETE FROM identity.app_credential WHERE user_id = %s", (user,)
    )
    if gone:
        await notify(tx, "token", user)
    return gone
