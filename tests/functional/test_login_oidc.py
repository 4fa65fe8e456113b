"""Logins by a real OpenID provider."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
from attrs import evolve
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from snfd.errors import Unauthorized, Unavailable
from snfd.logins.model import Claims
from snfd.logins.openid import OpenId
from snfd.logins.openid_table import OpenIdTable, with_preset
from snfd.logins.port import Departure, Tools
from snfd.logins.settings import parsed
from snfd.tokens import mint
from tests.lab import openid

BACK = "https://cloud.test/ui/login/uni/authenticated"
ANNA = ("login=anna-1", "allow=yes")


class Case(TestCase):
    """Logs in at the provider that ``setUpClass`` started.

    Each test has a provider's client of its own kind, and people of its own.
    """

    timeout = 120
    provider: openid.OpenIdProvider

    def method(self, client: str = "basic", **more: Any) -> OpenId:
        given = {
            "kind": "oidc",
            "name": "uni",
            "issuer": self.provider.issuer,
            "client_id": client,
            "client_secret": openid.SECRET,
            "timeout": 60,
            **more,
        }
        tools = Tools(reactor, secrets.token_bytes)
        return OpenId.of(parsed(with_preset(given), OpenIdTable), tools)

    async def consent(
        self, departure: Departure, *presses: str, person: openid.Person | None = None
    ) -> Mapping[str, str]:
        """Log in at the provider's pages; what it sends the browser back with."""
        who = person or openid.Person(reactor)
        return await who.logs_in(departure.url, BACK, *(presses or ANNA))

    async def claims(self, method: OpenId, *presses: str) -> Claims:
        """The whole way."""
        departure = await method.leave(BACK)
        answer = await self.consent(departure, *presses)
        return await method.returned(BACK, departure.kept, answer)

    async def refused(
        self,
        work: Coroutine[Any, Any, Any],
        kind: type[Exception] = Unauthorized,
    ) -> None:
        try:
            await work
        except kind:
            return
        self.fail("that was believed")


@pytest.mark.xdist_group("oidc")
class CertifiedTests(Case):
    """A certified provider that insists on PKCE."""

    skip = openid.missing()
    running: AbstractContextManager[openid.OpenIdProvider]

    @classmethod
    def setUpClass(cls) -> None:
        cls.running = openid.running(
            [
                openid.client("basic", BACK),
                openid.client(
                    "post", BACK, token_endpoint_auth_method="client_secret_post"
                ),
                openid.client("rsa", BACK, id_token_signed_response_alg="RS256"),
                openid.client("none", BACK, token_endpoint_auth_method="none"),
            ]
        )
        cls.provider = cls.running.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.running.__exit__(None, None, None)

    def setUp(self) -> None:
        self.provider.told()

    async def test_the_whole_way(self) -> None:
        method = self.method(groups_claim="groups", groups={"physics": "scientists"})
        claims = await self.claims(method)
        self.assertEqual("anna-1", claims.identifier)
        self.assertEqual(
            {"email": "anna@uni.example", "first_name": "Anna", "last_name": "Ampère"},
            claims.fields,
        )
        self.assertTrue(claims.verified)
        self.assertEqual({"scientists"}, claims.groups)

    async def test_every_way_of_telling_our_secret(self) -> None:
        for client, how in (
            ("basic", "client_secret_basic"),
            ("post", "client_secret_post"),
            ("none", "none"),
        ):
            kind = how.rpartition("_")[2]
            method = self.method(client, client_auth=kind)
            self.assertEqual("anna-1", (await self.claims(method)).identifier)
            self.assertEqual([f"token: given to {client} by {how}"], self.told())
        method = self.method("basic", client_secret="guessed")
        await self.refused(self.claims(method))
        self.assertIn("invalid_client", self.told()[0])

    async def test_a_provider_that_signs_with_rsa(self) -> None:
        claims = await self.claims(self.method("rsa"))
        self.assertEqual("anna-1", claims.identifier)

    def told(self) -> Sequence[str]:
        return self.provider.told()

    async def test_another_verifier_gets_nothing(self) -> None:
        """So the right one is what we send, and it is looked at."""
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        kept = {**departure.kept, "verifier": mint(secrets.token_bytes)}
        await self.refused(method.returned(BACK, kept, answer))
        (why,) = self.told()
        self.assertIn("code_verifier does not match", why)

    async def test_the_provider_wants_a_challenge(self) -> None:
        method = self.method(pkce=False)
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        self.assertEqual("invalid_request", answer["error"])
        await self.refused(method.returned(BACK, departure.kept, answer))

    async def test_a_code_works_once(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        await method.returned(BACK, departure.kept, answer)
        await self.refused(method.returned(BACK, departure.kept, answer))
        self.assertIn("invalid_grant", self.told()[-1])

    async def test_an_answer_is_of_one_login(self) -> None:
        method = self.method()
        one, two = await method.leave(BACK), await method.leave(BACK)
        answer = await self.consent(one)
        await self.refused(method.returned(BACK, two.kept, answer))
        self.assertEqual([], self.told(), "a code was sent to the provider")
        # the same code, slipped into another login of the same person
        swapped = {**answer, "state": two.kept["state"]}
        await self.refused(method.returned(BACK, two.kept, swapped))

    async def test_a_token_with_another_nonce(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        kept = {**departure.kept, "nonce": mint(secrets.token_bytes)}
        await self.refused(method.returned(BACK, kept, answer))
        self.assertIn("given to basic", self.told()[0])

    async def test_a_token_that_is_too_old_or_too_new(self) -> None:
        for wrong in (2 * 3600, -2 * 3600):
            method = self.method()
            departure = await method.leave(BACK)
            answer = await self.consent(departure)
            method.clock = Shifted(wrong)
            await self.refused(method.returned(BACK, departure.kept, answer))
            self.assertIn("given to basic", self.told()[0])

    async def test_people_may_refuse(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure, "refuse=yes")
        self.assertEqual("access_denied", answer["error"])
        await self.refused(method.returned(BACK, departure.kept, answer))
        state = departure.kept["state"]
        for odd in ({}, {"code": "made-up"}, {"code": "made-up", "iss": answer["iss"]}):
            told = {"state": state, **odd}
            await self.refused(method.returned(BACK, departure.kept, told))

    async def test_an_answer_names_its_provider(self) -> None:
        """A provider that says so names itself in every answer (RFC 9207)."""
        method = self.method()
        departure = await method.leave(BACK)
        answer = dict(await self.consent(departure))
        self.assertEqual(self.provider.issuer, answer["iss"])
        for wrong in ({"iss": "https://other.example"}, {"iss": ""}):
            told = {**answer, **wrong}
            await self.refused(method.returned(BACK, departure.kept, told))
        bare = {name: answer[name] for name in ("code", "state")}
        await self.refused(method.returned(BACK, departure.kept, bare))
        # nobody was asked with that code: it still works
        claims = await method.returned(BACK, departure.kept, answer)
        self.assertEqual("anna-1", claims.identifier)

    async def test_keys_are_changed(self) -> None:
        for client, alg in (("basic", "ES256"), ("rsa", "RS256")):
            method = self.method(client)
            await self.claims(method)
            self.provider.order("rotate", alg=alg)
            # too soon after the last look for another
            await self.refused(self.claims(method))
            method.clock = Shifted(61)
            self.assertEqual("anna-1", (await self.claims(method)).identifier)

    async def test_an_address_that_is_not_verified(self) -> None:
        claims = await self.claims(self.method(), "login=bela-2", "allow=yes")
        self.assertEqual({"email": "bela@uni.example"}, claims.fields)
        self.assertFalse(claims.verified)

    async def test_somebody_of_whom_nothing_is_told(self) -> None:
        claims = await self.claims(self.method(), "login=cleo-3", "allow=yes")
        self.assertEqual("cleo-3", claims.identifier)
        self.assertEqual({}, claims.fields)
        self.assertFalse(claims.verified)

    async def test_whoever_is_logged_in_there_is_not_asked_again(self) -> None:
        person = openid.Person(reactor)
        method = self.method()
        for presses in (ANNA, ("login=nobody",)):
            departure = await method.leave(BACK)
            answer = await self.consent(departure, *presses, person=person)
            claims = await method.returned(BACK, departure.kept, answer)
            self.assertEqual("anna-1", claims.identifier)

    async def test_an_issuer_by_another_name(self) -> None:
        issuer = self.provider.issuer.replace("127.0.0.1", "localhost") + "/"
        await self.refused(self.method(issuer=issuer).leave(BACK), Unavailable)


@pytest.mark.xdist_group("oidc")
class OutageTests(Case):
    """A provider that goes away, and one of two."""

    skip = openid.missing()

    def setUp(self) -> None:
        self.provider = self.enterContext(self.server())

    def server(self) -> AbstractContextManager[openid.OpenIdProvider]:
        return openid.running([openid.client("basic", BACK)], inside=True)

    async def test_a_provider_that_hangs_and_comes_back(self) -> None:
        patient, hasty = self.method(), self.method(timeout=0.3)
        departure = await patient.leave(BACK)
        answer = await self.consent(departure)
        self.provider.process.send_signal(signal.SIGSTOP)
        try:
            await self.refused(hasty.leave(BACK), Unavailable)
            hasty._provider = patient._provider
            back = hasty.returned(BACK, departure.kept, answer)
            await self.refused(back, Unavailable)
        finally:
            self.provider.process.send_signal(signal.SIGCONT)
        self.assertEqual("anna-1", (await self.claims(patient)).identifier)

    async def test_a_provider_that_is_gone(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        self.provider.process.kill()
        self.provider.process.wait(60)
        await self.refused(method.returned(BACK, departure.kept, answer), Unavailable)
        await self.refused(self.method().leave(BACK), Unavailable)

    async def test_claims_in_the_token_need_no_second_question(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        found = await method._metadata()
        method._provider = reactor.seconds(), evolve(found, userinfo="http://x.test/")
        claims = await method.returned(BACK, departure.kept, answer)
        self.assertEqual("Anna", claims.fields["first_name"])
        self.assertTrue(claims.verified)

    async def test_a_code_of_another_provider_is_not_carried_to_it(self) -> None:
        """A mix-up: begun with one, answered by another (RFC 9207)."""
        with self.server() as other:
            ours, theirs = self.method(), self.method(issuer=other.issuer)
            here, there = await ours.leave(BACK), await theirs.leave(BACK)
            answer = await self.consent(there)
            mixed = {**answer, "state": here.kept["state"]}
            await self.refused(ours.returned(BACK, here.kept, mixed))
            self.assertEqual([], self.provider.told())
            claims = await theirs.returned(BACK, there.kept, answer)
        self.assertEqual("anna-1", claims.identifier)


class Shifted:
    """The time, wrong by so many seconds."""

    def __init__(self, by: float) -> None:
        self._by = by

    def seconds(self) -> float:
        return reactor.seconds() + self._by
