"""Login methods without which an account is not let in (spec §5.3)."""

from __future__ import annotations

from attrs import evolve

from snfd.audit import Actor
from snfd.logins.model import Claims
from snfd.logins.policies import PolicyProfile
from snfd.logins.port import Local
from tests.api.memory import Response
from tests.api.test_login_methods import BACK, MethodCase
from tests.logins.cloud import ANNA, SESSION, FakeForm, Surfer, method, query_of

ROOT = Actor(None, "root")
ASK = "/ui/login/required"


class RequiredTests(MethodCase):
    def setUp(self) -> None:
        super().setUp()
        self.use(required=True)

    def sign_in(self, surfer: Surfer | None = None, next_: str = "") -> Response:
        """By the password, on the page."""
        return (surfer or self.surfer).fill(
            f"/ui/login?next={next_}", username="demo", password="secret"
        )

    def password(self, path: str = "/identity/v2.0/tokens") -> Response:
        """By the password, without a browser."""
        given = {"username": "demo", "password": "secret"}
        body = {"auth": {"passwordCredentials": given}}
        return self.cloud.surfer().post(path, body)

    def count(self, table: str = "api_token") -> object:
        return self.one(f"SELECT count(*) FROM identity.{table}")[0]

    def test_whoever_lacks_it_is_led_to_add_it_and_then_goes_on(self) -> None:
        answer = self.sign_in(next_="/ui/projects")
        self.assertEqual((302, ASK), (answer.status, answer.headers["location"]))
        self.assertNotIn(SESSION, self.surfer.cookies)
        self.assertEqual(0, self.count())
        page = self.surfer.get(ASK)
        self.assertIn(
            b'<a href="/ui/login/uni?next=%2Fui%2Fprojects">Add Uni', page.body
        )
        answer = self.travel(next_="/ui/projects")
        self.assertEqual("/ui/projects", answer.headers["location"], answer.body)
        session = self.surfer.get("/account/v1.0/session").json
        self.assertEqual("demo", session["username"])
        (methods,) = self.one("SELECT methods FROM identity.api_token")
        self.assertEqual(["password", "uni"], methods)
        self.assertEqual(2, self.count("login_method"))
        # from now on each of them is enough
        self.assertEqual("/ui/", self.sign_in(self.cloud.surfer()).headers["location"])
        self.assertEqual(200, self.password().status)
        # it was the proof of one login
        self.assertEqual(404, self.surfer.get(ASK).status)

    def test_programs_are_told(self) -> None:
        for answer in (
            self.password(),
            self.cloud.surfer().post(
                "/account/v1.0/login", {"username": "demo", "password": "secret"}
            ),
        ):
            self.assertEqual(403, answer.status)
            self.assertIn(b"must have the login method Uni", answer.body)
            self.assertIn(b"https://a.test/ui/login", answer.body)
        self.assertEqual(0, self.count())

    def test_strangers_are_not_told(self) -> None:
        """Only whoever knows the password learns that something is lacking."""
        body = {"username": "demo", "password": "wrong"}
        answer = self.cloud.surfer().post("/account/v1.0/login", body)
        self.assertEqual(401, answer.status)
        self.assertNotIn(b"Uni", answer.body)
        self.assertEqual(404, self.cloud.surfer().get(ASK).status)

    def test_a_login_that_is_somebody_elses_opens_nothing(self) -> None:
        other = self.cloud.cloud.user("other")
        self.attach(user=other)
        self.sign_in()
        answer = self.travel()
        self.assertEqual(409, answer.status)
        self.assertNotIn(SESSION, self.surfer.cookies)
        self.assertEqual(403, self.password().status)

    def test_several_may_be_required(self) -> None:
        ann = Claims("uid-ann")
        lab = FakeForm(method("lab", required=True), {("ann", "pw"): ann})
        self.cloud.add(lab)
        self.sign_in()
        self.assertIn(b"Add Lab", self.surfer.get(ASK).body)
        self.assertEqual(ASK, self.travel().headers["location"])
        self.assertNotIn(b"Add Uni", self.surfer.get(ASK).body)
        answer = self.surfer.fill("/ui/login/lab", username="ann", password="no")
        self.assertEqual(401, answer.status)
        answer = self.surfer.fill("/ui/login/lab", username="ann", password="pw")
        self.assertEqual("/ui/", answer.headers["location"])
        (methods,) = self.one("SELECT methods FROM identity.api_token")
        self.assertEqual(["password", "uni", "lab"], methods)

    def test_by_another_method_it_is_lacking_as_well(self) -> None:
        lab = FakeForm(method("lab"), {("ann", "pw"): Claims("uid-ann")})
        self.cloud.add(lab)
        self.cloud.cloud.execute(
            "INSERT INTO identity.login_method"
            " (user_id, module, identifier, created_at)"
            " VALUES (%s, 'lab', 'uid-ann', now())",
            self.cloud.demo,
        )
        answer = self.surfer.fill("/ui/login/lab", username="ann", password="pw")
        self.assertEqual(ASK, answer.headers["location"])
        self.assertEqual("/ui/", self.travel().headers["location"])

    def test_a_new_account_must_have_it_too(self) -> None:
        told = {"email": "ann@lab.example", "first_name": "A", "last_name": "B"}
        ann = Claims("uid-ann", told, verified=True)
        lab = FakeForm(method("lab", autoverify=True), {("ann", "pw"): ann})
        self.cloud.add(lab)
        self.surfer.fill("/ui/login/lab", username="ann", password="pw")
        answer = self.surfer.fill("/ui/login/new", **told)
        self.assertEqual(ASK, answer.headers["location"], answer.body)
        self.assertNotIn(SESSION, self.surfer.cookies)
        self.assertEqual("/ui/", self.travel().headers["location"])

    def test_what_was_proved_does_not_last(self) -> None:
        """Neither longer than a login, nor past another password."""
        self.sign_in()
        self.cloud.cloud.clock.advance(601)
        self.assertEqual(404, self.surfer.get(ASK).status)
        self.sign_in()
        self.cloud.cloud.execute(
            "UPDATE identity.login_method SET password_hash = 'other'"
        )
        self.assertEqual(401, self.travel().status)
        self.assertEqual(1, self.count("login_method"))

    def test_an_account_that_is_ended_meanwhile(self) -> None:
        self.sign_in()
        self.cloud.cloud.execute("UPDATE identity.app_user SET is_active = false")
        self.assertEqual(401, self.travel().status)
        self.assertEqual(1, self.count("login_method"))

    def test_other_sites_cannot_have_theirs_added(self) -> None:
        self.sign_in()
        evil = {"Sec-Fetch-Site": "cross-site"}
        answer = self.surfer.get("/ui/login/uni", headers=evil)
        state = query_of(answer)["state"].replace(" ", "+")
        answer = self.surfer.get(f"{BACK}?code=x&state={state}")
        self.assertEqual("/ui/login/new", answer.headers["location"])
        self.assertEqual(1, self.count("login_method"))

    def test_it_cannot_be_removed(self) -> None:
        self.sign_in()
        self.travel()
        self.surfer.csrf = self.surfer.get("/account/v1.0/session").json["csrf"]
        wait, logins = self.cloud.cloud.wait, self.cloud.browsing.logins
        local, uni = wait(logins.attached(self.cloud.demo))
        path = f"/account/v1.0/login_methods/own/{uni.id}"
        self.assertEqual(403, self.surfer.request("DELETE", path).status)
        path = f"/account/v1.0/login_methods/own/{local.id}"
        self.assertEqual(204, self.surfer.request("DELETE", path).status)

    def test_for_some_people_only(self) -> None:
        self.use()
        profile = PolicyProfile(
            "staff", "uni", {"required": True}, users=[self.cloud.demo]
        )
        self.cloud.cloud.wait(self.cloud.browsing.policies.put(ROOT, profile))
        self.assertEqual(403, self.password().status)
        self.assertEqual(ASK, self.sign_in().headers["location"])
        profile = evolve(profile, policies={"required": True, "add": False})
        self.cloud.cloud.wait(self.cloud.browsing.policies.put(ROOT, profile))
        # nobody is locked out for ever
        self.assertEqual(200, self.password().status)

    def test_passwords_are_never_required(self) -> None:
        self.cloud.add(Local(method("local", required=True)))
        self.use()
        self.attach()
        self.cloud.cloud.execute(
            "DELETE FROM identity.login_method WHERE module = 'local'"
        )
        self.assertEqual("/ui/", self.travel().headers["location"])
        self.assertEqual(ANNA.identifier, self.uni.claims.identifier)
