"""Logging in and tokens, below HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.opening import create_user
from snfd.clock import now
from snfd.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from snfd.identity.model import By, Scope, Scoping, UserRef, require_writer
from snfd.projects import service as projects
from tests.identity.cloud import START, identity_cloud

DEFAULT = Scope(Scoping.DEFAULT)


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")
        self.alt = self.cloud.user("alt")
        self.project = self.cloud.project("team", {}, demo="member", alt="reader")

    def login(self, name: str, password: str = "secret") -> Exception:
        return self.cloud.fails(
            self.cloud.identity.login(UserRef(name), password, DEFAULT), Unauthorized
        )


class AuthenticatorTests(Base):
    def test_a_token_is_resolved_in_one_statement(self) -> None:
        issued = self.cloud.login("demo", "team")
        before = self.cloud.db.statements
        caller = self.cloud.wait(self.cloud.authenticator(issued.secret))
        self.assertEqual(1, self.cloud.db.statements - before)
        self.assertEqual(issued.token.caller, caller)
        self.assertEqual(
            (self.demo, "demo", self.project, "team"),
            (caller.user, caller.username, caller.project, caller.project_name),
        )
        self.assertEqual({self.demo, self.project}, caller.projects)
        self.assertEqual({"reader", "member"}, caller.roles)
        self.assertEqual([caller.token_hash], self.cloud.used)

    def test_a_token_is_inspected_in_one_statement_with_its_bearers(self) -> None:
        bearer, subject = self.cloud.login("demo"), self.cloud.login("demo", "team")
        inspect = self.cloud.authenticator.inspect
        self.cloud.wait(inspect(bearer.secret, subject.secret))  # prepares it
        self.cloud.used.clear()
        before = self.cloud.db.statements
        told = self.cloud.wait(inspect(bearer.secret, subject.secret))
        inspecting = self.cloud.db.statements - before
        self.assertEqual(subject.token, told)
        self.assertEqual([bearer.token.hash], self.cloud.used)
        self.cloud.wait(self.cloud.authenticator(bearer.secret))
        before = self.cloud.db.statements
        self.cloud.wait(self.cloud.authenticator(bearer.secret))
        self.assertEqual(self.cloud.db.statements - before, inspecting)
        self.assertEqual(
            bearer.token, self.cloud.wait(inspect(bearer.secret, bearer.secret))
        )

    def test_who_may_inspect_what(self) -> None:
        demo, alt = self.cloud.login("demo"), self.cloud.login("alt")
        inspect = self.cloud.authenticator.inspect
        self.cloud.fails(inspect(demo.secret, alt.secret), NotFound)
        self.cloud.fails(inspect(demo.secret, "nope"), NotFound)
        for presented in (None, "", "nope"):
            self.cloud.fails(inspect(presented, demo.secret), Unauthorized)
        self.cloud.clock.advance(24 * 3600)
        fresh = self.cloud.login("demo")
        self.cloud.fails(inspect(fresh.secret, demo.secret), NotFound)
        self.cloud.fails(inspect(demo.secret, fresh.secret), Unauthorized)

    def test_readers_may_not_write_and_admins_may_everything(self) -> None:
        reader = self.cloud.login("alt", "team").token.caller
        self.assertEqual({"reader"}, reader.roles)
        self.assertRaises(Forbidden, require_writer, reader)
        require_writer(self.cloud.login("alt").token.caller)
        self.cloud.user("boss", "secret", "admin")
        admin = self.cloud.login("boss").token.caller
        self.assertTrue(admin.is_admin)
        require_writer(admin)

    def test_nothing_unknown_or_empty_is_a_token(self) -> None:
        for token in (None, "", "x", "' OR 1=1 --", "\ud800", "\0", "é" * 5000):
            self.cloud.fails(self.cloud.authenticator(token), Unauthorized)
        self.assertEqual([], self.cloud.used)

    def test_tokens_end_with_their_time(self) -> None:
        secret = self.cloud.login("demo").secret
        self.cloud.clock.advance(24 * 3600 - 1)
        self.cloud.wait(self.cloud.authenticator(secret))
        self.cloud.clock.advance(1)
        self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)

    def test_whoever_is_deactivated_is_out_at_once(self) -> None:
        secret = self.cloud.login("demo").secret
        self.cloud.execute("UPDATE identity.app_user SET is_active = false")
        self.cloud.fails(self.cloud.authenticator(secret), Unauthorized)
        self.login("demo")

    def test_a_bound_token_ends_with_the_membership(self) -> None:
        bound, own = self.cloud.login("demo", "team"), self.cloud.login("demo")
        self.cloud.execute(
            "UPDATE identity.membership SET state = 'removed' WHERE project_id = %s",
            self.project,
        )
        self.cloud.fails(self.cloud.authenticator(bound.secret), Unauthorized)
        caller = self.cloud.wait(self.cloud.authenticator(own.secret))
        self.assertEqual({self.demo}, caller.projects)

    def test_an_unbound_token_follows_the_default_project_while_it_can(self) -> None:
        self.cloud.default("demo", self.project)
        issued = self.cloud.wait(
            self.cloud.identity.login(
                UserRef("demo"), "secret", Scope(Scoping.UNSCOPED)
            )
        )
        caller = self.cloud.wait(self.cloud.authenticator(issued.secret))
        self.assertEqual(self.project, caller.project)
        self.cloud.execute(
            "UPDATE identity.project SET state = 'suspended' WHERE uuid = %s",
            self.project,
        )
        caller = self.cloud.wait(self.cloud.authenticator(issued.secret))
        self.assertEqual(self.demo, caller.project)

    def test_a_role_change_counts_at_the_next_request(self) -> None:
        secret = self.cloud.login("demo", "team").secret
        add = projects.add_member
        self.cloud.wait(self.cloud.db.run(add, self.project, self.demo, "reader"))
        caller = self.cloud.wait(self.cloud.authenticator(secret))
        self.assertFalse(caller.may_write)


class LoginTests(Base):
    def test_every_refusal_costs_one_hash_and_reads_the_same(self) -> None:
        self.cloud.user("nopass", None)
        self.cloud.user("gone")
        self.cloud.execute(
            "UPDATE identity.app_user SET is_active = false WHERE username = 'gone'"
        )
        texts = set()
        for name, password in (
            ("demo", "wrong"),
            ("nobody", "secret"),
            ("nopass", "secret"),
            ("gone", "secret"),
            ("gone", "wrong"),
            (str(uuid4()), "secret"),
            ("", ""),
        ):
            works, statements = self.cloud.thread.works, self.cloud.db.statements
            texts.add(str(self.login(name, password)))
            self.assertEqual(1, self.cloud.thread.works - works, name)
            del statements
        self.assertEqual({"these credentials are not valid"}, texts)

    def test_somebody_elses_token_as_password_costs_the_same(self) -> None:
        secret = self.cloud.login("alt").secret
        works = self.cloud.thread.works
        self.login("demo", secret)
        self.assertEqual(1, self.cloud.thread.works - works)

    def test_overlong_passwords_are_not_hashed(self) -> None:
        works = self.cloud.thread.works
        self.cloud.fails(
            self.cloud.identity.login(UserRef("demo"), "x" * 1025, DEFAULT), Invalid
        )
        self.assertEqual(works, self.cloud.thread.works)

    def test_only_the_hash_of_a_token_is_stored(self) -> None:
        issued = self.cloud.login("demo")
        self.assertEqual(43, len(issued.secret))
        stored = self.cloud.sql("SELECT t::text FROM identity.api_token t")
        self.assertEqual(1, len(stored))
        self.assertNotIn(issued.secret, str(stored))

    def test_no_secret_is_in_a_repr(self) -> None:
        issued = self.cloud.login("demo")
        text = repr((issued, issued.token, issued.token.caller))
        self.assertNotIn(issued.secret, text)

    def test_two_tokens_of_a_second_differ(self) -> None:
        self.assertNotEqual(
            self.cloud.login("demo").secret, self.cloud.login("demo").secret
        )

    def test_a_name_means_one_user_even_among_the_unverified(self) -> None:
        squatter = uuid4()
        self.cloud.execute(
            "INSERT INTO identity.app_user"
            " (uuid, username, email, joined_at, updated_at)"
            " VALUES (%s, 'demo@example.org', 'demo@example.org', now(), now())",
            squatter,
        )
        issued = self.cloud.wait(
            self.cloud.identity.login(UserRef("demo@example.org"), "secret", DEFAULT)
        )
        self.assertEqual(self.demo, issued.token.user.uuid)

    def test_the_login_is_noted_at_most_once_a_minute(self) -> None:
        def last() -> object:
            return self.cloud.sql(
                "SELECT last_login_at FROM identity.app_user WHERE uuid = %s", self.demo
            )[0][0]

        self.cloud.login("demo")
        self.assertEqual(START, last())
        self.cloud.clock.advance(59)
        self.cloud.login("demo")
        self.assertEqual(START, last())
        self.cloud.clock.advance(2)
        self.cloud.login("demo")
        self.assertEqual(START + timedelta(seconds=61), last())

    def test_the_alias_system_is_ones_own_project(self) -> None:
        scope = Scope(Scoping.PROJECT, "system", By.NAME)
        login = self.cloud.identity.login(UserRef("alt"), "secret", scope)
        self.assertEqual(self.alt, self.cloud.wait(login).token.bound)


class RevokeTests(Base):
    def test_revoking_tells_every_process(self) -> None:
        issued = self.cloud.login("demo")
        caller = issued.token.caller
        self.cloud.wait(self.cloud.identity.revoke(caller, issued.secret))
        self.cloud.fails(self.cloud.authenticator(issued.secret), Unauthorized)
        self.cloud.fails(self.cloud.identity.revoke(caller, issued.secret), NotFound)

    def test_expired_tokens_are_not_shown(self) -> None:
        first = self.cloud.login("demo")
        self.cloud.clock.advance(24 * 3600)
        fresh = self.cloud.login("demo").token.caller
        self.cloud.fails(self.cloud.identity.inspect(fresh, first.secret), NotFound)


class PeopleTests(Base):
    def make(self, email: str, username: str | None = None) -> object:
        return self.cloud.db.run(
            create_user, uuid4(), email, now(self.cloud.clock), username=username
        )

    def test_the_username_is_the_mail_unless_chosen(self) -> None:
        self.cloud.wait(self.make("New@Example.org"))  # type: ignore[arg-type]
        rows = self.cloud.sql(
            "SELECT username FROM identity.app_user WHERE email = 'new@example.org'"
        )
        self.assertEqual([("new@example.org",)], rows)

    def test_names_are_unique_in_any_case(self) -> None:
        for email, username in (
            ("x@example.org", "DEMO"),
            ("Demo@example.org", "other"),
        ):
            self.cloud.fails(self.make(email, username), Conflict)  # type: ignore[arg-type]

    def test_bad_names_are_refused(self) -> None:
        for email, username in (
            ("nomail", None),
            ("a@b@c", None),
            ("@b", None),
            ("a@", None),
            ("a b@c", None),
            ("x" * 255 + "@c", None),
            ("a@b", "demo@example.org"),
            ("a@b", str(uuid4())),
            ("a@b", "a b"),
            ("a@b", "a\nb"),
            ("a@b", "a\0b"),
        ):
            self.cloud.fails(self.make(email, username), Invalid)  # type: ignore[arg-type]


class ProjectTests(Base):
    def test_names_of_projects(self) -> None:
        for name in ("", " ", "x" * 81, "a\nb", "system:x", "System", "a\0"):
            self.cloud.fails(self._make(name), Invalid)
        self.cloud.wait(self._make("Ένα έργο!"))

    def test_a_live_name_is_unique_in_any_case(self) -> None:
        self.cloud.fails(self._make("TEAM"), Conflict)
        self.cloud.execute(
            "UPDATE identity.project SET state = 'terminated' WHERE uuid = %s",
            self.project,
        )
        self.cloud.wait(self._make("TEAM"))

    def test_members_must_exist_and_have_a_role(self) -> None:
        for project, user, role, error in (
            (uuid4(), self.demo, "member", NotFound),
            (self.project, uuid4(), "member", NotFound),
            (self.project, self.demo, "owner", Invalid),
        ):
            self.cloud.fails(
                self.cloud.db.run(projects.add_member, project, user, role), error
            )

    def _make(self, name: str):  # type: ignore[no-untyped-def]
        return self.cloud.db.run(projects.create, uuid4(), name, None, {}, START)
