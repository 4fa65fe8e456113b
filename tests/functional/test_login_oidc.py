"""Logins by a real OpenID provider."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
import treq
from oidc_provider_mock import User, run_server_in_thread
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from snfd.errors import Invalid, Unauthorized, Unavailable
from snfd.logins.openid import OpenId
from snfd.logins.openid_table import OpenIdTable, with_preset
from snfd.logins.port import Departure, Tools
from snfd.logins.settings import parsed
from tests.identity.cloud import CountingRandom
from tests.logins.provider import Provider

BACK = "https://cloud.test/ui/login/uni/authenticated"
ANNA = User(
    sub="anna-1",
    claims={
        "email": "anna@uni.example",
        "email_verified": True,
        "given_name": "Anna",
        "family_name": "Ampère",
        "groups": ["physics", "admin"],
    },
)


@pytest.mark.xdist_group("oidc")
class OpenIdTests(TestCase):
    timeout = 60
    running: AbstractContextManager[Any]
    issuer: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.running = run_server_in_thread(require_nonce=True, user_claims=[ANNA])
        cls.issuer = f"http://127.0.0.1:{cls.running.__enter__().server_port}"

    @classmethod
    def tearDownClass(cls) -> None:
        cls.running.__exit__(None, None, None)

    def method(self, **more: Any) -> OpenId:
        given = {
            "kind": "oidc",
            "name": "uni",
            "issuer": self.issuer,
            "client_id": "snfd",
            "client_secret": "hush",
            **more,
        }
        tools = Tools(reactor, CountingRandom())
        return OpenId.of(parsed(with_preset(given), OpenIdTable), tools)

    async def consent(self, departure: Departure) -> Mapping[str, str]:
        """Log in at the provider's page; what it sends the browser back with."""
        answer = await treq.post(
            departure.url,
            {"sub": "anna-1"},
            allow_redirects=False,
            persistent=False,
        )
        self.assertEqual(302, answer.code, await answer.text())
        to = answer.headers.getRawHeaders("location")[0]
        self.assertTrue(to.startswith(BACK), to)
        return dict(pair.split("=") for pair in to.partition("?")[2].split("&"))

    async def test_the_whole_way(self) -> None:
        method = self.method(groups_claim="groups", groups={"physics": "scientists"})
        departure = await method.leave(BACK)
        self.assertIn("code_challenge_method=S256", departure.url)
        answer = await self.consent(departure)
        claims = await method.returned(BACK, departure.kept, answer)
        self.assertEqual("anna-1", claims.identifier)
        self.assertEqual(
            {"email": "anna@uni.example", "first_name": "Anna", "last_name": "Ampère"},
            claims.fields,
        )
        self.assertTrue(claims.verified)
        self.assertEqual({"scientists"}, claims.groups)

    async def test_a_code_works_once(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        answer = await self.consent(departure)
        await method.returned(BACK, departure.kept, answer)
        await self.refused(method, departure.kept, answer)

    async def test_an_answer_is_of_one_login(self) -> None:
        method = self.method()
        one, two = await method.leave(BACK), await method.leave(BACK)
        answer = await self.consent(one)
        await self.refused(method, two.kept, answer)
        # the same code, slipped into another login of the same person
        await self.refused(method, two.kept, {**answer, "state": two.kept["state"]})

    async def test_people_may_refuse(self) -> None:
        method = self.method()
        departure = await method.leave(BACK)
        state = departure.kept["state"]
        answer = {"error": "access_denied", "state": state}
        await self.refused(method, departure.kept, answer)
        await self.refused(method, departure.kept, {"state": state})
        await self.refused(method, departure.kept, {"code": "made-up", "state": state})
        answer = {"code": "x", "state": state, "iss": "https://other.example"}
        await self.refused(method, departure.kept, answer)

    async def refused(
        self, method: OpenId, kept: Mapping[str, str], answer: Mapping[str, str]
    ) -> None:
        try:
            await method.returned(BACK, kept, answer)
        except Unauthorized:
            return
        self.fail("that was believed")

    async def test_an_issuer_by_another_name(self) -> None:
        method = self.method(issuer=self.issuer.replace("127.0.0.1", "localhost") + "/")
        try:
            await method.leave(BACK)
        except Unavailable:
            return
        self.fail("that was believed")


@pytest.mark.xdist_group("oidc")
class HostileTests(TestCase):
    """Providers that are broken, or not to be trusted with where we go."""

    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]
        self.provider = Provider(reactor)
        self.addCleanup(self.provider.stop)
        given = {
            "kind": "oidc",
            "issuer": self.provider.issuer,
            "client_id": "snfd",
            "client_secret": "hush",
            "timeout": 0.5,
        }
        tools = Tools(reactor, CountingRandom())
        self.method = OpenId.of(parsed(given, OpenIdTable), tools)

    async def believed(self) -> bool:
        """Whether a login comes to its end."""
        try:
            departure = await self.method.leave(BACK)
            self.provider.nonce = departure.kept["nonce"]
            answer = {"code": "x", "state": departure.kept["state"]}
            await self.method.returned(BACK, departure.kept, answer)
        except (Unauthorized, Unavailable):
            return False
        return True

    async def test_the_rig_itself_is_believed(self) -> None:
        self.assertTrue(await self.believed())
        self.assertIn("code_verifier", self.provider.form)
        self.assertEqual("Basic c25mZDpodXNo", self.provider.authorization)

    async def test_tokens_that_are_not_for_this_login(self) -> None:
        now = int(reactor.seconds())
        for wrong in (
            {"iss": "https://other.example"},
            {"aud": "other"},
            {"aud": ["snfd", "other"]},
            {"azp": "other"},
            {"exp": now - 3600},
            {"exp": None},
            {"iat": None},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"sub": "x" * 600},
            {"nonce": "other"},
            {"nonce": None},
        ):
            self.provider.claims = wrong
            self.assertFalse(await self.believed(), wrong)
        self.provider.claims = {"aud": ["snfd", "other"], "azp": "snfd"}
        self.assertTrue(await self.believed())

    async def test_tokens_that_nobody_signed(self) -> None:
        for how in ("none", "shared", "stranger", "garbled", "empty"):
            self.provider.signing = how
            self.assertFalse(await self.believed(), how)

    async def test_keys_may_change(self) -> None:
        self.assertTrue(await self.believed())
        self.provider.new_key()
        self.assertFalse(await self.believed())
        self.method._keys = (self.method._keys or (0, None))[0] - 61, None  # type: ignore[assignment]
        self.assertTrue(await self.believed())

    async def test_metadata_leads_nowhere_else(self) -> None:
        """A provider could name hosts that only we can reach."""
        for name in ("token_endpoint", "jwks_uri"):
            for wrong in (
                "http://169.254.169.254/latest",
                "http://127.0.0.1:1/",
                "https://localhost/",
                "file:///etc/passwd",
                "//x",
                7,
            ):
                self.provider.metadata = {name: wrong}
                self.method._provider = None
                self.assertFalse(await self.believed(), wrong)
        self.provider.metadata = {"issuer": "https://other.example"}
        self.method._provider = None
        self.assertFalse(await self.believed())

    async def test_redirects_are_not_followed(self) -> None:
        self.provider.redirect = True
        self.assertFalse(await self.believed())

    async def test_answers_have_bounds(self) -> None:
        for fault in ("silent", "endless", "huge", "no json", "list", "500", "lost"):
            self.provider.fault = fault
            self.method._provider = None
            self.assertFalse(await self.believed(), fault)

    async def test_tables_that_make_no_sense(self) -> None:
        right = {"kind": "oidc", "client_id": "x", "client_secret": "y"}
        for wrong in (
            {"issuer": "http://idp.example"},
            {"issuer": "idp.example"},
            {"issuer": "https://me@idp.example"},
            {"issuer": "https://idp.example", "client_secret": ""},
            {"issuer": "https://idp.example", "origins": ["x"]},
            {"issuer": "https://idp.example", "preset": "gogle"},
            {"issuer": "https://idp.example", "tls_ca": "/nowhere"},
            {},
        ):
            with self.assertRaises(Invalid):
                OpenId.of(
                    parsed(with_preset({**right, **wrong}), OpenIdTable),
                    Tools(reactor, CountingRandom()),
                )
        for preset in ("google", "linkedin"):
            given = with_preset({**right, "preset": preset})
            made = OpenId.of(
                parsed(given, OpenIdTable), Tools(reactor, CountingRandom())
            )
            self.assertEqual(preset, made.method.name)
