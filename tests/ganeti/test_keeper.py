"""Leases are taken, lost and given back; work starts and stops with them."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd import outbox
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, Unavailable
from snfd.ganeti import store
from snfd.ganeti.fake import FakeGaneti
from snfd.ganeti.keeper import Keepers
from snfd.ganeti.model import Outcome
from snfd.ganeti.service import Clusters, NewCluster
from snfd.ganeti.shift import Shifts
from snfd.ganeti.store import Cluster
from tests.ganeti.rig import START, new
from tests.postgres import blocking_database


@define(eq=False)
class Held:
    """An advisory lock of a fake server."""

    locks: Locks
    key: int
    gone: Deferred[str] = field(factory=Deferred)

    def lost(self) -> Deferred[str]:
        return self.gone

    def close(self, reason: str = "closed") -> None:
        self.locks.held.pop(self.key, None)
        if not self.gone.called:
            self.gone.callback(reason)


@define(eq=False)
class Locks:
    """Advisory locks as several processes see them."""

    held: dict[int, Held] = field(factory=dict)
    away: bool = False

    async def take(self, key: int) -> Held | None:
        if self.away:
            raise Unavailable("no database")
        if key in self.held:
            return None
        self.held[key] = Held(self, key)
        return self.held[key]


class Plain:
    """Seals nothing."""

    def seal(self, plain: bytes, table: str, column: str, row: str) -> bytes:
        return f"{table}.{column}.{row}:".encode() + plain

    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:
        place = f"{table}.{column}.{row}:".encode()
        assert sealed.startswith(place)
        return sealed[len(place) :]


class KeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.database = blocking_database(self)
        self.locks = Locks()
        self.clusters = Clusters(self.database, Plain())
        self.ganetis: dict[int, FakeGaneti] = {}
        self.connected: list[str] = []
        self.outcomes: list[Outcome] = []

    def connect(self, cluster: Cluster) -> FakeGaneti:
        self.connected.append(cluster.url)
        if cluster.id not in self.ganetis:
            self.ganetis[cluster.id] = FakeGaneti(self.clock)
            self.ganetis[cluster.id].queue.work = True
        return self.ganetis[cluster.id]

    async def settle(self, tx: Transaction, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def process(self, name: str) -> Keepers:
        shifts = Shifts(self.clock, self.connect, self.settle)
        keepers = Keepers(self.clock, self.database, self.locks.take, shifts, name)
        keepers.startService()
        self.addCleanup(keepers.stopService)
        return keepers

    def add(self, name: str) -> int:
        new_cluster = NewCluster(name, f"https://{name}:5080", "snfd", "secret")
        return self.successResultOf(
            Deferred.fromCoroutine(self.clusters.add(new_cluster))
        )

    def pump(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.clock.advance(0.1)

    def put(self, cluster: int, server: int) -> None:
        from uuid import uuid4

        from snfd.ganeti import requests

        intent = requests.intent(uuid4(), cluster, f"server:{server}", new(server))
        self.successResultOf(self.database.run(outbox.put, intent))

    def test_one_of_two_processes_works_on_a_cluster(self) -> None:
        one = self.add("one")
        a, b = self.process("a"), self.process("b")
        self.assertEqual((frozenset({one}), frozenset()), (a.works_on, b.works_on))

    def test_the_other_takes_over(self) -> None:
        one = self.add("one")
        a, b = self.process("a"), self.process("b")
        self.successResultOf(a.stopService())
        self.pump(2)
        self.assertEqual(frozenset({one}), b.works_on)
        self.put(one, 1)
        b.heard_intent(str(one))
        self.pump(1)
        self.assertEqual(["server:1"], [each.subject for each in self.outcomes])

    def test_a_broken_connection_ends_the_work_at_once(self) -> None:
        one = self.add("one")
        a = self.process("a")
        self.locks.away = True
        [held] = self.locks.held.values()
        held.close("the connection broke")
        self.clock.advance(0)
        self.assertEqual(frozenset(), a.works_on)
        calls = len(self.ganetis[one].calls)
        self.put(one, 1)
        self.pump(5)
        self.assertEqual(calls, len(self.ganetis[one].calls))
        self.locks.away = False
        self.pump(3)
        self.assertEqual(frozenset({one}), a.works_on)
        self.pump(2)
        self.assertEqual(["server:1"], [each.subject for each in self.outcomes])

    def test_clusters_are_shared_out_between_processes(self) -> None:
        a = self.process("a")
        one = self.add("one")
        a.heard_cluster(str(one))
        self.clock.advance(0)
        b = self.process("b")
        two = self.add("two")
        b.heard_cluster(str(two))
        self.clock.advance(0)
        self.pump(2)
        self.assertEqual((frozenset({one}), frozenset({two})), (a.works_on, b.works_on))

    def test_an_offline_cluster_is_left_alone(self) -> None:
        one = self.add("one")
        a = self.process("a")

        async def offline(tx: Transaction) -> None:
            await tx.execute("UPDATE compute.cluster SET offline = true")

        self.successResultOf(self.database.run(offline))
        a.heard_cluster(str(one))
        self.clock.advance(0)
        self.assertEqual(frozenset(), a.works_on)
        self.assertEqual({}, self.locks.held)
        calls = len(self.ganetis[one].calls)
        self.put(one, 1)
        a.heard_intent(str(one))
        self.pump(120)
        self.assertEqual(calls, len(self.ganetis[one].calls))
        self.assertEqual([], self.outcomes)

    def test_several_clusters_are_worked_on_and_one_that_is_away_stops_none(
        self,
    ) -> None:
        idents = [self.add(name) for name in ("one", "two", "three")]
        a = self.process("a")
        self.pump(1)
        self.ganetis[idents[1]].trouble.down = True
        self.pump(10)
        for number, ident in enumerate(idents, 1):
            self.put(ident, number)
            a.heard_intent(str(ident))
        self.pump(3)
        self.assertEqual(
            {"server:1", "server:3"}, {each.subject for each in self.outcomes}
        )
        self.assertEqual(frozenset({idents[1]}), a.unanswering)
        self.ganetis[idents[1]].trouble.down = False
        self.pump(10)
        self.assertIn("server:2", [each.subject for each in self.outcomes])

    def test_whoever_asks_gets_new_statistics_soon(self) -> None:
        one = self.add("one")
        a = self.process("a")
        self.pump(1.5)
        calls = self.ganetis[one].calls.count("describe")

        async def ask(tx: Transaction) -> None:
            await store.refresh(tx, one)

        self.successResultOf(self.database.run(ask))
        a.heard_cluster(str(one))
        self.pump(1)
        self.assertEqual(calls + 1, self.ganetis[one].calls.count("describe"))

    def test_a_new_address_is_connected_to(self) -> None:
        one = self.add("one")
        a = self.process("a")

        async def moved(tx: Transaction) -> None:
            await tx.execute("UPDATE compute.cluster SET url = 'https://new:5080'")

        self.successResultOf(self.database.run(moved))
        a.heard_cluster(str(one))
        self.pump(2)
        self.assertEqual(["https://one:5080", "https://new:5080"], self.connected)

    def test_statistics_are_read(self) -> None:
        self.add("one")
        self.process("a")
        self.pump(1.5)
        [cluster] = self.successResultOf(Deferred.fromCoroutine(self.clusters.all()))
        self.assertEqual((65536, 8), (cluster.mtotal, cluster.ctotal))
        self.assertEqual(("diskless", "file", "ext"), cluster.disk_templates)

    def test_stopping_leaves_nothing(self) -> None:
        self.add("one")
        a = self.process("a")
        self.pump(3)
        self.successResultOf(a.stopService())
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual({}, self.locks.held)


class ClustersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = blocking_database(self)
        self.clusters = Clusters(self.database, Plain())

    def new(self, name: str = "one", url: str = "https://one:5080") -> NewCluster:
        return NewCluster(name, url, "snfd", "secret", disk_templates=("file",))

    def all(self) -> list[Cluster]:
        return self.successResultOf(Deferred.fromCoroutine(self.clusters.all()))

    def test_bootstrap_makes_a_row_and_never_changes_one(self) -> None:
        for url in ("https://one:5080", "https://elsewhere:5080"):
            wanted = [self.new(url=url)]
            self.successResultOf(
                Deferred.fromCoroutine(self.clusters.bootstrap(wanted))
            )
        [cluster] = self.all()
        self.assertEqual("https://one:5080", cluster.url)
        self.assertEqual(("file",), cluster.disk_templates)
        self.assertNotIn(b"https", cluster.secret)
        self.assertEqual(
            b"secret",
            Plain().open(cluster.secret, "compute.cluster", "secret", str(cluster.id)),
        )

    def test_sixteen_clusters_get_sixteen_numbers(self) -> None:
        for number in range(16):
            self.successResultOf(
                Deferred.fromCoroutine(self.clusters.add(self.new(f"c{number}")))
            )
        self.assertEqual(set(range(16)), {each.idx for each in self.all()})
        self.failureResultOf(
            Deferred.fromCoroutine(self.clusters.add(self.new("c16"))), Conflict
        )

    def test_a_name_is_taken_once(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.clusters.add(self.new())))
        self.failureResultOf(
            Deferred.fromCoroutine(self.clusters.add(self.new())), Conflict
        )

    def test_bad_addresses_and_certificates_are_refused(self) -> None:
        for wrong in (
            self.new(url="ftp://x"),
            NewCluster("x", "https://x", "u", "p", tls_ca="no PEM"),
            NewCluster("x", "https://x", "u", "p", tls_ca="sha256:12"),
        ):
            self.failureResultOf(
                Deferred.fromCoroutine(self.clusters.add(wrong)), Invalid
            )
