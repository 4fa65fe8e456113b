"""Which of those who look after the cloud get letters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.mail.staff import MAX_ADMINS, Staff
from tests.accounts.cloud import AccountCloud
from tests.identity.cloud import identity_cloud


class StaffTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.cloud.user("boss", None, "admin")
        self.cloud.user("demo")

    def asked(self, staff: Staff) -> list[object]:
        run = self.cloud.db.run
        return [
            self.cloud.wait(run(staff.moderators)),
            self.cloud.wait(run(staff.deciders)),
            self.cloud.wait(run(staff.listeners)),
        ]

    def test_those_in_the_configuration_come_first_and_once(self) -> None:
        staff = Staff(["help@example.org"], ["chief@example.org", "help@example.org"])
        self.assertEqual(
            [
                ("help@example.org", "chief@example.org", "boss@example.org"),
                ("help@example.org", "chief@example.org"),
                ("help@example.org",),
            ],
            self.asked(staff),
        )

    def test_administrators_stand_in(self) -> None:
        self.cloud.user("gone", None, "admin")
        self.cloud.execute(
            "UPDATE identity.app_user SET is_active = false WHERE username = 'gone'"
        )
        self.assertEqual([("boss@example.org",)] * 3, self.asked(Staff()))

    def test_of_many_administrators_the_first_get_letters(self) -> None:
        for number in range(MAX_ADMINS):
            self.cloud.user(f"admin{number}", None, "admin")
        found = self.cloud.wait(self.cloud.db.run(Staff().listeners))
        self.assertEqual(MAX_ADMINS, len(found))
        self.assertNotIn(f"admin{MAX_ADMINS - 1}@example.org", found)

    def test_administrators_hear_of_accounts_that_wait(self) -> None:
        people = AccountCloud(self.cloud)
        people.sign_up("ann")
        people.verify()
        told = {one.to for one in people.letters("pending_moderation")}
        self.assertEqual({"staff@example.org", "boss@example.org"}, told)
