"""What nobody waits for any longer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.upkeep import GRACE, AccountUpkeep
from tests.accounts.cloud import AccountCloud
from tests.identity.cloud import identity_cloud


class UpkeepTests(SynchronousTestCase):
    def test_accounts_that_nobody_verified_are_removed_in_time(self) -> None:
        cloud = identity_cloud(self)
        people = AccountCloud(cloud)
        people.member("ann")
        credentials = people.accounts.credentials
        cloud.wait(credentials.ask_reset("ann@example.org"))
        people.sign_up("bob")
        upkeep = AccountUpkeep(cloud.clock, cloud.db, 60.0)
        upkeep.startService()
        lasts = (people.rules.verification + GRACE).total_seconds()

        def names() -> list[object]:
            sql = "SELECT email FROM identity.app_user ORDER BY email"
            return [row[0] for row in cloud.sql(sql)]

        cloud.clock.advance(lasts - 60)
        self.assertEqual(["ann@example.org", "bob@example.org"], names())
        self.assertEqual(
            [("verify",)], cloud.sql("SELECT purpose FROM identity.letter_key")
        )
        cloud.clock.pump([60, 60])
        self.assertEqual(["ann@example.org"], names())
        self.assertEqual([], cloud.sql("SELECT purpose FROM identity.letter_key"))
        self.successResultOf(upkeep.stopService())
