"""OAuth2: programs that people let act for them (authorization code).

Sources: ``spec/astakos.md`` §2.9, RFC 6749 §4.1, RFC 7636.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from snfd.accounts.parts import whole
from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.identity import sessions
from snfd.identity.model import Caller, Token
from snfd.logins import handoff_store as store
from snfd.logins.handoff_model import Client, Code, Wish
from snfd.logins.model import challenge, same
from snfd.logins.redirects import MAX_URL, safe
from snfd.tokens import digest, mint

CODE_LASTS = timedelta(minutes=1)
TOKEN_LASTS = timedelta(seconds=20)
CODE_BYTES = 45
"""Sixty characters."""

MAX_CLIENTS = 1000

MAX_CODES = 50
"""How many of one session there are at once."""


class Refused(Invalid):
    """A request of a program that OAuth2 has a word for.

    ``details["error"]`` is that word, such as ``invalid_grant``.
    """

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message, error=word)


@frozen(eq=False)
class OAuth2:
    """Gives programs short tokens, by way of their users' browsers.

    :ivar random: gives so many random bytes, fit for secrets.
    """

    db: Database
    clock: Seconds
    random: Callable[[int], bytes]

    async def wish(
        self,
        client: str,
        redirect: str,
        scope: str,
        state: str,
        challenge: str = "",
        method: str = "",
    ) -> Wish:
        """A program's request, if it may ask for that.

        :param redirect: empty where it has registered only one.
        :raises Refused: unknown client, another redirect than registered, or no
            PKCE from a program that can keep no secret.
        """
        found = await self._client(client)
        if found is None:
            raise Refused("invalid_client", "there is no such client")
        if not redirect and len(found.redirects) == 1:
            redirect = found.redirects[0]
        if len(redirect) > MAX_URL or redirect not in found.redirects:
            raise Refused("invalid_request", "redirect_uri is not registered")
        if (challenge and method != "S256") or len(challenge) > 128:
            raise Refused("invalid_request", "code_challenge_method must be S256")
        if not challenge and found.secret_hash is None:
            raise Refused("invalid_request", "this client must send a code_challenge")
        first = scope.split()[0] if scope.split() else redirect
        if len(first) > MAX_URL:
            raise Refused("invalid_scope", "the scope is too long")
        return Wish(found, redirect, first, state, challenge)

    async def grant(self, caller: Caller, wish: Wish) -> str:
        """A code that the program may exchange for a token, once, soon.

        :raises Forbidden: the caller's own is for one project or program only.
        :raises Unauthorized: it ended meanwhile.
        """
        code = mint(self.random, CODE_BYTES)
        await self.db.run(self._granted, caller, wish, code)
        return code

    async def token(
        self, client: str, secret: str | None, code: str, redirect: str, verifier: str
    ) -> str:
        """A token for a code.

        A code that comes twice was stolen: what it was exchanged for ends.

        :param secret: None where the program sent none.
        :param redirect: as in the request of the code; empty for the only one.
        :raises Refused: wrong client, secret, code, redirect or verifier.
        """
        found = await self._client(client)
        known = None if found is None else found.secret_hash
        told = digest(secret or "").hex()
        if found is None or (known is not None and not same(known.hex(), told)):
            raise Refused("invalid_client", "unknown client, or a wrong secret")
        made = mint(self.random)
        why = await self.db.run(
            self._exchanged, found, code, redirect, verifier, digest(made)
        )
        if why:
            raise Refused("invalid_grant", why)
        return made

    async def validate(self, secret: str, belongs_to: str | None) -> Token:
        """What a token from here says.

        :param belongs_to: must begin with the token's scope; None for anything.
        :raises NotFound: it is none, is no longer good, or is of another scope.
        """
        at = now(self.clock)
        found = await self.db.read(store.TOKEN, (digest(secret), at))
        for session, scope, expires in found:
            if belongs_to is None or _within(belongs_to, scope):
                token = await sessions.held(self.db, bytes(session), at)
                if token is not None:
                    return evolve(token, hash=digest(secret), expires=expires)
        raise NotFound("there is no such token")

    async def clients(self) -> Sequence[Client]:
        """All programs, by id."""
        rows = await self.db.read(store.CLIENTS, (MAX_CLIENTS,))
        return [store.client(row) for row in rows]

    async def register(
        self, actor: Actor, client: Client, *, public: bool = False
    ) -> str:
        """Make a program known; its secret, told once, or empty if it is ``public``.

        :raises Invalid: no redirect, or one that is no exact address.
        :raises Conflict: there is one of that id.
        """
        for one in client.redirects:
            if not safe(one):
                raise Invalid(
                    f"{one!r} is no address to send people back to: https, or"
                    " http to a loopback host"
                )
        if not client.redirects or not client.id.isprintable():
            raise Invalid("a client needs an id, and an address to send people back to")
        secret = "" if public else mint(self.random)
        await self.db.run(self._registered, actor, client, secret)
        return secret

    async def remove(self, actor: Actor, client: str) -> None:
        """Forget a program; what it was given ends.

        :raises NotFound: there is none.
        """
        await self.db.run(_removed, actor, client)

    async def _client(self, ident: str) -> Client | None:
        for row in await self.db.read(store.CLIENT, (ident,)):
            return store.client(row)
        return None

    async def _granted(
        self, tx: Transaction, caller: Caller, wish: Wish, code: str
    ) -> None:
        await whole(tx, caller)
        at = now(self.clock)
        await store.purge(tx, at - TOKEN_LASTS)
        ends = at + CODE_LASTS
        session = caller.token_hash
        await store.put_code(tx, digest(code), session, wish, ends, MAX_CODES)
        target = f"user:{caller.user}"
        await record(
            tx, Actor.of(caller), "oauth2.grant", target, client=wish.client.id
        )

    async def _exchanged(
        self,
        tx: Transaction,
        client: Client,
        code: str,
        redirect: str,
        verifier: str,
        token: bytes,
    ) -> str:
        """Exchange a code; why not, or an empty string."""
        at = now(self.clock)
        hash_ = digest(code)
        known = await store.take_code(tx, hash_)
        if known is None or known.client != client.id:
            return "there is no such code"
        if known.used:
            await store.end_tokens(tx, hash_)
            return "the code was exchanged already"
        await store.mark_used(tx, hash_)
        why = _wrong(client, known, redirect, verifier, at)
        if not why:
            await store.put_token(tx, token, hash_, known.scope, at + TOKEN_LASTS)
        return why

    async def _registered(
        self, tx: Transaction, actor: Actor, client: Client, secret: str
    ) -> None:
        hash_ = digest(secret) if secret else None
        known = evolve(client, secret_hash=hash_)
        if not await store.insert(tx, known, now(self.clock)):
            raise Conflict(f"there is a client {client.id} already")
        await record(tx, actor, "oauth2.register", f"client:{client.id}")


def _within(address: str, scope: str) -> bool:
    """Whether ``address`` is ``scope``, or goes on where that ends."""
    if not address.startswith(scope):
        return False
    rest = address[len(scope) :]
    return not rest or scope.endswith("/") or rest[0] in "/?#"


def _wrong(
    client: Client, code: Code, redirect: str, verifier: str, at: datetime
) -> str:
    """What is wrong with an exchange, or an empty string."""
    if code.expires <= at:
        return "the code is too old"
    wanted = code.redirect
    if redirect != wanted and (redirect or list(client.redirects) != [wanted]):
        return "redirect_uri is not that of the code"
    if code.challenge and not same(challenge(verifier), code.challenge):
        return "code_verifier is not that of the code"
    return ""


async def _removed(tx: Transaction, actor: Actor, client: str) -> None:
    if not await store.delete(tx, client):
        raise NotFound(f"there is no client {client}")
    await record(tx, actor, "oauth2.remove", f"client:{client}")
