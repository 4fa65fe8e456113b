"""What administrators have put right, and jobs that they give up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import DAEMON
from snfd.compute.mends import MOST, Fix, Mends
from snfd.compute.store import charges
from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound
from snfd.ganeti import findings
from snfd.ganeti.model import Kind as Opcode
from snfd.ganeti.reconcile import Finding, Kind
from snfd.quota.integrity import Integrity, Recount
from tests.compute.kit import compute_cloud


async def nobody(tx: Transaction) -> dict[UUID, int]:
    return {}


class MendsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        people = self.cloud.people
        recount = Recount(charges.ACTUAL, charges.RESOURCES)
        integrity = Integrity(people.db, nobody, recount)
        clock: Any = people.clock
        self.mends = Mends(people.db, clock, integrity, self.cloud.new_id)
        found = people.sql("SELECT id FROM compute.cluster WHERE name = 'one'")
        self.cluster = int(str(found[0][0]))

    def found(self, *subjects: str, kind: Kind, looks: int = 2) -> None:
        """Findings of a cluster, seen so often in the last two minutes."""
        some = [Finding(one, kind) for one in subjects]
        db = self.cloud.people.db
        for _ in range(looks):
            self.cloud.wait(db.run(findings.record, self.cluster, some))
        self.cloud.people.execute(
            "UPDATE ops.finding SET first_seen = first_seen - interval '2 minutes'"
        )

    def fix(self, *fixes: Fix, backend: str | None = None) -> list[str]:
        done = self.cloud.wait(self.mends.fix(DAEMON, backend, fixes))
        return [one.subject for one in done]

    def waiting(self) -> list[tuple[str, str]]:
        return [(e.intent.kind, e.intent.subject) for e in self.cloud.intents()]

    def test_cyclades_78_an_orphan_is_removed_if_that_is_said(self) -> None:
        self.found("server:999999", kind=Kind.ORPHAN)
        self.assertEqual([], self.fix())
        self.assertEqual([], self.waiting())
        self.assertEqual(["server:999999"], self.fix(Fix.ORPHAN))
        wanted = [(Opcode.REMOVE, "orphan:snf-999999")]
        self.assertEqual(wanted, self.waiting())
        self.fix(Fix.ORPHAN)
        self.assertEqual(wanted, self.waiting())

    def test_what_was_seen_but_once_stays(self) -> None:
        server = self.cloud.active()
        self.found("server:999999", kind=Kind.ORPHAN, looks=1)
        self.assertEqual([], self.fix(*Fix))
        self.found(f"server:{server.id}", kind=Kind.STALE, looks=1)
        self.assertEqual([], self.fix(*Fix))

    def test_one_run_takes_no_more_than_a_few(self) -> None:
        many = [f"server:{number}" for number in range(900_000, 900_000 + 3 * MOST)]
        self.found(*many, kind=Kind.ORPHAN)
        self.assertEqual(MOST, len(self.fix(Fix.ORPHAN)))

    def test_a_network_of_nobody_leaves_its_groups_first(self) -> None:
        self.found("network:777", kind=Kind.NETWORK_ORPHAN)
        self.fix(Fix.NETWORK_ORPHAN)
        self.assertEqual(
            [
                (Opcode.NETWORK_DISCONNECT, "orphan:snf-net-777"),
                (Opcode.NETWORK_REMOVE, "orphan:snf-net-777"),
            ],
            self.waiting(),
        )

    def test_a_server_without_instance_goes_with_its_quota(self) -> None:
        server = self.cloud.active()
        self.found(f"server:{server.id}", kind=Kind.STALE)
        self.assertEqual([f"server:{server.id}"], self.fix(Fix.STALE))
        self.assertTrue(self.cloud.show(server.id).deleted)
        self.assertEqual({}, self.cloud.usage())

    def test_a_busy_server_is_left_alone(self) -> None:
        server = self.cloud.active()
        caller, scope = self.cloud.caller(), self.cloud.scope()
        self.cloud.wait(self.cloud.compute.actions.stop(caller, scope, server.id))
        self.found(f"server:{server.id}", kind=Kind.STALE)
        self.fix(Fix.STALE)
        self.assertFalse(self.cloud.show(server.id).deleted)

    def test_another_cluster_is_left_alone(self) -> None:
        self.cloud.cluster("two", 2)
        self.found("server:999999", kind=Kind.ORPHAN)
        self.assertEqual([], self.fix(Fix.ORPHAN, backend="two"))
        self.assertEqual(["server:999999"], self.fix(Fix.ORPHAN, backend="one"))
        self.cloud.fails(self.mends.fix(DAEMON, "three", [Fix.ORPHAN]), NotFound)

    def test_jobs_are_given_up_until_they_end(self) -> None:
        self.cloud.create()
        [job] = [e.intent.id for e in self.cloud.intents() if e.intent.kind
                 == Opcode.CREATE]  # fmt: skip
        self.cloud.wait(self.mends.give_up(DAEMON, job))
        wanted = self.cloud.people.sql(
            "SELECT id FROM ops.outbox WHERE cancel_wanted IS NOT NULL"
        )
        self.assertEqual([(job,)], wanted)
        self.cloud.work()
        self.cloud.fails(self.mends.give_up(DAEMON, job), Conflict)
        self.cloud.fails(self.mends.give_up(DAEMON, UUID(int=10**9)), NotFound)
