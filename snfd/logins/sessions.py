"""Use cases of browsers' sessions: log in by password, log out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Forbidden, Unauthorized
from snfd.identity import sessions
from snfd.identity.model import Caller, Issued, Scope, Scoping, UserRef
from snfd.identity.service import REFUSED, Identity

WEBLOGIN = timedelta(days=30)
"""How long a token works that a program was handed."""


@frozen(eq=False)
class Sessions:
    """Opens and ends sessions; each has a secret of its own, never one given.

    :ivar random: gives so many random bytes, fit for secrets.
    :ivar lifetime: of a session.
    :ivar handed: lifetime of a token that is handed to a program.
    :ivar by_password: whether passwords log people in here.
    """

    db: Database
    identity: Identity
    clock: Seconds
    random: Callable[[int], bytes]
    lifetime: timedelta
    handed: timedelta = WEBLOGIN
    by_password: bool = True

    async def login(
        self, name: str, password: str, *, code: str = "", address: str = ""
    ) -> Issued:
        """A session for whoever knows the password.

        :param name: username, e-mail or uuid.
        :param code: of the second factor, where there is one.
        :param address: where he connects from.
        :raises Unauthorized: as `Identity.login`; also for a token in place of
            the password: a session can do more than a token may.
        :raises Forbidden: passwords log nobody in here.
        """
        if not self.by_password:
            raise Forbidden("passwords are not a login method here")
        scope = Scope(Scoping.UNSCOPED)
        issued = await self.identity.login(UserRef(name), password, scope)
        if "token" in issued.token.methods:
            await self.db.run(sessions.end, issued.token.hash)
            raise Unauthorized(REFUSED)
        return await self.db.run(self._promoted, issued, address)

    async def open(
        self, tx: Transaction, user: UUID, methods: Sequence[str], address: str = ""
    ) -> Issued:
        """A session for somebody whom another login method vouches for.

        :raises Unauthorized: his account is not active.
        """
        at = now(self.clock)
        issued = await sessions.begin(
            tx, user, "session", methods, self.random, at, at + self.lifetime
        )
        await self._noted(tx, issued, address)
        return issued

    async def logout(self, caller: Caller) -> None:
        """End the session, and whatever it opened."""
        await self.db.run(self._ended, caller)

    async def hand_off(self, caller: Caller, label: str) -> Issued:
        """A token for a program on the caller's machine."""
        return await self.db.run(self._handed, caller, label)

    async def _promoted(self, tx: Transaction, issued: Issued, address: str) -> Issued:
        expires = now(self.clock) + self.lifetime
        token = await sessions.promote(tx, issued.token.hash, expires)
        made = Issued(issued.secret, token)
        await self._noted(tx, made, address)
        return made

    async def _noted(self, tx: Transaction, issued: Issued, address: str) -> None:
        user = issued.token.user
        actor = Actor(user.uuid, user.username, address)
        methods = list(issued.token.methods)
        await record(tx, actor, "session.open", f"user:{user.uuid}", methods=methods)

    async def _ended(self, tx: Transaction, caller: Caller) -> None:
        await sessions.end(tx, caller.token_hash)
        target = f"user:{caller.user}"
        await record(tx, Actor.of(caller), "session.end", target)

    async def _handed(self, tx: Transaction, caller: Caller, label: str) -> Issued:
        at = now(self.clock)
        until = at + self.handed
        how = ("weblogin",)
        actor = Actor.of(caller)
        await record(tx, actor, "weblogin", f"user:{caller.user}", label=label)
        return await sessions.begin(
            tx, caller.user, "weblogin", how, self.random, at, until, label
        )
