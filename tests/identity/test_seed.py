"""The first users and projects."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.seed import Seeded, seed
from snfd.errors import Invalid
from tests.identity.cloud import START, identity_cloud

EVERYONE = {"admin", "demo", "reader", "alt", "altreader"}


class SeedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)

    def seed(self, accounts: bool = False, password: str | None = None) -> Seeded:
        return self.cloud.wait(
            seed(
                self.cloud.db,
                self.cloud.passwords,
                self.cloud.random,
                START,
                accounts=accounts,
                password=password,
            )
        )

    def test_the_first_start_makes_admin_and_demo(self) -> None:
        seeded = self.seed()
        self.assertEqual({"admin", "demo"}, set(seeded.passwords))
        self.assertEqual({"demo", "alt"}, set(seeded.projects))
        self.assertEqual(2, len(set(seeded.passwords.values())))
        self.assertNotIn(seeded.passwords["admin"], repr(seeded))
        admin = self.cloud.login("admin", None, seeded.passwords["admin"])
        self.assertTrue(admin.token.caller.is_admin)
        demo = self.cloud.login("demo@localhost", None, seeded.passwords["demo"])
        self.assertEqual(seeded.projects["demo"], demo.token.project.uuid)
        usage = self.cloud.wait(self.cloud.quota.usage(demo.token.caller))
        self.assertEqual(20, usage[seeded.projects["demo"]]["cyclades.vm"].limit)
        self.assertEqual(4, usage[demo.token.user.uuid]["cyclades.vm"].limit)

    def test_another_start_changes_nothing(self) -> None:
        first = self.seed()
        self.cloud.execute("UPDATE quota.project_limit SET project_cap = 1")
        second = self.seed(password="other")
        self.assertEqual(first.projects, second.projects)
        self.assertEqual({}, second.passwords)
        self.cloud.login("demo", None, first.passwords["demo"])
        caps = self.cloud.sql("SELECT DISTINCT project_cap FROM quota.project_limit")
        self.assertEqual([(1,)], caps)

    def test_accounts_for_suites_can_be_added_later(self) -> None:
        self.seed()
        seeded = self.seed(accounts=True, password="known")
        self.assertEqual(
            dict.fromkeys(EVERYONE - {"admin", "demo"}, "known"), seeded.passwords
        )
        for name, project, roles in (
            ("reader", "demo", {"reader"}),
            ("alt", "alt", {"reader", "member"}),
            ("altreader", "alt", {"reader"}),
        ):
            token = self.cloud.login(name, None, "known").token
            self.assertEqual((project, roles), (token.project.name, token.roles))

    def test_one_password_for_all(self) -> None:
        seeded = self.seed(accounts=True, password="known")
        self.assertEqual(dict.fromkeys(EVERYONE, "known"), seeded.passwords)

    def test_a_bad_password_is_refused(self) -> None:
        self.cloud.fails(
            seed(
                self.cloud.db,
                self.cloud.passwords,
                self.cloud.random,
                START,
                password="",
            ),
            Invalid,
        )
