"""What was made for one project alone opens nothing that is broader."""

from __future__ import annotations

from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.held import Wanted
from snfd.audit import Actor
from snfd.errors import Forbidden, Unauthorized
from snfd.identity.model import Caller
from snfd.logins.handoff_model import Client, Wish
from tests.logins.cloud import BrowsingCloud

PITHOS = "/weblogin/login?next=pithos%3A%2F%2Fcb"
VIEW = "https://view.example/cb"


class ConfinedTests(SynchronousTestCase):
    """Somebody put a token of one project where a session's belongs."""

    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.people = self.cloud.cloud
        self.client = Client("view", "View", [VIEW], True)
        register = self.cloud.browsing.oauth2.register
        self.people.wait(register(Actor(None, "root"), self.client))
        self.surfer = self.cloud.logged_in()

    def become(self, kind: str) -> None:
        self.people.execute(
            "UPDATE identity.api_token SET kind = %s, project_id = user_id", kind
        )

    def count(self) -> object:
        (row,) = self.people.sql(
            "SELECT (SELECT count(*) FROM identity.api_token),"
            " (SELECT count(*) FROM identity.oauth2_code)"
        )
        return row

    def test_no_weblogin(self) -> None:
        before = self.count()
        for kind in ("personal", "appcred"):
            self.become(kind)
            answer = self.surfer.get(PITHOS)
            self.assertEqual(403, answer.status)
            self.assertNotIn("location", answer.headers)
        self.assertEqual(before, self.count())
        self.become("session")
        self.assertEqual(302, self.surfer.get(PITHOS).status)

    def test_no_codes_of_oauth2(self) -> None:
        before = self.count()
        wish = {"response_type": "code", "client_id": "view", "redirect_uri": VIEW}
        for kind in ("personal", "appcred"):
            self.become(kind)
            answer = self.surfer.get(f"/oauth2/auth?{urlencode(wish)}")
            self.assertEqual(400, answer.status)
            self.assertNotIn("location", answer.headers)
        self.assertEqual(before, self.count())
        self.become("session")
        self.assertEqual(302, self.surfer.get(f"/oauth2/auth?{urlencode(wish)}").status)

    def caller(self) -> Caller:
        return self.people.login("demo").token.caller

    def test_no_tokens_of_ones_own(self) -> None:
        caller = self.caller()
        for kind in ("personal", "appcred"):
            self.become(kind)
            made = self.cloud.accounts.accounts.tokens.create(caller, Wanted("x"))
            self.people.fails(made, Forbidden)

    def test_what_ended_meanwhile_opens_nothing(self) -> None:
        caller = evolve(self.caller(), token_hash=bytes(32))
        browsing = self.cloud.browsing
        handed = browsing.sessions.hand_off(caller, "x")
        self.people.fails(handed, Unauthorized)
        granted = browsing.oauth2.grant(caller, Wish(self.client, VIEW, VIEW, "", ""))
        self.people.fails(granted, Unauthorized)
