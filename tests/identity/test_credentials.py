"""Application credentials, below HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

from twisted.trial.unittest import SynchronousTestCase

from snfd.clock import now
from snfd.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from snfd.identity.credential_model import Created, NewCredential
from snfd.identity.credentials import MAX_CREDENTIALS, Credentials
from snfd.identity.model import (
    APPCRED,
    By,
    Caller,
    CredentialRef,
    Issued,
    Scope,
    Scoping,
    UserRef,
)
from tests.identity.cloud import SPACE, START, identity_cloud

NOBODY = UserRef("", By.ID)


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo, self.admin = (
            self.cloud.user("demo"),
            self.cloud.user("admin", "secret", "admin"),
        )
        self.reader = self.cloud.user("reader")
        self.project = self.cloud.project(
            "team", {}, demo="member", reader="reader", admin="member"
        )
        self.other = self.cloud.project("other", {}, demo="member")
        self.numbers = 0
        self.credentials = Credentials(
            self.cloud.db, self.cloud.clock, self.number, self.cloud.random
        )

    def number(self) -> UUID:
        self.numbers += 1
        return uuid5(SPACE, f"credential {self.numbers}")

    def caller(self, name: str = "demo") -> Caller:
        return self.who(self.cloud.login(name, "team"))

    def who(self, issued: Issued) -> Caller:
        return self.cloud.wait(self.cloud.authenticator(issued.secret))

    def create(self, name: str = "ci", user: str = "demo", **more: object) -> Created:
        caller = self.caller(user)
        new = NewCredential(name, **more)  # type: ignore[arg-type]
        return self.cloud.wait(self.credentials.create(caller, caller.user, new))

    def use(self, made: Created) -> Issued:
        ref = CredentialRef(made.credential.id, NOBODY, None)
        return self.cloud.wait(self.cloud.identity.with_credential(ref, made.secret))

    def refused(self, ref: CredentialRef, secret: str) -> None:
        login = self.cloud.identity.with_credential(ref, secret)
        self.cloud.fails(login, Unauthorized)


class LoginTests(Base):
    def test_by_id_or_by_name_and_owner(self) -> None:
        made = self.create()
        for ref in (
            CredentialRef(made.credential.id, NOBODY, None),
            CredentialRef(None, UserRef("demo", By.NAME), "ci"),
            CredentialRef(None, UserRef("Demo@example.org", By.NAME), "ci"),
            CredentialRef(None, UserRef(str(self.demo), By.ID), "ci"),
        ):
            login = self.cloud.identity.with_credential(ref, made.secret)
            token = self.cloud.wait(login).token
            self.assertEqual(self.demo, token.user.uuid)
            self.assertEqual(self.project, token.bound)
            self.assertEqual(("application_credential",), token.methods)
            self.assertEqual(APPCRED, token.kind)

    def test_everything_else_is_refused(self) -> None:
        made = self.create()
        id_, secret = made.credential.id, made.secret
        self.refused(CredentialRef(id_, NOBODY, None), "wrong")
        self.refused(CredentialRef(uuid5(SPACE, "x"), NOBODY, None), secret)
        self.refused(CredentialRef(None, NOBODY, None), secret)
        self.refused(CredentialRef(None, UserRef("reader"), "ci"), secret)
        self.refused(CredentialRef(None, UserRef("demo"), "cd"), secret)

    def test_it_stays_in_its_project(self) -> None:
        made = self.create()
        issued = self.use(made)
        scope = Scope(Scoping.PROJECT, "other", By.NAME)
        self.cloud.fails(
            self.cloud.identity.exchange(issued.secret, scope), Unauthorized
        )
        self.assertEqual({self.project}, self.who(issued).projects)

    def test_it_expires_and_so_do_its_tokens(self) -> None:
        made = self.create(expires=START + timedelta(hours=1))
        issued = self.use(made)
        self.assertEqual(START + timedelta(hours=1), issued.token.expires)
        self.cloud.clock.advance(3600)
        self.refused(CredentialRef(made.credential.id, NOBODY, None), made.secret)

    def test_deleted_it_takes_all_its_tokens_along(self) -> None:
        made = self.create()
        first = self.use(made)
        scope = Scope(Scoping.DEFAULT)
        derived = self.cloud.wait(self.cloud.identity.exchange(first.secret, scope))
        delete = self.credentials.delete(self.caller(), self.demo, made.credential.id)
        self.cloud.wait(delete)
        for issued in (first, derived):
            self.cloud.fails(self.cloud.authenticator(issued.secret), Unauthorized)
        self.refused(CredentialRef(made.credential.id, NOBODY, None), made.secret)

    def test_it_ends_with_the_membership_and_with_the_account(self) -> None:
        made = self.create()
        issued = self.use(made)
        ref = CredentialRef(made.credential.id, NOBODY, None)
        member = "UPDATE identity.membership SET state = %s WHERE project_id = %s"
        self.cloud.execute(member, "removed", self.project)
        self.cloud.fails(self.cloud.authenticator(issued.secret), Unauthorized)
        self.refused(ref, made.secret)
        self.cloud.execute(member, "accepted", self.project)
        self.cloud.wait(self.cloud.authenticator(issued.secret))
        active = "UPDATE identity.app_user SET is_active = false WHERE uuid = %s"
        self.cloud.execute(active, self.demo)
        self.cloud.fails(self.cloud.authenticator(issued.secret), Unauthorized)
        self.refused(ref, made.secret)

    def test_a_second_factor_does_not_stop_it(self) -> None:
        """That is what it is for: programs have no telephone."""
        made = self.create()
        self.cloud.execute(
            "INSERT INTO identity.totp (user_id, secret, created_at, confirmed_at)"
            " VALUES (%s, 'x', now(), now())",
            self.demo,
        )
        self.assertEqual(self.demo, self.use(made).token.user.uuid)


class RolesTests(Base):
    def test_as_much_as_its_owner_is_now_unless_less_is_wished(self) -> None:
        for user, wish, roles in (
            ("demo", [], {"reader", "member"}),
            ("demo", ["member"], {"reader", "member"}),
            ("demo", ["reader"], {"reader"}),
            ("reader", [], {"reader"}),
            ("admin", [], {"reader", "member", "admin"}),
            ("admin", ["member"], {"reader", "member"}),
        ):
            made = self.create(f"{user} {wish}", user, roles=wish)
            self.assertEqual(roles, self.use(made).token.roles, (user, wish))
            self.assertEqual(roles, set(made.credential.roles))

    def test_nobody_gives_what_he_has_not(self) -> None:
        for wish, kind in (("member", Forbidden), ("admin", Forbidden), ("x", Invalid)):
            new = NewCredential("ci", roles=[wish])
            made = self.credentials.create(self.caller("reader"), self.reader, new)
            self.cloud.fails(made, kind)

    def test_it_does_not_grow_with_its_owner(self) -> None:
        made = self.create("ci", "reader")
        self.cloud.execute("UPDATE identity.membership SET role = 'member'")
        self.assertEqual({"reader"}, self.use(made).token.roles)

    def test_it_shrinks_with_its_owner(self) -> None:
        issued = self.use(self.create())
        self.cloud.execute("UPDATE identity.membership SET role = 'reader'")
        self.assertFalse(self.who(issued).may_write)

    def test_tokens_made_of_its_tokens_are_no_more(self) -> None:
        issued = self.use(self.create(roles=["reader"]))
        scope = Scope(Scoping.DEFAULT)
        derived = self.cloud.wait(self.cloud.identity.exchange(issued.secret, scope))
        self.assertEqual({"reader"}, derived.token.roles)
        self.assertIn(self.project, self.who(derived).reads)


class RestrictedTests(Base):
    def test_its_tokens_make_and_delete_no_credentials(self) -> None:
        made = self.create()
        robot = self.who(self.use(made))
        new = NewCredential("more")
        self.cloud.fails(self.credentials.create(robot, self.demo, new), Forbidden)
        id_ = made.credential.id
        self.cloud.fails(self.credentials.delete(robot, self.demo, id_), Forbidden)

    def test_unrestricted_ones_do(self) -> None:
        robot = self.who(self.use(self.create(unrestricted=True)))
        made = self.credentials.create(robot, self.demo, NewCredential("more"))
        id_ = self.cloud.wait(made).credential.id
        self.cloud.wait(self.credentials.delete(robot, self.demo, id_))


class ListTests(Base):
    def test_by_name_to_the_owner_and_administrators(self) -> None:
        for name in ("b", "a"):
            self.create(name)
        for caller in (self.caller(), self.caller("admin")):
            found = self.cloud.wait(self.credentials.list(caller, self.demo))
            self.assertEqual(["a", "b"], [one.name for one in found])
            one = self.credentials.get(caller, self.demo, found[0].id)
            self.assertEqual(found[0], self.cloud.wait(one))
            only = self.credentials.list(caller, self.demo, "b")
            self.assertEqual([found[1]], self.cloud.wait(only))

    def test_others_see_and_touch_nothing(self) -> None:
        made, stranger = self.create(), self.caller("reader")
        id_ = made.credential.id
        for call in (
            self.credentials.list(stranger, self.demo),
            self.credentials.get(stranger, self.demo, id_),
            self.credentials.delete(stranger, self.demo, id_),
            self.credentials.create(stranger, self.demo, NewCredential("x")),
        ):
            self.cloud.fails(call, Forbidden)
        for gone in (
            self.credentials.get(stranger, self.reader, id_),
            self.credentials.delete(stranger, self.reader, id_),
        ):
            self.cloud.fails(gone, NotFound)

    def test_names_are_ones_own_and_used_once(self) -> None:
        self.create()
        again = self.credentials.create(self.caller(), self.demo, NewCredential("ci"))
        self.cloud.fails(again, Conflict)
        self.create("ci", "reader")

    def test_bounds(self) -> None:
        for new in (
            NewCredential(""),
            NewCredential("x" * 256),
            NewCredential("x", "y" * 1001),
            NewCredential("x", expires=now(self.cloud.clock)),
        ):
            made = self.credentials.create(self.caller(), self.demo, new)
            self.cloud.fails(made, Invalid)
        self.cloud.execute(
            "INSERT INTO identity.app_credential (id, user_id, project_id, name,"
            " secret_hash, created_at) SELECT gen_random_uuid(), %s, %s, n::text,"
            " decode(repeat('00', 32), 'hex'), now() FROM generate_series(1, %s) AS n",
            self.demo,
            self.project,
            MAX_CREDENTIALS,
        )
        made = self.credentials.create(self.caller(), self.demo, NewCredential("x"))
        self.cloud.fails(made, Conflict)

    def test_the_secret_is_stored_as_a_hash_and_the_trail_tells_no_more(self) -> None:
        made = self.create()
        dump = self.cloud.sql(
            "SELECT c::text, (SELECT json_agg(a)::text FROM ops.audit a)"
            " FROM identity.app_credential c"
        )
        self.assertNotIn(made.secret, str(dump))
        self.assertIn("credential.create", str(dump))
