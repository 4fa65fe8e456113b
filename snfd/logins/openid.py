"""Login by OpenID Connect: code flow with PKCE, state and nonce.

Sources: OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4, RFC 7636, RFC 9207.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from attrs import define, field, frozen
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from twisted.logger import Logger
from twisted.web.client import Agent, HTTPConnectionPool

from snfd.clock import Seconds
from snfd.errors import Invalid, Unauthorized, Unavailable
from snfd.logins.fetch import Fetcher, origin, origins
from snfd.logins.idtoken import check, signed
from snfd.logins.model import Claims, Method, challenge, same
from snfd.logins.openid_claims import claims_of, complete, joined
from snfd.logins.openid_table import OpenIdTable
from snfd.logins.port import Departure, Tools
from snfd.logins.redirects import plus_query
from snfd.logins.settings import secret
from snfd.tokens import mint
from snfd.trust import policy_of_file

LASTS = 3600.0
"""How long metadata and keys are believed, in seconds."""

PAUSE = 60.0
"""How soon keys are asked for again because one was missing, in seconds."""


@frozen
class Provider:
    """What we need of a provider's metadata.

    :ivar signs: whether its answers say whose they are (RFC 9207).
    """

    authorization: str
    token: str
    keys: str
    userinfo: str
    signs: bool = False


@define(eq=False)
class OpenId:
    """Sends people to an OpenID provider's page; see `Journey`."""

    table: OpenIdTable
    method: Method
    secret: str = field(repr=False)
    fetch: Fetcher
    clock: Seconds
    tools: Tools
    _provider: tuple[float, Provider] | None = None
    _keys: tuple[float, KeySet] | None = None
    _log = Logger()

    @classmethod
    def of(cls, table: OpenIdTable, tools: Tools) -> OpenId:
        """The method of ``table``.

        :raises Invalid: it does not say enough, or an address is none.
        """
        name = table.method.name
        try:
            allowed = origins([table.issuer, *table.origins])
        except ValueError as error:
            raise Invalid(f"login {name}: {error}") from None
        value = secret(
            table.client_secret, table.client_secret_file, f"{name}'s client_secret"
        )
        if not value and table.client_auth != "none":
            raise Invalid(f"login {name} needs client_secret, or client_auth = 'none'")
        pool = HTTPConnectionPool(tools.reactor, persistent=False)
        trust = policy_of_file(
            table.tls_ca, f"login {table.name or table.kind}: tls_ca"
        )
        agent = Agent(tools.reactor, trust, table.timeout, pool=pool)
        fetcher = Fetcher(agent, tools.reactor, allowed, table.timeout)
        return cls(table, table.method, value, fetcher, tools.reactor, tools)

    async def leave(self, back: str) -> Departure:
        """See `Journey.leave`."""
        provider = await self._metadata()
        random = self.tools.random
        state, nonce, verifier = mint(random), mint(random), mint(random)
        proof = {
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        url = plus_query(
            provider.authorization,
            response_type="code",
            client_id=self.table.client_id,
            redirect_uri=back,
            scope=" ".join(self.table.scopes),
            state=state,
            nonce=nonce,
            **(proof if self.table.pkce else {}),
        )
        kept = {"state": state, "nonce": nonce, "verifier": verifier}
        return Departure(url, kept)

    async def returned(
        self, back: str, kept: Mapping[str, str], answer: Mapping[str, str]
    ) -> Claims:
        """See `Journey.returned`."""
        if not same(answer.get("state", ""), kept["state"]):
            raise Unauthorized("that login was not begun by this browser; once more")
        provider = await self._metadata()
        named = provider.signs or "iss" in answer
        if named and answer.get("iss") != self.table.issuer:
            raise Unauthorized("the answer is of another login provider")
        code = answer.get("code", "")
        if "error" in answer or not code:
            raise Unauthorized(f"{self.method.title} did not log you in")
        tokens = await self._exchanged(provider, back, code, kept["verifier"])
        claims = await self._verified(provider, tokens, kept["nonce"])
        if not complete(self.table, claims):
            claims = joined(claims, await self._userinfo(provider, tokens))
        return claims_of(self.table, claims)

    async def _metadata(self) -> Provider:
        if self._provider and self.clock.seconds() < self._provider[0] + LASTS:
            return self._provider[1]
        issuer = self.table.issuer
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, told = await self.fetch.get(url)
        if status != 200 or not isinstance(told, dict) or told.get("issuer") != issuer:
            raise self._odd(f"metadata of {told.get('issuer')!r}, status {status}"
                            if isinstance(told, dict) else "no metadata")  # fmt: skip
        words = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        try:
            page, token, keys = (str(told[word]) for word in words)
            for one in (page, token, keys):
                origin(one)
        except (KeyError, ValueError) as error:
            raise self._odd(f"endpoints: {error}") from None
        more = str(told.get("userinfo_endpoint") or "")
        signs = told.get("authorization_response_iss_parameter_supported") is True
        provider = Provider(page, token, keys, more, signs)
        self._provider = self.clock.seconds(), provider
        return provider

    async def _exchanged(
        self, provider: Provider, back: str, code: str, verifier: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
        }
        if self.table.pkce:
            form["code_verifier"] = verifier
        auth = None
        if self.table.client_auth == "basic":
            # encoded before it is encoded: RFC 6749 §2.3.1
            auth = quote_plus(self.table.client_id), quote_plus(self.secret)
        else:
            form["client_id"] = self.table.client_id
        if self.table.client_auth == "post":
            form["client_secret"] = self.secret
        status, told = await self.fetch.post(provider.token, form, auth)
        if status == 200 and isinstance(told, dict) and "id_token" in told:
            return told
        word = told.get("error") if isinstance(told, dict) else None
        self._log.warn("no token of {issuer}: {status} {error}",
                       issuer=self.table.issuer, status=status, error=word)  # fmt: skip
        raise Unauthorized(f"{self.method.title} did not confirm the login; once more")

    async def _verified(
        self, provider: Provider, tokens: Mapping[str, Any], nonce: str
    ) -> Mapping[str, Any]:
        """The claims of the ID token, if it is good, ours, and of this login."""
        text = str(tokens["id_token"])
        try:
            try:
                claims = signed(text, await self._known(provider))
            except (JoseError, ValueError):
                # the provider may have new keys
                claims = signed(text, await self._known(provider, anew=True))
            check(
                claims,
                (self.table.issuer, *self.table.issuers),
                self.table.client_id,
                nonce,
                now=int(self.clock.seconds()),
                repeated=self.table.nonce,
            )
        except (JoseError, ValueError, KeyError, TypeError) as error:
            self._log.warn("an ID token of {issuer} is not good: {error}",
                           issuer=self.table.issuer, error=str(error))  # fmt: skip
            raise Unauthorized(f"{self.method.title}'s word is not good") from None
        return claims

    async def _known(self, provider: Provider, *, anew: bool = False) -> KeySet:
        at = self.clock.seconds()
        if self._keys and at < self._keys[0] + (PAUSE if anew else LASTS):
            return self._keys[1]
        status, told = await self.fetch.get(provider.keys)
        try:
            if status != 200:
                raise ValueError(f"status {status}")
            usable = [one for one in told["keys"] if one.get("use", "sig") == "sig"]
            keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._odd(f"keys: {error}") from None
        self._keys = at, keys
        return keys

    async def _userinfo(
        self, provider: Provider, tokens: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What else the provider tells."""
        bearer = tokens.get("access_token")
        if not provider.userinfo or not isinstance(bearer, str):
            return {}
        headers = {"Authorization": f"Bearer {bearer}"}
        status, told = await self.fetch.get(provider.userinfo, headers)
        return told if status == 200 and isinstance(told, dict) else {}

    def _odd(self, what: str) -> Unavailable:
        self._log.warn("{issuer}: {what}", issuer=self.table.issuer, what=what)
        return Unavailable(f"{self.method.title} is not set up right", retry_after=60)
