"""Resources and commissions in administrators' hands."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.errors import Invalid, NotFound
from snfd.quota.admin import Changes, QuotaAdmin
from snfd.quota.commissions import issue
from snfd.quota.model import Key
from snfd.quota.orders import Order, Provision
from tests.identity.cloud import identity_cloud

VM = "cyclades.vm"
ROOT = Actor(None, "root")


class DeskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")
        self.admin = QuotaAdmin(self.cloud.db)

    def cap(self, user: str) -> object:
        uuid = self.cloud.user(user) if user != "demo" else self.demo
        query = (
            "SELECT cap FROM quota.holding WHERE resource = %s AND user_id = %s"
            " AND project_id = %s"
        )
        return self.cloud.sql(query, VM, uuid, uuid)[0][0]

    def test_new_defaults_are_for_those_who_come(self) -> None:
        after = self.cloud.wait(self.admin.modify(ROOT, VM, Changes(system_default=7)))
        self.assertEqual((7, 0), (after.system_default, after.project_default))
        self.assertEqual(after, self.cloud.wait(self.admin.resource(VM)))
        self.assertEqual((4, 7), (self.cap("demo"), self.cap("other")))

    def test_what_is_hidden_is_hidden_everywhere(self) -> None:
        after = self.cloud.wait(self.admin.modify(ROOT, VM, Changes(api_visible=False)))
        self.assertEqual((False, False), (after.api_visible, after.ui_visible))
        shown = {one.name for one in self.cloud.wait(self.cloud.quota.resources())}
        self.assertNotIn(VM, shown)
        self.cloud.fails(self.admin.modify(ROOT, VM, Changes(ui_visible=True)), Invalid)

    def test_bad_limits_and_names(self) -> None:
        for limit in (-1, 2**63):
            bad = Changes(project_default=limit)
            self.cloud.fails(self.admin.modify(ROOT, VM, bad), Invalid)
        self.cloud.fails(self.admin.modify(ROOT, "x", Changes()), NotFound)
        self.cloud.fails(self.admin.resource("x"), NotFound)

    def test_changes_are_in_the_audit_trail_and_nothing_is_none(self) -> None:
        self.cloud.wait(self.admin.modify(ROOT, VM, Changes(system_default=4)))
        self.cloud.wait(self.admin.modify(ROOT, VM, Changes(system_default=5)))
        self.assertEqual(
            [("resource.modify", f"resource:{VM}")],
            self.cloud.sql("SELECT action, target FROM ops.audit"),
        )

    def test_forgotten_commissions_are_resolved(self) -> None:
        parts = [Provision.of(Key(self.demo, self.demo, VM), 1)]
        a, b, c = (
            self.cloud.wait(self.cloud.db.run(issue, key, Order(parts)))
            for key in ("x", "y", "z")
        )
        self.assertEqual("y", self.cloud.wait(self.admin.commission(b)).clientkey)
        done = self.cloud.wait(self.admin.resolve(ROOT, [a, 10**9], [b]))
        self.assertEqual(
            ([a], [b], [10**9]), (done.accepted, done.rejected, done.missing)
        )
        self.cloud.fails(self.admin.commission(a), NotFound)
        self.cloud.fails(self.admin.resolve(ROOT, [1] * 1001, []), Invalid)
        self.assertEqual(
            [
                ("commission.accept", f"commission:{a}"),
                ("commission.reject", f"commission:{b}"),
            ],
            self.cloud.sql("SELECT action, target FROM ops.audit ORDER BY id"),
        )
        self.assertEqual("z", self.cloud.wait(self.admin.commission(c)).clientkey)
