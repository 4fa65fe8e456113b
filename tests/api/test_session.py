"""Sessions of browsers: ``/account/v1.0/login``, ``logout``, ``session``."""

from __future__ import annotations

from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import Served, build
from api.session import SessionApi
from api.synnefo.account.names import AccountApi
from api.synnefo.account.quotas import QuotasApi
from api.synnefo.faults import DIALECT
from snfd.logins.model import csrf_of
from snfd.quota.reports import Reports
from tests.identity.cloud import identity_cloud
from tests.logins.cloud import SESSION, Surfer, sessions

NAMES = {"uuids": [], "displaynames": ["demo"]}


class SessionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")
        self.surfer = Surfer(self.resource())

    def resource(self, secure: bool = True) -> Served:
        cloud = self.cloud
        return build(
            DIALECT,
            cloud.authenticator,
            SessionApi(sessions(cloud, secure), secure),
            AccountApi(cloud.people, cloud.feedback, cloud.unknown_names),
            QuotasApi(cloud.quota, Reports(cloud.db)),
        )

    def login(self, password: str = "secret", **more: str) -> None:
        body = {"username": "demo", "password": password, **more}
        answer = self.surfer.post("/login", body)
        self.assertEqual(200, answer.status, answer.body)
        self.surfer.csrf = answer.json["csrf"]

    def test_a_password_opens_a_session(self) -> None:
        answer = self.surfer.post(
            "/login", {"username": "DEMO@example.org ", "password": "secret"}
        )
        self.assertEqual(200, answer.status)
        self.assertEqual(str(self.demo), answer.json["user"])
        self.assertEqual(200, self.surfer.get("/quotas").status)
        secret = self.surfer.cookies[SESSION]
        ((hash_, kind, methods),) = self.cloud.sql(
            "SELECT hash, kind, methods FROM identity.api_token"
        )
        self.assertEqual(sha256(secret.encode()).digest(), bytes(hash_))  # type: ignore[call-overload]
        self.assertEqual(("session", ["password"]), (kind, methods))
        self.assertNotIn(secret, answer.body.decode())

    def test_whoever_proved_who_he_is_learns_why_he_may_not_in(self) -> None:
        for verified, moderation, word in (
            (False, "pending", "not confirmed yet"),
            (True, "pending", "waits to be accepted"),
            (True, "rejected", "was not accepted"),
            (True, "accepted", "was deactivated"),
        ):
            self.cloud.execute(
                "UPDATE identity.app_user SET is_active = false, email_verified = %s,"
                " moderation = %s WHERE uuid = %s",
                verified,
                moderation,
                self.demo,
            )
            body = {"username": "demo", "password": "secret"}
            answer = self.surfer.post("/login", body)
            self.assertEqual(401, answer.status)
            self.assertIn(word, answer.body.decode())
        answer = self.surfer.post("/login", {**body, "password": "wrong"})
        self.assertIn("not valid", answer.body.decode())

    def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(self) -> None:
        body = {"username": "demo", "password": "secret"}
        (line,) = self.surfer.post("/login", body).set_cookies
        parts = line.split("; ")[1:]
        self.assertEqual(
            {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=43200", "Secure"},
            set(parts),
        )
        self.assertTrue(line.startswith("__Host-snfd_session=h."), line)
        surfer = Surfer(self.resource(secure=False))
        plain = surfer.post("/login", body)
        self.assertNotIn("Secure", plain.set_cookies[0])
        self.assertTrue(plain.set_cookies[0].startswith("snfd_session=s."))
        self.assertEqual(200, surfer.get("/session").status)

    def test_a_neighbour_in_the_domain_gives_no_session(self) -> None:
        """Other hosts can set cookies for all of a domain, but for ``__Host-``."""
        attacker = Surfer(self.resource())
        self.cloud.user("mallory")
        body = {"username": "mallory", "password": "secret"}
        self.assertEqual(200, attacker.post("/login", body).status)
        tossed = attacker.cookies[SESSION]
        self.surfer.cookies["snfd_session"] = tossed
        self.assertEqual(401, self.surfer.get("/session").status)
        self.login()
        self.surfer.cookies["snfd_session"] = tossed
        self.assertEqual("demo", self.surfer.get("/session").json["username"])

    def test_wrong_passwords_open_none(self) -> None:
        for name, password in (("demo", "wrong"), ("nobody", "secret"), ("demo", "")):
            answer = self.surfer.post(
                "/login", {"username": name, "password": password}
            )
            self.assertEqual(401, answer.status)
            self.assertEqual([], list(answer.set_cookies))
        self.assertEqual([], self.cloud.sql("SELECT 1 FROM identity.api_token"))

    def test_a_token_is_no_password_here(self) -> None:
        """Or one that is bound to a project would become one that is not."""
        token = self.cloud.login("demo").secret
        answer = self.surfer.post("/login", {"username": "demo", "password": token})
        self.assertEqual(401, answer.status)
        self.assertEqual(
            [(1,)], self.cloud.sql("SELECT count(*)::int FROM identity.api_token")
        )

    def test_what_changes_something_needs_the_csrf_token(self) -> None:
        self.login()
        good, self.surfer.csrf = self.surfer.csrf, ""
        other = csrf_of("x" * 43)
        for wrong in ("", "x", good[:-1], other, good + "x", "ü"):
            headers = {"X-CSRF-Token": wrong} if wrong else {}
            answer = self.surfer.post("/user_catalogs", NAMES, headers=headers)
            self.assertEqual(403, answer.status)
        self.surfer.csrf = good
        answer = self.surfer.post("/user_catalogs", NAMES)
        self.assertEqual({"demo": str(self.demo)}, answer.json["displayname_catalog"])

    def test_the_csrf_token_can_be_asked_for_again(self) -> None:
        self.login()
        answer = self.surfer.get("/session")
        self.assertEqual(self.surfer.csrf, answer.json["csrf"])
        token = self.cloud.login("demo").secret
        self.assertEqual(404, self.surfer.get("/session", token=token).status)

    def test_a_token_in_the_header_wins(self) -> None:
        self.login()
        self.surfer.csrf = ""
        token = self.cloud.login("demo").secret
        answer = self.surfer.post("/user_catalogs", NAMES, token=token)
        self.assertEqual(200, answer.status)
        answer = self.surfer.get("/quotas", token="wrong")
        self.assertEqual(401, answer.status)

    def test_no_other_token_makes_a_session(self) -> None:
        """One that is bound to a project would be worth more in a browser."""
        self.surfer.cookies[SESSION] = self.cloud.login("demo").secret
        self.assertEqual(401, self.surfer.get("/session").status)

    def test_logout_ends_no_other_token(self) -> None:
        token = self.cloud.login("demo").secret
        self.assertEqual(404, self.surfer.post("/logout", token=token).status)
        self.assertEqual(200, self.surfer.get("/quotas", token=token).status)

    def test_logout_ends_the_session(self) -> None:
        self.login()
        cookie = self.surfer.cookies[SESSION]
        self.assertEqual(204, self.surfer.post("/logout").status)
        self.assertEqual({}, self.surfer.cookies)
        self.surfer.cookies[SESSION] = cookie
        self.assertEqual(401, self.surfer.get("/quotas").status)
        done = [
            one for (one,) in self.cloud.sql("SELECT action FROM ops.audit ORDER BY id")
        ]
        self.assertEqual(["session.open", "session.end"], done)

    def test_a_session_cannot_be_chosen_beforehand(self) -> None:
        """Whatever a browser brings along, a login makes a new secret."""
        self.login()
        before = self.surfer.cookies[SESSION]
        self.login()
        after = self.surfer.cookies[SESSION]
        self.assertNotEqual(before, after)
        self.surfer.cookies[SESSION] = "chosen-by-somebody"
        self.login()
        self.assertNotIn(self.surfer.cookies[SESSION], (before, after))
        self.assertNotEqual("chosen-by-somebody", self.surfer.cookies[SESSION])

    def test_a_session_expires(self) -> None:
        self.login()
        self.cloud.clock.advance(12 * 3600 - 1)
        self.assertEqual(200, self.surfer.get("/quotas").status)
        self.cloud.clock.advance(1)
        self.assertEqual(401, self.surfer.get("/quotas").status)
