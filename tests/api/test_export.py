"""People take with them all that is known of them."""

from __future__ import annotations

from typing import Any

from snfd.audit import Actor
from tests.accounts.cloud import ROOT
from tests.api.identity_cloud import fault
from tests.api.test_accounts import Base


class ExportTests(Base):
    """Ann, who is a member of a project, and Bob."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.people.member("ann")
        self.people.member("bob")
        self.lab = self.apis.cloud.project("lab", {})
        self.apis.cloud.execute(
            "INSERT INTO identity.membership (user_id, project_id, state, initialized)"
            " VALUES (%s, %s, 'accepted', true)",
            self.people.uuid("ann"),
            self.lab,
        )
        self.token = self.apis.token("ann")

    def export(self, token: str = "") -> dict[str, Any]:
        answer = self.account.get("/account/export", token=token or self.token)
        self.assertEqual(200, answer.status, answer.body)
        self.assertIn("account.json", answer.headers["content-disposition"])
        found: dict[str, Any] = answer.json
        return found

    def test_all_of_one_and_nothing_of_others(self) -> None:
        made = self.account.post("/tokens", {"label": "ci"}, token=self.token).json
        found = self.export()
        self.assertEqual("ann@example.org", found["profile"]["email"])
        self.assertEqual(["local"], [one["module"] for one in found["logins"]])
        self.assertIn("ci", [one["label"] for one in found["tokens"]])
        self.assertIn("lab", [one["name"] for one in found["memberships"]])
        for secret in (self.token, made["secret"], "bob", "argon2"):
            self.assertNotIn(secret, repr(found), secret)

    def test_what_became_of_the_account_but_not_by_whom(self) -> None:
        moderation = self.people.accounts.moderation
        uuid = self.people.uuid("ann")
        staff = Actor(self.people.uuid("bob"), "bob")
        self.apis.cloud.wait(moderation.deactivate(uuid, "unpaid", staff))
        self.apis.cloud.wait(moderation.activate(uuid, ROOT))
        found = self.export(self.apis.token("ann"))["history"]
        actions = [one["action"] for one in found]
        self.assertEqual(["user.activate", "user.deactivate"], actions[:2])
        self.assertEqual([False, False], [one["own"] for one in found[:2]])
        self.assertNotIn("bob", repr(found))

    def test_only_with_a_token_of_the_person(self) -> None:
        self.assertEqual(401, self.account.get("/account/export").status)
        body = {"label": "ci", "project": str(self.lab)}
        bound = self.account.post("/tokens", body, token=self.token).json["secret"]
        answer = self.account.get("/account/export", token=bound)
        self.assertEqual(("forbidden", 403), fault(answer))
