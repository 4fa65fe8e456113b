"""One-time codes over ``/account/v1.0``."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from api.addresses import DIRECT
from api.synnefo import account
from api.synnefo.account.second_factor import SecondFactorApi
from snfd.identity import totp
from snfd.identity.model import Scope, Scoping
from snfd.identity.second_factor import SecondFactors
from tests.api.memory import Browser, Response
from tests.identity.cloud import identity_cloud


class SecondFactorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.cloud.user("demo")
        factors = SecondFactors(
            self.cloud.db,
            self.cloud.verifier,
            self.cloud.clock,
            self.cloud.keys,
            self.cloud.random,
            "Our Cloud",
        )
        self.browser = Browser(
            account.resource(
                self.cloud.authenticator,
                SecondFactorApi(factors, DIRECT),
                components=self.cloud.components,
            ),
            self.cloud.login("demo").secret,
        )

    def post(self, path: str, **body: Any) -> Response:
        return self.browser.post("/second_factor" + path, body)

    def code(self, secret: str) -> str:
        step = totp.step_of(self.cloud.clock.seconds())
        return totp.code(totp.from_text(secret), step)

    def test_set_up_looked_at_and_given_up(self) -> None:
        state = self.browser.get("/second_factor")
        self.assertEqual({"enabled": False, "recovery_codes": 0}, state.json)
        made = self.post("", password="secret")
        self.assertEqual(201, made.status, made.body)
        self.assertTrue(made.json["uri"].startswith("otpauth://totp/Our%20Cloud:demo"))
        secret = made.json["secret"]
        self.assertEqual(401, self.post("/confirm", code="000000").status)
        done = self.post("/confirm", code=self.code(secret))
        self.assertEqual(200, done.status)
        codes = done.json["recovery_codes"]
        self.assertEqual((10, 10), (len(codes), len(set(codes))))
        state = self.browser.get("/second_factor")
        self.assertEqual({"enabled": True, "recovery_codes": 10}, state.json)
        self.assertEqual(409, self.post("", password="secret").status)
        self.assertEqual(401, self.post("/disable", code=self.code(secret)).status)
        self.cloud.clock.advance(30)
        self.assertEqual(204, self.post("/disable", code=self.code(secret)).status)
        self.assertEqual(404, self.post("/confirm", code="000000").status)

    def test_a_stolen_token_can_only_guess_a_little(self) -> None:
        for _ in range(3):
            self.assertEqual(401, self.post("", password="wrong").status)
        answer = self.post("", password="secret")
        self.assertEqual(429, answer.status)
        self.assertEqual("60", answer.headers["retry-after"])

    def without_password(self) -> None:
        self.cloud.execute("UPDATE identity.login_method SET password_hash = NULL")

    def test_who_has_a_password_gives_it(self) -> None:
        self.assertEqual(403, self.post("").status)
        self.assertEqual(403, self.post("", password=None).status)

    def test_who_has_none_must_have_logged_in_just_now(self) -> None:
        self.without_password()
        self.cloud.clock.advance(301)
        self.assertEqual(403, self.post("").status)
        self.cloud.clock.advance(-1)
        secret = self.post("").json["secret"]
        self.assertEqual(200, self.post("/confirm", code=self.code(secret)).status)

    def test_a_token_of_another_token_is_no_login(self) -> None:
        """Or a stolen one would be fresh for ever."""
        self.without_password()
        old, scope = self.browser.token, Scope(Scoping.DEFAULT)
        self.cloud.clock.advance(3600)
        assert old is not None
        exchanged = self.cloud.wait(self.cloud.identity.exchange(old, scope))
        self.browser.token = exchanged.secret
        self.assertEqual(403, self.post("").status)

    def test_nor_is_what_a_program_was_given(self) -> None:
        self.without_password()
        for kind in ("weblogin", "personal", "appcred"):
            self.cloud.execute("UPDATE identity.api_token SET kind = %s", kind)
            self.assertEqual(403, self.post("").status, kind)

    def test_bodies_are_bounded_and_typed(self) -> None:
        for path, body in (
            ("", {"password": 1}),
            ("", {"password": "x" * 1025}),
            ("/confirm", {"code": 123456}),
            ("/disable", {"code": "1" * 65}),
        ):
            self.assertEqual(400, self.post(path, **body).status, path)
        self.browser.token = None
        self.assertEqual(401, self.browser.get("/second_factor").status)
