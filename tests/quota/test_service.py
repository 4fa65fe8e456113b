"""Charging on real SQL."""

from __future__ import annotations

from uuid import UUID, uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Conflict, Forbidden, Invalid, OverQuota
from snfd.projects import service as projects
from snfd.quota import commission_store
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES, UNLIMITED, Limit, Resource, provisions
from tests.identity.cloud import START, identity_cloud

VM, CPU, DISK = "cyclades.vm", "cyclades.cpu", "cyclades.disk"


class ChargeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")
        self.other = self.cloud.user("other")
        self.project = self.cloud.project(
            "demo", {VM: 10, CPU: 32}, demo="member", other="member"
        )

    def charge(self, amounts: dict[str, int], *, force: bool = False) -> None:
        self.cloud.wait(
            self.cloud.db.run(
                quota.charge, self.demo, self.project, amounts, force=force
            )
        )

    def holding(self, resource: str, user: UUID | None = None) -> tuple[object, ...]:
        (row,) = self.cloud.sql(
            "SELECT cap, usage_min, usage_max FROM quota.holding"
            " WHERE project_id = %s AND user_id IS NOT DISTINCT FROM %s"
            " AND resource = %s",
            self.project,
            user,
            resource,
        )
        return row

    def test_a_charge_is_settled_for_member_and_project(self) -> None:
        self.charge({VM: 2, CPU: 4})
        self.charge({VM: -1, CPU: 0})
        for user in (None, self.demo):
            self.assertEqual((10, 1, 1), self.holding(VM, user))
            self.assertEqual((32, 4, 4), self.holding(CPU, user))
        self.assertEqual((10, 0, 0), self.holding(VM, self.other))

    def test_astakos_26_one_resource_over_leaves_all_untouched(self) -> None:
        error = self.cloud.fails(
            self.cloud.db.run(quota.charge, self.demo, self.project, {VM: 1, CPU: 33}),
            OverQuota,
        )
        assert isinstance(error, OverQuota)
        self.assertEqual(CPU, error.details["resource"])
        self.assertEqual((10, 0, 0), self.holding(VM, self.demo))

    def test_the_project_is_full_before_the_member_is(self) -> None:
        self.cloud.wait(
            self.cloud.db.run(quota.charge, self.other, self.project, {VM: 9})
        )
        self.charge({VM: 1})
        error = self.cloud.fails(
            self.cloud.db.run(quota.charge, self.demo, self.project, {VM: 1}),
            OverQuota,
        )
        assert isinstance(error, OverQuota)
        self.assertEqual("project", error.details["holder"])

    def test_a_charge_takes_two_statements_whatever_the_number(self) -> None:
        before = self.cloud.db.statements
        self.charge({VM: 1, CPU: 2, DISK: 0})
        self.assertEqual(2, self.cloud.db.statements - before)

    def test_astakos_30_strangers_and_unknown_resources(self) -> None:
        stranger = self.cloud.user("stranger")
        run, charge = self.cloud.db.run, quota.charge
        error = self.cloud.fails(
            run(charge, stranger, self.project, {VM: 1}), Forbidden
        )
        assert isinstance(error, Forbidden)
        self.assertEqual("not_member", error.details["reason"])
        self.cloud.fails(run(charge, self.demo, self.project, {"x": 1}), Invalid)
        self.cloud.fails(run(charge, self.demo, uuid4(), {VM: 1}), Forbidden)
        self.cloud.fails(
            run(charge, self.demo, self.project, {"'; DROP TABLE x; --": 1}), Invalid
        )

    def test_force_passes_limits(self) -> None:
        self.charge({VM: 11}, force=True)
        self.assertEqual((10, 11, 11), self.holding(VM))

    def test_a_server_moves_between_projects(self) -> None:
        self.charge({VM: 1})
        target = self.cloud.project("target", {VM: 1}, demo="member")
        parts = {
            key: sign
            for project, sign in ((self.project, -1), (target, 1))
            for key in provisions(self.demo, project, {VM: 1})
        }
        self.cloud.wait(self.cloud.db.run(quota.transfer, parts))
        self.assertEqual((10, 0, 0), self.holding(VM))
        self.project = target
        self.assertEqual((1, 1, 1), self.holding(VM, self.demo))


class CommissionTests(ChargeTests):
    def reserve(self, amounts: dict[str, int], ref: UUID | None = None) -> int:
        return self.cloud.wait(
            self.cloud.db.run(
                quota.reserve, self.demo, self.project, amounts, ref or uuid4()
            )
        )

    def resolve(self, how: object, serial: int) -> bool:
        return self.cloud.wait(self.cloud.db.run(how, serial))  # type: ignore[arg-type]

    def test_a_reservation_is_pending_until_accepted(self) -> None:
        ref = uuid4()
        serial = self.reserve({CPU: 4}, ref)
        self.assertEqual(
            serial, self.cloud.wait(self.cloud.db.run(quota.serial_of, ref))
        )
        self.assertEqual((32, 0, 4), self.holding(CPU, self.demo))
        self.assertTrue(self.resolve(quota.accept, serial))
        self.assertEqual((32, 4, 4), self.holding(CPU, self.demo))
        self.assertEqual((32, 4, 4), self.holding(CPU))
        self.assertIsNone(self.cloud.wait(self.cloud.db.run(quota.serial_of, ref)))

    def test_a_rejected_reservation_leaves_nothing(self) -> None:
        serial = self.reserve({CPU: 4})
        self.assertTrue(self.resolve(quota.reject, serial))
        self.assertEqual((32, 0, 0), self.holding(CPU, self.demo))

    def test_a_release_counts_only_when_accepted(self) -> None:
        self.charge({CPU: 32})
        serial = self.reserve({CPU: -32})
        self.assertEqual((32, 0, 32), self.holding(CPU, self.demo))
        self.cloud.fails(
            self.cloud.db.run(quota.charge, self.demo, self.project, {CPU: 1}),
            OverQuota,
        )
        self.resolve(quota.accept, serial)
        self.charge({CPU: 32})

    def test_resolving_twice_changes_nothing(self) -> None:
        serial = self.reserve({CPU: 4})
        self.resolve(quota.accept, serial)
        self.assertFalse(self.resolve(quota.accept, serial))
        self.assertFalse(self.resolve(quota.reject, serial))
        self.assertFalse(self.resolve(quota.accept, 10**15))
        self.assertEqual((32, 4, 4), self.holding(CPU, self.demo))

    def test_what_was_logged_is_removed_in_time_and_nothing_else(self) -> None:
        self.resolve(quota.accept, self.reserve({CPU: 4}))
        pending = self.reserve({CPU: 1})
        self.cloud.execute("UPDATE quota.provision_log SET logged_at = '2020-01-01Z'")
        self.resolve(quota.accept, self.reserve({VM: 1}))
        run, count = self.cloud.db.run, "SELECT count(*) FROM quota.provision_log"
        for before, removed in (
            (START.replace(year=2019), 0), (START.replace(year=2021), 1),
            (START.replace(year=2021), 1), (START.replace(year=2021), 0),
        ):  # fmt: skip
            self.assertEqual(
                removed, self.cloud.wait(run(commission_store.purge, before, 1))
            )
        self.assertEqual([(2,)], self.cloud.sql(count))
        self.assertTrue(self.resolve(quota.reject, pending))

    def test_what_was_resolved_is_logged_per_holding(self) -> None:
        serial = self.reserve({CPU: 4, VM: 1})
        self.resolve(quota.reject, serial)
        log = self.cloud.sql(
            "SELECT user_id IS NULL, resource, cap, usage_min, usage_max, delta, reason"
            " FROM quota.provision_log WHERE serial = %s ORDER BY 1, 2",
            serial,
        )
        self.assertEqual(
            [
                (False, CPU, 32, 0, 0, 4, "REJECT:"),
                (False, VM, 10, 0, 0, 1, "REJECT:"),
                (True, CPU, 32, 0, 0, 4, "REJECT:"),
                (True, VM, 10, 0, 0, 1, "REJECT:"),
            ],
            log,
        )
        self.assertEqual([], self.cloud.sql("SELECT 1 FROM quota.provision"))

    def test_one_reservation_for_each_reference(self) -> None:
        ref = uuid4()
        self.reserve({CPU: 4}, ref)
        self.cloud.fails(
            self.cloud.db.run(quota.reserve, self.demo, self.project, {CPU: 1}, ref),
            Conflict,
        )
        self.assertEqual((32, 0, 4), self.holding(CPU, self.demo))

    def test_an_empty_reservation_is_fine(self) -> None:
        self.assertTrue(self.resolve(quota.accept, self.reserve({})))


class LimitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")

    def caller(self) -> object:
        return self.cloud.login("demo").token.caller

    def test_astakos_20_a_new_user_has_the_defaults_in_his_own_project(self) -> None:
        usage = self.cloud.wait(self.cloud.quota.usage(self.caller()))  # type: ignore[arg-type]
        visible = {one.name for one in RESOURCES if one.api_visible}
        self.assertEqual({self.demo}, set(usage))
        self.assertEqual(visible, set(usage[self.demo]))
        vm = usage[self.demo][VM]
        self.assertEqual(
            (0, 4, 0, 0, 4, 0),
            (
                vm.usage, vm.limit, vm.pending,
                vm.project_usage, vm.project_limit, vm.project_pending,
            ),
        )  # fmt: skip

    def test_unmentioned_resources_get_the_project_default(self) -> None:
        project = self.cloud.project("p", {VM: 3}, demo="member")
        usage = self.cloud.wait(
            self.cloud.quota.usage_in(self.caller(), project)  # type: ignore[arg-type]
        )
        self.assertEqual(3, usage[VM].limit)
        self.assertEqual(0, usage[DISK].limit)
        self.assertEqual(UNLIMITED, usage["cyclades.total_cpu"].limit)
        self.assertEqual(
            {},
            self.cloud.wait(self.cloud.quota.usage_in(self.caller(), uuid4())),  # type: ignore[arg-type]
        )

    def test_a_project_that_was_left_shows_while_it_is_used(self) -> None:
        project = self.cloud.project("p", {VM: 3}, demo="member")
        self.cloud.wait(self.cloud.db.run(quota.charge, self.demo, project, {VM: 1}))
        self.cloud.execute(
            "UPDATE identity.membership SET state = 'removed' WHERE project_id = %s",
            project,
        )
        self.cloud.wait(self.cloud.db.run(quota.refresh, project))
        usage = self.cloud.wait(self.cloud.quota.usage(self.caller()))  # type: ignore[arg-type]
        self.assertEqual({VM}, set(usage[project]))
        self.assertEqual((1, 0), (usage[project][VM].usage, usage[project][VM].limit))
        self.cloud.wait(self.cloud.db.run(quota.charge, self.demo, project, {VM: -1}))
        usage = self.cloud.wait(self.cloud.quota.usage(self.caller()))  # type: ignore[arg-type]
        self.assertNotIn(project, usage)

    def test_a_suspended_project_grants_nothing_and_keeps_usage(self) -> None:
        project = self.cloud.project("p", {VM: 3}, demo="member")
        self.cloud.wait(self.cloud.db.run(quota.charge, self.demo, project, {VM: 2}))
        self.cloud.execute(
            "UPDATE identity.project SET state = 'suspended' WHERE uuid = %s", project
        )
        self.cloud.wait(self.cloud.db.run(quota.refresh, project))
        self.cloud.fails(
            self.cloud.db.run(quota.charge, self.demo, project, {VM: 1}), OverQuota
        )
        self.cloud.wait(self.cloud.db.run(quota.charge, self.demo, project, {VM: -1}))

    def test_a_new_resource_reaches_every_project(self) -> None:
        new = Resource("x.thing", "Things", None, "x", "x_service", 7)
        self.cloud.wait(self.cloud.db.run(quota.register, [*RESOURCES, new]))
        usage = self.cloud.wait(self.cloud.quota.usage(self.caller()))  # type: ignore[arg-type]
        self.assertEqual(7, usage[self.demo]["x.thing"].limit)

    def test_limits_name_only_known_resources(self) -> None:
        self.cloud.fails(
            self.cloud.db.run(quota.open_project, self.demo, {"nope": Limit(1, 1)}),
            Invalid,
        )

    def test_members_that_never_were_accepted_have_no_holding(self) -> None:
        other = self.cloud.user("other")
        project = self.cloud.project("p", {VM: 3}, demo="member")
        self.cloud.execute(
            "INSERT INTO identity.membership (user_id, project_id, state)"
            " VALUES (%s, %s, 'requested')",
            other,
            project,
        )
        self.cloud.wait(self.cloud.db.run(quota.refresh, project))
        self.cloud.fails(
            self.cloud.db.run(quota.charge, other, project, {VM: 1}), Forbidden
        )

    def test_joining_again_changes_only_the_role(self) -> None:
        project = self.cloud.project("p", {VM: 3}, demo="member")
        self.cloud.wait(self.cloud.db.run(quota.charge, self.demo, project, {VM: 2}))
        self.cloud.wait(
            self.cloud.db.run(projects.add_member, project, self.demo, "reader")
        )
        usage = self.cloud.wait(self.cloud.quota.usage(self.caller()))  # type: ignore[arg-type]
        self.assertEqual((2, 3), (usage[project][VM].usage, usage[project][VM].limit))
