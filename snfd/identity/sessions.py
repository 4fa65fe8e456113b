"""Tokens of browsers' sessions, for those who logged in by whatever method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from snfd.db.port import Database, Transaction, notify
from snfd.errors import Unauthorized
from snfd.identity import store, token_store
from snfd.identity.model import Issued, Token
from snfd.identity.token_store import NewToken
from snfd.tokens import digest, mint


async def begin(
    tx: Transaction,
    user: UUID,
    kind: str,
    methods: Sequence[str],
    random: Callable[[int], bytes],
    at: datetime,
    expires: datetime,
    label: str = "",
    mark: str = "",
    *,
    most: int,
) -> Issued:
    """A new token that follows the user's default project.

    :param kind: ``session`` or ``weblogin``.
    :param methods: how he proved who he is.
    :param mark: what the secret begins with.
    :param most: how many of the kind he has at once; the oldest end.
    :raises Unauthorized: he may not log in.
    """
    if not await store.logged_in(tx, user, at):
        raise Unauthorized(await _why_not(tx, user))
    secret = mark + mint(random)
    new = NewToken(
        hash=digest(secret),
        user=user,
        project=None,
        kind=kind,
        methods=methods,
        audit_ids=(mint(random, 16),),
        issued=at,
        expires=expires,
        label=label,
    )
    await token_store.insert_token(tx, new, most)
    return Issued(secret, await _inside(tx, new.hash))


async def held(db: Database, hash_: bytes, at: datetime) -> Token | None:
    """The token with this sha256; None if it is not good at ``at``."""
    for row in await db.read(store.TOKEN, (hash_,)):
        return good(store.token(row), at)
    return None


def good(token: Token | None, at: datetime) -> Token | None:
    """The same, unless it has expired or its user must sign terms first."""
    if token is None or token.expires <= at or token.waits_for_terms(at):
        return None
    return token


async def end(tx: Transaction, hash_: bytes) -> None:
    """End a token; consoles that it opened are closed."""
    if await token_store.delete_token(tx, hash_):
        await notify(tx, "token", hash_.hex())


async def _why_not(tx: Transaction, user: UUID) -> str:
    """What keeps ``user`` out; told to him alone, who has proved who he is."""
    row = await tx.row(
        "SELECT email_verified, moderation FROM identity.app_user WHERE uuid = %s",
        (user,),
    )
    if row is None:
        return "this account is not active"
    if not row[0]:
        return (
            "your e-mail address is not confirmed yet: open the link in the letter"
            " that we sent you, or have another one sent at /ui/activate"
        )
    return _WAITS.get(row[1], "this account was deactivated; ask the helpdesk")


_WAITS = {
    "pending": "your account waits to be accepted; a letter will tell you",
    "rejected": "your request for an account was not accepted",
}


async def _inside(tx: Transaction, hash_: bytes) -> Token:
    token = await store.token_inside(tx, hash_)
    if token is None:
        raise Unauthorized("this account is not active")
    return token
