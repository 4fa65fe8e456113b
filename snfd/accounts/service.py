"""What happens to accounts, inside the transactions of others.

Projects are locked before their owner's row, so what suspends them comes first
and the account's state is looked at again under its own lock.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attrs import frozen

from snfd.accounts.letters import Letters
from snfd.accounts.model import (
    PAUSE,
    Account,
    NewAccount,
    Rules,
    accepting_policy,
    check_reason,
    closed_names,
)
from snfd.accounts.states import Event, State, step
from snfd.accounts.store import groups, keys, terms, tokens
from snfd.accounts.store import people as store
from snfd.accounts.store.keys import Purpose
from snfd.audit import DAEMON, Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, NotFound
from snfd.identity.model import ADMIN
from snfd.mail.model import Kind
from snfd.projects import service as projects

STRANGER = Actor(None, "")
"""Somebody who did not say, or prove, who he is."""


class Owned(Protocol):
    """Suspends what a person owns and belongs to, or ends that."""

    def __call__(
        self, tx: Transaction, user: UUID, actor: Actor, now: datetime
    ) -> Awaitable[object]:
        """Do it; doing it again changes nothing."""


async def find(tx: Transaction, user: UUID, *, lock: bool = False) -> Account:
    """The account with this uuid.

    :param lock: against changes by others, until the transaction ends.
    :raises NotFound: there is none.
    """
    account = await store.find(tx, user, lock=lock)
    if account is None:
        raise NotFound(f"there is no user {user}")
    return account


async def is_last_admin(tx: Transaction, user: UUID) -> bool:
    """Whether nobody but ``user``, whose row is locked, looks after the cloud.

    It stays so, or not so, until this transaction ends.
    """
    if not await groups.belongs(tx, user, ADMIN):
        return False
    return not await groups.has_others(tx, user, ADMIN)


async def keep_admin(tx: Transaction, user: UUID) -> None:
    """Pass unless ``user``, whose row is locked, is the last administrator.

    :raises Conflict: he is, and must stay one.
    """
    if await is_last_admin(tx, user):
        raise Conflict("the last administrator must stay: make another one first")


async def end_tokens(tx: Transaction, user: UUID, but: bytes | None = None) -> int:
    """End all tokens and sessions of a person; how many.

    :param but: sha256 of the one that goes on.
    """
    return await tokens.end(tx, user, but)


def target(user: UUID) -> str:
    """What audit records call a person."""
    return f"user:{user}"


@frozen(eq=False)
class Lifecycle:
    """Takes accounts from one state to the next, with all that goes along.

    :ivar suspend: what a person owns and belongs to, when he is deactivated.
    :ivar unsuspend: exactly that, when he is active again.
    """

    rules: Rules
    letters: Letters
    suspend: Owned
    unsuspend: Owned

    async def open_account(
        self,
        tx: Transaction,
        new: NewAccount,
        now: datetime,
        who: Actor = STRANGER,
    ) -> UUID:
        """Store an account that waits to be verified; its uuid.

        Namesakes that nobody verified are replaced, unless they are fresh:
        nobody shall lose a link that he just got because a stranger typed in
        his address.

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

    async def verified(
        self,
        tx: Transaction,
        user: UUID,
        how: str,
        now: datetime,
        policy: str | None = None,
        actor: Actor | None = None,
    ) -> bool:
        """Note that a person proved his address; whether he is active now.

        :param how: ``letter``, ``manual``, or the login method that vouches.
        :param policy: why he is accepted at once; None lets the rules decide.
        :param actor: who vouches for it; None for the person himself.
        :raises Busy: he did before.
        :raises Conflict: somebody else proved the same address meanwhile.
        """
        account = await self._moved(tx, user, Event.VERIFY)
        for one in await store.by_email(tx, account.email, lock=True):
            if one.columns.email_verified:
                raise Conflict("somebody else has that address")
            if one.uuid != user:
                await store.delete(tx, one.uuid)
        changes = {**store.stored(State.PENDING), "verified_at": now}
        await store.update(tx, user, now, changes)
        await keys.drop(tx, user)
        who = actor or Actor(user, account.username)
        await record(tx, who, "user.verify", target(user), how=how)
        by = actor if actor and policy else DAEMON
        policy = policy or accepting_policy(self.rules, account.email)
        if policy is None:
            await self.letters.pending(tx, account, now.isoformat())
            return False
        await self.accept(tx, user, policy, by, now)
        return True

    async def accept(
        self, tx: Transaction, user: UUID, policy: str, actor: Actor, now: datetime
    ) -> None:
        """Let a person in: he gets a project of his own, and is told.

        :param policy: why; ``manual`` where somebody decided.
        :raises Busy: his address is not verified, or he is in already.
        """
        account = await self._moved(tx, user, Event.ACCEPT)
        changes = {
            **store.stored(State.ACTIVE),
            "moderated_at": now,
            "accepted_policy": policy,
            "accepted_email": account.email,
            "rejected_reason": None,
        }
        await store.update(tx, user, now, changes)
        await record(tx, actor, "user.accept", target(user), policy=policy)
        await self._tell(tx, account, Kind.ACCEPTED, "", now)
        await projects.create_system(tx, user, now)

    async def reject(
        self, tx: Transaction, user: UUID, reason: str, actor: Actor, now: datetime
    ) -> None:
        """Turn a person away, who is told why; he may be accepted later.

        :raises Busy: he does not wait for that decision.
        """
        account = await self._moved(tx, user, Event.REJECT)
        changes = {
            **store.stored(State.REJECTED),
            "moderated_at": now,
            "rejected_reason": check_reason(reason),
        }
        await store.update(tx, user, now, changes)
        await record(tx, actor, "user.reject", target(user), reason=reason)
        await self._tell(tx, account, Kind.REJECTED, reason, now)

    async def activate(
        self, tx: Transaction, user: UUID, actor: Actor, now: datetime
    ) -> None:
        """Let a person in again; what his deactivation suspended is back.

        :raises Busy: he is not deactivated.
        """
        step((await find(tx, user)).state, Event.ACTIVATE)
        await self.unsuspend(tx, user, actor, now)
        account = await self._moved(tx, user, Event.ACTIVATE)
        changes = {
            **store.stored(State.ACTIVE),
            "deactivated_at": None,
            "deactivated_reason": None,
        }
        await store.update(tx, user, now, changes)
        await record(tx, actor, "user.activate", target(user))
        await self._tell(tx, account, Kind.ACTIVATED, "", now)

    async def deactivate(
        self, tx: Transaction, user: UUID, reason: str, actor: Actor, now: datetime
    ) -> None:
        """Keep a person out: his tokens end, what he owns is suspended.

        :raises Busy: he is not in.
        :raises Conflict: he is the last administrator.
        """
        account = await self._out(tx, user, Event.DEACTIVATE, actor, now)
        changes = {
            **store.stored(State.INACTIVE),
            "deactivated_at": now,
            "deactivated_reason": check_reason(reason),
        }
        await store.update(tx, user, now, changes)
        await record(tx, actor, "user.deactivate", target(user), reason=reason)
        await self._tell(tx, account, Kind.DEACTIVATED, reason, now)

    async def close(
        self,
        tx: Transaction,
        user: UUID,
        actor: Actor,
        now: datetime,
        *,
        force: bool = False,
    ) -> None:
        """Forget a person: only his uuid stays, for what refers to it.

        :param force: also where he still owns or uses something.
        :raises Busy: he does; or he was never in.
        :raises Conflict: he is the last administrator.
        """
        if not force and (left := await store.belongings(tx, user)):
            raise Busy(f"the account still has {left}: those must go first")
        account = await self._out(tx, user, Event.CLOSE, actor, now)
        await self._tell(tx, account, Kind.DEACTIVATED, "the account was closed", now)
        await store.forget(tx, user)
        username, email = closed_names(user)
        changes = {
            **store.stored(State.CLOSED),
            "username": username,
            "email": email,
            "first_name": "",
            "last_name": "",
            "affiliation": None,
            "accepted_email": None,
            "rejected_reason": None,
            "deactivated_at": now,
            "deactivated_reason": "closed",
            "closed_at": now,
        }
        await store.update(tx, user, now, changes)
        # the name is forgotten here, too
        who = Actor(user, username) if actor.uuid == user else actor
        await record(tx, who, "user.close", target(user), forced=force)

    async def _out(
        self, tx: Transaction, user: UUID, event: Event, actor: Actor, now: datetime
    ) -> Account:
        step((await find(tx, user)).state, event)
        await self.suspend(tx, user, actor, now)
        account = await self._moved(tx, user, event)
        await keep_admin(tx, user)
        await end_tokens(tx, user)
        await keys.drop(tx, user)
        return account

    async def _moved(self, tx: Transaction, user: UUID, event: Event) -> Account:
        """The account under lock, if ``event`` may happen to it now."""
        account = await find(tx, user, lock=True)
        step(account.state, event)
        return account

    async def _tell(
        self, tx: Transaction, account: Account, kind: Kind, reason: str, now: datetime
    ) -> None:
        await self.letters.tell(tx, account, kind, now.isoformat(), reason=reason)
