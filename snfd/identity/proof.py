"""Proving who one is: by password, and by a second factor where there is one."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Invalid, Unauthorized
from snfd.identity import factor_store, store, totp
from snfd.identity.model import UserRef
from snfd.identity.names import MAX_PASSWORD
from snfd.identity.passwords import Passwords
from snfd.identity.tally import Tally, counted, uncounted
from snfd.identity.throttle import Guess, Throttle
from snfd.sealed import TOTP_SEED, Sealer
from snfd.tokens import digest

REFUSED = "these credentials are not valid"
"""The one text for every failed login, scope or token."""

NEEDS_CODE = (
    "this account asks for a one-time code besides the password: log in with the"
    " methods password and totp, or with an application credential"
)
"""What whoever knows the password alone is told."""

MAX_PASSCODE = 64
"""The longest one-time or recovery code, in characters."""


@frozen
class Proven:
    """Someone who proved who he is.

    :ivar methods: by what, as tokens of v3 say it.
    """

    user: UUID
    methods: tuple[str, ...]


OURS = "password"
"""What logins by our own passwords are counted as."""


class Second(Enum):
    """What became of a second factor."""

    UNKNOWN = "there is none"
    MISSING = "no code was given"
    WRONG = "the code is wrong, or was used"
    RIGHT = "the code is right"


@frozen(eq=False)
class Verifier:
    """Looks whether people are who they say.

    :ivar throttle: counts failures; other ways to log in use it, too.
    :ivar tally: is told how attempts end; by other ways, too.
    """

    db: Database
    passwords: Passwords
    clock: Seconds
    sealer: Sealer
    throttle: Throttle
    tally: Tally = uncounted

    async def by_password(
        self, who: UserRef, password: str, passcode: str | None, address: str
    ) -> Proven:
        """Whoever knows the password, and the code if his account asks for one.

        :param passcode: a one-time or recovery code; None for none.
        :param address: where he connects from, or an empty string.
        :raises Unauthorized: no such user, wrong password or code, or no code;
            the last alone is told apart, to whoever knows the password.
        :raises TooManyRequests: too many failed lately.
        :raises Invalid: password or code is too long.
        """
        with counted(self.tally, OURS):
            return await self._by_password(who, password, passcode, address)

    async def _by_password(
        self, who: UserRef, password: str, passcode: str | None, address: str
    ) -> Proven:
        if len(password) > MAX_PASSWORD:
            raise Invalid(f"a password has at most {MAX_PASSWORD} characters")
        guess = Guess.of(who, address)
        await self.throttle.admit(guess)
        found = await self.db.read(store.LOGIN, (who.uuid, who.name))
        candidate = store.Candidate(*found[0]) if found else None
        stored = candidate.password_hash if candidate else None
        right = await self.passwords.verify(stored, password)
        if candidate is None or not right:
            await self.throttle.failed(guess, candidate.uuid if candidate else None)
            raise Unauthorized(REFUSED)
        await self.throttle.admit(guess)
        methods: tuple[str, ...] = ("password",)
        if candidate.second_factor or passcode is not None:
            methods += await self.second_factor(candidate.uuid, passcode, address)
        return Proven(candidate.uuid, methods)

    async def second_factor(
        self, user: UUID, passcode: str | None, address: str
    ) -> tuple[str, ...]:
        """What the code of someone who proved his first factor adds to methods.

        Nothing where his account asks for no code and he gave none. Wrong codes
        count as the person's, however he was called, and a right one is not
        believed once many were wrong at the same time.

        :raises Unauthorized: the code is wrong, missing or not asked for.
        :raises TooManyRequests: as `by_password`.
        """
        if passcode is not None and len(passcode) > MAX_PASSCODE:
            raise Invalid(f"a code has at most {MAX_PASSCODE} characters")
        guess = Guess(str(user), address)
        if passcode is not None:
            await self.throttle.admit(guess)
        found = await self.db.run(self._second, user, passcode)
        if found is Second.RIGHT:
            await self.throttle.admit(guess)
            return ("totp",)
        if found is Second.UNKNOWN and passcode is None:
            return ()
        if found is Second.MISSING:
            raise Unauthorized(NEEDS_CODE)
        await self.throttle.failed(guess, user)
        raise Unauthorized(REFUSED)

    async def _second(
        self, tx: Transaction, user: UUID, passcode: str | None
    ) -> Second:
        factor = await factor_store.lock(tx, user)
        if factor is None or not factor.confirmed:
            return Second.UNKNOWN
        if passcode is None:
            return Second.MISSING
        if await factor_store.spend(tx, user, digest(totp.plain(passcode))):
            return Second.RIGHT  # needs no key, should that be lost
        seed = self.sealer.open(factor.secret, *TOTP_SEED.at(user))
        seconds = now(self.clock).timestamp()
        step = totp.matching(seed, passcode, seconds, factor.last_step)
        if step is None:
            return Second.WRONG
        await factor_store.used(tx, user, step)
        return Second.RIGHT
