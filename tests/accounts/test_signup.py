"""Opening accounts: forms, letters, links, and who lets people in."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.model import PAUSE, patterns
from snfd.accounts.parts import WAITING
from snfd.accounts.signup import Form
from snfd.errors import (
    Busy,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from snfd.identity.model import Scope, Scoping, UserRef
from snfd.quota.model import RESOURCES
from tests.accounts.cloud import ROOT, STAFF, AccountCloud
from tests.identity.cloud import identity_cloud

DEFAULT = Scope(Scoping.DEFAULT)


class SignUpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.people = AccountCloud(self.cloud)
        self.signup = self.people.accounts.signup

    def locked_out(self, name: str) -> None:
        who = UserRef(f"{name}@example.org")
        login = self.cloud.identity.login(who, "secret", DEFAULT)
        self.cloud.fails(login, Unauthorized)

    def test_astakos_59_an_address_that_is_verified_opens_no_second_account(
        self,
    ) -> None:
        self.people.member("ann")
        before = self.cloud.sql("SELECT count(*) FROM identity.app_user")
        self.people.sign_up("ann", "another")
        self.assertEqual(
            before, self.cloud.sql("SELECT count(*) FROM identity.app_user")
        )
        self.people.caller("ann")
        self.assertEqual(1, len(self.people.letters("verify")))
        told = self.people.letters("contact")
        self.assertEqual(["ann@example.org"], [one.to for one in told])
        self.assertIn("user.open.refused", self.people.audited())

    def test_astakos_59_of_two_sign_ups_only_the_last_code_works(self) -> None:
        self.people.sign_up("ann", "first")
        self.cloud.clock.advance(PAUSE.total_seconds() + 1)
        self.people.sign_up("ann", "second")
        first, last = self.people.letters("verify")
        self.cloud.fails(self.signup.verify(first.secret), NotFound)
        self.cloud.wait(self.signup.verify(last.secret))
        self.cloud.wait(
            self.people.accounts.moderation.accept(self.people.uuid("ann"), ROOT)
        )
        self.people.caller("ann", "second")

    def test_an_address_that_looks_like_anothers_opens_none(self) -> None:
        for email in ("аnn@example.org", "ann@exаmple.org", "ａnn@example.org"):
            form = Form(email, "secret", "Ann", "Person")
            self.cloud.fails(self.signup.sign_up(form), Invalid)
        self.assertEqual([], self.people.letters())

    def test_a_password_may_be_too_short(self) -> None:
        self.people.rule(password_length=8)
        form = Form("ann@example.org", "secret", "Ann", "Person")
        self.cloud.fails(self.people.accounts.signup.sign_up(form), Invalid)
        self.people.sign_up("ann", "long enough")
        (letter,) = self.people.letters("verify")
        reset = self.people.accounts.credentials.reset(letter.secret, "short")
        self.cloud.fails(reset, Invalid)

    def test_a_stranger_takes_nobodys_fresh_code_away(self) -> None:
        self.people.sign_up("ann", "mine")
        self.people.sign_up("ann", "a stranger's")
        (letter,) = self.people.letters("verify")
        self.cloud.wait(self.signup.verify(letter.secret))

    def test_astakos_60_a_link_works_once_and_somebody_must_accept(self) -> None:
        self.people.sign_up("ann")
        user = self.people.uuid("ann")
        self.locked_out("ann")
        (letter,) = self.people.letters("verify")
        self.assertTrue(
            letter.values["link"].startswith("https://a.test/ui/activate?auth=")
        )
        self.assertFalse(self.cloud.wait(self.signup.verify(letter.secret)))
        self.cloud.fails(self.signup.verify(letter.secret), NotFound)
        self.locked_out("ann")
        (waiting,) = self.people.letters("pending_moderation")
        self.assertEqual((*STAFF, str(user)), (waiting.to, waiting.values["uuid"]))
        self.cloud.wait(self.people.accounts.moderation.accept(user, ROOT))
        (greeting,) = self.people.letters("accepted")
        self.assertEqual(
            ("ann@example.org", "Ann Person"), (greeting.to, greeting.values["name"])
        )
        caller = self.people.caller("ann")
        self.assertEqual(user, caller.project)
        granted = self.cloud.wait(self.cloud.quota.usage_in(caller, user))
        self.assertEqual({one.name for one in RESOURCES}, set(granted))

    def test_astakos_61_an_address_that_matches_is_accepted_at_once(self) -> None:
        self.people.rule(accept=patterns([r".*@example\.org$"]))
        self.people.sign_up("ann")
        self.assertTrue(self.people.verify())
        self.people.caller("ann")
        self.assertEqual([], self.people.letters("pending_moderation"))
        self.assertEqual(
            [("email",)],
            self.cloud.sql(
                "SELECT accepted_policy FROM identity.app_user WHERE email LIKE 'ann@%'"
            ),
        )

    def test_patterns_match_from_the_start(self) -> None:
        self.people.rule(accept=patterns(["nn@"]))
        self.people.sign_up("ann")
        self.assertFalse(self.people.verify())
        self.assertRaises(Invalid, patterns, ["("])

    def test_without_moderation_everybody_who_verifies_is_in(self) -> None:
        self.people.rule(moderation=False)
        self.people.sign_up("ann")
        self.assertTrue(self.people.verify())
        self.assertEqual(
            [("auto_moderation",)],
            self.cloud.sql("SELECT accepted_policy FROM identity.app_user"),
        )

    def test_the_rejected_are_told_and_may_be_accepted_later(self) -> None:
        self.people.sign_up("ann")
        user = self.people.uuid("ann")
        moderation = self.people.accounts.moderation
        self.cloud.fails(moderation.reject(user, "spam", ROOT), Busy)
        self.people.verify()
        self.cloud.wait(moderation.reject(user, "spam", ROOT))
        self.locked_out("ann")
        (letter,) = self.people.letters("rejected")
        self.assertEqual("spam", letter.values["reason"])
        self.cloud.wait(moderation.accept(user, ROOT))
        self.people.caller("ann")

    def test_another_letter_is_sent_now_and_then_and_only_its_link_works(
        self,
    ) -> None:
        self.people.sign_up("ann")
        for email in ("ann@example.org", "nobody@example.org"):
            self.cloud.wait(self.signup.resend(email))
        self.assertEqual(1, len(self.people.letters("verify")))
        self.cloud.clock.advance(PAUSE.total_seconds())
        self.cloud.wait(self.signup.resend("Ann@Example.org"))
        first, last = self.people.letters("verify")
        self.cloud.fails(self.signup.verify(first.secret), NotFound)
        self.cloud.wait(self.signup.verify(last.secret))
        self.cloud.clock.advance(PAUSE.total_seconds())
        self.cloud.wait(self.signup.resend("ann@example.org"))
        self.assertEqual(2, len(self.people.letters("verify")))

    def test_links_end(self) -> None:
        self.people.sign_up("ann")
        self.cloud.clock.advance(self.people.rules.verification.total_seconds())
        (letter,) = self.people.letters("verify")
        self.cloud.fails(self.signup.verify(letter.secret), NotFound)

    def test_what_a_form_may_say(self) -> None:
        good = Form("ann@example.org", "secret", "Ann", "Person")
        for bad in (
            Form("ann", "secret", "Ann", "Person"),
            Form("ann@example.org", "", "Ann", "Person"),
            Form("ann@example.org", "secret", "A" * 101, "Person"),
            Form("ann@example.org", "secret", "Ann\nDear sir", "Person"),
            Form("ann@example.org", "secret", "Ann", "Person", terms=1),
        ):
            self.cloud.fails(self.signup.sign_up(bad), Invalid)
        self.people.rule(signup=False)
        self.cloud.fails(self.people.accounts.signup.sign_up(good), Forbidden)

    def test_terms_must_be_signed_with_the_form(self) -> None:
        terms = self.cloud.wait(self.people.accounts.terms.add("Be kind", "text", ROOT))
        form = Form("ann@example.org", "secret", "Ann", "Person")
        self.cloud.fails(self.people.accounts.signup.sign_up(form), Invalid)
        signed = Form("ann@example.org", "secret", "Ann", "Person", None, terms.id)
        self.cloud.wait(self.signup.sign_up(signed))
        self.assertEqual(
            [(terms.id,)],
            self.cloud.sql("SELECT terms_id FROM identity.signed_terms"),
        )

    def test_an_account_that_nobody_accepted_can_be_removed(self) -> None:
        self.people.sign_up("ann")
        remove = self.people.accounts.moderation.remove
        self.cloud.wait(remove(self.people.uuid("ann"), ROOT))
        self.assertEqual([], self.cloud.sql("SELECT uuid FROM identity.app_user"))
        user = self.people.member("ann")
        self.cloud.fails(remove(user, ROOT), Busy)

    def test_keys_are_stored_only_as_hashes(self) -> None:
        self.people.sign_up("ann")
        secret = self.people.letters("verify")[0].secret
        for table in ("identity.letter_key", "ops.mail", "ops.audit"):
            rows = repr(self.cloud.sql(f"SELECT * FROM {table}"))
            self.assertNotIn(secret, rows)


class BehindTests(SynchronousTestCase):
    """What depends on whether there is an account is done after the answer."""

    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.people = AccountCloud(self.cloud)
        self.people.member("ann")
        self.later: list[Coroutine[Any, Any, object]] = []
        self.people.parts.background.tasks = self  # type: ignore[assignment]

    def start(self, work: Coroutine[Any, Any, object], what: str) -> None:
        """Instead of `Tasks`: remember it."""
        self.later.append(work)

    def finish(self) -> None:
        """Do what was put off."""
        while self.later:
            self.cloud.wait(self.later.pop(0))

    def test_the_answer_comes_before_anything_is_looked_at(self) -> None:
        accounts = self.people.accounts
        self.cloud.wait(accounts.terms.newest())  # prepares it
        asks = (
            lambda email: accounts.credentials.ask_reset(email),
            lambda email: accounts.signup.resend(email),
            lambda email: accounts.signup.sign_up(Form(email, "x", "A", "B")),
        )
        for ask in asks:
            seen = set()
            for name in ("ann", "nobody"):
                before = self.cloud.db.statements, self.cloud.thread.works
                self.cloud.wait(ask(f"{name}@example.org"))
                after = self.cloud.db.statements, self.cloud.thread.works
                seen.add((after[0] - before[0], after[1] - before[1]))
            self.assertEqual(1, len(seen), seen)
        self.assertEqual(6, len(self.later))
        self.finish()
        self.assertEqual(1, len(self.people.letters("reset")))
        self.assertEqual(1, len(self.people.letters("contact")))

    def test_so_much_may_wait_and_no_more(self) -> None:
        ask = self.people.accounts.credentials.ask_reset
        for _ in range(WAITING):
            self.cloud.wait(ask("ann@example.org"))
        self.cloud.fails(ask("ann@example.org"), Unavailable)
        self.finish()
        self.cloud.wait(ask("ann@example.org"))
        self.finish()
