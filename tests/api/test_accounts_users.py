"""The admin user API of identity v2.0, over HTTP in memory."""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from tests.accounts.apis import AccountApis
from tests.accounts.cloud import ROOT
from tests.api.identity_cloud import fault
from tests.api.memory import Response

BOB = {"username": "Bob@Example.org", "first_name": "Bob", "last_name": "Person"}
PLAIN = {
    "id", "first_name", "last_name", "email", "is_active", "is_rejected",
    "deactivated_reason", "rejected_reason", "accepted_policy", "roles",
    "authentication_methods",
}  # fmt: skip
TIMES = {"date_joined", "moderated_at", "verified_at", "auth_token_expires"}


class UsersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)
        self.cloud = self.apis.cloud
        self.people = self.apis.people
        user = self.people.member("root")
        set_groups = self.people.accounts.editing.set_groups
        self.cloud.wait(set_groups(user, ["admin-api"], [], ROOT))
        self.token = self.apis.token("root")

    def test_what_programs_may_makes_nobody_an_administrator(self) -> None:
        """An administrator's password or token would."""
        boss = self.people.member("boss")
        set_groups = self.people.accounts.editing.set_groups
        self.cloud.wait(set_groups(boss, ["admin"], [], ROOT))
        path = f"/users/{boss}"
        for more, body in (
            ("", {"user": {"password": "mine"}}),
            ("", {"user": {"username": "mine@example.org"}}),
            ("/action", {"renewToken": {}}),
            ("/action", {"deactivate": {}}),
            ("/action", {"setDefaultProject": {"project_id": str(boss)}}),
        ):
            answer = self.apis.v2.request(
                "POST" if more else "PUT", path + more, json=body, token=self.token
            )
            self.assertEqual(("forbidden", 403), fault(answer), body)
        token = self.apis.token("boss")
        answer = self.apis.v2.put(path, {"user": {"first_name": "B"}}, token=token)
        self.assertEqual(200, answer.status)

    def create(self, **more: object) -> Response:
        body = {"user": {**BOB, **more}}
        return self.apis.v2.post("/users", body, token=self.token)

    def act(self, user: str, **body: object) -> Response:
        return self.apis.v2.post(f"/users/{user}/action", body, token=self.token)

    def show(self, user: str) -> dict[str, object]:
        answer = self.apis.v2.get(f"/users/{user}", token=self.token)
        found: dict[str, object] = answer.json["user"]
        return found

    def test_only_groups_that_are_permitted_may(self) -> None:
        self.people.member("ann")
        token, some = self.apis.token("ann"), uuid4()
        for method, path, body in (
            ("GET", "/users", None),
            ("GET", "/users/detail", None),
            ("POST", "/users", {"user": BOB}),
            ("GET", f"/users/{some}", None),
            ("PUT", f"/users/{some}", {"user": {}}),
            ("POST", f"/users/{some}/action", {"activate": {}}),
        ):
            answer = self.apis.v2.request(method, path, json=body, token=token)
            self.assertEqual(("forbidden", 403), fault(answer), path)
            answer = self.apis.v2.request(method, path, json=body)
            self.assertEqual(("unauthorized", 401), fault(answer), path)

    def test_a_user_is_let_in_at_once(self) -> None:
        terms = self.people.accounts.terms
        self.cloud.wait(terms.add("Be kind", "text", ROOT))
        made = self.create(affiliation="ACME", metadata={"room": "7"}).json["user"]
        self.assertEqual({"id", "password", "auth_token"}, set(made))
        self.assertEqual(200, self.apis.status(made["auth_token"]))
        self.apis.token("bob", made["password"])
        shown = self.show(made["id"])
        self.assertEqual(PLAIN | TIMES, set(shown))
        self.assertEqual(
            [
                {
                    "identifier": "",
                    "active": True,
                    "affiliation": "ACME",
                    "backend": "local",
                    "metadata": {"room": "7"},
                }
            ],
            shown["authentication_methods"],
        )
        self.assertEqual(
            [(1,)], self.cloud.sql("SELECT count(*) FROM identity.signed_terms")
        )
        self.assertIsNone(
            self.create(username="c@d.e", password="x").json["user"]["password"]
        )

    def test_what_cannot_be_made(self) -> None:
        self.create()
        self.assertEqual(("conflict", 409), fault(self.create()))
        bodies: tuple[dict[str, object], ...] = (
            {"username": "bob"},
            {"first_name": ""},
            {"last_name": None},
            {"metadata": []},
            {"password": ""},
        )
        for bad in bodies:
            more = {"username": "c@example.org", **bad}
            self.assertEqual(("badRequest", 400), fault(self.create(**more)), bad)

    def test_lists_have_pages_and_details_have_times(self) -> None:
        self.create()
        plain = self.apis.v2.get("/users", token=self.token).json["users"]
        whole = self.apis.v2.get("/users/detail", token=self.token).json["users"]
        self.assertEqual(
            ["root@example.org", "bob@example.org"], [one["email"] for one in plain]
        )
        self.assertEqual({frozenset(PLAIN)}, {frozenset(one) for one in plain})
        self.assertEqual({frozenset(PLAIN | TIMES)}, {frozenset(one) for one in whole})
        page = f"/users?limit=1&marker={plain[0]['id']}"
        found = self.apis.v2.get(page, token=self.token).json["users"]
        self.assertEqual([plain[1]], found)
        answer = self.apis.v2.get(f"/users?marker={uuid4()}", token=self.token)
        self.assertEqual(("badRequest", 400), fault(answer))

    def test_a_user_is_changed(self) -> None:
        user = self.create().json["user"]["id"]
        change = {
            "username": "robert@example.org", "first_name": "Robert",
            "affiliation": "ACME", "metadata": {"room": "8"}, "password": "better",
        }  # fmt: skip
        path = f"/users/{user}"
        answer = self.apis.v2.put(path, {"user": change}, token=self.token)
        shown = answer.json["user"]
        self.assertEqual(
            ("robert@example.org", "Robert", "Person"),
            (shown["email"], shown["first_name"], shown["last_name"]),
        )
        (way,) = shown["authentication_methods"]
        self.assertEqual(("ACME", {"room": "8"}), (way["affiliation"], way["metadata"]))
        self.apis.token("robert", "better")
        taken = {"user": {"username": "root@example.org", "first_name": "X"}}
        answer = self.apis.v2.put(path, taken, token=self.token)
        self.assertEqual(("conflict", 409), fault(answer))
        self.assertEqual("Robert", self.show(user)["first_name"])
        path = f"/users/{uuid4()}"
        answer = self.apis.v2.put(path, {"user": {}}, token=self.token)
        self.assertEqual(("itemNotFound", 404), fault(answer))

    def test_actions(self) -> None:
        made = self.create().json["user"]
        user = made["id"]
        told = self.act(user, deactivate={"reason": "late"}).json["user"]
        self.assertEqual(
            {"id": user, "is_active": False, "deactivated_reason": "late"}, told
        )
        self.assertEqual(("conflict", 409), fault(self.act(user, renewToken={})))
        told = self.act(user, activate={}).json["user"]
        self.assertEqual({"id": user, "is_active": True}, told)
        token = self.act(user, renewToken={}).json["user"]["auth_token"]
        self.assertEqual(200, self.apis.status(token))
        again = self.act(user, renewToken={}).json["user"]["auth_token"]
        self.assertEqual([401, 200], [self.apis.status(one) for one in (token, again)])
        told = self.act(user, signTerms={}).json["user"]
        self.assertEqual({"id": user, "has_signed_terms": True}, told)

    def test_the_default_project_is_set(self) -> None:
        user = self.create().json["user"]["id"]
        answer = self.act(user, setDefaultProject={"project_id": user})
        self.assertEqual({"id": user, "default_project": user}, answer.json["user"])
        team = str(self.cloud.project("team", {}))
        answer = self.act(user, setDefaultProject={"project_id": team})
        self.assertEqual(("forbidden", 403), fault(answer))
        answer = self.act(user, setDefaultProject={"project_id": str(uuid4())})
        self.assertEqual(("itemNotFound", 404), fault(answer))

    def test_actions_that_there_are_not(self) -> None:
        user = self.create().json["user"]["id"]
        bodies: tuple[dict[str, object], ...] = (
            {},
            {"fly": {}},
            {"activate": {}, "signTerms": {}},
            {"activate": 1},
        )
        for body in bodies:
            answer = self.act(user, **body)
            self.assertEqual(("badRequest", 400), fault(answer), body)
        answer = self.act(str(uuid4()), activate={})
        self.assertEqual(("itemNotFound", 404), fault(answer))
        self.assertEqual(400, self.act("nobody", activate={}).status)
