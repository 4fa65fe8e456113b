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
    Account,
    Rules,
    accepting_policy,
    check_reason,
    closed_names,
)
from snfd.accounts.states import Effect, Event, Step, step
from snfd.accounts.store import groups, keys
from snfd.accounts.store import people as store
from snfd.audit import DAEMON, Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, NotFound
from snfd.identity.model import ADMIN
from snfd.identity.token_store import end_all
from snfd.mail.model import Kind
from snfd.projects import service as projects


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
    return await end_all(tx, user, but)


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
        account, done = await self._begun(tx, user, Event.VERIFY, DAEMON, now)
        for one in await store.by_email(tx, account.email, lock=True):
            if one.columns.email_verified:
                raise Conflict("somebody else has that address")
            if one.uuid != user:
                await store.delete(tx, one.uuid)
        await self._done(tx, user, done, now, verified_at=now)
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
        account, done = await self._begun(tx, user, Event.ACCEPT, actor, now)
        await self._done(
            tx,
            user,
            done,
            now,
            moderated_at=now,
            accepted_policy=policy,
            accepted_email=account.email,
            rejected_reason=None,
        )
        await record(tx, actor, "user.accept", target(user), policy=policy)
        await self._tell(tx, account, Kind.ACCEPTED, "", now)

    async def reject(
        self, tx: Transaction, user: UUID, reason: str, actor: Actor, now: datetime
    ) -> None:
        """Turn a person away, who is told why; he may be accepted later.

        :raises Busy: he does not wait for that decision.
        """
        account, done = await self._begun(tx, user, Event.REJECT, actor, now)
        why = check_reason(reason)
        await self._done(tx, user, done, now, moderated_at=now, rejected_reason=why)
        await record(tx, actor, "user.reject", target(user), reason=reason)
        await self._tell(tx, account, Kind.REJECTED, reason, now)

    async def activate(
        self, tx: Transaction, user: UUID, actor: Actor, now: datetime
    ) -> None:
        """Let a person in again; what his deactivation suspended is back.

        :raises Busy: he is not deactivated.
        """
        account, done = await self._begun(tx, user, Event.ACTIVATE, actor, now)
        changes = {"deactivated_at": None, "deactivated_reason": None}
        await self._done(tx, user, done, now, **changes)
        await record(tx, actor, "user.activate", target(user))
        await self._tell(tx, account, Kind.ACTIVATED, "", now)

    async def deactivate(
        self, tx: Transaction, user: UUID, reason: str, actor: Actor, now: datetime
    ) -> None:
        """Keep a person out: his tokens end, what he owns is suspended.

        :raises Busy: he is not in.
        :raises Conflict: he is the last administrator.
        """
        account, done = await self._begun(tx, user, Event.DEACTIVATE, actor, now)
        why = check_reason(reason)
        changes = {"deactivated_at": now, "deactivated_reason": why}
        await self._done(tx, user, done, now, **changes)
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
        account, done = await self._begun(tx, user, Event.CLOSE, actor, now)
        await self._tell(tx, account, Kind.DEACTIVATED, "the account was closed", now)
        username, email = closed_names(user)
        changes = {
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
        await self._done(tx, user, done, now, **changes)
        # the name is forgotten here, too
        who = Actor(user, username) if actor.uuid == user else actor
        await record(tx, who, "user.close", target(user), forced=force)

    async def _begun(
        self, tx: Transaction, user: UUID, event: Event, actor: Actor, now: datetime
    ) -> tuple[Account, Step]:
        """The account under lock, as it was, and what ``event`` makes of it.

        What it owns is suspended or back, and its tokens ended, where the step says
        so; the rest is for `_done`.
        """
        effects = step((await find(tx, user)).state, event).effects
        if Effect.SUSPEND in effects:
            await self.suspend(tx, user, actor, now)
        if Effect.UNSUSPEND in effects:
            await self.unsuspend(tx, user, actor, now)
        account = await find(tx, user, lock=True)
        done = step(account.state, event)
        if Effect.END_TOKENS in done.effects:
            await keep_admin(tx, user)
            await end_tokens(tx, user)
            await keys.drop(tx, user)
        return account, done

    async def _done(
        self, tx: Transaction, user: UUID, done: Step, now: datetime, **changes: object
    ) -> None:
        """Store the state of ``done`` with other columns, and what goes along."""
        if Effect.FORGET in done.effects:
            await store.forget(tx, user)
        await store.update(tx, user, now, {**store.stored(done.state), **changes})
        if Effect.OPEN_PROJECT in done.effects:
            await projects.create_system(tx, user, now)

    async def _tell(
        self, tx: Transaction, account: Account, kind: Kind, reason: str, now: datetime
    ) -> None:
        await self.letters.tell(tx, account, kind, now.isoformat(), reason=reason)
