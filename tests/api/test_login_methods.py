"""Logging in by others' word, and opening accounts so (spec §5.3)."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.errors import Conflict, Invalid, NotFound
from snfd.logins.model import Claims
from snfd.logins.policies import PolicyProfile
from tests.api.memory import Response
from tests.logins.cloud import (
    ANNA,
    SESSION,
    BrowsingCloud,
    FakeForm,
    FakeHeaders,
    FakeJourney,
    Surfer,
    hidden_fields,
    method,
    query_of,
)

ROOT = Actor(None, "root")
OWN = "/account/v1.0/login_methods/own"
BACK = "/ui/login/uni/authenticated"


class MethodCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = BrowsingCloud(self)
        self.uni = self.cloud.add(FakeJourney(method("uni"), ANNA))
        self.surfer = self.cloud.surfer()

    def use(self, *forced: str, **policies: object) -> None:
        """Configure the method anew."""
        self.uni.method = method("uni", forced, **policies)

    def travel(self, surfer: Surfer | None = None, next_: str = "") -> Response:
        """Go to the provider's page and come back with its word."""
        surfer = surfer or self.surfer
        answer = surfer.get(f"/ui/login/uni?next={next_}")
        self.assertEqual(302, answer.status, answer.body)
        state = query_of(answer)["state"].replace(" ", "+")
        return surfer.get(f"{BACK}?code=x&state={state}")

    def open(self, **told: str) -> Response:
        """Come for the first time, and fill the form in."""
        answer = self.travel()
        self.assertEqual("/ui/login/new", answer.headers["location"], answer.body)
        return self.surfer.fill("/ui/login/new", **told)

    def attach(self, identifier: str = "anna-1", user: UUID | None = None) -> None:
        """Give ``demo`` the method."""
        self.cloud.cloud.execute(
            "INSERT INTO identity.login_method"
            " (user_id, module, identifier, created_at) VALUES (%s, 'uni', %s, now())",
            user or self.cloud.demo,
            identifier,
        )

    def one(self, sql: str, *values: object) -> tuple[object, ...]:
        """The one row of a query."""
        (row,) = self.cloud.cloud.sql(sql, *values)
        return row


class KnownTests(MethodCase):
    def test_who_is_known_is_let_in(self) -> None:
        self.attach()
        answer = self.travel(next_="/ui/projects")
        self.assertEqual("/ui/projects", answer.headers["location"])
        self.assertEqual(
            "demo", self.surfer.get("/account/v1.0/session").json["username"]
        )
        (methods,) = self.one("SELECT methods FROM identity.api_token")
        self.assertEqual(["uni"], methods)
        (used,) = self.one(
            "SELECT last_login_at FROM identity.login_method WHERE module = 'uni'"
        )
        self.assertIsNotNone(used)

    def test_nobody_is_led_off_site(self) -> None:
        self.attach()
        answer = self.travel(next_="https://evil.example/")
        self.assertEqual("/ui/", answer.headers["location"])

    def test_an_answer_belongs_to_the_browser_that_asked(self) -> None:
        """Or somebody could be logged in as somebody else without knowing."""
        self.attach()
        answer = self.surfer.get("/ui/login/uni")
        state = query_of(answer)["state"].replace(" ", "+")
        stranger = self.cloud.surfer()
        self.assertEqual(401, stranger.get(f"{BACK}?code=x&state={state}").status)
        self.assertEqual(401, self.surfer.get(f"{BACK}?code=x&state=other").status)
        # and it was the only chance
        self.assertEqual(401, self.surfer.get(f"{BACK}?code=x&state={state}").status)

    def test_an_answer_belongs_to_the_method_that_was_begun(self) -> None:
        self.cloud.add(FakeJourney(method("lab"), ANNA))
        self.surfer.get("/ui/login/uni")
        answer = self.surfer.get("/ui/login/lab/authenticated?code=x&state=state+1")
        self.assertEqual(401, answer.status)

    def test_an_answer_must_come_soon(self) -> None:
        self.attach()
        answer = self.surfer.get("/ui/login/uni")
        state = query_of(answer)["state"].replace(" ", "+")
        self.cloud.cloud.clock.advance(601)
        self.assertEqual(401, self.surfer.get(f"{BACK}?code=x&state={state}").status)

    def test_what_the_browser_carries_is_sealed(self) -> None:
        self.surfer.get("/ui/login/uni")
        carried = self.surfer.cookies["__Host-snfd_journey"]
        self.assertNotIn("state", carried)
        for changed in (carried[:-4] + "AAAA", "x", carried[10:], "é"):
            self.surfer.cookies["__Host-snfd_journey"] = changed
            answer = self.surfer.get(f"{BACK}?code=x&state=state+1")
            self.assertEqual(401, answer.status)

    def test_accounts_that_are_not_active(self) -> None:
        self.attach()
        self.cloud.cloud.execute("UPDATE identity.app_user SET is_active = false")
        answer = self.travel()
        self.assertEqual(403, answer.status)
        self.assertIn(b"not active", answer.body)
        self.assertNotIn(SESSION, self.surfer.cookies)

    def test_a_method_that_logs_nobody_in(self) -> None:
        self.attach()
        self.use(login=False)
        self.assertEqual(404, self.surfer.get("/ui/login/uni").status)

    def test_forced_fields_follow_the_method(self) -> None:
        self.attach()
        self.use("first_name", "email")
        self.travel()
        found = self.one(
            "SELECT first_name, last_name, email, username FROM identity.app_user"
        )
        self.assertEqual(("Anna", "", "anna@uni.example", "demo"), found)

    def test_an_address_that_is_somebody_elses_is_not_taken_over(self) -> None:
        self.attach()
        self.cloud.cloud.user("other")
        self.use("first_name", "email")
        fields = {**ANNA.fields, "email": "other@example.org"}
        self.uni.claims = evolve(ANNA, fields=fields)
        self.assertEqual(302, self.travel().status)
        found = self.one(
            "SELECT first_name, email FROM identity.app_user WHERE username = 'demo'"
        )
        self.assertEqual(("Anna", "demo@example.org"), found)

    def test_what_is_no_address_becomes_nobodys_name(self) -> None:
        """Some directories let people write their addresses themselves."""
        self.cloud.cloud.execute("UPDATE identity.app_user SET username = email")
        self.attach()
        self.use("email")
        for text in ("snfd", str(self.cloud.demo), "a b@x.y", "a@b@c", "a,b@x.y"):
            fields = {**ANNA.fields, "email": text}
            self.uni.claims = evolve(ANNA, fields=fields)
            self.assertEqual(302, self.travel(self.cloud.surfer()).status)
            found = self.one("SELECT username, email FROM identity.app_user")
            self.assertEqual(("demo@example.org",) * 2, found)

    def test_an_unverified_address_is_not_taken_over(self) -> None:
        self.attach()
        self.use("email")
        self.uni.claims = evolve(ANNA, verified=False)
        self.travel()
        self.assertEqual(
            ("demo@example.org",), self.one("SELECT email FROM identity.app_user")
        )

    def test_groups_follow_but_for_those_it_does_not_decide(self) -> None:
        self.attach()
        mirrored = frozenset({"staff", "ops"})
        self.uni.claims = evolve(ANNA, groups=frozenset({"staff"}), mirrored=mirrored)
        self.travel()
        groups = (
            "SELECT array_agg(g.name ORDER BY g.name) FROM identity.user_group g"
            " JOIN identity.user_group_member m ON m.group_id = g.id"
        )
        self.assertEqual((["default", "staff"],), self.one(groups))
        self.uni.claims = evolve(
            ANNA, groups=frozenset({"ops", "admin"}), mirrored=mirrored
        )
        self.travel(self.cloud.surfer())
        self.assertEqual((["default", "ops"],), self.one(groups))


class NewTests(MethodCase):
    def test_somebody_new_opens_an_account_and_verifies_his_address(self) -> None:
        answer = self.open(email="anna@home.example", first_name="A", last_name="B")
        self.assertEqual(200, answer.status, answer.body)
        self.assertIn(b"Your account was opened", answer.body)
        (active, name) = self.one(
            "SELECT is_active, first_name FROM identity.app_user"
            " WHERE email = 'anna@home.example'"
        )
        self.assertEqual((False, "A"), (active, name))
        self.assertEqual(403, self.travel().status)
        self.assertTrue(self.cloud.accounts.verify())
        self.assertEqual("/ui/", self.travel().headers["location"])
        self.assertEqual(302, self.surfer.get("/ui/login").status)

    def test_a_method_may_vouch_for_the_address(self) -> None:
        self.use("email", autoverify=True, creation_groups=["students"])
        answer = self.open(email="evil@other.example", first_name="A", last_name="B")
        self.assertEqual("/ui/", answer.headers["location"], answer.body)
        found = self.one(
            "SELECT email, is_active, accepted_policy FROM identity.app_user"
            " WHERE first_name = 'A'"
        )
        self.assertEqual(("anna@uni.example", True, "auto_moderation"), found)
        self.assertEqual(200, self.surfer.get("/account/v1.0/session").status)
        (count,) = self.one(
            "SELECT count(*)::int FROM identity.user_group_member m JOIN"
            " identity.user_group g ON g.id = m.group_id WHERE g.name = 'students'"
        )
        self.assertEqual(1, count)

    def test_it_vouches_for_no_other_address(self) -> None:
        self.use(autoverify=True)
        answer = self.open(email="evil@other.example", first_name="A", last_name="B")
        self.assertIn(b"Your account was opened", answer.body)
        self.assertEqual(1, len(self.cloud.accounts.letters("verify")))

    def test_nobody_is_asked_what_the_method_decides(self) -> None:
        self.use("email", "first_name", "last_name", autoverify=True, automoderate=True)
        self.cloud.accounts.rule(moderation=True)
        answer = self.travel(next_="/ui/projects")
        self.assertEqual("/ui/projects", answer.headers["location"], answer.body)
        found = self.one(
            "SELECT last_name, accepted_policy FROM identity.app_user"
            " WHERE email = 'anna@uni.example'"
        )
        self.assertEqual(("Ampère", "auth_provider_uni"), found)

    def test_somebody_elses_address(self) -> None:
        """Whoever holds it is neither replaced nor joined with."""
        answer = self.open(email="demo@example.org", first_name="A", last_name="B")
        self.assertEqual(400, answer.status)
        self.assertIn(b"already", answer.body)
        rows = self.cloud.cloud.sql(
            "SELECT 1 FROM identity.login_method WHERE module = 'uni'"
        )
        self.assertEqual([], rows)
        answer = self.surfer.fill("/ui/login/new", email="anna@home.example")
        self.assertIn(b"Your account was opened", answer.body)
        self.assertEqual(404, self.surfer.get("/ui/login/new").status)

    def test_the_form_is_filled_in_and_shows_what_is_fixed(self) -> None:
        self.use("last_name")
        fields = {**ANNA.fields, "first_name": '"><script>'}
        self.uni.claims = evolve(ANNA, fields=fields)
        self.travel()
        answer = self.surfer.get("/ui/login/new")
        self.assertEqual('"><script>', hidden_fields(answer)["first_name"])
        self.assertNotIn(b"<script>", answer.body)
        self.assertIn("readonly", answer.body.decode().split('name="last_name"')[1])

    def test_terms_must_be_agreed_to(self) -> None:
        self.cloud.cloud.wait(
            self.cloud.accounts.accounts.terms.add("Be nice.", "text", ROOT)
        )
        answer = self.open(email="a@home.example", first_name="A", last_name="B")
        self.assertEqual(400, answer.status)
        told = {"email": "a@home.example", "agreed": "Yes"}
        answer = self.surfer.fill("/ui/login/new", **told, terms="9" * 5000)
        self.assertEqual(400, answer.status)
        answer = self.surfer.fill("/ui/login/new", **told)
        self.assertIn(b"Your account was opened", answer.body)

    def test_a_method_that_opens_no_accounts(self) -> None:
        self.use(create=False)
        self.assertEqual(403, self.travel().status)

    def test_where_people_open_no_accounts(self) -> None:
        self.cloud.accounts.rule(signup=False)
        answer = self.open(email="a@home.example")
        self.assertEqual(403, answer.status)

    def test_who_thinks_too_long_begins_again(self) -> None:
        self.travel()
        self.cloud.cloud.clock.advance(601)
        self.assertEqual(404, self.surfer.get("/ui/login/new").status)

    def test_one_person_waits_once_and_his_key_is_hashed(self) -> None:
        self.travel()
        self.travel(self.cloud.surfer())
        (count,) = self.one("SELECT count(*)::int FROM identity.pending_login")
        self.assertEqual(1, count)
        self.assertEqual(404, self.surfer.get("/ui/login/new").status)

    def test_odd_words_of_a_provider(self) -> None:
        fields = {"email": "x" * 400, "first_name": "a\nb\0", "last_name": 7}
        self.uni.claims = Claims("id", fields)  # type: ignore[arg-type]
        self.travel()
        shown = hidden_fields(self.surfer.get("/ui/login/new"))
        self.assertEqual(("", "ab", ""), (
            shown["email"], shown["first_name"], shown["last_name"]
        ))  # fmt: skip


class AddTests(MethodCase):
    def methods(self) -> list[str]:
        found = self.cloud.cloud.wait(
            self.cloud.browsing.logins.attached(self.cloud.demo)
        )
        return [one.method for one in found]

    def test_who_is_logged_in_adds_the_method(self) -> None:
        surfer = self.cloud.logged_in()
        answer = self.travel(surfer)
        self.assertEqual("/ui/profile", answer.headers["location"])
        self.assertEqual(["local", "uni"], self.methods())
        self.assertEqual("/ui/profile", self.travel(surfer).headers["location"])
        self.assertEqual("/ui/", self.travel().headers["location"])

    def test_not_by_another_sites_doing(self) -> None:
        surfer = self.cloud.logged_in()
        headers = {"Sec-Fetch-Site": "cross-site"}
        surfer.get("/ui/login/uni", headers=headers)
        answer = surfer.get(f"{BACK}?code=x&state=state+1")
        self.assertEqual("/ui/login/new", answer.headers["location"])
        self.assertEqual(["local"], self.methods())

    def test_not_to_a_session_that_came_meanwhile(self) -> None:
        surfer = self.cloud.logged_in()
        surfer.get("/ui/login/uni")
        surfer.cookies[SESSION] = self.cloud.logged_in().cookies[SESSION]
        answer = surfer.get(f"{BACK}?code=x&state=state+1")
        self.assertEqual("/ui/login/new", answer.headers["location"])

    def test_it_is_somebody_elses(self) -> None:
        self.attach(user=self.cloud.cloud.user("other"))
        answer = self.travel(self.cloud.logged_in())
        self.assertEqual(409, answer.status)

    def test_policies(self) -> None:
        surfer = self.cloud.logged_in()
        self.use(add=False)
        self.assertEqual(403, self.travel(surfer).status)
        self.attach("another")
        self.use(limit=1, switch=False)
        self.assertEqual(409, self.travel(surfer).status)
        self.use(limit=1)
        self.assertEqual("/ui/profile", self.travel(surfer).headers["location"])
        self.assertEqual(
            ("anna-1",),
            self.one(
                "SELECT identifier FROM identity.login_method WHERE module = 'uni'"
            ),
        )

    def test_methods_are_removed_but_never_the_last(self) -> None:
        wait, fails = self.cloud.cloud.wait, self.cloud.cloud.fails
        logins, demo = self.cloud.browsing.logins, self.cloud.demo
        self.use(add_groups=["uni"])
        surfer = self.cloud.logged_in()
        self.travel(surfer)
        found = surfer.get(OWN).json["login_methods"]
        self.assertEqual(["local", "uni"], [one["name"] for one in found])
        surfer.csrf = surfer.get("/account/v1.0/session").json["csrf"]
        local, uni = wait(logins.attached(demo))
        fails(logins.detach(ROOT, self.cloud.cloud.user("other"), uni.id), NotFound)
        self.assertEqual(204, surfer.request("DELETE", f"{OWN}/{local.id}").status)
        fails(logins.detach(ROOT, demo, uni.id), Conflict)
        fails(logins.detach(ROOT, demo, local.id), NotFound)
        self.assertEqual(["uni"], self.methods())
        told = self.cloud.accounts.letters("credentials_changed")
        self.assertEqual(
            ["Uni logs you in now", "Local logs you in no longer"],
            [one.values["what"] for one in told],
        )
        self.assertEqual({"demo@example.org"}, {one.to for one in told})

    def test_removing_can_be_forbidden(self) -> None:
        wait = self.cloud.cloud.wait
        logins, demo = self.cloud.browsing.logins, self.cloud.demo
        self.use(remove=False)
        surfer = self.cloud.logged_in()
        self.travel(surfer)
        surfer.csrf = surfer.get("/account/v1.0/session").json["csrf"]
        _, uni = wait(logins.attached(demo))
        self.assertEqual(403, surfer.request("DELETE", f"{OWN}/{uni.id}").status)
        wait(logins.detach(ROOT, demo, uni.id))
        self.assertEqual(["local"], self.methods())


class ProfileTests(MethodCase):
    def test_policies_for_some_people_only(self) -> None:
        wait, profiles = self.cloud.cloud.wait, self.cloud.browsing.policies
        self.attach()
        users = (self.cloud.demo,)
        no = PolicyProfile("no", "uni", {"login": False}, users=users)
        wait(profiles.put(ROOT, no))
        self.assertEqual(403, self.travel(self.cloud.surfer()).status)
        yes = PolicyProfile("yes", "uni", {"login": True}, groups=("default",))
        wait(profiles.put(ROOT, yes))
        self.assertEqual(302, self.travel(self.cloud.surfer()).status)
        self.assertEqual([no, yes], wait(profiles.all()))
        wait(profiles.put(ROOT, evolve(yes, active=False)))
        self.assertEqual(403, self.travel(self.cloud.surfer()).status)
        wait(profiles.put(ROOT, evolve(no, exclusive=True)))
        self.assertEqual(302, self.travel(self.cloud.surfer()).status)
        wait(profiles.put(ROOT, evolve(no, module="other", exclusive=True)))
        self.assertEqual(403, self.travel(self.cloud.surfer()).status)
        wait(profiles.remove(ROOT, "no"))
        self.assertEqual(302, self.travel(self.cloud.surfer()).status)

    def test_profiles_that_make_no_sense(self) -> None:
        fails, profiles = self.cloud.cloud.fails, self.cloud.browsing.policies
        for wrong in ({"logni": True}, {"login": "yes"}, {"limit": "x"}):
            fails(profiles.put(ROOT, PolicyProfile("x", "uni", wrong)), Invalid)
        unknown = PolicyProfile("x", "uni", {}, groups=["nowhere"])
        fails(profiles.put(ROOT, unknown), NotFound)
        fails(profiles.remove(ROOT, "x"), NotFound)


class FormTests(MethodCase):
    def setUp(self) -> None:
        super().setUp()
        people = {("anna", "sesame"): ANNA}
        self.cloud.add(FakeForm(method("ldap"), people))

    def test_a_password_elsewhere(self) -> None:
        answer = self.surfer.fill("/ui/login/ldap", username="anna", password="no")
        self.assertEqual(401, answer.status)
        answer = self.surfer.fill("/ui/login/ldap", username="anna", password="sesame")
        self.assertEqual("/ui/login/new", answer.headers["location"])
        fill = {"username": "anna", "password": "sesame"}
        answer = self.cloud.logged_in().fill("/ui/login/ldap", **fill)
        self.assertEqual("/ui/profile", answer.headers["location"])
        answer = self.surfer.fill("/ui/login/ldap?next=/ui/x", **fill)
        self.assertEqual("/ui/x", answer.headers["location"])
        self.assertEqual(403, self.cloud.surfer().form("/ui/login/ldap", fill).status)

    def test_neighbours_of_our_domain_add_nothing_to_anybodys_account(self) -> None:
        """They can set the form's cookie, and browsers send the session's along."""
        victim = self.cloud.logged_in()
        shown = hidden_fields(victim.get("/ui/login/ldap"))
        fill = {**shown, "username": "anna", "password": "sesame"}
        for site, status in (("cross-site", 403), ("same-site", 403), ("none", 302)):
            headers = {"Sec-Fetch-Site": site}
            answer = victim.form("/ui/login/ldap", fill, headers=headers)
            self.assertEqual(status, answer.status, site)

    def test_a_name_spelt_otherwise_buys_no_more_guesses_of_a_code(self) -> None:
        """A directory takes one person's name with many blanks, say."""
        spelt = {(f"an{' ' * n}na", "sesame"): ANNA for n in range(9)}
        self.cloud.add(FakeForm(method("ldap"), spelt))
        self.attach()
        self.cloud.cloud.execute(
            "UPDATE identity.login_method SET module = 'ldap' WHERE module = 'uni'"
        )
        told = [
            self.surfer.fill(
                "/ui/login/ldap", username=name, password="sesame", totp="000000"
            ).status
            for name, _ in spelt
        ]
        self.assertEqual([401] * 3 + [429] * 6, told)

    def test_guesses_are_throttled(self) -> None:
        for _ in range(4):
            answer = self.surfer.fill("/ui/login/ldap", username="Anna", password="no")
        self.assertEqual(429, answer.status)
        answer = self.surfer.fill("/ui/login/ldap", username="anna", password="sesame")
        self.assertEqual(429, answer.status)

    def test_headers_of_the_server_in_front(self) -> None:
        self.cloud.add(FakeHeaders(method("shib")))
        self.assertEqual(401, self.surfer.get("/ui/login/shib").status)
        headers = {"REMOTE_USER": "anna@uni"}
        answer = self.surfer.get("/ui/login/shib", headers=headers)
        self.assertEqual("/ui/login/new", answer.headers["location"])
