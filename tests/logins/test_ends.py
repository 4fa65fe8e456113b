"""What ends a browser's session, and what it waits for."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import build
from api.session import SessionApi
from api.synnefo.account.passwords import PasswordsApi
from api.synnefo.account.profile import ProfileApi
from api.synnefo.faults import DIALECT
from snfd.accounts.model import Rules
from snfd.audit import Actor
from snfd.clock import now
from snfd.logins.handoff_model import Client
from tests.accounts.cloud import AccountCloud
from tests.identity.cloud import identity_cloud
from tests.logins.cloud import BrowsingCloud, Surfer, query_of, sessions

PITHOS = "/weblogin/login?next=pithos%3A%2F%2Fcb"
VIEW = "https://view.example/cb"


class PasswordTests(SynchronousTestCase):
    """A changed password ends the sessions of other browsers."""

    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.cloud.user("demo")

    def surfers(self, rules: Rules) -> list[Surfer]:
        accounts = AccountCloud(self.cloud, rules).accounts
        resource = build(
            DIALECT,
            self.cloud.authenticator,
            SessionApi(sessions(self.cloud), True),
            PasswordsApi(accounts.credentials),
            ProfileApi(accounts.profiles),
        )
        found = [Surfer(resource), Surfer(resource)]
        for one in found:
            body = {"username": "demo", "password": "secret"}
            one.csrf = one.post("/login", body).json["csrf"]
        return found

    def change(self, surfer: Surfer) -> None:
        answer = surfer.post("/password", {"old": "secret", "new": "another"})
        self.assertEqual(204, answer.status, answer.body)

    def test_other_sessions_end(self) -> None:
        for revokes in (True, False):
            mine, other = self.surfers(Rules(password_revokes=revokes))
            self.change(mine)
            self.assertEqual(200, mine.get("/session").status)
            self.assertEqual(401, other.get("/session").status)
            self.assertEqual(401, other.get("/profile").status)
            answer = mine.post("/password", {"old": "another", "new": "secret"})
            self.assertEqual(204, answer.status)


class TermsTests(SynchronousTestCase):
    """Who has not signed is led to the terms, and handed nothing."""

    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.people = self.cloud.cloud
        client = Client("view", "View", [VIEW], True)
        register = self.cloud.browsing.oauth2.register
        self.people.wait(register(Actor(None, "root"), client))
        self.surfer = self.cloud.logged_in()
        at = now(self.people.clock)
        self.people.execute(
            "INSERT INTO identity.terms (issued_at, enforced_at, format, body)"
            " VALUES (%s, %s, 'text', 'Be nice.')",
            at - timedelta(days=1), at,
        )  # fmt: skip

    def sign(self) -> None:
        self.people.execute(
            "UPDATE identity.app_user"
            " SET terms_id = (SELECT max(id) FROM identity.terms)"
        )

    def test_weblogin(self) -> None:
        answer = self.surfer.get(PITHOS)
        self.assertEqual(302, answer.status)
        location = answer.headers["location"]
        self.assertTrue(location.startswith("/ui/approval_terms?"), location)
        again = query_of(answer)["next"]
        self.sign()
        answer = self.surfer.get(again)
        self.assertTrue(answer.headers["location"].startswith("pithos://cb?"))

    def test_oauth2(self) -> None:
        wish = {"response_type": "code", "client_id": "view", "redirect_uri": VIEW}
        answer = self.surfer.get(f"/oauth2/auth?{urlencode(wish)}")
        self.assertEqual(302, answer.status)
        location = answer.headers["location"]
        self.assertTrue(location.startswith("/ui/approval_terms?"), location)
        again = query_of(answer)["next"]
        self.sign()
        answer = self.surfer.get(again)
        self.assertTrue(answer.headers["location"].startswith(VIEW + "?code="))
