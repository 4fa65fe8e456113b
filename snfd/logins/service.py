"""Use cases of login methods: who arrives by them, and who has which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen
from twisted.logger import Logger

from snfd.accounts.parts import whole
from snfd.accounts.store import methods, people
from snfd.audit import Actor
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Unauthorized,
    Unavailable,
)
from snfd.identity.model import Caller, Issued
from snfd.identity.notices import Told, untold
from snfd.identity.proof import Verifier
from snfd.identity.tally import counted
from snfd.identity.throttle import Guess
from snfd.logins import store
from snfd.logins.attaching import attach, detach, give
from snfd.logins.following import follow, join
from snfd.logins.model import (
    Arrival,
    Attached,
    Claims,
    Method,
    Newcomer,
    Opened,
    Outcome,
    Pending,
    cleaned,
    merged,
)
from snfd.logins.policies import policies_of
from snfd.logins.port import Accounts, Form, Way
from snfd.logins.required import Lacking
from snfd.logins.sessions import Sessions
from snfd.tokens import digest, mint

WAIT = timedelta(hours=1)
"""How long somebody may think about opening an account."""

MOST_WAITING = 10_000
"""How many may do so at once."""

NO_ACCOUNT = "there is no such login method"
STALE = "this took too long, or was done already; please log in again"


@frozen(eq=False)
class Logins:
    """Logs people in by other methods than our passwords.

    :ivar ways: the configured methods by name, as the login page lists them.
    :ivar verifier: looks at the second factor where a method took a password.
    :ivar accounts: opens accounts.
    :ivar told: tells people of ways that were attached or detached.
    """

    db: Database
    sessions: Sessions
    verifier: Verifier
    accounts: Accounts
    clock: Seconds
    random: Callable[[int], bytes]
    ways: Mapping[str, Way]
    told: Told = untold
    _log = Logger()

    def way(self, name: str) -> Way:
        """The method of this name.

        :raises NotFound: there is none that logs people in.
        """
        found = self.ways.get(name)
        if found is None or not found.method.policies.login:
            raise NotFound(NO_ACCOUNT)
        return found

    async def by_form(
        self,
        way: Form,
        name: str,
        password: str,
        *,
        by: Caller | Lacking | None = None,
        code: str = "",
        next_: str = "",
        address: str = "",
    ) -> Arrival | Lacking:
        """Let somebody in, or begin his account, who knows a password elsewhere.

        Failures count as those of our passwords do.

        :param by: who is logged in already; then the method becomes his.
        :param code: of the second factor; empty for none.
        :raises Unauthorized: the password is wrong, or a code is.
        :raises TooManyRequests: too many failed lately.
        """
        with counted(self.verifier.tally, way.method.name, success=False):
            claims, second = await self._checked(way, name, password, code, address)
        return await self.arrive(
            way.method, claims, by, next_=next_, address=address, second=second
        )

    async def _checked(
        self, way: Form, name: str, password: str, code: str, address: str
    ) -> tuple[Claims, tuple[str, ...]]:
        """Whom name and password belong to, and by what else he proved himself."""
        guess = Guess(f"{way.method.name}:{name.strip().lower()}"[:300], address)
        await self.verifier.throttle.admit(guess)
        try:
            claims = await way.check(name, password)
        except Unauthorized:
            await self.verifier.throttle.failed(guess, None)
            raise
        await self.verifier.throttle.admit(guess)
        known = await self.db.run(store.owner, way.method.name, claims.identifier)
        second: tuple[str, ...] = ()
        if known is not None:
            second = await self.verifier.second_factor(
                known.user, code or None, address
            )
        return claims, second

    async def arrive(
        self,
        method: Method,
        claims: Claims,
        by: Caller | Lacking | None,
        *,
        next_: str = "",
        address: str = "",
        second: Sequence[str] = (),
    ) -> Arrival | Lacking:
        """What becomes of somebody whom ``method`` vouches for.

        :param by: who is logged in already, or would be but for the methods that
            he lacks; then the method becomes his.
        :return: or what he lacks (still) before he is let in.
        :param second: what else he proved himself by.
        :raises Forbidden: a policy is against it, or the account is not active.
        :raises Conflict: it is somebody else's.
        """
        claims = Claims(
            claims.identifier,
            cleaned(claims.fields),
            claims.verified,
            claims.groups,
            claims.mirrored,
        )
        with counted(self.verifier.tally, method.name):
            if isinstance(by, Lacking):
                return await self.db.run(self._completed, method, claims, by, address)
            return await self.db.run(
                self._arrived, method, claims, by, next_, address, tuple(second)
            )

    async def pending(self, key: str) -> Pending:
        """Who waits for an account with this key.

        :raises NotFound: nobody does (any more).
        """
        for row in await self.db.read(store.PENDING, (digest(key), now(self.clock))):
            return store.pending(row)
        raise NotFound(STALE)

    async def sign_up(
        self, key: str, newcomer: Newcomer, address: str = ""
    ) -> tuple[Opened, Issued | Lacking | None, str]:
        """Open the account of somebody who waits; his session if he may use it.

        :return: the account, the session or what he lacks for one, and where he
            wanted to go.
        :raises NotFound: nobody waits with this key.
        :raises Conflict: the e-mail is taken; he may try another one.
        :raises Invalid: as `Accounts`.
        """
        return await self.db.run(self._signed_up, key, newcomer, address)

    async def attached(self, user: UUID) -> Sequence[Attached]:
        """How a person may log in."""
        rows = await self.db.read(store.ATTACHED, (user,))
        return [Attached(*row) for row in rows]

    async def detach(
        self, actor: Actor, user: UUID, ident: int, caller: Caller | None = None
    ) -> None:
        """Take a login method from a person; never his last.

        :param caller: himself, if it is he who asks.
        :raises NotFound: he has none such.
        :raises Forbidden: a policy is against it, or his token may not; never
            to others.
        :raises Conflict: he would have none left, or there would be no
            administrator.
        """
        at = now(self.clock)
        await self.db.run(detach, self.told, self.ways, actor, user, ident, caller, at)

    async def _arrived(
        self,
        tx: Transaction,
        method: Method,
        claims: Claims,
        by: Caller | None,
        next_: str,
        address: str,
        second: tuple[str, ...],
    ) -> Arrival | Lacking:
        at = now(self.clock)
        found = await store.owner(tx, method.name, claims.identifier)
        if found is None:
            if by is None:
                return await self._waiting(tx, method, claims, next_, at)
            await whole(tx, by)
            await attach(tx, self.told, method, claims, by.user, Actor.of(by), at)
            return Arrival(Outcome.ADDED)
        if by is not None and by.user != found.user:
            raise Conflict(f"that {method.title} login belongs to another account")
        if by is not None:
            return Arrival(Outcome.ADDED)
        policies = await policies_of(tx, method, found.user)
        if not found.enabled or not policies.login:
            raise Forbidden(f"{method.title} does not log this account in")
        _check_state(found)
        await methods.used(tx, found.id, at)
        await follow(tx, method, claims, found.user, at)
        how = (method.name, *second)
        return _in(await self.sessions.admit(tx, found.user, how, address))

    async def _completed(
        self,
        tx: Transaction,
        method: Method,
        claims: Claims,
        by: Lacking,
        address: str,
    ) -> Arrival | Lacking:
        """Add one of the methods that he lacks; let him in after the last."""
        await people.lock(tx, by.user)
        still = await self.sessions.required.lacking(tx, by.user, by.how)
        if still is None or still.mark != by.mark or method.name not in still.methods:
            raise Unauthorized(STALE)
        actor, at = Actor(by.user, by.name, address), now(self.clock)
        await attach(tx, self.told, method, claims, by.user, actor, at)
        how = (*by.how, method.name)
        return _in(await self.sessions.admit(tx, by.user, how, address))

    async def _waiting(
        self, tx: Transaction, method: Method, claims: Claims, next_: str, at: datetime
    ) -> Arrival:
        if not method.policies.create:
            raise Forbidden(f"{method.title} opens no accounts here; ask for one")
        key = mint(self.random)
        waits = Pending(method.name, claims, next_)
        count = await store.wait(tx, digest(key), waits, at + WAIT, at)
        if count > MOST_WAITING:
            raise Unavailable("too many people are signing up", retry_after=600)
        return Arrival(Outcome.NEW, key=key)

    async def _signed_up(
        self, tx: Transaction, key: str, newcomer: Newcomer, address: str
    ) -> tuple[Opened, Issued | Lacking | None, str]:
        at = now(self.clock)
        waiting = await store.take_pending(tx, digest(key), at)
        way = None if waiting is None else self.ways.get(waiting.method)
        if waiting is None or way is None:
            raise NotFound(STALE)
        method, claims = way.method, waiting.claims
        told = merged(claims, newcomer, method.forced)
        policies = method.policies
        actor = Actor(None, told.email, address)
        same = told.email.lower() == claims.fields.get("email", "").lower()
        verified = claims.verified and policies.autoverify and same
        opened = await self.accounts(
            tx, told, verified, policies, actor, method.name, at
        )
        await give(tx, opened.user, method, claims, actor, at)
        await join(tx, opened.user, policies.creation_groups)
        session = None
        if opened.active:
            how = (method.name,)
            session = await self.sessions.admit(tx, opened.user, how, address)
        return opened, session, waiting.next


def _in(entered: Issued | Lacking) -> Arrival | Lacking:
    if isinstance(entered, Lacking):
        return entered
    return Arrival(Outcome.IN, entered)


def _check_state(found: store.Owner) -> None:
    """Pass if the account may be used; its owner is proven, and may know why not.

    :raises Forbidden: it may not.
    """
    if not found.verified:
        raise Forbidden(
            "the e-mail of this account is not verified yet: see the letter"
        )
    if found.moderation != "accepted":
        raise Forbidden(f"this account is {found.moderation}: nobody accepted it yet")
    if not found.active:
        raise Forbidden("this account is not active")
