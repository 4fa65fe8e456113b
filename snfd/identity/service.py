"""Use cases of identity: logging in, and what becomes of tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound, Unauthorized
from snfd.identity import credential_store, proof, sessions, store
from snfd.identity.model import (
    APPCRED,
    By,
    Caller,
    CredentialRef,
    Issued,
    Scope,
    Scoping,
    Token,
    UserRef,
    joined,
    may_see,
)
from snfd.identity.proof import Verifier
from snfd.identity.scoping import derive, insert, is_for, of_credential
from snfd.identity.tally import counted
from snfd.identity.token_store import NewToken
from snfd.tokens import digest, mint

LIFETIME = timedelta(hours=24)
"""How long a token from a login is good for."""

MOST = 2000
"""How many tokens of one kind a person has at once."""

REFUSED = proof.REFUSED
"""The one text for every failed login, scope or token."""

MISSING = "the request needs a token, in X-Auth-Token"
NO_SUBJECT = "there is no such token"
UNSIGNED = "new terms of service wait for your signature: POST …/terms/<id>/sign"


async def resolved(
    db: Database, secret: str, at: datetime, *, signing: bool = False
) -> Token:
    """The token with this secret, if it is good at ``at``.

    :param signing: whether it is wanted to sign terms of service with.
    :raises Unauthorized: unknown, expired, of an inactive user or one who did
        not sign the terms of service in time, or bound to a project that he
        lost.
    """
    for row in await db.read(store.TOKEN, (digest(secret),)):
        token = store.token(row)
        if token is None or token.expires <= at:
            break
        if token.waits_for_terms(at) and not signing:
            raise Unauthorized(UNSIGNED)
        return token
    raise Unauthorized(REFUSED)


async def holder(db: Database, hash_: bytes, at: datetime) -> Caller | None:
    """Who has the token with this sha256; None if it is not good at ``at``."""
    token = await sessions.held(db, hash_, at)
    return None if token is None else token.caller


@frozen(eq=False)
class Authenticator:
    """Tells who presents a token, in one statement each time.

    :ivar used: is told the hash of every token that was good.
    """

    db: Database
    clock: Seconds
    used: Callable[[bytes], None]

    async def __call__(self, token: str | None) -> Caller:
        """Who presents ``token``.

        :raises Unauthorized: none was given, or it is not (or no longer) good.
        """
        if not token:
            raise Unauthorized(MISSING)
        found = await resolved(self.db, token, now(self.clock))
        self.used(found.hash)
        return found.caller

    async def signer(self, token: str | None) -> Caller:
        """Who presents ``token``, also where new terms of service lock him out.

        :raises Unauthorized: as when called, but for the terms.
        """
        if not token:
            raise Unauthorized(MISSING)
        return (await resolved(self.db, token, now(self.clock), signing=True)).caller

    async def inspect(self, presented: str | None, secret: str) -> Token:
        """What the token ``secret`` says, to whoever presents one that is good.

        Both are looked up in one statement.

        :raises Unauthorized: ``presented`` is none, or not good.
        :raises NotFound: ``secret`` is not good, or somebody else's.
        """
        if not presented:
            raise Unauthorized(MISSING)
        at = now(self.clock)
        mine, wanted = digest(presented), digest(secret)
        rows = await self.db.read(store.TWO_TOKENS, (mine, wanted))
        found = {one.hash: one for row in rows if (one := store.token(row))}
        caller, token = (
            sessions.good(found.get(hash_), at) for hash_ in (mine, wanted)
        )
        if caller is None:
            raise Unauthorized(REFUSED)
        self.used(caller.hash)
        if token is None or not caller.may_see(token.user.uuid):
            raise NotFound(NO_SUBJECT)
        return token


@frozen(eq=False)
class Identity:
    """Logs people in and looks after their tokens.

    :ivar verifier: looks whether people are who they say.
    :ivar random: gives so many random bytes, fit for secrets.
    :ivar lifetime: of a token from a login.
    :ivar admit: raises `Forbidden` where an account lacks what it must have
        before a password lets it in; None for nothing.
    :ivar most: how many tokens of one kind a person has at once; the oldest end.
    """

    db: Database
    verifier: Verifier
    clock: Seconds
    random: Callable[[int], bytes]
    lifetime: timedelta = LIFETIME
    admit: Callable[[Transaction, UUID], Awaitable[None]] | None = None
    most: int = MOST

    async def login(
        self,
        who: UserRef,
        password: str,
        scope: Scope,
        *,
        reuse: bool = False,
        passcode: str | None = None,
        address: str = "",
    ) -> Issued:
        """A new token for whoever knows the password.

        One of his tokens is as good as the password, and then lends its
        expiry; with ``reuse`` it is itself the answer where ``scope`` allows.

        :param passcode: a one-time or recovery code, where the account asks.
        :param address: where he connects from; empty where no failure counts.
        :raises Unauthorized: no such user, wrong password, inactive, or not a
            member of the scope; nothing tells which. Also without a code that
            the account asks for.
        :raises Forbidden: as `admit`.
        :raises TooManyRequests: too many failed lately, by name or by address.
        :raises Invalid: the password is too long; or a `Scoping.TENANT` is
            none of his.
        """
        at = now(self.clock)
        with counted(self.verifier.tally, proof.OURS, success=False):
            presented = await self._token(password, at)
        if presented is not None and who.is_of(presented.user):
            return await self._exchange(Issued(password, presented), scope, at, reuse)
        proven = await self.verifier.by_password(who, password, passcode, address)
        if self.admit is not None:
            await self.db.run(self.admit, proven.user)
        expires = at + self.lifetime
        secret, new = self._new(proven.user, at, expires, proven.methods)
        return Issued(secret, await self.db.run(insert, new, scope, None, self.most))

    async def with_credential(self, ref: CredentialRef, secret: str) -> Issued:
        """A token of an application credential, for its project alone.

        It dies with the credential, and with the membership.

        :raises Unauthorized: no such credential, wrong secret, expired, or its
            owner is not active or not in the project; nothing tells which.
        """
        at = now(self.clock)
        values = (ref.id, ref.user.uuid, ref.user.name, ref.name)
        rows = await self.db.read(credential_store.LOGIN, values)
        found = credential_store.Known(*rows[0]) if rows else None
        if found is None or not found.opens(digest(secret), at):
            raise Unauthorized(REFUSED)
        expires = min(at + self.lifetime, found.expires or at + self.lifetime)
        made, new = self._new(found.user, at, expires, ("application_credential",))
        new = evolve(new, kind=APPCRED, role=found.role, credential=found.id)
        scope = Scope(Scoping.PROJECT, str(found.project), By.ID)
        return Issued(made, await self.db.run(of_credential, new, scope, self.most))

    async def exchange(
        self, secret: str, scope: Scope, *, reuse: bool = False
    ) -> Issued:
        """A token of another scope for a good one; it expires with that.

        :param reuse: answer the same token where it is good for ``scope``.
        :raises Unauthorized: as `login`; also for a token that its owner bound
            to another project.
        :raises Invalid: as `login`.
        """
        at = now(self.clock)
        token = await resolved(self.db, secret, at)
        return await self._exchange(Issued(secret, token), scope, at, reuse)

    async def inspect(self, caller: Caller, secret: str) -> Token:
        """What a token says, to its owner or an administrator.

        :raises NotFound: it is not good, or somebody else's.
        """
        token = await self.validate(secret)
        if not may_see(caller, token.user.uuid):
            raise NotFound(NO_SUBJECT)
        return token

    async def validate(self, secret: str) -> Token:
        """What a token says, to somebody who may see all of them.

        :raises NotFound: it is not good.
        """
        token = await self._token(secret, now(self.clock))
        if token is None:
            raise NotFound(NO_SUBJECT)
        return token

    async def revoke(self, caller: Caller, secret: str) -> None:
        """End a token; consoles that it opened are closed.

        :raises NotFound: as `inspect`.
        """
        token = await self.inspect(caller, secret)
        await self.db.run(sessions.end, token.hash)

    async def _token(self, secret: str, at: datetime) -> Token | None:
        try:
            return await resolved(self.db, secret, at)
        except Unauthorized:
            return None

    async def _exchange(
        self, held: Issued, scope: Scope, at: datetime, reuse: bool
    ) -> Issued:
        token = held.token
        if reuse and is_for(scope, token):
            return held
        within = None if token.may_rescope else token.bound
        if within and scope.kind in (Scoping.DEFAULT, Scoping.UNSCOPED):
            scope = Scope(Scoping.PROJECT, str(within), By.ID)
        methods = joined(token.methods, "token")
        secret, new = self._new(token.user.uuid, at, token.expires, methods)
        new = evolve(
            new,
            kind=token.kind,
            audit_ids=(*new.audit_ids, *token.audit_ids[-1:]),
        )
        made = self.db.run(derive, new, scope, within, token, self.most)
        return Issued(secret, await made)

    def _new(
        self, user: UUID, at: datetime, expires: datetime, methods: Sequence[str]
    ) -> tuple[str, NewToken]:
        secret = mint(self.random)
        new = NewToken(
            hash=digest(secret),
            user=user,
            project=None,
            kind="login",
            methods=methods,
            audit_ids=(mint(self.random, 16),),
            issued=at,
            expires=expires,
        )
        return secret, new
