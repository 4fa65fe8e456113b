"""Deactivated people, administrators' own changes, the timer."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import DAEMON, Actor
from snfd.errors import Conflict, Invalid, NotFound
from snfd.projects import expiry, lifecycle
from snfd.projects.acting import Order
from snfd.projects.changes import Changes, Wording
from snfd.projects.rules import Action
from snfd.projects.wired import ProjectServices
from snfd.quota.model import Limit
from tests.identity.cloud import START, identity_cloud
from tests.projects.cloud import END, VM, approved, caller

ROOT = Actor(None, "root")


class DeactivationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.parts = self.cloud.project_parts
        self.a, self.b = self.cloud.user("a"), self.cloud.user("b")
        self.owned = approved(self.cloud, self.a, "owned.example.org")
        self.joined = approved(
            self.cloud, self.b, "joined.example.org", join_policy="auto"
        )
        self.cloud.wait(self.parts.memberships.join(caller(self.a), self.joined))

    def states(self) -> tuple[object, ...]:
        """Of a's own project, the owned one, and his memberships."""
        projects = self.cloud.sql(
            "SELECT state FROM identity.project WHERE uuid IN (%s, %s)"
            " ORDER BY is_system DESC",
            self.a,
            self.owned,
        )
        memberships = self.cloud.sql(
            "SELECT state FROM identity.membership WHERE user_id = %s ORDER BY id",
            self.a,
        )
        return tuple(row[0] for row in (*projects, *memberships))

    def deactivate(self) -> None:
        run = self.cloud.db.run
        letters = self.parts.parts.letters
        self.cloud.wait(run(lifecycle.suspend_of_user, self.a, DAEMON, START, letters))

    def activate(self) -> None:
        run = self.cloud.db.run
        self.cloud.wait(run(lifecycle.unsuspend_of_user, self.a, DAEMON, START))

    def act(self, project: UUID, word: str) -> None:
        self.cloud.wait(self.parts.admin.act(ROOT, project, Order(word, "why")))

    def caps(self) -> set[object]:
        rows = self.cloud.sql(
            "SELECT DISTINCT cap FROM quota.holding WHERE user_id = %s"
            " AND resource = %s",
            self.a,
            VM,
        )
        return {row[0] for row in rows}

    def test_astakos_62_deactivation_suspends_and_activation_undoes_it(self) -> None:
        before = self.states()
        self.assertEqual({4}, self.caps())
        self.deactivate()
        self.assertEqual({"suspended"}, set(self.states()))
        self.assertEqual({0}, self.caps())
        self.deactivate()
        self.activate()
        self.assertEqual(before, self.states())
        self.assertEqual({4}, self.caps())
        told = self.cloud.sql(
            "SELECT DISTINCT reason FROM identity.project_log WHERE project_id = %s"
            " AND to_state = 'suspended'",
            self.owned,
        )
        self.assertEqual([("user_deactivation",)], told)

    def test_what_administrators_suspended_stays_so(self) -> None:
        self.act(self.owned, "suspend")
        member = self.parts.admin.member
        self.cloud.wait(member(ROOT, self.joined, self.a, Action.SUSPEND, "why"))
        self.deactivate()
        self.activate()
        self.assertEqual(
            ("active", "suspended", "accepted", "accepted", "suspended"), self.states()
        )

    def test_what_they_changed_meanwhile_stays_so(self) -> None:
        self.deactivate()
        self.act(self.owned, "unsuspend")
        self.act(self.owned, "suspend")
        self.activate()
        self.assertEqual("suspended", self.states()[1])

    def test_members_are_told(self) -> None:
        self.cloud.wait(self.parts.admin.add_member(ROOT, self.owned, self.b))
        self.deactivate()
        told = self.cloud.sql(
            "SELECT recipient FROM ops.mail WHERE kind = 'project_suspended'"
        )
        self.assertIn(("b@example.org",), told)

    def test_one_who_gave_notice_is_a_member_again(self) -> None:
        # a suspended member of a project with notice cannot leave: see the rules
        self.deactivate()
        (one,) = self.cloud.sql(
            "SELECT because_of FROM identity.membership_log ORDER BY id DESC LIMIT 1"
        )
        self.assertEqual((self.a,), one)


class AdminTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.parts = self.cloud.project_parts
        self.admin = self.parts.admin
        self.a, self.b = self.cloud.user("a"), self.cloud.user("b")

    def create(self, name: str = "plain", **more: object) -> UUID:
        wanted = Changes(name=name, **more)  # type: ignore[arg-type]
        return self.cloud.wait(self.admin.create(ROOT, wanted))

    def usage(self, user: UUID, project: UUID) -> int:
        found = self.cloud.wait(self.cloud.quota.usage_in(caller(user), project))
        return found[VM].limit if VM in found else -1

    def test_a_project_without_application(self) -> None:
        limits = {VM: Limit(5, 2)}
        project = self.create(owner=self.a, resources=limits)
        self.assertEqual(2, self.usage(self.a, project))
        shown = self.cloud.wait(self.parts.desk.get(caller(self.a), project))
        self.assertEqual(("plain", self.a), (shown.project.name, shown.project.owner))
        self.assertIsNone(shown.project.ends)
        told = self.cloud.sql(
            "SELECT from_state, to_state, actor_name FROM identity.project_log"
            " WHERE project_id = %s",
            project,
        )
        self.assertEqual([(None, "active", "root")], told)
        self.cloud.fails(self.admin.create(ROOT, Changes(name="PLAIN")), Conflict)
        self.cloud.fails(self.admin.create(ROOT, Changes()), Invalid)
        ghost = Changes(name="x", owner=uuid4())
        self.cloud.fails(self.admin.create(ROOT, ghost), Invalid)

    def test_members_are_put_in_whatever_the_policies(self) -> None:
        project = self.create(
            max_members=0, join_policy="closed", resources={VM: Limit(5, 2)}
        )
        self.cloud.wait(self.admin.add_member(ROOT, project, self.b, "reader"))
        self.assertEqual(2, self.usage(self.b, project))
        member = self.admin.member
        for action, limit in (
            (Action.SUSPEND, 0), (Action.UNSUSPEND, 2), (Action.REMOVE, 0)
        ):  # fmt: skip
            self.cloud.wait(member(ROOT, project, self.b, action))
            self.assertEqual(limit, max(self.usage(self.b, project), 0))
        self.cloud.fails(member(ROOT, project, self.a, Action.REMOVE), NotFound)
        self.cloud.fails(self.admin.add_member(ROOT, self.a, self.b), Conflict)
        self.cloud.fails(self.admin.add_member(ROOT, uuid4(), self.b), NotFound)

    def test_limits_of_terminated_projects_wait(self) -> None:
        project = self.create(owner=self.a, resources={VM: Limit(5, 2)})
        self.cloud.wait(self.admin.act(ROOT, project, Order("terminate", "over")))
        change = Changes(resources={VM: Limit(9, 8)}, ends=END)
        self.cloud.wait(self.admin.modify(ROOT, project, change))
        self.assertEqual(0, max(self.usage(self.a, project), 0))
        self.cloud.wait(self.admin.act(ROOT, project, Order("reinstate")))
        self.assertEqual(8, self.usage(self.a, project))

    def test_words_that_mean_nothing(self) -> None:
        project = self.create()
        for order in (Order("explode"), Order("approve"), Order("suspend", "x" * 5000)):
            self.cloud.fails(self.admin.act(ROOT, project, order), Invalid)


class ExpiryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.parts: ProjectServices = self.cloud.project_parts
        self.a = self.cloud.user("a")
        self.project = approved(self.cloud, self.a, "a.example.org")
        letters = self.parts.parts.letters
        self.timer = expiry.Expiry(self.cloud.clock, self.cloud.db, letters, 10.0)
        self.timer.startService()
        self.addCleanup(self.timer.stopService)

    def until(self, before: timedelta) -> None:
        """Let time pass until so long before the end, and a round."""
        at = (END - before).timestamp()
        self.cloud.clock.advance(at - self.cloud.clock.seconds())
        self.cloud.clock.advance(10)

    def warnings(self) -> list[object]:
        rows = self.cloud.sql(
            "SELECT event FROM ops.mail WHERE kind = 'project_expires' ORDER BY id"
        )
        return [str(row[0]).split(":")[-1].split("/")[0] for row in rows]

    def test_each_warning_comes_once(self) -> None:
        for days, told in ((31, []), (30, ["30"]), (29, ["30"]), (7, ["30", "7"]),
                           (1, ["30", "7", "1"])):  # fmt: skip
            self.until(timedelta(days=days))
            self.assertEqual(told, self.warnings())

    def test_late_warnings_are_not_heaped(self) -> None:
        """A daemon that slept tells only how little time is left."""
        self.until(timedelta(hours=5))
        self.assertEqual(["1"], self.warnings())

    def test_another_end_is_warned_of_anew(self) -> None:
        self.until(timedelta(days=20))
        later = Changes(ends=END + timedelta(days=20))
        self.cloud.wait(self.parts.admin.modify(ROOT, self.project, later))
        self.until(timedelta(days=9))
        self.assertEqual(["30", "30"], self.warnings())

    def test_the_dry_run_names_what_would_end(self) -> None:
        self.assertEqual([], self.cloud.wait(self.parts.ends.expired()))
        self.timer.stopService()
        self.until(timedelta(days=-1))
        (one,) = self.cloud.wait(self.parts.ends.expired())
        self.assertEqual(
            (self.project, "a.example.org", END), (one.uuid, one.name, one.ends)
        )

    def test_an_end_that_moved_away_ends_nothing(self) -> None:
        late = END + timedelta(days=1)
        run = self.cloud.db.run
        letters = self.parts.parts.letters
        self.cloud.wait(run(expiry.terminate, self.project, START, letters))
        self.cloud.wait(run(expiry.warn, self.project, 1, late, letters))
        admin = caller(self.a, admin=True)
        shown = self.cloud.wait(self.parts.desk.get(admin, self.project))
        self.assertEqual("active", shown.project.state)
        self.assertEqual([], self.warnings())


class RaceTests(SynchronousTestCase):
    def test_approved_when_its_end_has_passed(self) -> None:
        cloud = identity_cloud(self)
        a = cloud.user("a")
        desk = cloud.project_parts.desk
        wanted = Changes(name="a.example.org", ends=START + timedelta(days=1))
        done = cloud.wait(desk.submit(caller(a), wanted, Wording()))
        cloud.clock.advance(2 * 86400)
        order = Order("approve", application=done.application)
        cloud.fails(desk.act(caller(a, admin=True), done.project, order), Conflict)
        deny = evolve(order, word="deny")
        cloud.wait(desk.act(caller(a, admin=True), done.project, deny))

    def test_an_applicant_who_owns_nothing_sees_what_he_asked_for(self) -> None:
        cloud = identity_cloud(self)
        a, b = cloud.user("a"), cloud.user("b")
        desk = cloud.project_parts.desk
        wanted = Changes(name="a.example.org", ends=END, owner=b, private=True)
        done = cloud.wait(desk.submit(caller(a), wanted, Wording()))
        shown = cloud.wait(desk.get(caller(a), done.project))
        self.assertIsNotNone(shown.application)
        order = Order("cancel", application=done.application)
        cloud.wait(desk.act(caller(a), done.project, order))

    def test_nothing_is_left_of_what_was_refused(self) -> None:
        cloud = identity_cloud(self)
        a = cloud.user("a")
        desk = cloud.project_parts.desk
        for number in range(3):
            wanted = Changes(name=f"p{number}.example.org", ends=END)
            asked = desk.submit(caller(a), wanted, Wording())
            if number < 2:
                cloud.wait(asked)
            else:
                cloud.fails(asked, Conflict)
        counts = cloud.sql(
            "SELECT (SELECT count(*) FROM identity.project WHERE NOT is_system),"
            " (SELECT count(*) FROM identity.application),"
            " (SELECT count(*) FROM ops.mail)"
        )
        self.assertEqual([(2, 2, 2)], counts)
