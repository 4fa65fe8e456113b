"""One-time codes at each way of logging in with a browser."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.identity import totp
from snfd.identity.model import Caller
from snfd.identity.second_factor import SecondFactors
from tests.api.memory import Response
from tests.logins.cloud import (
    ANNA,
    BrowsingCloud,
    FakeForm,
    FakeJourney,
    method,
)


class SecondFactorTests(SynchronousTestCase):
    """demo is anna of a directory and of a provider, and is asked for codes."""

    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.people = self.cloud.cloud
        self.cloud.add(FakeForm(method("ldap"), {("anna", "sesame"): ANNA}))
        self.cloud.add(FakeJourney(method("oidc"), ANNA))
        for name in ("ldap", "oidc"):
            self.people.execute(
                "INSERT INTO identity.login_method"
                " (user_id, module, identifier, created_at)"
                " VALUES (%s, %s, %s, now())",
                self.cloud.demo, name, ANNA.identifier,
            )  # fmt: skip
        self.factors = SecondFactors(
            self.people.db,
            self.people.verifier,
            self.people.clock,
            self.people.keys,
            self.people.random,
        )
        caller = self.people.login("demo").token.caller
        self.recovery = self.enable(caller)
        self.surfer = self.cloud.surfer()

    def enable(self, caller: Caller) -> str:
        made = self.people.wait(self.factors.enrol(caller, "secret", ""))
        self.seed = totp.from_text(made.secret)
        codes = self.people.wait(self.factors.confirm(caller, self.code(), ""))
        self.people.clock.advance(30)
        return codes[0]

    def code(self) -> str:
        return totp.code(self.seed, totp.step_of(self.people.clock.seconds()))

    def login(self, **more: str) -> Response:
        body = {"username": "demo", "password": "secret", **more}
        return self.surfer.post("/account/v1.0/login", body)

    def methods(self) -> object:
        rows = self.people.sql(
            "SELECT methods FROM identity.api_token WHERE kind = 'session'"
            " ORDER BY created_at DESC, hash LIMIT 1"
        )
        return rows[0][0]

    def test_a_session_needs_the_code(self) -> None:
        self.assertEqual(401, self.login().status)
        self.assertEqual(401, self.login(totp="000000").status)
        self.assertEqual({}, self.surfer.cookies)
        code = self.code()
        self.assertEqual(200, self.login(totp=code).status)
        self.assertEqual(["password", "totp"], self.methods())
        self.assertEqual(401, self.login(totp=code).status)
        self.assertEqual(200, self.login(totp=self.recovery).status)

    def test_the_page_needs_the_code(self) -> None:
        fill = {"username": "demo", "password": "secret"}
        self.assertEqual(401, self.surfer.fill("/ui/login", **fill).status)
        answer = self.surfer.fill("/ui/login", **fill, totp=self.code())
        self.assertEqual("/ui/", answer.headers["location"])

    def test_a_directory_needs_the_code(self) -> None:
        fill = {"username": "anna", "password": "sesame"}
        self.assertEqual(401, self.surfer.fill("/ui/login/ldap", **fill).status)
        answer = self.surfer.fill("/ui/login/ldap", **fill, totp="000000")
        self.assertEqual(401, answer.status)
        answer = self.surfer.fill("/ui/login/ldap", **fill, totp=self.code())
        self.assertEqual("/ui/", answer.headers["location"])
        self.assertEqual(["ldap", "totp"], self.methods())

    def test_a_provider_looks_at_whatever_it_asks_for_itself(self) -> None:
        leaving = self.surfer.get("/ui/login/oidc")
        self.assertEqual(302, leaving.status)
        answer = self.surfer.get("/ui/login/oidc/authenticated?state=state+1&code=x")
        self.assertEqual("/ui/", answer.headers["location"], answer.body)
        self.assertEqual(["oidc"], self.methods())
