"""Use cases of the second factor: setting it up, and giving it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import field, frozen

from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Forbidden, NotFound, Unauthorized
from snfd.identity import factor_store as store
from snfd.identity import totp
from snfd.identity.model import By, Caller, UserRef, require_free
from snfd.identity.notices import Told, untold
from snfd.identity.proof import Verifier
from snfd.identity.throttle import Guess
from snfd.sealed import TOTP_SEED, Sealer
from snfd.tokens import digest

RECOVERY_CODES = 10

FRESH = timedelta(minutes=5)
"""How long a login is as good as a password, of somebody who has none."""


@frozen
class Enrolment:
    """A seed to be put into an app, told once.

    :ivar uri: the same for a QR code.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@frozen
class FactorState:
    """Whether an account asks for codes.

    :ivar recovery_codes: how many are left.
    """

    enabled: bool
    recovery_codes: int


@frozen(eq=False)
class SecondFactors:
    """One-time codes that an account asks for besides its password.

    :ivar random: gives so many random bytes, fit for secrets.
    :ivar issuer: what an app shows in front of the account's name.
    :ivar told: tells people that codes are asked for, or no longer.
    """

    db: Database
    verifier: Verifier
    clock: Seconds
    sealer: Sealer
    random: Callable[[int], bytes]
    issuer: str = "snfd"
    told: Told = untold

    async def state(self, user: UUID) -> FactorState:
        """Whether ``user`` is asked for codes."""
        return FactorState(*await self.db.run(store.state, user))

    async def enrol(
        self, caller: Caller, password: str | None, address: str
    ) -> Enrolment:
        """A new seed; nothing is asked for until a code of it was right.

        :param password: his own, or a stolen token could shut him out; None for
            somebody who has none, and who must have logged in `FRESH` ago at most.
        :raises Forbidden: the token was made for one project alone, or is no
            fresh login's.
        :raises Conflict: codes are asked for already.
        :raises Unauthorized: the password is wrong.
        :raises TooManyRequests: as `Verifier.by_password`.
        """
        require_free(caller)
        if (await self.state(caller.user)).enabled:
            raise Conflict("one-time codes are set up already; disable them first")
        await self._prove(caller, password, address)
        seed = self.random(totp.SEED)
        await self.db.run(self._begin, caller, seed)
        return Enrolment(
            totp.as_text(seed), totp.uri(seed, caller.username, self.issuer)
        )

    async def confirm(
        self, caller: Caller, passcode: str, address: str
    ) -> Sequence[str]:
        """Ask for codes from now on; the recovery codes, told once.

        :raises NotFound: nothing was enrolled.
        :raises Conflict: codes are asked for already.
        :raises Unauthorized: the code is wrong.
        :raises TooManyRequests: as `Verifier.by_password`.
        """
        require_free(caller)
        guess = Guess(str(caller.user), address)
        await self.verifier.throttle.admit(guess)
        codes = [totp.recovery_code(self.random) for _ in range(RECOVERY_CODES)]
        if not await self.db.run(self._confirm, caller, passcode, address, codes):
            await self.verifier.throttle.failed(guess, caller.user)
            raise Unauthorized("that code is wrong")
        return codes

    async def disable(self, caller: Caller, passcode: str, address: str) -> None:
        """Ask for no codes any more.

        :param passcode: a one-time or recovery code.
        :raises Unauthorized: the code is wrong, or none is asked for.
        :raises TooManyRequests: as `Verifier.by_password`.
        """
        require_free(caller)
        await self.verifier.second_factor(caller.user, passcode, address)
        await self.reset(caller.user, Actor(caller.user, caller.username, address))

    async def reset(self, user: UUID, actor: Actor) -> None:
        """Take the second factor off an account, as an administrator does.

        :raises NotFound: it has none.
        """
        at = now(self.clock)
        await self.db.run(_remove, user, actor, self.told, at)

    async def _prove(self, caller: Caller, password: str | None, address: str) -> None:
        if password is None:
            await self.db.run(require_fresh, caller, now(self.clock))
            return
        who = UserRef(str(caller.user), By.ID)
        await self.verifier.by_password(who, password, None, address)

    async def _begin(self, tx: Transaction, caller: Caller, seed: bytes) -> None:
        sealed = self.sealer.seal(seed, *TOTP_SEED.at(caller.user))
        if not await store.begin(tx, caller.user, sealed, now(self.clock)):
            raise Conflict("one-time codes are set up already; disable them first")

    async def _confirm(
        self,
        tx: Transaction,
        caller: Caller,
        passcode: str,
        address: str,
        codes: Sequence[str],
    ) -> bool:
        factor = await store.lock(tx, caller.user)
        if factor is None:
            raise NotFound("no one-time codes are being set up")
        if factor.confirmed:
            raise Conflict("one-time codes are set up already")
        at = now(self.clock)
        seed = self.sealer.open(factor.secret, *TOTP_SEED.at(caller.user))
        step = totp.matching(seed, passcode, at.timestamp(), factor.last_step)
        if step is None:
            return False
        await store.used(tx, caller.user, step)
        hashes = [digest(totp.plain(code)) for code in codes]
        await store.confirm(tx, caller.user, at, hashes)
        actor = Actor(caller.user, caller.username, address)
        await record(tx, actor, "second_factor.enable", f"user:{caller.user}")
        await self.told(tx, caller.user, "one-time codes are asked for now", at)
        return True


async def require_fresh(tx: Transaction, caller: Caller, at: datetime) -> None:
    """Pass if the caller has no password, and his token is of a login just now.

    So a stolen token is worth no more than where there is a password to ask for.

    :raises Forbidden: he has one, or logged in longer than `FRESH` ago.
    """
    fresh = await store.logged_in_since(tx, caller.token_hash, at - FRESH)
    if not fresh or await store.has_password(tx, caller.user):
        raise Forbidden(
            "give your password; if you have none, log in again: that must be "
            f"less than {FRESH.seconds // 60} minutes ago"
        )


async def _remove(
    tx: Transaction, user: UUID, actor: Actor, told: Told, at: datetime
) -> None:
    if not await store.remove(tx, user):
        raise NotFound("the account has no one-time codes")
    await record(tx, actor, "second_factor.disable", f"user:{user}")
    await told(tx, user, "one-time codes are no longer asked for", at)
