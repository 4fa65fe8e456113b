"""What the use cases of accounts share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from attrs import define, field, frozen

from snfd.accounts.letters import Letters
from snfd.accounts.model import Account, Rules
from snfd.accounts.service import Lifecycle, target
from snfd.accounts.store import keys, methods, tokens
from snfd.accounts.store.keys import Key, Purpose
from snfd.accounts.store.tokens import Presented
from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Closed, Forbidden, Unauthorized, Unavailable
from snfd.identity import credential_store
from snfd.identity.model import Caller
from snfd.identity.passwords import Passwords
from snfd.identity.second_factor import require_fresh
from snfd.identity.service import REFUSED
from snfd.identity.throttle import Guess
from snfd.identity.token_store import end_all
from snfd.mail.model import Kind
from snfd.tasks import Tasks
from snfd.tokens import digest, mint

LOCAL = "local"
"""The login method of our own passwords."""


class How(StrEnum):
    """How somebody got another password."""

    CHANGE = "change"
    RESET = "reset"
    ADMIN = "admin"


WAITING = 100
"""How many works may wait behind answers that were given already."""

KINDS = {
    Purpose.VERIFY: Kind.VERIFY,
    Purpose.RESET: Kind.RESET,
    Purpose.EMAIL: Kind.EMAIL_CONFIRM,
}


class Guesses(Protocol):
    """Counts wrong passwords; `snfd.identity.throttle.Throttle`."""

    async def admit(self, guess: Guess) -> None:
        """Pass unless there were too many.

        :raises TooManyRequests: there were.
        """

    async def failed(self, guess: Guess, user: UUID | None) -> None:
        """Count one.

        :raises TooManyRequests: it was one too many.
        """


@define(eq=False)
class Background:
    """Does what the asker must not learn about, not even from the clock.

    The answer is given before the work looks at anything.
    """

    tasks: Tasks
    _waiting: int = field(init=False, default=0)

    def __call__(self, work: Coroutine[Any, Any, object], what: str) -> None:
        """Do ``work`` by and by; a failure is logged.

        :raises Unavailable: `WAITING` works wait already.
        :raises Closed: the process is stopping.
        """
        if self._waiting >= WAITING:
            work.close()
            raise Unavailable("too many ask for letters at once", retry_after=5)
        self._waiting += 1
        try:
            self.tasks.start(self._counted(work), what)
        except Closed:
            self._waiting -= 1
            work.close()
            raise

    async def _counted(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        finally:
            self._waiting -= 1


@frozen(eq=False, kw_only=True)
class Parts:
    """What the use cases of accounts are made of.

    :ivar random: gives so many random bytes, fit for secrets.
    :ivar new_id: gives uuids that nobody has.
    """

    db: Database
    clock: Seconds
    passwords: Passwords
    guesses: Guesses
    random: Callable[[int], bytes]
    new_id: Callable[[], UUID]
    rules: Rules
    letters: Letters
    lifecycle: Lifecycle
    background: Background

    def now(self) -> datetime:
        """The time of the request."""
        return now(self.clock)

    def secret(self) -> str:
        """A new secret."""
        return mint(self.random)

    async def send_key(
        self,
        tx: Transaction,
        account: Account,
        purpose: Purpose,
        secret: str,
        to: str,
        lasts: timedelta,
        at: datetime,
    ) -> None:
        """Send a link with ``secret``, the only one for ``purpose`` that works."""
        key = Key(account.uuid, purpose, digest(secret), to, at, at + lasts)
        await keys.put(tx, key)
        await self.letters.link(tx, account, KINDS[purpose], secret, to)

    async def prove(self, caller: Caller, password: str | None) -> None:
        """Pass if ``password`` is the caller's; or he has none and logged in just now.

        Wrong ones count as failed logins: who holds a stolen token may guess.

        :raises Forbidden: it is not, or none was given and his login is no fresh one.
        :raises TooManyRequests: too many were wrong lately.
        """
        guess = Guess(str(caller.user))
        await self.guesses.admit(guess)
        stored = await self.db.run(methods.password_hash, caller.user)
        if stored is None and password is None:
            await self.db.run(require_fresh, caller, self.now())
            return
        if not await self.passwords.verify(stored, password or ""):
            await self.guesses.failed(guess, caller.user)
            raise Forbidden("that is not your password")
        # many at once are worth no more than one by one
        await self.guesses.admit(guess)


async def whole(tx: Transaction, caller: Caller) -> Presented:
    """The token that ``caller`` presents, if it may change his account.

    :raises Forbidden: it is good for one project or one program only.
    :raises Unauthorized: it ended meanwhile.
    """
    token = await tokens.presented(tx, caller.token_hash)
    if token is None:
        raise Unauthorized(REFUSED)
    if token.kind == "appcred" or (token.kind == "personal" and token.bound):
        raise Forbidden("a token of one project must not change the account")
    return token


async def set_password(
    tx: Transaction,
    parts: Parts,
    account: Account,
    hashed: str,
    actor: Actor,
    how: How,
    *,
    but: bytes | None = None,
    programs: bool = True,
) -> None:
    """Give a person another password, end what went in with the old one, tell him.

    Tokens stay where he changed it himself and the rules say so.

    :param but: sha256 of the token that goes on.
    :param programs: whether application credentials end, too.
    """
    at, user = parts.now(), account.uuid
    await methods.set_password(tx, user, hashed, at)
    await keys.drop(tx, user)
    mild = how is How.CHANGE and not parts.rules.password_revokes
    ended = await end_all(tx, user, but, ("session",) if mild else None)
    gone = await credential_store.forget(tx, user) if programs else 0
    await record(
        tx, actor, "user.password", target(user), how=how, ended=ended, programs=gone
    )
    told = new_password(account, gone)
    await parts.letters.changed(tx, user, told, at)


def new_password(account: Account, gone: int) -> str:
    """What a letter says of a new password.

    :param gone: how many application credentials ended with the old one.
    """
    told = ["password"]
    if gone:
        told.append(f"application credentials that ended with the old one: {gone}")
    if others := sorted(set(account.methods) - {LOCAL}):
        told.append(f"you can still log in by: {', '.join(others)}")
    return "; ".join(told)
