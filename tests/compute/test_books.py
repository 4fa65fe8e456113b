"""Pools and quota are compared with what uses them, and put right when asked."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import DAEMON
from snfd.compute import books
from snfd.compute.store import charges
from snfd.network.model import NewNetwork, NewSubnet, NicRequest
from snfd.network.store import balance
from snfd.quota.findings import Fixes, Kind
from snfd.quota.integrity import Integrity, Recount
from tests.compute.kit import compute_cloud

RECOUNT = Recount(charges.ACTUAL, charges.RESOURCES)


async def nobody(tx: Any) -> dict[Any, int]:
    return {}


class BooksTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        scope = self.cloud.scope()
        caller = self.cloud.caller()
        networks = self.cloud.networks
        made = self.cloud.wait(
            networks.networks.create(caller, scope, NewNetwork("lan"))
        )
        subnet = NewSubnet(made.id, "10.0.0.0/29")
        self.cloud.wait(networks.subnets.create(caller, scope, subnet))
        self.network = made.id
        self.server = self.cloud.active(nics=[NicRequest(made.id)])
        self.integrity = Integrity(self.cloud.people.db, nobody, RECOUNT)

    def look(self) -> list[tuple[str, str]]:
        """What is wrong, as the table of findings has it."""
        found = self.cloud.wait(self.cloud.people.db.run(books.look, RECOUNT))
        kept = self.cloud.people.sql(
            "SELECT subject, kind FROM ops.finding WHERE cluster IS NULL ORDER BY id"
        )
        self.assertEqual(sorted((one.subject, one.kind) for one in found), sorted(kept))
        return [(one.subject, one.kind.value) for one in found]

    def right(self) -> int:
        fixed: int = self.cloud.wait(self.cloud.people.db.run(balance.right))
        return fixed

    def test_nothing_is_wrong(self) -> None:
        self.assertEqual([], self.look())
        self.assertEqual(0, self.right())

    def test_cyclades_83_an_address_of_nobody_is_found_and_freed(self) -> None:
        self.cloud.people.execute(
            "UPDATE compute.ip_slot SET state = 'used' WHERE host(addr) = '10.0.0.6'"
        )
        [(subject, kind)] = self.look()
        self.assertEqual("address", kind)
        self.assertTrue(subject.endswith("/10.0.0.6"))
        self.assertEqual(1, self.right())
        self.assertEqual([], self.look())

    def test_cyclades_83_an_address_that_is_free_but_used(self) -> None:
        self.cloud.people.execute("UPDATE compute.ip_slot SET state = 'free'")
        self.assertEqual(["address"], [kind for _, kind in self.look()])
        self.assertEqual(1, self.right())
        self.assertEqual([], self.look())

    def test_cyclades_83_prefixes(self) -> None:
        self.cloud.people.execute(
            "UPDATE compute.pool_slot SET state = 'free' WHERE state = 'used'"
        )
        self.cloud.people.execute(
            "UPDATE compute.pool_slot SET state = 'used' WHERE value = 'aa:ff:f'"
        )
        self.assertEqual(["pool", "pool"], [kind for _, kind in self.look()])
        self.assertEqual(2, self.right())
        self.assertEqual([], self.look())

    def verify(self, **fixes: bool) -> list[Kind]:
        report = self.cloud.wait(self.integrity.verify(DAEMON, Fixes(**fixes)))
        return [one.kind for one in report.findings]

    def test_cyclades_84_usage_is_counted_anew(self) -> None:
        before = self.cloud.usage()
        self.assertEqual([], self.verify())
        self.cloud.people.execute(
            "UPDATE quota.holding SET usage_max = usage_max + 3,"
            " usage_min = usage_min + 3 WHERE resource IN ('cyclades.vm',"
            " 'cyclades.floating_ip', 'cyclades.network.private') AND project_id = %s",
            self.cloud.project,
        )
        wrong = self.verify()
        self.assertEqual({Kind.ACTUAL, Kind.SUM}, set(wrong))
        self.assertIn("quota", [kind for _, kind in self.look()])
        self.verify(actual=True)
        self.assertEqual([], self.verify())
        self.assertEqual(before, self.cloud.usage())

    def test_cyclades_84_what_is_pending_stays_so(self) -> None:
        actions = self.cloud.compute.actions
        caller, scope = self.cloud.caller(), self.cloud.scope()
        self.cloud.wait(actions.stop(caller, scope, self.server.id))
        self.assertEqual([], self.verify())
        self.cloud.people.execute(
            "UPDATE quota.holding SET usage_max = usage_max + 1,"
            " usage_min = usage_min + 1 WHERE resource = 'cyclades.cpu'"
            " AND project_id = %s",
            self.cloud.project,
        )
        self.verify(actual=True)
        self.cloud.work()
        self.assertEqual([], self.verify())
        self.assertNotIn("cyclades.cpu", self.cloud.usage())
