"""Accounts that nobody verified, or whose owners left, are nobody's to act on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Busy, Conflict, NotFound
from snfd.identity import people
from snfd.identity.model import By, Scope, Scoping, UserRef
from snfd.projects import service as projects
from tests.accounts.apis import AccountApis
from tests.accounts.cloud import ROOT
from tests.api.identity_cloud import IdentityApis


class NamesakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)
        self.cloud, self.people = self.apis.cloud, self.apis.people
        self.editing = self.people.accounts.editing

    def find(self, name: str) -> UUID | None:
        return self.cloud.wait(self.cloud.db.run(people.find_user, name))

    def add(self, user: UUID) -> Any:
        project = self.cloud.project("team")
        return self.cloud.db.run(projects.add_member, project, user, "member")

    def enrol(self, name: str) -> Any:
        owner = self.people.member("owner")
        project = self.cloud.project("team")
        self.cloud.execute(
            "UPDATE identity.project SET owner_id = %s WHERE uuid = %s", owner, project
        )
        desk = self.cloud.project_parts.memberships
        return desk.enroll(self.people.caller("owner"), project, name)

    def test_who_verified_nothing_is_not_found(self) -> None:
        self.people.sign_up("bob")
        self.assertIsNone(self.find("bob@example.org"))
        self.cloud.fails(self.add(self.people.uuid("bob")), NotFound)
        set_groups = self.editing.set_groups
        for group in ("admin", "admin-api"):
            given = set_groups(self.people.uuid("bob"), [group], [], ROOT)
            self.cloud.fails(given, Busy)

    def test_who_verified_nothing_is_not_enrolled(self) -> None:
        self.people.sign_up("bob")
        self.cloud.fails(self.enrol("bob@example.org"), Conflict)

    def test_who_was_not_let_in_is_not_enrolled(self) -> None:
        self.people.sign_up("bob")
        self.people.verify()
        user = self.people.uuid("bob")
        self.assertEqual("pending moderation", self.people.state(user))
        self.cloud.fails(self.enrol("bob@example.org"), Conflict)

    def test_who_left_is_not_found(self) -> None:
        user = self.people.member("bob")
        self.cloud.wait(self.editing.close(user, ROOT))
        (name,) = self.cloud.sql(
            "SELECT username FROM identity.app_user WHERE uuid = %s", user
        )[0]
        self.assertIsNone(self.find(str(name)))
        self.cloud.fails(self.add(user), NotFound)
        self.cloud.fails(self.editing.set_groups(user, ["admin"], [], ROOT), Busy)

    def test_a_namesake_does_not_stand_in_the_way_of_a_login(self) -> None:
        """Nor does it get the password of the right one to guess at."""
        user = self.people.member("ann")
        self.cloud.execute(
            "UPDATE identity.app_user SET username = 'ann' WHERE uuid = %s", user
        )
        self.cloud.execute(
            "INSERT INTO identity.app_user (uuid, username, email, moderation,"
            " is_active, joined_at, updated_at) SELECT gen_random_uuid(),"
            " 'ann@example.org', 'ann@example.org', 'pending', false, now(), now()"
        )
        for name in ("ann", "ann@example.org"):
            who = UserRef(name, By.NAME)
            login = self.cloud.identity.login(who, "secret", Scope(Scoping.DEFAULT))
            self.assertEqual(user, self.cloud.wait(login).token.user.uuid)


class V3Tests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.admin = self.apis.token("admin")
        close = self.apis.accounts.editing.close
        self.apis.cloud.wait(close(self.apis.alt, ROOT, force=True))

    def ask(self, method: str, path: str, body: Any = None) -> int:
        token = self.admin
        return self.apis.v3.request(method, path, json=body, token=token).status

    def test_who_left_is_not_there(self) -> None:
        alt = f"/users/{self.apis.alt}"
        self.assertEqual(404, self.ask("GET", alt))
        self.assertEqual(404, self.ask("DELETE", alt))
        listed = self.apis.v3.get("/users", token=self.admin).json["users"]
        self.assertNotIn(str(self.apis.alt), [one["id"] for one in listed])

    def test_who_left_is_given_nothing(self) -> None:
        alt, project = self.apis.alt, self.apis.project
        grant = f"/projects/{project}/users/{alt}/roles/member"
        self.assertEqual(404, self.ask("PUT", grant))
        told = self.ask("PATCH", f"/users/{alt}", {"user": {"enabled": True}})
        self.assertIn(told, (404, 409))

    def test_names_do_not_tell_of_him(self) -> None:
        asked = {"uuids": [str(self.apis.alt)]}
        token = self.apis.token("demo")
        answer = self.apis.account.post("/user_catalogs", asked, token=token)
        self.assertEqual({}, answer.json["uuid_catalog"])
