"""Passwords: changing one's own, and getting a new one by letter."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from snfd.accounts.model import PAUSE, check_address
from snfd.accounts.parts import How, Parts, set_password, whole
from snfd.accounts.service import find, target
from snfd.accounts.signup import NO_KEY
from snfd.accounts.states import State
from snfd.accounts.store import keys, methods
from snfd.accounts.store import people as store
from snfd.accounts.store.keys import Purpose
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import NotFound
from snfd.identity.model import Caller
from snfd.tokens import digest


@frozen(eq=False)
class Credentials:
    """Lets people change their passwords."""

    parts: Parts

    async def change(
        self, caller: Caller, old: str | None, new: str, *, programs: bool = False
    ) -> None:
        """Set a new password; other sessions end, and tokens by the rules.

        :param old: None only for somebody who has no password yet.
        :param programs: whether application credentials end, too.
        :raises Invalid: ``new`` may not be one.
        :raises Forbidden: ``old`` is wrong, or the token is not good for that.
        :raises TooManyRequests: too many were wrong lately.
        """
        self.parts.rules.check_password(new)
        await self.parts.db.run(whole, caller)
        await self.parts.prove(caller, old)
        hashed = await self.parts.passwords.hash(new)
        await self.parts.db.run(self._changed, caller, hashed, programs)

    async def ask_reset(self, email: str, address: str = "") -> None:
        """Send a link to a new password, if an active account has the address.

        The answer is always the same, and given before anything is looked at.

        :param address: where the request comes from, if that is known.
        :raises Invalid: it is no address.
        """
        email, who = check_address(email), Actor(None, "", address)
        work = self._ask(email, self.parts.secret(), who, self.parts.now())
        self.parts.background(work, "a letter to a new password")

    async def reset(self, key: str, password: str) -> None:
        """Set a new password with the key of a letter's link, once.

        All tokens, sessions and application credentials end: whoever comes by
        letter may have lost the account to somebody.

        :raises Invalid: ``password`` may not be one; the key stays good.
        :raises NotFound: the key is not, or no longer, good.
        """
        self.parts.rules.check_password(password)
        hashed = await self.parts.passwords.hash(password)
        await self.parts.db.run(self._reset, key, hashed, self.parts.now())

    async def _changed(
        self, tx: Transaction, caller: Caller, hashed: str, programs: bool
    ) -> None:
        account = await find(tx, caller.user, lock=True)
        actor = Actor.of(caller)
        but = caller.token_hash
        await set_password(
            tx,
            self.parts,
            account,
            hashed,
            actor,
            How.CHANGE,
            but=but,
            programs=programs,
        )

    async def _ask(self, email: str, secret: str, who: Actor, at: datetime) -> None:
        await self.parts.db.run(self._asked, email, secret, who, at)

    async def _asked(
        self, tx: Transaction, email: str, secret: str, who: Actor, at: datetime
    ) -> None:
        found = await store.by_email(tx, email, lock=True)
        if not found or found[0].state is not State.ACTIVE:
            return
        account = found[0]
        if await methods.password_hash(tx, account.uuid) is None:
            return
        sent = await keys.sent(tx, account.uuid, Purpose.RESET)
        if sent is not None and sent > at - PAUSE:
            return
        lasts = self.parts.rules.reset
        await self.parts.send_key(
            tx, account, Purpose.RESET, secret, account.email, lasts, at
        )
        await record(tx, who, "user.reset.asked", target(account.uuid))

    async def _reset(
        self, tx: Transaction, key: str, hashed: str, at: datetime
    ) -> None:
        held = await keys.look(tx, digest(key), Purpose.RESET, at)
        if held is None or not await keys.use(tx, held):
            raise NotFound(NO_KEY)
        account = await find(tx, held.user, lock=True)
        if account.state is not State.ACTIVE or account.email != held.email:
            raise NotFound(NO_KEY)
        actor = Actor(account.uuid, account.username)
        await set_password(tx, self.parts, account, hashed, actor, How.RESET)
