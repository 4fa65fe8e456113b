"""How many tokens one person has at once, and which of them end."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Unauthorized
from snfd.identity.model import Scope, Scoping, UserRef
from snfd.tokens import digest
from tests.identity.cloud import IdentityCloud, identity_cloud
from tests.logins.cloud import sessions


class BoundTests(SynchronousTestCase):
    """An intruder, a loop in a script: rows must not grow without end."""

    def setUp(self) -> None:
        self.cloud: IdentityCloud = identity_cloud(self)
        self.cloud.user("demo")
        self.cloud.user("other")
        self.identity = evolve(self.cloud.identity, most=3)

    def login(self, name: str = "demo") -> str:
        self.cloud.clock.advance(1)
        login = self.identity.login(UserRef(name), "secret", Scope(Scoping.DEFAULT))
        return self.cloud.wait(login).secret

    def exchange(self, secret: str) -> str:
        self.cloud.clock.advance(1)
        scope = Scope(Scoping.DEFAULT)
        return self.cloud.wait(self.identity.exchange(secret, scope)).secret

    def good(self, *secrets: str) -> list[bool]:
        found = []
        for secret in secrets:
            rows = self.cloud.sql(
                "SELECT 1 FROM identity.api_token WHERE hash = %s", digest(secret)
            )
            found.append(bool(rows))
            if not rows:
                self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)
        return found

    def test_the_oldest_end_first_and_logins_go_on(self) -> None:
        other = self.login("other")
        made = [self.login() for _ in range(5)]
        self.assertEqual([False, False, True, True, True], self.good(*made))
        self.assertEqual([True], self.good(other))

    def test_exchanged_tokens_do_not_push_out_what_they_come_from(self) -> None:
        kept = self.login()
        made = [self.exchange(kept) for _ in range(5)]
        self.assertEqual([True], self.good(kept))
        self.assertEqual([False, False, True, True, True], self.good(*made))

    def test_sessions_and_what_is_handed_to_programs(self) -> None:
        made = evolve(sessions(self.cloud), most=2, most_handed=2)
        token, opened = self.login(), []
        for _ in range(4):
            self.cloud.clock.advance(1)
            opened.append(self.cloud.wait(made.login("demo", "secret")))
        self.assertEqual(
            [False, False, True, True], self.good(*[one.secret for one in opened])
        )
        caller, handed = opened[-1].token.caller, []
        for _ in range(4):
            self.cloud.clock.advance(1)
            handed.append(self.cloud.wait(made.hand_off(caller, "x")).secret)
        self.assertEqual([False, False, True, True], self.good(*handed))
        self.assertEqual([True, True], self.good(token, opened[-1].secret))
