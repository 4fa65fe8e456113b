"""Accounts that are let in, kept out, and changed by administrators."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from attrs import evolve, frozen
from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.editing import Wanted
from snfd.accounts.held import Wanted as WantedToken
from snfd.accounts.model import Names
from snfd.accounts.service import end_tokens
from snfd.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
)
from snfd.identity.throttle import Guess, Throttle
from snfd.projects import lifecycle
from snfd.projects.context import Context
from snfd.projects.rules import Who
from tests.accounts.cloud import ROOT, AccountCloud
from tests.identity.cloud import START, identity_cloud


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.people = AccountCloud(self.cloud)
        self.user = self.people.member("ann")
        self.moderation = self.people.accounts.moderation
        self.editing = self.people.accounts.editing

    def owned(self, name: str) -> UUID:
        """A project that Ann owns and is in."""
        project = self.cloud.project(name, {"cyclades.vm": 5})
        self.cloud.execute(
            "UPDATE identity.project SET owner_id = %s WHERE uuid = %s",
            self.user, project,
        )  # fmt: skip
        return project

    def project_state(self, project: UUID) -> object:
        ((state,),) = self.cloud.sql(
            "SELECT state FROM identity.project WHERE uuid = %s", project
        )
        return state


class ActivationTests(Base):
    def test_astakos_62_deactivation_ends_tokens_and_suspends_what_one_owns(
        self,
    ) -> None:
        secret = self.cloud.login("ann@example.org").secret
        mine, held = self.owned("mine"), self.owned("held")
        self.suspend(held)
        self.cloud.wait(self.moderation.deactivate(self.user, "unpaid", ROOT))
        self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)
        self.assertEqual([], self.cloud.sql("SELECT hash FROM identity.api_token"))
        states = [self.project_state(one) for one in (mine, held, self.user)]
        self.assertEqual(["suspended"] * 3, states)
        (letter,) = self.people.letters("deactivated")
        self.assertEqual("unpaid", letter.values["reason"])
        self.cloud.wait(self.moderation.activate(self.user, ROOT))
        states = [self.project_state(one) for one in (mine, held, self.user)]
        self.assertEqual(["active", "suspended", "active"], states)
        self.people.caller("ann")
        self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)

    def suspend(self, project: UUID) -> None:
        async def work(tx: object) -> None:
            found = await lifecycle.taken(tx, project)  # type: ignore[arg-type]
            context = Context(Who.admin(ROOT), START, "unpaid")
            await lifecycle.change_state(tx, context, found, "suspend")  # type: ignore[arg-type]

        self.cloud.wait(self.cloud.db.run(work))

    def test_states_exclude_what_does_not_apply(self) -> None:
        self.cloud.fails(self.moderation.activate(self.user, ROOT), Busy)
        self.cloud.fails(self.moderation.accept(self.user, ROOT), Busy)
        self.cloud.fails(self.moderation.verify(self.user, ROOT), Busy)
        self.cloud.fails(self.moderation.reject(self.user, "", ROOT), Busy)
        self.cloud.fails(self.moderation.send_verification(self.user, ROOT), Busy)
        self.cloud.wait(self.moderation.deactivate(self.user, "", ROOT))
        self.cloud.fails(self.moderation.deactivate(self.user, "", ROOT), Busy)
        nobody = uuid4()
        for act in (self.moderation.accept, self.moderation.activate):
            self.cloud.fails(act(nobody, ROOT), NotFound)

    def test_everything_is_in_the_audit_trail(self) -> None:
        self.cloud.wait(self.moderation.deactivate(self.user, "unpaid", ROOT))
        self.cloud.wait(self.moderation.activate(self.user, ROOT))
        self.assertEqual(
            ["user.open", "user.verify", "user.accept", "user.deactivate",
             "user.activate"],
            [one for one in self.people.audited() if one.startswith("user.")],
        )  # fmt: skip
        found = self.cloud.sql(
            "SELECT actor_name, target, details->>'reason' FROM ops.audit"
            " WHERE action = 'user.deactivate'"
        )
        self.assertEqual([("root", f"user:{self.user}", "unpaid")], found)

    def test_tokens_can_be_ended_but_for_one(self) -> None:
        kept, lost = (self.cloud.login("ann@example.org") for _ in range(2))
        end = self.cloud.db.run(end_tokens, self.user, kept.token.hash)
        self.assertEqual(1, self.cloud.wait(end))
        self.cloud.wait(self.cloud.authenticator(kept.secret))
        self.cloud.fails(self.cloud.authenticator(lost.secret), Unauthorized)

    def test_a_letter_with_a_link_is_sent_by_hand(self) -> None:
        self.people.sign_up("bob")
        bob = self.people.uuid("bob")
        self.cloud.wait(self.moderation.send_verification(bob, ROOT))
        first, last = self.people.letters("verify")[-2:]
        verify = self.people.accounts.signup.verify
        self.cloud.fails(verify(first.secret), NotFound)
        self.cloud.wait(verify(last.secret))


class ProofTests(Base):
    def test_many_guesses_at_once_are_worth_no_more(self) -> None:
        """A right password that was looked at among many wrong ones is none."""
        guesses = Guessed(self.cloud.throttle, Guess(str(self.user)))
        parts = evolve(self.people.parts, guesses=guesses)
        caller = self.people.caller("ann")
        self.cloud.fails(parts.prove(caller, "secret"), TooManyRequests)

    def test_who_has_no_password_proves_himself_by_a_login_just_now(self) -> None:
        """Or a stolen token could set one, and take the account."""
        caller, parts = self.people.caller("ann"), self.people.parts
        self.cloud.execute("UPDATE identity.login_method SET password_hash = NULL")
        self.cloud.wait(parts.prove(caller, None))
        self.cloud.fails(parts.prove(caller, ""), Forbidden)
        self.cloud.clock.advance(301)
        self.cloud.fails(parts.prove(caller, None), Forbidden)


@frozen
class Guessed:
    """Lets in, and then others guess wrong."""

    throttle: Throttle
    meanwhile: Guess

    async def admit(self, guess: Guess) -> None:
        await self.throttle.admit(guess)
        for _ in range(self.throttle.failures):
            await self.throttle.failed(self.meanwhile, None)

    async def failed(self, guess: Guess, user: UUID | None) -> None:
        await self.throttle.failed(guess, user)


class EditingTests(Base):
    def add(self, email: str, **more: object) -> UUID:
        wanted = Wanted(email, **more)  # type: ignore[arg-type]
        return self.cloud.wait(self.editing.add(wanted, ROOT)).uuid

    def test_an_account_is_made_with_a_password(self) -> None:
        wanted = Wanted("Bob@Example.org", "Bob", "Person", username="bob")
        added = self.cloud.wait(self.editing.add(wanted, ROOT))
        self.cloud.login("bob", password=added.password or "")
        self.assertNotIn(str(added.password), repr(added))
        self.assertEqual("active", self.people.state(added.uuid))

    def test_an_account_may_have_to_wait(self) -> None:
        bob = self.add("bob@example.org", active=False, password="secret")
        self.assertEqual("pending verification", self.people.state(bob))
        self.cloud.wait(self.moderation.verify(bob, ROOT))
        self.cloud.wait(self.moderation.accept(bob, ROOT))
        self.people.caller("bob")

    def test_nobody_is_called_like_the_cloud_or_like_somebody_else(self) -> None:
        """A name of closed accounts would keep its uuid's from being closed."""
        bob = self.add("bob@example.org", username="bob")
        caller = self.people.caller("ann")
        for name in (f"closed:{bob}", "Root", "snfd", "ｂｏｂ", "ﬁnn"):
            change = self.people.accounts.profiles.change(caller, Names(username=name))
            self.cloud.fails(change, Invalid)
        self.cloud.wait(self.editing.close(bob, ROOT))

    def test_names_and_addresses_are_had_once(self) -> None:
        self.add("bob@example.org", username="bob")
        for email, name in (("bob@example.org", "b"), ("b@example.org", "bob")):
            wanted = Wanted(email, username=name)
            self.cloud.fails(self.editing.add(wanted, ROOT), Conflict)
        self.cloud.fails(
            self.editing.set_email(self.user, "Bob@example.org", ROOT), Conflict
        )
        for wanted in (Wanted("bob"), Wanted("x@example.org", groups=("none",))):
            self.cloud.fails(self.editing.add(wanted, ROOT), Invalid)
        self.assertIsNone(self.found("x@example.org"))

    def found(self, email: str) -> object:
        rows = self.cloud.sql(
            "SELECT uuid FROM identity.app_user WHERE email = %s", email
        )
        return rows[0][0] if rows else None

    def test_an_address_is_set_and_the_old_one_told(self) -> None:
        self.cloud.wait(self.editing.set_email(self.user, "New@example.org", ROOT))
        self.people.caller("new")
        (letter,) = self.people.letters("email_changed")
        self.assertEqual("ann@example.org", letter.to)

    def test_a_password_is_set_and_all_tokens_end(self) -> None:
        secret = self.cloud.login("ann@example.org").secret
        made = self.cloud.wait(self.editing.set_password(self.user, None, ROOT))
        assert made is not None
        self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)
        self.people.caller("ann", made)
        given = self.editing.set_password(self.user, "chosen", ROOT)
        self.assertIsNone(self.cloud.wait(given))
        self.people.caller("ann", "chosen")

    def test_names_are_changed(self) -> None:
        names = Names(first_name="Anna", username="anna")
        self.cloud.wait(self.editing.rename(self.user, names, ROOT))
        self.cloud.login("anna")

    def test_groups(self) -> None:
        groups = self.people.accounts.groups
        for bad in ("", "a b", "x" * 65, "-a", "a/b"):
            self.cloud.fails(groups.add(bad, ROOT), Invalid)
        self.cloud.wait(groups.add("helpdesk2", ROOT))
        self.cloud.fails(groups.add("helpdesk2", ROOT), Conflict)
        change = self.editing.set_groups
        self.cloud.wait(change(self.user, ["helpdesk2", "admin"], ["default"], ROOT))
        self.assertTrue(self.people.caller("ann").is_admin)
        self.cloud.fails(change(self.user, ["none"], [], ROOT), Invalid)
        self.cloud.wait(groups.remove("helpdesk2", ROOT))
        self.cloud.fails(groups.remove("helpdesk2", ROOT), NotFound)
        self.cloud.fails(groups.remove("admin", ROOT), Invalid)

    def test_tokens_are_made_and_ended_for_others(self) -> None:
        tokens = self.people.accounts.tokens
        made = self.cloud.wait(tokens.create_for(self.user, WantedToken("ci"), ROOT))
        self.cloud.wait(self.cloud.authenticator(made.secret))
        self.cloud.wait(tokens.end_for(self.user, made.token.id, ROOT))
        self.cloud.fails(self.cloud.authenticator(made.secret), Unauthorized)
        self.cloud.fails(tokens.end_for(self.user, made.token.id, ROOT), NotFound)
        self.people.caller("ann")
        self.assertEqual(1, self.cloud.wait(tokens.end_all(self.user, ROOT)))
        self.cloud.fails(tokens.end_all(uuid4(), ROOT), NotFound)

    def test_terms_are_issued_and_signed_for_others(self) -> None:
        terms = self.people.accounts.terms
        self.assertIsNone(self.cloud.wait(terms.sign_for(self.user, ROOT)))
        for body, form, grace in (
            ("", "text", None),
            ("Be kind", "pdf", None),
            ("x" * 262_145, "text", None),
            ("Be kind", "text", timedelta(days=400)),
            ("Be kind", "text", timedelta(days=-1)),
        ):
            self.cloud.fails(terms.add(body, form, ROOT, grace), Invalid)
        made = self.cloud.wait(terms.add("Be kind", "text", ROOT, timedelta(0)))
        secret = self.cloud.login("ann@example.org").secret
        self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)
        self.assertEqual(made.id, self.cloud.wait(terms.sign_for(self.user, ROOT)))
        self.cloud.wait(self.cloud.authenticator(secret))

    def test_a_closed_account_is_left_alone(self) -> None:
        self.cloud.wait(self.editing.close(self.user, ROOT))
        for act in (
            self.editing.set_email(self.user, "x@example.org", ROOT),
            self.editing.set_password(self.user, "x", ROOT),
            self.editing.set_groups(self.user, ["admin"], [], ROOT),
            self.editing.close(self.user, ROOT),
            self.moderation.activate(self.user, ROOT),
            self.moderation.accept(self.user, ROOT),
        ):
            self.cloud.fails(act, Busy)

    def test_whoever_owns_a_project_hands_it_over_first(self) -> None:
        self.owned("mine")
        error = self.cloud.fails(self.editing.close(self.user, ROOT), Busy)
        self.assertIn("project mine", str(error))
