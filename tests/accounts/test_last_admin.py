"""Somebody always looks after the cloud."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.clock import now
from snfd.errors import Conflict
from snfd.logins.following import follow
from snfd.logins.model import Claims
from tests.accounts.apis import AccountApis
from tests.accounts.cloud import ROOT
from tests.api.identity_cloud import IdentityApis
from tests.logins.cloud import BrowsingCloud, method


class ServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)
        self.cloud, self.people = self.apis.cloud, self.apis.people
        self.user = self.people.member("ann")
        self.accounts = self.people.accounts
        self.cloud.wait(
            self.accounts.editing.set_groups(self.user, ["admin"], [], ROOT)
        )

    def calls(self) -> list[Any]:
        editing, moderation = self.accounts.editing, self.accounts.moderation
        caller = self.people.caller("ann")
        return [
            editing.set_groups(self.user, [], ["default", "admin"], ROOT),
            moderation.deactivate(self.user, "", ROOT),
            editing.close(self.user, ROOT),
            editing.close(self.user, ROOT, force=True),
            self.accounts.profiles.close(caller, "secret"),
        ]

    def test_the_last_administrator_stays(self) -> None:
        for call in self.calls():
            self.cloud.fails(call, Conflict)
        self.assertEqual("active", self.people.state(self.user))
        caller = self.people.caller("ann")
        self.assertTrue(caller.is_admin)

    def test_others_who_are_not_in_do_not_count(self) -> None:
        for name in ("bob", "eve"):
            other = self.people.member(name)
            set_groups = self.accounts.editing.set_groups
            self.cloud.wait(set_groups(other, ["admin"], [], ROOT))
            out = {
                "bob": self.accounts.moderation.deactivate(other, "", ROOT),
                "eve": self.accounts.editing.close(other, ROOT, force=True),
            }
            self.cloud.wait(out.pop(name))
            for unused in out.values():
                unused.close()
        for call in self.calls():
            self.cloud.fails(call, Conflict)

    def test_with_another_one_he_may_go(self) -> None:
        other = self.people.member("bob")
        set_groups = self.accounts.editing.set_groups
        self.cloud.wait(set_groups(other, ["admin"], [], ROOT))
        self.cloud.wait(self.accounts.moderation.deactivate(self.user, "", ROOT))
        self.cloud.fails(set_groups(other, [], ["admin"], ROOT), Conflict)
        self.cloud.wait(self.accounts.moderation.activate(self.user, ROOT))
        self.cloud.wait(set_groups(other, [], ["admin"], ROOT))

    def test_he_does_not_close_himself(self) -> None:
        body, token = {"password": "secret"}, self.apis.token("ann")
        answer = self.apis.account.post("/account/close", body, token=token)
        self.assertEqual(409, answer.status, answer.body)

    def test_not_by_the_admin_user_api(self) -> None:
        token, path = self.apis.token("ann"), f"/users/{self.user}/action"
        answer = self.apis.v2.post(
            path, {"deactivate": {"reason": "late"}}, token=token
        )
        self.assertEqual(409, answer.status, answer.body)


class V3Tests(SynchronousTestCase):
    def test_neither_disabled_nor_deleted_nor_ungrouped(self) -> None:
        apis = IdentityApis(self)
        token = apis.token("admin")
        path = f"/users/{apis.admin}"
        (found,) = apis.v3.get("/groups?name=admin", token=token).json["groups"]
        for verb, where, body in (
            ("PATCH", path, {"user": {"enabled": False}}),
            ("DELETE", path, None),
            ("DELETE", f"/groups/{found['id']}{path}", None),
        ):
            answer = apis.v3.request(verb, where, json=body, token=token)
            self.assertEqual(409, answer.status, (verb, where, answer.body))


class LoginsTests(SynchronousTestCase):
    """Groups that follow a login method."""

    def setUp(self) -> None:
        self.browsing = BrowsingCloud(self)
        self.cloud = self.browsing.cloud
        self.user = self.cloud.user("boss", "secret", "admin")

    def groups(self, user: UUID) -> set[object]:
        rows = self.cloud.sql(
            "SELECT g.name FROM identity.user_group_member m"
            " JOIN identity.user_group g ON g.id = m.group_id WHERE m.user_id = %s",
            user,
        )
        return {row[0] for row in rows}

    def follow(self, user: UUID) -> None:
        """A directory says that somebody is in none of its groups."""
        mirrored = frozenset({"admin", "default"})
        claims = Claims("x", groups=frozenset(), mirrored=mirrored)
        at = now(self.cloud.clock)
        self.cloud.wait(self.cloud.db.run(follow, method("ldap"), claims, user, at))

    def test_a_directory_leaves_the_last_administrator(self) -> None:
        self.follow(self.user)
        self.assertEqual({"admin"}, self.groups(self.user))

    def test_a_directory_takes_others(self) -> None:
        other = self.cloud.user("other", "secret", "admin")
        self.follow(other)
        self.assertEqual(set(), self.groups(other))
