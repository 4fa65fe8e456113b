"""New accounts: those that wait to be verified, and those that are in at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from snfd.accounts.model import PAUSE, NewAccount
from snfd.accounts.service import target
from snfd.accounts.states import State
from snfd.accounts.store import keys, terms
from snfd.accounts.store import people as store
from snfd.accounts.store.keys import Purpose
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict
from snfd.identity.names import check_email, check_username
from snfd.projects import service as projects

STRANGER = Actor(None, "")
"""Somebody who did not say, or prove, who he is."""


async def open_account(
    tx: Transaction, new: NewAccount, now: datetime, who: Actor = STRANGER
) -> UUID:
    """Store an account that waits to be verified; its uuid.

    Namesakes that nobody verified are replaced, unless they are fresh: nobody
    shall lose a link that he just got because a stranger typed in his address.

    :raises Conflict: a verified account has the address or the name.
    :raises Busy: a fresh one waits to be verified.
    """
    namesakes = await store.by_email(tx, new.email, lock=True)
    if any(one.columns.email_verified for one in namesakes):
        raise Conflict(f"there is a user {new.email!r} already")
    for one in namesakes:
        sent = await keys.sent(tx, one.uuid, Purpose.VERIFY)
        if max(one.joined_at, sent or one.joined_at) > now - PAUSE:
            raise Busy("an account with that address waits to be verified")
    for one in namesakes:
        await store.delete(tx, one.uuid)
    name = new.username or new.email
    if await store.name_taken(tx, name, new.uuid) or not await store.insert(
        tx, new, now
    ):
        raise Conflict(f"there is a user {name!r} already")
    if new.terms is not None:
        await terms.sign(tx, new.uuid, new.terms, now)
    await record(tx, who, "user.open", target(new.uuid), terms=new.terms)
    return new.uuid


async def create_user(
    tx: Transaction,
    uuid: UUID,
    email: str,
    now: datetime,
    *,
    username: str | None = None,
    password_hash: str | None = None,
    groups: Sequence[str] = (),
) -> None:
    """Make an active, accepted account with its own project; nobody is told.

    This is for a cloud's first start: all others are opened, verified, accepted.

    :param username: what to log in with besides the e-mail; None for that.
    :param password_hash: from `Passwords.hash`; None for no password.
    :param groups: besides ``default``; ``admin`` makes an administrator.
    :raises Invalid: the e-mail or the username.
    :raises Conflict: one of them is taken.
    """
    email = check_email(email)
    username = check_username(username or email, email)
    new = NewAccount(
        uuid,
        email,
        username=username,
        password_hash=password_hash,
        groups=("default", *groups),
    )
    accepted = {
        **store.stored(State.ACTIVE),
        "verified_at": now,
        "moderated_at": now,
        "accepted_policy": "manual",
        "accepted_email": email,
    }
    if not await store.insert(tx, new, now, accepted):
        raise Conflict(f"there is a user {username!r} or {email!r} already")
    await projects.create_system(tx, uuid, now)
