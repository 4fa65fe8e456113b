"""SQL of OAuth2's clients, codes and tokens (schema ``identity``)."""

from __future__ import annotations

from datetime import datetime

from snfd.db.port import Row, Statement, Transaction
from snfd.logins.handoff_model import Client, Code, Wish

_CLIENT = "SELECT id, name, redirects, trusted, secret_hash FROM identity.oauth2_client"

CLIENT = Statement("identity_oauth2_client", f"{_CLIENT} WHERE id = $1")
"""One program: (id) → a row for `client`."""

CLIENTS = Statement("identity_oauth2_clients", f"{_CLIENT} ORDER BY id LIMIT $1")
"""All of them: (most) → rows for `client`."""

TOKEN = Statement(
    "identity_oauth2_token",
    "SELECT c.session, t.scope, t.expires_at FROM identity.oauth2_token t"
    " JOIN identity.oauth2_code c ON c.hash = t.code"
    " WHERE t.hash = $1 AND t.expires_at > $2",
)
"""A good token: (hash, now) → (hash of the session that allowed it, scope, end)."""


def client(row: Row) -> Client:
    """The program in a row of the statements above."""
    ident, name, redirects, trusted, hash_ = row
    known = None if hash_ is None else bytes(hash_)
    return Client(ident, name, redirects, trusted, known)


async def insert(tx: Transaction, one: Client, now: datetime) -> bool:
    """Add a program; False where there is one of the id."""
    return await tx.execute(
        "INSERT INTO identity.oauth2_client"
        " (id, name, secret_hash, redirects, trusted, created_at)"
        " VALUES (%s, %s, %s, %s::text[], %s, %s) ON CONFLICT DO NOTHING",
        (one.id, one.name, one.secret_hash, list(one.redirects), one.trusted, now),
    ) == 1  # fmt: skip


async def delete(tx: Transaction, ident: str) -> bool:
    """Remove a program, its codes and tokens; False where there is none."""
    sql = "DELETE FROM identity.oauth2_client WHERE id = %s"
    return await tx.execute(sql, (ident,)) == 1


async def put_code(
    tx: Transaction,
    hash_: bytes,
    session: bytes,
    wish: Wish,
    expires: datetime,
    most: int,
) -> None:
    """Store a code; where its session gave too many, the oldest end.

    :param session: hash of the token of whoever allows it.
    :param most: how many of one session there are at once.
    """
    await tx.execute(
        "INSERT INTO identity.oauth2_code"
        " (hash, client_id, session, redirect, scope, challenge, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            hash_, wish.client.id, session, wish.redirect, wish.scope,
            wish.challenge, expires,
        ),
    )  # fmt: skip
    await tx.execute(
        """
        DELETE FROM identity.oauth2_code WHERE hash IN (
            SELECT hash FROM identity.oauth2_code WHERE session = %s AND hash <> %s
             ORDER BY expires_at DESC OFFSET %s)
        """,
        (session, hash_, most - 1),
    )


async def take_code(tx: Transaction, hash_: bytes) -> Code | None:
    """Lock and read a code; None where there is none."""
    row = await tx.row(
        "SELECT client_id, redirect, scope, challenge, used, expires_at"
        " FROM identity.oauth2_code WHERE hash = %s FOR UPDATE",
        (hash_,),
    )
    return None if row is None else Code(*row)


async def mark_used(tx: Transaction, code: bytes) -> None:
    """Note that a program came with a code."""
    sql = "UPDATE identity.oauth2_code SET used = true WHERE hash = %s"
    await tx.execute(sql, (code,))


async def put_token(
    tx: Transaction, hash_: bytes, code: bytes, scope: str, expires: datetime
) -> None:
    """Store the token that a code was exchanged for."""
    await tx.execute(
        "INSERT INTO identity.oauth2_token (hash, code, scope, expires_at)"
        " VALUES (%s, %s, %s, %s)",
        (hash_, code, scope, expires),
    )


async def end_tokens(tx: Transaction, code: bytes) -> None:
    """End what a code was exchanged for."""
    await tx.execute("DELETE FROM identity.oauth2_token WHERE code = %s", (code,))


async def purge(tx: Transaction, before: datetime) -> None:
    """Remove codes that ended ``before``."""
    sql = "DELETE FROM identity.oauth2_code WHERE expires_at < %s"
    await tx.execute(sql, (before,))
