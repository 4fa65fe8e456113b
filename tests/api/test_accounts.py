"""What people do with their accounts, over HTTP in memory."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.model import PAUSE
from tests.accounts.apis import AccountApis
from tests.accounts.cloud import ROOT
from tests.api.identity_cloud import fault
from tests.identity.cloud import START

FORM = {
    "email": "Ann@Example.org",
    "password": "secret",
    "first_name": "Ann",
    "last_name": "Person",
}


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)
        self.people = self.apis.people
        self.account = self.apis.account

    def advance(self, time: timedelta) -> None:
        self.apis.cloud.clock.advance(time.total_seconds())


class SignUpTests(Base):
    def test_from_the_form_to_the_first_login(self) -> None:
        self.assertEqual(202, self.account.post("/signup", FORM).status)
        (letter,) = self.people.letters("verify")
        answer = self.account.post("/signup/verify", {"auth": letter.secret})
        self.assertEqual({"state": "pending moderation"}, answer.json)
        accept = self.people.accounts.moderation.accept
        self.apis.cloud.wait(accept(self.people.uuid("ann"), ROOT))
        profile = self.account.get("/profile", token=self.apis.token("ann")).json
        self.assertEqual("ann@example.org", profile["email"])
        again = self.account.post("/signup/verify", {"auth": letter.secret})
        self.assertEqual(("itemNotFound", 404), fault(again))

    def test_answers_do_not_tell_which_accounts_there_are(self) -> None:
        self.people.member("ann")
        self.people.sign_up("waiting")
        self.advance(PAUSE)
        for path, more in (
            ("/signup", FORM),
            ("/signup/resend", {}),
            ("/password/reset", {}),
        ):
            answers = {
                (got.status, got.body, tuple(got.headers))
                for name in ("ann", "waiting", "nobody")
                if (
                    got := self.account.post(
                        path, {**more, "email": f"{name}@example.org"}
                    )
                )
            }
            self.assertEqual(1, len(answers), path)
            self.assertEqual(202, answers.pop()[0])

    def test_nonsense_is_told(self) -> None:
        for body in (
            {},
            {**FORM, "email": 3},
            {**FORM, "email": "ann"},
            {**FORM, "email": "Ann Person <ann@example.org>"},
            {**FORM, "password": ""},
            {**FORM, "terms": 3},
            {**FORM, "terms": "x"},
            {**FORM, "first_name": "Ann\u0007"},
        ):
            answer = self.account.post("/signup", body)
            self.assertEqual(("badRequest", 400), fault(answer), body)


class TermsTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.people.member("ann")
        self.token = self.apis.token("ann")

    def issue(self, text: str = "Be kind") -> int:
        add = self.people.accounts.terms.add
        return self.apis.cloud.wait(add(text, "text", ROOT)).id

    def test_astakos_08_terms_unsigned_past_their_grace_lock_tokens_out(self) -> None:
        ident = self.issue()
        self.assertEqual(200, self.apis.status(self.token))
        self.advance(timedelta(hours=23))  # as long as the token lasts
        self.assertEqual(200, self.apis.status(self.token))
        late = self.apis.cloud.wait(
            self.people.accounts.terms.add("Be kinder", "text", ROOT, timedelta(0))
        )
        for answer in (
            self.account.get("/profile", token=self.token),
            self.apis.v2.post("/tokens", {"auth": {"token": {"id": self.token}}}),
            self.apis.v2.get("/tenants", token=self.token),
        ):
            self.assertEqual(("unauthorized", 401), fault(answer))
            self.assertIn("terms", answer.body.decode())
        old = self.account.post(f"/terms/{ident}/sign", token=self.token)
        self.assertEqual(("conflict", 409), fault(old))
        for _ in range(2):
            path = f"/terms/{late.id}/sign"
            self.assertEqual(204, self.account.post(path, token=self.token).status)
        self.assertEqual(200, self.apis.status(self.token))
        self.assertEqual(1, self.people.audited().count("terms.sign"))

    def test_astakos_08_the_grace_of_the_oldest_unsigned_terms_counts(self) -> None:
        self.people.rule(terms_grace=timedelta(hours=2))
        self.issue()
        self.advance(timedelta(hours=1))
        newest = self.issue("Be kinder")
        self.advance(timedelta(hours=1))
        self.assertEqual(401, self.apis.status(self.token))
        self.account.post(f"/terms/{newest}/sign", token=self.token)
        self.assertEqual(200, self.apis.status(self.token))

    def test_astakos_08_expired_and_inactive_are_refused_also_to_sign(self) -> None:
        path = f"/terms/{self.issue()}/sign"
        user = self.people.uuid("ann")
        self.apis.cloud.execute("UPDATE identity.app_user SET is_active = false")
        for token in (self.token, "nonsense", None):
            answer = self.account.post(path, token=token)
            self.assertEqual(("unauthorized", 401), fault(answer))
        self.apis.cloud.execute(
            "UPDATE identity.app_user SET is_active = true WHERE uuid = %s", user
        )
        self.advance(timedelta(days=1))
        answer = self.account.post(path, token=self.token)
        self.assertEqual(("unauthorized", 401), fault(answer))

    def test_terms_can_be_read_by_everybody(self) -> None:
        self.assertEqual(
            {"current": None, "terms": []}, self.account.get("/terms").json
        )
        first, second = self.issue(), self.issue("Be kinder")
        listed = self.account.get("/terms").json
        self.assertEqual(second, listed["current"])
        self.assertEqual([second, first], [one["id"] for one in listed["terms"]])
        self.assertNotIn("body", listed["terms"][0])
        page = self.account.get(f"/terms?limit=1&marker={second}").json
        self.assertEqual([first], [one["id"] for one in page["terms"]])
        self.assertEqual("Be kind", self.account.get(f"/terms/{first}").json["body"])
        self.assertEqual(404, self.account.get("/terms/99").status)
        self.assertEqual(400, self.account.get("/terms/x").status)
        self.assertEqual(
            404, self.account.post("/terms/99/sign", token=self.token).status
        )


class PasswordTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.user = self.people.member("ann")

    def test_astakos_63_a_new_password_ends_old_tokens_and_sessions(self) -> None:
        current, other = self.apis.session("ann"), self.apis.session("ann")
        token = self.apis.token("ann")
        made = self.account.post("/tokens", {"label": "ci"}, token=token).json["secret"]
        body = {"old": "secret", "new": "better"}
        answer = self.account.post("/password", body, token=current)
        self.assertEqual(204, answer.status)
        self.assertEqual(
            [200, 401, 401, 401],
            [self.apis.status(one) for one in (current, other, token, made)],
        )
        self.apis.token("ann", "better")
        (letter,) = self.people.letters("credentials_changed")
        self.assertEqual("password", letter.values["what"])
        self.assertIn("user.password", self.people.audited())

    def test_application_credentials_end_where_that_is_asked(self) -> None:
        self.people.cloud.execute(
            "INSERT INTO identity.app_credential (id, user_id, project_id, name,"
            " secret_hash, created_at) SELECT gen_random_uuid(), uuid, uuid, 'ci',"
            " sha256('x'), now() FROM identity.app_user WHERE username LIKE 'ann@%%'"
        )
        left = "SELECT name FROM identity.app_credential"
        old, new = "secret", "better"
        for more, names in (({}, [("ci",)]), ({"end_credentials": True}, [])):
            token = self.apis.token("ann", old)
            body = {"old": old, "new": new, **more}
            old, new = new, old
            answer = self.account.post("/password", body, token=token)
            self.assertEqual(204, answer.status)
            self.assertEqual(names, self.people.cloud.sql(left))

    def test_with_the_setting_off_only_sessions_end(self) -> None:
        self.people.rule(password_revokes=False)
        self.apis.build()
        other, token = self.apis.session("ann"), self.apis.token("ann")
        body = {"old": "secret", "new": "better"}
        self.apis.account.post("/password", body, token=self.apis.session("ann"))
        self.assertEqual([401, 200], [self.apis.status(one) for one in (other, token)])

    def test_the_old_password_is_needed_and_cannot_be_guessed(self) -> None:
        token = self.apis.token("ann")
        for body in (
            {"old": "wrong", "new": "b"},
            {"new": "b"},
            {"old": "", "new": "b"},
        ):
            answer = self.account.post("/password", body, token=token)
            self.assertEqual(("forbidden", 403), fault(answer))
        body = {"old": "secret", "new": "b"}
        answer = self.account.post("/password", body, token=token)
        self.assertEqual(("tooManyRequests", 429), fault(answer))
        self.advance(timedelta(minutes=1))
        self.assertEqual(204, self.account.post("/password", body, token=token).status)

    def test_a_letter_leads_to_a_new_password_once(self) -> None:
        token = self.apis.token("ann")
        for _ in range(2):
            self.account.post("/password/reset", {"email": "ann@example.org"})
        (letter,) = self.people.letters("reset")
        self.assertIn("/ui/password_reset?key=", letter.values["link"])
        body = {"key": letter.secret, "password": "better"}
        path = "/password/reset/confirm"
        self.assertEqual(400, self.account.post(path, {**body, "password": ""}).status)
        self.assertEqual(204, self.account.post(path, body).status)
        self.assertEqual(("itemNotFound", 404), fault(self.account.post(path, body)))
        self.assertEqual(401, self.apis.status(token))
        self.apis.token("ann", "better")

    def test_keys_of_letters_end_and_are_good_for_one_thing(self) -> None:
        self.account.post("/password/reset", {"email": "ann@example.org"})
        (letter,) = self.people.letters("reset")
        for path, body in (
            ("/signup/verify", {"auth": letter.secret}),
            ("/email/confirm", {"key": letter.secret}),
        ):
            self.assertEqual(404, self.account.post(path, body).status)
        self.advance(self.people.rules.reset)
        body = {"key": letter.secret, "password": "better"}
        self.assertEqual(404, self.account.post("/password/reset/confirm", body).status)

    def test_the_inactive_get_no_letter(self) -> None:
        moderation = self.people.accounts.moderation
        self.account.post("/password/reset", {"email": "ann@example.org"})
        (letter,) = self.people.letters("reset")
        self.apis.cloud.wait(moderation.deactivate(self.user, "", ROOT))
        body = {"key": letter.secret, "password": "better"}
        self.assertEqual(404, self.account.post("/password/reset/confirm", body).status)
        self.advance(PAUSE)
        self.account.post("/password/reset", {"email": "ann@example.org"})
        self.assertEqual(1, len(self.people.letters("reset")))


class EmailTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.user = self.people.member("ann")
        self.token = self.apis.token("ann")

    def ask(self, email: str, password: str = "secret") -> int:
        body = {"email": email, "password": password}
        return self.account.post("/email", body, token=self.token).status

    def name(self) -> object:
        asked = {"uuids": [str(self.user)]}
        answer = self.account.post("/user_catalogs", asked, token=self.token)
        return answer.json["uuid_catalog"][str(self.user)]

    def test_astakos_65_a_new_address_is_proved_and_the_old_one_told(self) -> None:
        self.assertEqual(202, self.ask("New@Example.org"))
        (letter,) = self.people.letters("email_confirm")
        self.assertEqual("new@example.org", letter.to)
        self.assertIn("/ui/email_change?key=", letter.values["link"])
        self.assertEqual("ann@example.org", self.name())
        self.advance(timedelta(days=10) - timedelta(seconds=1))
        key = {"key": letter.secret}
        answer = self.account.post("/email/confirm", key)
        self.assertEqual({"email": "new@example.org"}, answer.json)
        self.token = self.apis.token("new")
        self.assertEqual("new@example.org", self.name())
        (told,) = self.people.letters("email_changed")
        self.assertEqual(
            ("ann@example.org", "new@example.org"), (told.to, told.values["email"])
        )
        self.assertEqual(404, self.account.post("/email/confirm", key).status)

    def test_where_only_administrators_change_addresses(self) -> None:
        self.people.rule(email_change=False)
        self.apis.build()
        self.account = self.apis.account
        self.assertEqual(403, self.ask("new@example.org"))
        self.assertEqual([], self.people.letters("email_confirm"))

    def test_astakos_65_the_link_ends_after_ten_days(self) -> None:
        self.ask("new@example.org")
        (letter,) = self.people.letters("email_confirm")
        self.advance(timedelta(days=10))
        answer = self.account.post("/email/confirm", {"key": letter.secret})
        self.assertEqual(("itemNotFound", 404), fault(answer))

    def test_the_link_is_for_its_owner_alone(self) -> None:
        self.people.member("bob")
        self.ask("new@example.org")
        (letter,) = self.people.letters("email_confirm")
        key, bob = {"key": letter.secret}, self.apis.token("bob")
        answer = self.account.post("/email/confirm", key, token=bob)
        self.assertEqual(("forbidden", 403), fault(answer))
        answer = self.account.post("/email/confirm", key, token=self.token)
        self.assertEqual(200, answer.status)

    def test_an_address_of_somebody_else_gets_no_letter(self) -> None:
        self.people.member("bob")
        self.assertEqual(202, self.ask("bob@example.org"))
        self.assertEqual([], self.people.letters("email_confirm"))
        self.assertEqual(403, self.ask("new@example.org", "wrong"))
        self.assertEqual(400, self.ask("ann@example.org"))

    def test_an_address_may_be_taken_meanwhile(self) -> None:
        self.ask("new@example.org")
        (letter,) = self.people.letters("email_confirm")
        self.people.member("new")
        answer = self.account.post("/email/confirm", {"key": letter.secret})
        self.assertEqual(("conflict", 409), fault(answer))

    def test_who_proved_an_address_wins_over_who_only_typed_it_in(self) -> None:
        self.people.sign_up("new")
        self.ask("new@example.org")
        (letter,) = self.people.letters("email_confirm")
        answer = self.account.post("/email/confirm", {"key": letter.secret})
        self.assertEqual(200, answer.status)
        typed = self.people.letters("verify")[-1]
        answer = self.account.post("/signup/verify", {"auth": typed.secret})
        self.assertEqual(404, answer.status)

    def test_a_later_request_replaces_an_earlier_one(self) -> None:
        self.ask("one@example.org")
        self.assertEqual(429, self.ask("two@example.org"))
        self.advance(timedelta(minutes=1))
        self.ask("two@example.org")
        first, last = self.people.letters("email_confirm")
        answers = [
            self.account.post("/email/confirm", {"key": one.secret}).status
            for one in (first, last)
        ]
        self.assertEqual([404, 200], answers)


class ProfileTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.user = self.people.member("ann")
        self.token = self.apis.token("ann")

    def test_names_can_be_changed(self) -> None:
        body = {"first_name": " Anna ", "affiliation": "ACME", "username": "anna"}
        answer = self.account.put("/profile", body, token=self.token).json
        self.assertEqual(
            ("Anna", "Person", "ACME", "anna", ["default"], ["local"], str(self.user)),
            (
                answer["first_name"], answer["last_name"], answer["affiliation"],
                answer["username"], answer["groups"], answer["methods"],
                answer["default_project"],
            ),
        )  # fmt: skip
        self.people.member("bob")
        for body in ({"username": "bob@example.org"}, {"username": "a b"}):
            answer = self.account.put("/profile", body, token=self.token)
            self.assertEqual(("badRequest", 400), fault(answer))
        self.account.put("/profile", {"username": "bo"}, token=self.apis.token("bob"))
        answer = self.account.put("/profile", {"username": "bo"}, token=self.token)
        self.assertEqual(("conflict", 409), fault(answer))
        back = self.account.put("/profile", {"username": ""}, token=self.token).json
        self.assertEqual("ann@example.org", back["username"])

    def test_authenticate_tells_whose_token_it_is(self) -> None:
        answer = self.account.get("/authenticate", token=self.token).json
        self.assertEqual(
            {
                "id", "username", "uuid", "email", "name", "groups", "auth_token",
                "auth_token_created", "auth_token_expires",
            },
            set(answer),
        )  # fmt: skip
        created = int(START.timestamp() * 1000)
        self.assertEqual(
            (str(self.user), ["ann@example.org"], self.token, created),
            (
                answer["uuid"], answer["email"], answer["auth_token"],
                answer["auth_token_created"],
            ),
        )  # fmt: skip
        self.assertEqual(401, self.account.get("/authenticate").status)

    def test_an_account_can_be_closed_and_its_owner_is_forgotten(self) -> None:
        path, body = "/account/close", {"password": "secret"}
        wrong = self.account.post(path, {"password": "x"}, token=self.token)
        self.assertEqual(("forbidden", 403), fault(wrong))
        self.assertEqual(204, self.account.post(path, body, token=self.token).status)
        self.assertEqual(401, self.apis.status(self.token))
        self.assertEqual("closed", self.people.state(self.user))
        for table in ("app_user", "login_method", "letter_key", "api_token"):
            rows = repr(self.apis.cloud.sql(f"SELECT * FROM identity.{table}"))
            for word in ("ann@", "Ann", "Person"):
                self.assertNotIn(word, rows)
        self.assertIn("user.close", self.people.audited())
        self.assertNotEqual(self.user, self.people.member("ann"))

    def test_an_account_with_something_left_stays_open(self) -> None:
        self.apis.cloud.execute(
            "UPDATE quota.holding SET usage_max = 1, usage_min = 1"
            " WHERE user_id = %s AND resource = 'cyclades.vm'",
            self.user,
        )
        body = {"password": "secret"}
        answer = self.account.post("/account/close", body, token=self.token)
        self.assertEqual(("conflict", 409), fault(answer))
        self.assertIn("cyclades.vm", answer.body.decode())
        close = self.people.accounts.editing.close
        self.apis.cloud.wait(close(self.user, ROOT, force=True))
        self.assertEqual("closed", self.people.state(self.user))


class TokenTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.user = self.people.member("ann")
        self.token = self.apis.token("ann")

    def make(self, token: str | None = None, **body: object) -> object:
        answer = self.account.post("/tokens", body, token=token or self.token)
        return answer.json if answer.status == 201 else fault(answer)

    def test_a_token_is_made_listed_and_ended(self) -> None:
        made = self.make(label="ci")
        assert isinstance(made, dict)
        self.assertEqual(200, self.apis.status(made["secret"]))
        listed = self.account.get("/tokens", token=made["secret"]).json["tokens"]
        self.assertEqual(
            [("personal", "ci", True), ("login", "", False)],
            [(one["kind"], one["label"], one["current"]) for one in listed],
        )
        self.assertNotIn(made["secret"], repr(listed))
        path = f"/tokens/{made['token']['id']}"
        self.assertEqual(204, self.account.delete(path, token=self.token).status)
        self.assertEqual(401, self.apis.status(made["secret"]))
        self.assertEqual(404, self.account.delete(path, token=self.token).status)

    def test_the_list_has_pages(self) -> None:
        for number in range(3):
            self.make(label=str(number))
            self.advance(timedelta(seconds=1 if number else 0))
        seen, marker = [], ""
        while True:
            path = f"/tokens?limit=1{marker}"
            page = self.account.get(path, token=self.token).json["tokens"]
            if not page:
                break
            seen.append(page[0]["id"])
            marker = f"&marker={page[0]['id']}"
        whole = self.account.get("/tokens", token=self.token).json["tokens"]
        self.assertEqual([one["id"] for one in whole], seen)
        answer = self.account.get("/tokens?marker=x", token=self.token)
        self.assertEqual(("badRequest", 400), fault(answer))

    def test_a_token_may_have_an_end_and_a_project(self) -> None:
        project = self.apis.cloud.project("team", {})
        self.apis.cloud.execute(
            "INSERT INTO identity.membership (user_id, project_id, state)"
            " VALUES (%s, %s, 'accepted')",
            self.user, project,
        )  # fmt: skip
        soon = (START + timedelta(hours=1)).isoformat()
        made = self.make(label="ci", expires=soon, project=str(project))
        assert isinstance(made, dict)
        self.assertEqual(str(project), made["token"]["project"])
        caller = self.apis.cloud.wait(self.apis.cloud.authenticator(made["secret"]))
        self.assertEqual(project, caller.project)
        self.advance(timedelta(hours=1))
        self.assertEqual(401, self.apis.status(made["secret"]))

    def test_what_a_token_must_not_be(self) -> None:
        late = (START + timedelta(days=31)).isoformat()
        other = self.apis.cloud.project("theirs", {})
        for body in (
            {"expires": "soon"},
            {"expires": START.isoformat()},
            {"expires": late},
            {"label": "x" * 101},
            {"label": "a\nb"},
            {"project": str(other)},
            {"project": "x"},
        ):
            self.assertEqual(("badRequest", 400), self.make(**body), body)

    def test_a_token_of_one_project_changes_no_account(self) -> None:
        made = self.make(project=str(self.user))
        assert isinstance(made, dict)
        bound = made["secret"]
        self.assertEqual(("forbidden", 403), self.make(bound))
        for path, body in (
            ("/password", {"old": "secret", "new": "b"}),
            ("/email", {"email": "b@example.org", "password": "secret"}),
            ("/account/close", {"password": "secret"}),
        ):
            answer = self.account.post(path, body, token=bound)
            self.assertEqual(("forbidden", 403), fault(answer), path)
        answer = self.account.put("/profile", {"first_name": "X"}, token=bound)
        self.assertEqual(("forbidden", 403), fault(answer))

    def test_a_token_makes_none_that_outlives_it(self) -> None:
        soon = (START + timedelta(hours=1)).isoformat()
        made = self.make(expires=soon)
        assert isinstance(made, dict)
        child = self.make(made["secret"])
        assert isinstance(child, dict)
        self.assertEqual(made["token"]["expires"], child["token"]["expires"])
        later = (START + timedelta(hours=2)).isoformat()
        self.assertEqual(("forbidden", 403), self.make(made["secret"], expires=later))

    def test_there_is_a_bound(self) -> None:
        self.apis.cloud.execute(
            "INSERT INTO identity.api_token"
            " (hash, user_id, kind, created_at, expires_at)"
            " SELECT sha256(n::text::bytea), %s, 'personal', %s, %s"
            " FROM generate_series(1, 100) n",
            self.user, START, START + timedelta(days=1),
        )  # fmt: skip
        self.assertEqual(("conflict", 409), self.make())

    def test_sessions_are_listed_and_ended(self) -> None:
        here, there = self.apis.session("ann"), self.apis.session("ann")
        listed = self.account.get("/sessions", token=here).json["sessions"]
        self.assertEqual({True, False}, {one["current"] for one in listed})
        (other,) = [one["id"] for one in listed if not one["current"]]
        self.assertEqual(
            404, self.account.delete(f"/tokens/{other}", token=here).status
        )
        answer = self.account.delete(f"/sessions/{other}", token=here)
        self.assertEqual(204, answer.status)
        self.assertEqual([200, 401], [self.apis.status(one) for one in (here, there)])
