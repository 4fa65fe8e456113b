"""What administrators decide about accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.accounts.parts import Parts
from snfd.accounts.service import find, target
from snfd.accounts.states import Event, State, step
from snfd.accounts.store import people as store
from snfd.accounts.store.keys import Purpose
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy


@frozen(eq=False)
class Moderation:
    """Takes accounts from one state to the next, for administrators.

    Each method raises `NotFound` where there is no such user, and `Busy` where
    the account is not in a state for that.
    """

    parts: Parts

    async def verify(self, user: UUID, actor: Actor) -> bool:
        """Vouch for a person's address; whether he is active now."""
        work, at = self.parts.lifecycle.verified, self.parts.now()
        active: bool = await self.parts.db.run(work, user, "manual", at, actor=actor)
        return active

    async def send_verification(self, user: UUID, actor: Actor) -> None:
        """Send another letter with a link that verifies the address."""
        secret, at = self.parts.secret(), self.parts.now()
        await self.parts.db.run(self._sent, user, secret, actor, at)

    async def accept(self, user: UUID, actor: Actor) -> None:
        """Let a person in."""
        accept = self.parts.lifecycle.accept
        await self.parts.db.run(accept, user, "manual", actor, self.parts.now())

    async def reject(self, user: UUID, reason: str, actor: Actor) -> None:
        """Turn a person away."""
        reject = self.parts.lifecycle.reject
        await self.parts.db.run(reject, user, reason, actor, self.parts.now())

    async def activate(self, user: UUID, actor: Actor) -> None:
        """Let a person in again."""
        activate = self.parts.lifecycle.activate
        await self.parts.db.run(activate, user, actor, self.parts.now())

    async def deactivate(self, user: UUID, reason: str, actor: Actor) -> None:
        """Keep a person out."""
        deactivate = self.parts.lifecycle.deactivate
        await self.parts.db.run(deactivate, user, reason, actor, self.parts.now())

    async def remove(self, user: UUID, actor: Actor) -> None:
        """Remove an account that was never accepted."""
        await self.parts.db.run(_removed, user, actor)

    async def _sent(
        self, tx: Transaction, user: UUID, secret: str, actor: Actor, at: datetime
    ) -> None:
        account = await find(tx, user, lock=True)
        if account.state is not State.UNVERIFIED:
            raise Busy("the address is verified already")
        lasts = self.parts.rules.verification
        await self.parts.send_key(
            tx, account, Purpose.VERIFY, secret, account.email, lasts, at
        )
        await record(tx, actor, "user.send_verification", target(user))


async def _removed(tx: Transaction, user: UUID, actor: Actor) -> None:
    account = await find(tx, user, lock=True)
    step(account.state, Event.REMOVE)
    await record(tx, actor, "user.remove", target(user))
    await store.delete(tx, user)
