"""Changing one's address: the new one is proved, the old one is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from snfd.accounts.model import Account, check_new_address
from snfd.accounts.parts import Parts, whole
from snfd.accounts.service import find, target
from snfd.accounts.signup import NO_KEY
from snfd.accounts.states import State
from snfd.accounts.store import keys
from snfd.accounts.store import people as store
from snfd.accounts.store.keys import Purpose
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Conflict, Forbidden, Invalid, NotFound, TooManyRequests
from snfd.identity.model import Caller
from snfd.mail.model import Kind
from snfd.tokens import digest

PAUSE = timedelta(minutes=1)
"""How often one person has links sent to new addresses."""


@frozen(eq=False)
class Emails:
    """Lets people change their addresses."""

    parts: Parts

    async def ask(self, caller: Caller, email: str, password: str | None) -> None:
        """Send a link to a new address, in place of an earlier one.

        An address that somebody else proved gets none; nothing tells that.

        :param password: the caller's own; None if he has none.
        :raises Invalid: it is no address, or the one that he has.
        :raises Forbidden: the password is wrong, or the token not good for that; or
            only administrators change addresses here.
        :raises TooManyRequests: too many were wrong lately; or the last link was
            sent less than `PAUSE` ago.
        """
        if not self.parts.rules.email_change:
            raise Forbidden("only administrators change addresses here")
        email = check_new_address(email)
        await self.parts.db.run(whole, caller)
        await self.parts.prove(caller, password)
        account = await self.parts.db.run(find, caller.user)
        if account.email == email:
            raise Invalid("that is your address already")
        sent = await self.parts.db.run(keys.sent, caller.user, Purpose.EMAIL)
        if sent is not None and sent > self.parts.now() - PAUSE:
            pause = int(PAUSE.total_seconds())
            raise TooManyRequests("a link was sent just now", retry_after=pause)
        work = self._ask(caller, email, self.parts.secret(), self.parts.now())
        self.parts.background(work, "a letter to a new address")

    async def confirm(self, key: str, caller: Caller | None) -> str:
        """Take the key of a letter's link, once; the new address.

        :param caller: who is logged in, if anybody.
        :raises NotFound: the key is not, or no longer, good.
        :raises Forbidden: it is somebody else's than the caller's.
        :raises Conflict: somebody else proved the address meanwhile.
        """
        at = self.parts.now()
        found: str = await self.parts.db.run(self._confirmed, key, caller, at)
        return found

    async def _ask(self, caller: Caller, email: str, secret: str, at: datetime) -> None:
        await self.parts.db.run(self._asked, caller, email, secret, at)

    async def _asked(
        self, tx: Transaction, caller: Caller, email: str, secret: str, at: datetime
    ) -> None:
        if await store.address_taken(tx, email, caller.user):
            return
        account = await find(tx, caller.user, lock=True)
        lasts = self.parts.rules.email
        await self.parts.send_key(tx, account, Purpose.EMAIL, secret, email, lasts, at)
        await record(tx, Actor.of(caller), "user.email.asked", target(caller.user))

    async def _confirmed(
        self, tx: Transaction, key: str, caller: Caller | None, at: datetime
    ) -> str:
        held = await keys.look(tx, digest(key), Purpose.EMAIL, at)
        if held is None:
            raise NotFound(NO_KEY)
        if caller is not None and caller.user != held.user:
            raise Forbidden("this link is somebody else's: log out first")
        account = await find(tx, held.user, lock=True)
        if account.state is not State.ACTIVE or not await keys.use(tx, held):
            raise NotFound(NO_KEY)
        actor = Actor(account.uuid, account.username)
        await set_email(tx, self.parts, account, held.email, actor, at)
        return held.email


async def set_email(
    tx: Transaction,
    parts: Parts,
    account: Account,
    email: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Give a person another address, and a login name that was his address too.

    Accounts with the same address that nobody proved are removed; the old
    address is told.

    :raises Conflict: somebody else proved it.
    """
    if await store.address_taken(tx, email, account.uuid):
        raise Conflict("somebody else has that address")
    for one in await store.by_email(tx, email, lock=True):
        if one.uuid != account.uuid and one.state is State.UNVERIFIED:
            await store.delete(tx, one.uuid)
    changes: dict[str, object] = {"email": email}
    if "@" in account.username:
        changes["username"] = email
    await store.update(tx, account.uuid, at, changes)
    await keys.drop(tx, account.uuid)
    await record(tx, actor, "user.email", target(account.uuid))
    await parts.letters.tell(
        tx, account, Kind.EMAIL_CHANGED, at.isoformat(), email=email
    )
