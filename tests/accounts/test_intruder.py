"""What an intruder leaves behind: who notices it, and what a new password ends."""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Unauthorized
from snfd.identity import totp
from snfd.identity.credential_model import Created, NewCredential
from snfd.identity.credentials import Credentials
from snfd.identity.model import By, Caller, CredentialRef, Issued, UserRef
from snfd.identity.second_factor import SecondFactors
from tests.accounts.cloud import ROOT, AccountCloud
from tests.identity.cloud import identity_cloud

NOBODY = UserRef("", By.ID)


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        cloud = self.cloud = identity_cloud(self)
        self.people = AccountCloud(cloud)
        self.user = self.people.member("ann")
        self.told = self.people.parts.letters.changed
        self.credentials = Credentials(
            cloud.db, cloud.clock, uuid4, cloud.random, self.told
        )

    def create(self, caller: Caller, name: str) -> Created:
        new = NewCredential(name)
        return self.cloud.wait(self.credentials.create(caller, caller.user, new))

    def use(self, made: Created) -> Issued:
        ref = CredentialRef(made.credential.id, NOBODY, None)
        return self.cloud.wait(self.cloud.identity.with_credential(ref, made.secret))

    def dead(self, made: Created, token: Issued) -> None:
        """It lets nobody in any more, and its tokens are worth nothing."""
        ref = CredentialRef(made.credential.id, NOBODY, None)
        login = self.cloud.identity.with_credential(ref, made.secret)
        self.cloud.fails(login, Unauthorized)
        self.cloud.fails(self.cloud.authenticator(token.secret), Unauthorized)

    def notices(self) -> list[str]:
        """What letters said that changed, oldest first."""
        found = self.people.letters("credentials_changed")
        self.assertTrue(all(one.to == "ann@example.org" for one in found))
        return [one.values["what"] for one in found]


class PasswordTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.caller = self.people.caller("ann")
        self.backdoor = self.create(self.caller, "backdoor")
        self.token = self.use(self.backdoor)
        self.cloud.clock.advance(1)

    def change(self, **more: bool) -> None:
        credentials = self.people.accounts.credentials
        self.cloud.wait(credentials.change(self.caller, "secret", "new", **more))

    def test_a_reset_by_letter_ends_application_credentials(self) -> None:
        credentials = self.people.accounts.credentials
        for revokes in (True, False):
            self.people.rule(password_revokes=revokes)
            self.cloud.clock.advance(600)
            self.cloud.wait(credentials.ask_reset("ann@example.org"))
            key = self.people.letters("reset")[-1].secret
            self.cloud.wait(credentials.reset(key, "new"))
            self.dead(self.backdoor, self.token)
            self.assertEqual([], self.cloud.sql("SELECT hash FROM identity.api_token"))
            self.assertIn(
                "application credentials that ended with the old one: 1",
                self.notices()[-1],
            )
            again = self.people.caller("ann", "new")
            self.backdoor = self.create(again, "backdoor again")
            self.token = self.use(self.backdoor)
            credentials = self.people.accounts.credentials

    def test_so_does_one_by_an_administrator(self) -> None:
        editing = self.people.accounts.editing
        self.cloud.wait(editing.set_password(self.user, "new", ROOT))
        self.dead(self.backdoor, self.token)
        self.assertIn("that ended with the old one: 1", self.notices()[-1])

    def test_a_change_keeps_them_unless_asked(self) -> None:
        self.change()
        self.use(self.backdoor)
        self.assertEqual("password", self.notices()[-1])

    def test_a_change_ends_them_if_asked(self) -> None:
        self.change(programs=True)
        self.dead(self.backdoor, self.token)
        self.assertIn("that ended with the old one: 1", self.notices()[-1])

    def test_the_letter_names_what_else_logs_in(self) -> None:
        self.cloud.execute(
            "INSERT INTO identity.login_method (user_id, module, identifier,"
            " created_at) VALUES (%s, 'uni', 'mallory', now())",
            self.user,
        )
        editing = self.people.accounts.editing
        self.cloud.wait(editing.set_password(self.user, "new", ROOT))
        self.assertIn("you can still log in by: uni", self.notices()[-1])


class NoticeTests(Base):
    def test_a_new_application_credential(self) -> None:
        caller = self.people.caller("ann")
        self.create(caller, "one")
        self.create(caller, "two\nSubject: x")
        one, two = self.notices()
        self.assertIn("application credential 'one'", one)
        self.assertIn("application credential 'two", two)
        self.assertNotIn("\n", two)

    def test_one_that_was_refused_is_not_told(self) -> None:
        caller = self.people.caller("ann")
        self.create(caller, "one")
        self.cloud.fails(
            self.credentials.create(caller, caller.user, NewCredential("one"))
        )
        self.assertEqual(1, len(self.notices()))

    def test_one_time_codes(self) -> None:
        cloud, caller = self.cloud, self.people.caller("ann")
        factors = SecondFactors(
            cloud.db,
            cloud.verifier,
            cloud.clock,
            cloud.keys,
            cloud.random,
            told=self.told,
        )
        made = cloud.wait(factors.enrol(caller, "secret", ""))
        self.assertEqual([], self.people.letters("credentials_changed"))
        seed = totp.from_text(made.secret)
        code = totp.code(seed, totp.step_of(cloud.clock.seconds()))
        codes = cloud.wait(factors.confirm(caller, code, ""))
        cloud.wait(factors.disable(caller, codes[0], ""))
        self.assertEqual(
            [
                "one-time codes are asked for now",
                "one-time codes are no longer asked for",
            ],
            self.notices(),
        )
