"""Finding and mending what is wrong with holdings."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.quota import service as quota
from snfd.quota.commissions import issue
from snfd.quota.findings import NOTHING, Fixes, Kind, Report, at_usage, recomputed
from snfd.quota.integrity import Integrity
from snfd.quota.model import WHOLE_PROJECT, Holding, Key
from snfd.quota.orders import NoCapacity, Order, Provision
from tests.identity.cloud import identity_cloud

VM, PENDING = "cyclades.vm", "astakos.pending_app"
ROOT = Actor(None, "root")
EVERY = Fixes(limits=True, unexpected=True, usage=True, sums=True)


class IntegrityCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")
        self.other = self.cloud.user("other")
        self.project = self.cloud.project("p", {VM: 10}, demo="member")
        self.applications: dict[UUID, int] = {}
        self.integrity = Integrity(self.cloud.db, self.count)

    async def count(self, tx: object) -> dict[UUID, int]:
        return self.applications

    def verify(self, fixes: Fixes = NOTHING) -> Report:
        return self.cloud.wait(self.integrity.verify(ROOT, fixes))

    def kinds(self, fixes: Fixes = NOTHING) -> list[Kind]:
        return [one.kind for one in self.verify(fixes).findings]

    def clean(self, fixes: Fixes = EVERY) -> None:
        """Mend, and look again."""
        self.verify(fixes)
        self.assertEqual([], self.verify().findings)

    def charge(self, count: int) -> None:
        args = (self.demo, self.project, {VM: count})
        self.cloud.wait(self.cloud.db.run(quota.charge, *args))

    def issue(self, *parts: tuple[Key, int], accepted: bool = False) -> int:
        order = Order([Provision.of(*one) for one in parts], auto_accept=accepted)
        return self.cloud.wait(self.cloud.db.run(issue, "x", order))

    def change(self, text: str, project: UUID, user: UUID | None) -> None:
        changed = self.cloud.execute(
            f"UPDATE quota.holding SET {text} WHERE resource = %s AND project_id = %s"
            " AND user_id IS NOT DISTINCT FROM %s",
            VM,
            project,
            user,
        )
        self.assertEqual(1, changed)

    def numbers(self, user: UUID | None = None) -> tuple[object, ...]:
        (row,) = self.cloud.sql(
            "SELECT cap, usage_min, usage_max FROM quota.holding WHERE resource = %s"
            " AND project_id = %s AND user_id IS NOT DISTINCT FROM %s",
            VM,
            self.project,
            user,
        )
        return row


class VerifyTests(IntegrityCase):
    def test_nothing_is_wrong_with_what_we_do(self) -> None:
        self.charge(3)
        self.issue((Key(self.project, self.demo, VM), 1))
        self.assertEqual(Report([]), self.verify())
        self.assertEqual(Report([]), self.verify(EVERY))

    def test_limits_follow_projects_and_memberships(self) -> None:
        self.change("cap = 99", self.project, self.demo)
        (found,) = self.verify().findings
        self.assertEqual(Key(self.project, self.demo, VM), found.key)
        self.assertEqual(
            (Kind.LIMIT, "limit 99", "limit 10"),
            (found.kind, found.found, found.wanted),
        )
        self.assertEqual(1, self.verify(Fixes(limits=True)).fixed)
        self.assertEqual((10, 0, 0), self.numbers(self.demo))
        self.assertEqual([], self.verify().findings)

    def test_missing_holdings_are_made(self) -> None:
        self.cloud.execute(
            "DELETE FROM quota.holding WHERE project_id = %s AND user_id = %s",
            self.project,
            self.demo,
        )
        self.assertEqual({Kind.MISSING}, set(self.kinds()))
        self.clean(Fixes(limits=True))

    def test_unexpected_holdings_go_unless_they_are_used(self) -> None:
        self.charge(2)
        self.cloud.execute(
            "UPDATE identity.membership SET initialized = false WHERE project_id = %s",
            self.project,
        )
        found = self.verify(Fixes(unexpected=True))
        self.assertEqual({Kind.UNEXPECTED}, {one.kind for one in found.findings})
        (left,) = self.verify().findings
        self.assertEqual((VM, True), (left.key.resource, left.used))
        self.assertEqual(0, self.verify(Fixes(unexpected=True)).fixed)
        self.assertEqual(1, self.verify(Fixes(unexpected=True, force=True)).fixed)
        self.assertEqual([Kind.SUM], self.kinds())
        self.clean(Fixes(sums=True))
        self.assertEqual((10, 0, 0), self.numbers())

    def test_holdings_with_something_pending_are_never_removed(self) -> None:
        serial = self.issue((Key(self.project, self.demo, VM), 1))
        self.cloud.execute(
            "UPDATE identity.membership SET initialized = false WHERE project_id = %s",
            self.project,
        )
        self.verify(Fixes(unexpected=True, force=True))
        self.assertTrue(self.cloud.wait(self.cloud.db.run(quota.accept, serial)))

    def test_usage_is_recomputed_from_what_is_pending(self) -> None:
        key = Key(self.project, self.demo, VM)
        self.charge(5)
        serials = [self.issue((key, 2)), self.issue((key, -1))]
        self.assertEqual((10, 4, 7), self.numbers(self.demo))
        self.change("usage_min = 3, usage_max = 8", self.project, self.demo)
        self.assertIn(Kind.USAGE, self.kinds())
        self.verify(Fixes(usage=True))
        self.assertEqual((10, 5, 8), self.numbers(self.demo))
        for serial in serials:
            self.cloud.wait(self.cloud.db.run(quota.accept, serial))
        self.assertEqual((10, 7, 7), self.numbers(self.demo))

    def test_projects_use_what_their_members_use(self) -> None:
        whole, mine = (Key(self.project, one, VM) for one in (WHOLE_PROJECT, self.demo))
        self.charge(3)
        self.issue((mine, 2), accepted=True)
        (found,) = self.verify().findings
        self.assertEqual(
            (Kind.SUM, whole, "usage 3", "usage 5, of all members"),
            (found.kind, found.key, found.found, found.wanted),
        )
        serial = self.issue((whole, 1))
        self.assertEqual([Kind.SUM], self.kinds())
        self.clean()
        self.assertEqual((10, 5, 6), self.numbers())
        self.cloud.wait(self.cloud.db.run(quota.accept, serial))
        self.assertEqual((10, 6, 6), self.numbers())

    def test_what_was_mended_is_in_the_audit_trail(self) -> None:
        self.change("cap = 99", self.project, self.demo)
        self.verify()
        self.verify(Fixes(limits=True))
        self.assertEqual(
            [("quota.fix", "root", {"fixed": 1})],
            self.cloud.sql("SELECT action, actor_name, details FROM ops.audit"),
        )

    @given(*[st.integers(0, 20)] * 4)
    def test_recomputed_usage_always_fits(
        self, low: int, high: int, imports: int, releases: int
    ) -> None:
        after = recomputed(
            Holding(Key(self.project, self.demo, VM), 0, low, high), imports, releases
        )
        self.assertLessEqual(0, after.usage_min)
        self.assertEqual(after.usage_max - imports, after.usage_min + releases)
        self.assertEqual(after, recomputed(after, imports, releases))
        self.assertEqual(
            after, at_usage(after, after.usage_max - imports, imports, releases)
        )


class ReconcileTests(IntegrityCase):
    def reconcile(self, **more: bool) -> list[tuple[UUID, int, int, bool]]:
        found = self.cloud.wait(self.integrity.reconcile(ROOT, **more))
        return [(one.user, one.usage, one.counted, one.skipped) for one in found]

    def test_applications_that_are_not_charged_are_found_and_charged(self) -> None:
        self.assertEqual([], self.reconcile())
        self.applications = {self.demo: 1}
        expected = [(self.demo, 0, 1, False)]
        self.assertEqual(expected, self.reconcile())
        self.assertEqual(expected, self.reconcile(fix=True))
        self.assertEqual([], self.reconcile())
        self.applications = {}
        self.assertEqual([(self.demo, 1, 0, False)], self.reconcile(fix=True))
        self.assertEqual([], self.reconcile())
        self.assertEqual([], self.verify().findings)

    def test_limits_are_passed_only_by_force(self) -> None:
        self.applications = {self.demo: 5, self.other: 1}
        self.cloud.fails(self.integrity.reconcile(ROOT, fix=True), NoCapacity)
        self.assertEqual(2, len(self.reconcile(fix=True, force=True)))
        self.assertEqual([], self.reconcile())

    def test_whoever_has_something_pending_is_skipped(self) -> None:
        serial = self.issue((Key(self.demo, self.demo, PENDING), 1))
        self.assertEqual([(self.demo, 1, 0, True)], self.reconcile(fix=True))
        self.cloud.wait(self.cloud.db.run(quota.reject, serial))
        self.assertEqual([], self.reconcile())
