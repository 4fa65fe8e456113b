"""Many charges at once, on real connections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any
from uuid import UUID, uuid4

from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.trial.unittest import TestCase

from snfd.accounts.opening import create_user
from snfd.db.port import Transaction
from snfd.errors import OverQuota
from snfd.projects import service as projects
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES, Limit
from tests.functional.connections import eight_connections

NOW = datetime(2030, 1, 1, tzinfo=UTC)
VM, CPU, DISK = "cyclades.vm", "cyclades.cpu", "cyclades.disk"


class ConcurrencyTests(TestCase):
    """Eight connections; every transaction is a real one."""

    async def setUp(self) -> None:  # type: ignore[override]
        self.db = eight_connections(self)
        self.users = [uuid4() for _ in range(4)]
        await self.db.run(quota.register, RESOURCES)
        for number, user in enumerate(self.users):
            await self.db.run(create_user, user, f"u{number}@x", NOW)

    async def project(self, limits: Mapping[str, int]) -> UUID:
        uuid = uuid4()
        caps = {name: Limit(cap, cap) for name, cap in limits.items()}
        await self.db.run(projects.create, uuid, f"p {uuid}", None, caps, NOW)
        for user in self.users:
            await self.db.run(projects.add_member, uuid, user)
        return uuid

    async def usage(self, project: UUID) -> dict[tuple[bool, str], tuple[int, int]]:
        """(whole project, resource) → sum of usage_min, of usage_max."""
        rows = await self.db.read(
            "SELECT user_id IS NULL, resource, sum(usage_min)::bigint,"
            " sum(usage_max)::bigint FROM quota.holding"
            " WHERE project_id = %s AND resource = ANY(%s::text[]) GROUP BY 1, 2",
            (project, [VM, CPU, DISK]),
        )
        return {row[:2]: row[2:] for row in rows}

    async def outcomes(self, running: list[Deferred[Any]]) -> list[BaseException]:
        """The errors among what ``running`` ends with."""
        results = await DeferredList(running, consumeErrors=True)
        return [result.value for good, result in results if not good]

    async def test_two_hundred_charges_of_one_holding_are_exact(self) -> None:
        project = await self.project({VM: 200})
        await gatherResults(
            self.db.run(quota.charge, user, project, {VM: 1})
            for user in islice(cycle(self.users), 200)
        )
        expected = (200, 200)
        found = await self.usage(project)
        self.assertEqual(expected, found[True, VM])
        self.assertEqual(expected, found[False, VM])

    async def test_astakos_37_fifty_at_a_limit_of_ten(self) -> None:
        project = await self.project({VM: 10})
        failures = await self.outcomes(
            [
                self.db.run(quota.charge, user, project, {VM: 1})
                for user in islice(cycle(self.users), 50)
            ]
        )
        self.assertEqual([OverQuota] * 40, [type(error) for error in failures])
        self.assertEqual((10, 10), (await self.usage(project))[True, VM])

    async def test_opposite_orders_and_directions_do_not_deadlock(self) -> None:
        project = await self.project({VM: 1000, CPU: 1000, DISK: 1000})
        names = (VM, CPU, DISK)
        running: list[Deferred[Any]] = []
        begun: list[UUID] = []

        async def there_and_back(
            tx: Transaction, user: UUID, order: tuple[str, ...]
        ) -> None:
            begun.append(user)
            amounts = dict.fromkeys(order, 1)
            serial = await quota.reserve(tx, user, project, amounts, uuid4())
            await quota.reject(tx, serial)

        for number, user in enumerate(islice(cycle(self.users), 90)):
            turn = names[number % 3 :] + names[: number % 3]
            order = turn if number % 2 else turn[::-1]
            running.append(
                self.db.run(quota.charge, user, project, dict.fromkeys(order, 2))
            )
            running.append(self.db.run(there_and_back, user, order))
        self.assertEqual([], await self.outcomes(running))
        # a deadlock would have begun one of them again
        self.assertEqual(90, len(begun))
        found = await self.usage(project)
        for name in names:
            self.assertEqual((180, 180), found[True, name])
            self.assertEqual((180, 180), found[False, name])

    async def test_astakos_38_limits_change_while_charges_run(self) -> None:
        project = await self.project({VM: 1000})
        running: list[Deferred[Any]] = []
        for number, user in enumerate(islice(cycle(self.users), 100)):
            running.append(self.db.run(quota.charge, user, project, {VM: 1}))
            if number % 10 == 0:
                cap = Limit(1000 + number, 1000 + number)
                running.append(self.db.run(quota.open_project, project, {VM: cap}))
                running.append(self.db.run(projects.add_member, project, user))
        self.assertEqual([], await self.outcomes(running))
        self.assertEqual((100, 100), (await self.usage(project))[True, VM])

    async def test_a_commission_resolved_by_many_counts_once(self) -> None:
        project = await self.project({VM: 10})
        serial = await self.db.run(
            quota.reserve, self.users[0], project, {VM: 3}, uuid4()
        )
        how = (quota.accept, quota.reject)
        done = await gatherResults(
            self.db.run(one, serial) for one in islice(cycle(how), 20)
        )
        self.assertEqual(1, sum(done))
        self.assertIn((await self.usage(project))[True, VM], [(3, 3), (0, 0)])
