"""What follows when rows and instances disagree."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.db.port import Transaction
from snfd.ganeti import reconcile
from snfd.ganeti.model import Event, Sighting
from snfd.ganeti.reconcile import Finding, Kind, Known, Looks
from snfd.ganeti.upkeep import Upkeep
from tests.ganeti.rig import Rig, new

OFTEN = Looks(2, 61.0)


def seen(
    server: int,
    oper: bool | None = True,
    admin: str = "up",
    status: str = "running",
    serial: int = 1,
) -> Sighting:
    return Sighting(f"snf-{server}", admin, oper, status, serial)


def row(server: int, state: str = "STARTED", serial: int | None = 1) -> Known:
    return Known(f"server:{server}", state, serial)


def kinds(rows: list[Known], sightings: list[Sighting]) -> list[tuple[str, str]]:
    every = frozenset(each.subject for each in rows)
    found = reconcile.findings(rows, every, sightings)
    return [(each.subject, each.kind.value) for each in found]


class FindingsTests(SynchronousTestCase):
    def test_what_agrees_is_not_mentioned(self) -> None:
        down = seen(2, False, "down", "ADMIN_down")
        self.assertEqual([], kinds([row(1), row(2, "STOPPED")], [seen(1), down]))

    def test_power(self) -> None:
        for state, sighting, expected in (
            ("STOPPED", seen(1), "runs"),
            ("STARTED", seen(1, False, "down", "ADMIN_down"), "down"),
            ("STARTED", seen(1, False, "up", "USER_down"), "down"),
            ("STARTED", seen(1, False, "up", "ERROR_down"), "crashed"),
            ("STARTED", seen(1, None, "up", "ERROR_nodedown"), "silent"),
            ("STOPPED", seen(1, None, "down", "ERROR_nodeoffline"), "silent"),
            ("BUILD", seen(1), "built"),
        ):
            found = kinds([row(1, state)], [sighting])
            self.assertEqual([("server:1", expected)], found, state)

    def test_an_unknown_power_state_changes_nothing(self) -> None:
        found = [Finding("server:1", Kind.SILENT)]
        looks = {("server:1", "silent"): Looks(100, 1e6)}
        self.assertEqual([], reconcile.events(found, looks))

    def test_a_server_in_error_is_left_alone(self) -> None:
        self.assertEqual([], kinds([row(1, "ERROR")], [seen(1)]))
        self.assertEqual([], kinds([row(1, "ERROR")], []))

    def test_another_serial_means_a_closer_look(self) -> None:
        self.assertEqual(
            [("server:1", "changed")], kinds([row(1)], [seen(1, serial=9)])
        )
        self.assertEqual([], kinds([row(1, serial=None)], [seen(1, serial=9)]))

    def test_orphans_are_found_but_nothing_follows(self) -> None:
        self.assertEqual([("server:2", "orphan")], kinds([row(1)], [seen(1), seen(2)]))
        found = [Finding("server:2", Kind.ORPHAN)]
        self.assertEqual([], reconcile.events(found, {("server:2", "orphan"): OFTEN}))

    def test_other_peoples_instances_are_no_orphans(self) -> None:
        web = Sighting("web.example.org", "up", True, "running", 1)
        self.assertEqual([], kinds([row(1)], [seen(1), web]))

    def test_a_busy_server_is_no_orphan(self) -> None:
        found = reconcile.findings([], frozenset({"server:1"}), [seen(1)])
        self.assertEqual([], found)

    def test_an_empty_list_is_not_believed(self) -> None:
        rows = [row(1)]
        self.assertIn(("cluster:all", "disbelieved"), kinds(rows, []))

    def test_a_list_that_lacks_much_is_not_believed(self) -> None:
        rows = [row(server) for server in range(1, 101)]
        few = [seen(server) for server in range(6, 101)]
        self.assertNotIn(("cluster:all", "disbelieved"), kinds(rows, few))
        self.assertIn(("cluster:all", "disbelieved"), kinds(rows, few[1:]))


class EventsTests(SynchronousTestCase):
    def events(self, kind: Kind, looks: Looks, detail: str = "STARTED") -> list[Event]:
        found = [Finding("server:1", kind, detail)]
        told = reconcile.events(found, {("server:1", kind.value): looks})
        return [each.event for each in told]

    def test_a_missing_instance_needs_two_looks_a_minute_apart(self) -> None:
        self.assertEqual([], self.events(Kind.STALE, Looks(1, 1e6)))
        self.assertEqual([], self.events(Kind.STALE, Looks(9, 59)))
        self.assertEqual([Event.REMOVED], self.events(Kind.STALE, OFTEN))

    def test_one_that_was_never_made_has_failed(self) -> None:
        found = self.events(Kind.STALE, OFTEN, "BUILD")
        self.assertEqual([Event.CREATE_FAILED], found)

    def test_a_crash_needs_two_looks(self) -> None:
        self.assertEqual([], self.events(Kind.CRASHED, Looks(1, 0)))
        self.assertEqual([Event.CRASHED], self.events(Kind.CRASHED, Looks(2, 30)))

    def test_power_and_changes_are_told_at_once(self) -> None:
        first = Looks(1, 0)
        self.assertEqual([Event.STARTED], self.events(Kind.RUNS, first))
        self.assertEqual([Event.STOPPED], self.events(Kind.DOWN, first))
        self.assertEqual([Event.MODIFIED], self.events(Kind.CHANGED, first))
        self.assertEqual([Event.CREATED], self.events(Kind.BUILT, first))

    def test_disbelief_stops_removals_only(self) -> None:
        found = [
            Finding("server:1", Kind.STALE, "STARTED"),
            Finding("server:2", Kind.RUNS),
            Finding("cluster:all", Kind.DISBELIEVED),
        ]
        looks = {(each.subject, each.kind.value): OFTEN for each in found}
        self.assertEqual(
            [Event.STARTED], [each.event for each in reconcile.events(found, looks)]
        )

    @given(st.integers(1, 400), st.data())
    def test_no_list_however_wrong_removes_many(self, known: int, data: Any) -> None:
        present = data.draw(st.sets(st.integers(1, known)))
        rows = [row(server) for server in range(1, known + 1)]
        every = frozenset(each.subject for each in rows)
        found = reconcile.findings(rows, every, [seen(s) for s in present])
        looks = {(each.subject, each.kind.value): OFTEN for each in found}
        told = reconcile.events(found, looks)
        gone = [each for each in told if each.event is Event.REMOVED]
        self.assertLessEqual(len(gone), max(3, 0.05 * known))
        self.assertLessEqual(len(told), reconcile.EVENTS_MAX)


class UpkeepTests(SynchronousTestCase):
    """On the real tables, with servers in them."""

    def setUp(self) -> None:
        self.rig = Rig(self)
        self.rig.start()
        self.upkeep = Upkeep(
            self.rig.clock,
            self.rig.ganeti,
            self.rig.tenure,
            self.rig.follower.settling,
            lambda: True,
        )
        for server in (1, 2, 3, 4):
            self.server(server)
            self.rig.ganeti.world.execute(new(server))

    def server(self, ident: int, state: str = "STARTED") -> None:
        async def insert(tx: Transaction) -> None:
            await tx.execute("SET LOCAL session_replication_role = replica")
            nobody = "00000000-0000-0000-0000-000000000000"
            await tx.execute(
                "INSERT INTO compute.server (id, name, owner, project, cluster,"
                " flavor, state, serial_no)"
                " VALUES (%s, 'x', %s, %s, %s, 1, %s, 1)",
                (ident, nobody, nobody, self.rig.cluster, state),
            )

        self.rig.run(insert)

    def findings(self) -> list[tuple[str, str]]:
        async def read(tx: Transaction) -> Any:
            return await tx.rows("SELECT subject, kind FROM ops.finding ORDER BY 1, 2")

        return list(self.rig.run(read))

    def look(self, minutes: float = 0) -> None:
        """One run, after the database's clock went on."""

        async def age(tx: Transaction) -> None:
            await tx.execute(
                "UPDATE ops.finding SET first_seen ="
                " first_seen - make_interval(secs => %s)",
                (minutes * 60,),
            )

        self.rig.run(age)
        self.upkeep = Upkeep(
            self.rig.clock,
            self.rig.ganeti,
            self.rig.tenure,
            self.rig.follower.settling,
            lambda: True,
        )
        self.upkeep.startService()
        self.successResultOf(self.upkeep.stopService())

    def test_agreement_leaves_no_trace(self) -> None:
        self.look()
        self.assertEqual(([], []), (self.findings(), self.rig.events))

    def test_a_removed_instance_is_believed_gone_after_a_minute(self) -> None:
        del self.rig.ganeti.world.instances["snf-1"]
        self.look()
        self.assertEqual([("server:1", "stale")], self.findings())
        self.assertEqual([], self.rig.events)
        self.look(1.1)
        self.assertEqual([("server:1", "removed")], self.rig.events)

    def test_one_that_comes_back_is_forgotten(self) -> None:
        lost = self.rig.ganeti.world.instances.pop("snf-1")
        self.look()
        self.rig.ganeti.world.instances["snf-1"] = lost
        self.look(1.1)
        self.assertEqual([], self.findings())
        self.rig.ganeti.world.instances.pop("snf-1")
        self.look(1.1)
        self.assertEqual([], self.rig.events)

    def test_cyclades_79_an_empty_cluster_removes_nothing_ever(self) -> None:
        self.rig.ganeti.world.instances.clear()
        for _ in range(5):
            self.look(10)
        self.assertEqual([], self.rig.events)
        self.assertIn(("cluster:all", "disbelieved"), self.findings())

    def test_busy_servers_are_left_alone(self) -> None:
        from snfd.ganeti import requests

        del self.rig.ganeti.world.instances["snf-1"]
        self.rig.put(requests.stop(1))
        self.look()
        self.look(5)
        self.assertEqual([], self.rig.events)

    def test_power_that_changed_is_told_with_the_instance(self) -> None:
        world = self.rig.ganeti.world
        world.change(world.instances["snf-2"], oper_state=False, admin_state="down")
        self.look()
        self.assertEqual([("server:2", "stopped")], self.rig.events)
        assert self.rig.outcomes[0].instance is not None

    def test_cyclades_78_an_orphan_is_reported_and_stays(self) -> None:
        self.rig.ganeti.world.execute(new(77))
        self.look()
        self.look(60)
        self.assertEqual([("server:77", "orphan")], self.findings())
        self.assertEqual([], self.rig.events)
        self.assertIn("snf-77", self.rig.ganeti.world.instances)

    def test_old_intents_are_pruned(self) -> None:
        intent = self.rig.put(new(9))
        self.rig.ganeti.queue.finish(1)
        self.rig.pump(0.5)

        async def age(tx: Transaction) -> int:
            return await tx.execute(
                "UPDATE ops.outbox SET finished = finished - interval '31 days'"
            )

        self.assertEqual(1, self.rig.run(age))
        self.look()

        async def count(tx: Transaction) -> Any:
            return await tx.row(
                "SELECT count(*) FROM ops.outbox WHERE id = %s", (intent.id,)
            )

        self.assertEqual((0,), self.rig.run(count))
