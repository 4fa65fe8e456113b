"""Decisions about projects at the same time, on real connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.trial.unittest import TestCase

from snfd.accounts.opening import create_user
from snfd.audit import DAEMON
from snfd.clock import now
from snfd.errors import Busy, Conflict, Forbidden, OverQuota
from snfd.projects import lifecycle
from snfd.projects.acting import Order
from snfd.projects.applications import Submitted
from snfd.projects.changes import Changes, Wording
from snfd.projects.parts import Parts
from snfd.projects.wired import ProjectServices
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES, UNLIMITED, Limit
from tests.functional.connections import eight_connections
from tests.projects.cloud import VM, caller


class ConcurrencyTests(TestCase):
    """Eight connections; every transaction is a real one."""

    async def setUp(self) -> None:  # type: ignore[override]
        self.db = eight_connections(self)
        await self.db.run(quota.register, RESOURCES)
        self.parts = ProjectServices.build(Parts(self.db, reactor))
        self.users = [uuid4() for _ in range(6)]
        start = now(reactor)
        self.end = start + timedelta(days=30)
        for number, user in enumerate(self.users):
            await self.db.run(create_user, user, f"u{number}@x", start)
        self.admin = caller(self.users[0], admin=True)

    async def outcomes(self, running: Sequence[Deferred[Any]]) -> Counter[type]:
        """How often each class of error, or of answer, was the outcome."""
        results = await DeferredList(list(running), consumeErrors=True)
        return Counter(
            type(result if good else result.value) for good, result in results
        )

    def background(self, work: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(work)

    async def applied(self, name: str, user: UUID, **more: Any) -> Submitted:
        wanted = Changes(name=name, ends=self.end, **more)
        return await self.parts.desk.submit(caller(user), wanted, Wording())

    async def approved(self, name: str, user: UUID, **more: Any) -> UUID:
        done = await self.applied(name, user, **more)
        await self.parts.desk.act(self.admin, done.project, self.approval(done))
        return done.project

    def approval(self, done: Submitted) -> Order:
        return Order("approve", application=done.application)

    async def test_astakos_45_one_of_many_approvals_of_a_name_wins(self) -> None:
        asked = [
            await self.applied(name, user)
            for user, name in zip(
                self.users, ("x.org", "X.org", "x.ORG", "x.org", "X.ORG", "x.oRg"),
                strict=True,
            )
        ]  # fmt: skip
        found = await self.outcomes(
            [
                self.background(
                    self.parts.desk.act(self.admin, one.project, self.approval(one))
                )
                for one in asked
            ]
        )
        self.assertEqual({type(None): 1, Conflict: 5}, found)
        rows = await self.db.read(
            "SELECT p.state, a.state, count(*) FROM identity.project p"
            " JOIN identity.application a ON a.id = p.last_application GROUP BY 1, 2"
        )
        self.assertEqual(
            {("active", "approved", 1), ("uninitialized", "pending", 5)}, set(rows)
        )
        # the losers' applications are still counted, the winner's is not
        rows = await self.db.read(
            "SELECT sum(usage_max)::int FROM quota.holding"
            " WHERE resource = 'astakos.pending_app' AND user_id IS NOT NULL"
        )
        self.assertEqual([(5,)], rows)

    async def test_one_application_is_decided_once(self) -> None:
        one = await self.applied("x.org", self.users[1])
        orders = [
            Order(word, application=one.application)
            for word in ("approve", "deny", "cancel") * 4
        ]
        act = self.parts.desk.act
        found = await self.outcomes(
            [self.background(act(self.admin, one.project, order)) for order in orders]
        )
        self.assertEqual(1, found[type(None)])
        self.assertEqual(11, sum(found.values()) - 1)

    async def test_the_last_place_is_given_once(self) -> None:
        project = await self.approved(
            "x.org", self.users[0], join_policy="auto", max_members=2
        )
        await gatherResults(
            [
                self.background(self.parts.memberships.join(caller(user), project))
                for user in self.users[1:]
            ]
        )
        rows = await self.db.read(
            "SELECT state, count(*) FROM identity.membership WHERE project_id = %s"
            " GROUP BY 1",
            (project,),
        )
        self.assertEqual({("accepted", 2), ("requested", 4)}, set(rows))

    async def test_pending_applications_stay_within_their_number(self) -> None:
        found = await self.outcomes(
            [
                self.background(self.applied(f"p{number}.org", self.users[1]))
                for number in range(10)
            ]
        )
        self.assertEqual({Submitted: 2, Conflict: 8}, found)

    async def test_astakos_38_everything_at_once_keeps_limits_right(self) -> None:
        """No deadlock remains, no charge is lost, and limits obey the formula."""
        grants = {VM: Limit(UNLIMITED, UNLIMITED)}
        projects = [
            await self.approved(
                f"p{n}.org", self.users[n], join_policy="auto", resources=grants
            )
            for n in range(3)
        ]
        running: list[Deferred[Any]] = []
        for number in range(60):
            user = self.users[number % 6]
            project = projects[number % 3]
            desk, memberships = self.parts.desk, self.parts.memberships
            suspended = Order("unsuspend" if number % 2 else "suspend")
            change = Changes(resources={VM: Limit(1000 + number, 100 + number)})
            running += [
                self.background(memberships.join(caller(user), project)),
                self.db.run(quota.charge, user, project, {VM: 1}),
                self.background(desk.act(self.admin, project, suspended)),
                self.background(
                    desk.modify(self.admin, project, change, Wording(), at_once=True)
                ),
            ]
            if number % 5 == 0:
                life = (
                    lifecycle.suspend_of_user
                    if number % 10
                    else lifecycle.unsuspend_of_user
                )
                at = self.end
                running.append(self.db.run(life, user, DAEMON, at))
        found = await self.outcomes(running)
        fine = (type(None), int, Submitted, Conflict, Busy, Forbidden, OverQuota)
        self.assertEqual(set(), set(found) - set(fine))
        await self.check_limits()

    async def check_limits(self) -> None:
        rows = await self.db.read(
            """
            SELECT h.project_id, h.user_id, h.resource, h.cap
              FROM quota.holding h
              JOIN identity.project p ON p.uuid = h.project_id
              JOIN quota.project_limit l
                ON l.project_id = h.project_id AND l.resource = h.resource
              LEFT JOIN identity.membership m
                ON m.project_id = h.project_id AND m.user_id = h.user_id
             WHERE h.cap <> CASE
                   WHEN p.state <> 'active' THEN 0
                   WHEN h.user_id IS NULL THEN l.project_cap
                   WHEN m.state IN ('accepted', 'leave_requested') THEN l.member_cap
                   ELSE 0 END
            """
        )
        self.assertEqual([], rows)
        sums = await self.db.read(
            "SELECT project_id FROM quota.holding WHERE resource = %s"
            " GROUP BY project_id HAVING sum(usage_max) FILTER (WHERE user_id IS NULL)"
            " <> sum(usage_max) FILTER (WHERE user_id IS NOT NULL)",
            (VM,),
        )
        self.assertEqual([], sums)
