"""Sizes, cards and tasks are compared, and clocks never; jobs are given up."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from snfd.db.port import Transaction
from snfd.ganeti import reconcile
from snfd.ganeti.model import Card, Event, Sighting
from snfd.ganeti.reconcile import AGAIN, Finding, Kind, Known, Looks
from snfd.ganeti.upkeep import Upkeep
from snfd.intent import State
from tests.ganeti.rig import Rig, new

CARD: Card = ("snf-nic-1", "10.0.0.2")
EVERY = frozenset({"server:1"})


def sighting(size: tuple[int, int] | None = (1, 64), *cards: Card) -> Sighting:
    return Sighting(
        "snf-1", "up", True, "running", 1, size=size, cards=frozenset(cards)
    )


def known(**more: object) -> Known:
    return Known("server:1", "STARTED", 1, None, **more)  # type: ignore[arg-type]


class PartsTests(SynchronousTestCase):
    def kinds(self, row: Known, *seen: Sighting) -> list[str]:
        return [str(one.kind) for one in reconcile.findings([row], EVERY, seen)]

    def test_sizes(self) -> None:
        self.assertEqual([], self.kinds(known(size=(1, 64)), sighting()))
        self.assertEqual(["size"], self.kinds(known(size=(2, 64)), sighting()))
        self.assertEqual([], self.kinds(known(size=(2, 64)), sighting(None)))

    def test_cards_and_their_addresses(self) -> None:
        right = known(cards={CARD: True})
        self.assertEqual([], self.kinds(right, sighting(None, CARD)))
        other = ("snf-nic-1", "10.0.0.3")
        for seen in (
            sighting(None),
            sighting(None, other),
            sighting(None, CARD, other),
        ):
            self.assertEqual(["cards"], self.kinds(right, seen))
        unsure = known(cards={CARD: False})
        self.assertEqual(["cards"], self.kinds(unsure, sighting(None, CARD)))

    def test_a_task_that_nothing_works_on(self) -> None:
        busy = known(busy=True)
        self.assertEqual(["stuck"], self.kinds(busy, sighting()))
        self.assertIn("stuck", self.kinds(busy))
        found = [Finding("server:1", Kind.STUCK)]
        for looks, ends in ((Looks(1, 90), []), (Looks(2, 61), ["server:1"])):
            self.assertEqual(
                ends, reconcile.stuck(found, {("server:1", "stuck"): looks})
            )

    def test_what_stays_wrong_is_told_of_seldom(self) -> None:
        found = [Finding("server:1", Kind.CARDS)]
        told = [
            number
            for number in range(1, 2 * AGAIN)
            if reconcile.events(found, {("server:1", "cards"): Looks(number, 1.0)})
        ]
        self.assertEqual([2, AGAIN + 2], told)


class UpkeepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rig = Rig(self)
        self.rig.start()

    def look(self) -> None:
        upkeep = Upkeep(
            self.rig.clock,
            self.rig.ganeti,
            self.rig.tenure,
            self.rig.follower.settling,
            lambda: True,
        )
        upkeep.startService()
        self.successResultOf(upkeep.stopService())

    def server(self, settled: datetime) -> None:
        async def insert(tx: Transaction) -> None:
            await tx.execute("SET LOCAL session_replication_role = replica")
            nobody = "00000000-0000-0000-0000-000000000000"
            await tx.execute(
                "INSERT INTO compute.server (id, name, owner, project, cluster,"
                " flavor, state, serial_no, settled_at)"
                " VALUES (1, 'x', %s, %s, %s, 1, 'STARTED', 1, %s)",
                (nobody, nobody, self.rig.cluster, settled),
            )

        self.rig.run(insert)

    def test_a_cluster_whose_clock_is_ahead_is_heard(self) -> None:
        ahead = datetime(2099, 1, 1, tzinfo=UTC)
        self.server(ahead)
        world = self.rig.ganeti.world
        world.execute(new(1))
        world.change(world.instances["snf-1"], oper_state=False, admin_state="down")
        self.look()
        [outcome] = self.rig.outcomes
        self.assertIs(Event.STOPPED, outcome.event)
        self.assertGreater(outcome.at, ahead)

    def want_no_more(self) -> None:
        async def mark(tx: Transaction) -> None:
            await tx.execute("UPDATE ops.outbox SET cancel_wanted = now()")

        self.rig.run(mark)

    def test_a_job_that_waits_is_canceled(self) -> None:
        intent = self.rig.put(new(1))
        self.want_no_more()
        self.look()
        self.rig.pump(1)
        self.assertIs(State.CANCELED, self.rig.entry(intent).state)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)

    def test_one_that_was_never_submitted_ends_at_once(self) -> None:
        self.successResultOf(self.rig.dispatcher.stopService())
        intent = self.rig.put(new(1))
        self.want_no_more()
        self.look()
        self.assertIs(State.CANCELED, self.rig.entry(intent).state)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)
        self.assertEqual([], self.rig.submitted)

    def test_one_that_runs_goes_on(self) -> None:
        self.rig.ganeti.queue.work = True
        intent = self.rig.put(new(1))
        self.rig.pump(0.5)
        self.want_no_more()
        self.look()
        self.rig.pump(2)
        self.assertIs(State.SUCCESS, self.rig.entry(intent).state)
