"""Servers from the request to the row, with a cluster in memory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.model import Status
from snfd.ganeti.model import Event
from tests.compute.kit import IMAGE, compute_cloud

GIB = 1 << 30
RUNNING = {
    "cyclades.vm": 1,
    "cyclades.cpu": 1,
    "cyclades.total_cpu": 1,
    "cyclades.ram": 128 << 20,
    "cyclades.total_ram": 128 << 20,
    "cyclades.disk": GIB,
}
STOPPED = {
    name: amount
    for name, amount in RUNNING.items()
    if name not in ("cyclades.cpu", "cyclades.ram")
}


class LifeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)

    def test_cyclades_09_a_server_is_built_and_becomes_active(self) -> None:
        server = self.cloud.create()
        self.assertEqual(Status.BUILD, server.status)
        self.assertEqual((), server.attachments)
        self.assertEqual(RUNNING, self.cloud.usage())
        self.cloud.work()
        server = self.cloud.show(server.id)
        self.assertEqual((Status.ACTIVE, 100), (server.status, server.progress))
        self.assertIsNotNone(server.launched)
        self.assertIn(f"snf-{server.id}", self.cloud.ganeti.world.instances)
        self.assertEqual(RUNNING, self.cloud.usage())
        self.assertEqual("IN_USE", server.volumes[0].status)
        self.assertEqual(IMAGE, server.image)
        self.assertEqual(["before-commit", "after-commit"], self.cloud.points)
        card = server.attachments[0]
        self.assertEqual("203.0.113.2", card.addresses[0].addr)
        self.assertTrue(card.mac.startswith("aa:00:01:"))

    def test_cyclades_38_deleting_gives_everything_back(self) -> None:
        server = self.cloud.active()
        self.delete(server.id)
        self.assertEqual(RUNNING, self.cloud.usage())
        self.cloud.work()
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(0, self.cloud.pending())
        gone = self.cloud.show(server.id)
        self.assertEqual(Status.DELETED, gone.status)
        self.assertEqual([], self.cloud.ports(server.id))
        used = self.cloud.people.sql(
            "SELECT count(*) FROM compute.ip_slot WHERE state = 'used'"
        )
        self.assertEqual([(0,)], used)

    def test_cyclades_30_31_stop_and_start(self) -> None:
        server = self.cloud.active()
        actions, caller = self.cloud.compute.actions, self.cloud.caller()
        scope = self.cloud.scope()
        self.cloud.wait(actions.stop(caller, scope, server.id))
        self.cloud.work()
        self.assertEqual(Status.STOPPED, self.cloud.show(server.id).status)
        self.assertEqual(STOPPED, self.cloud.usage())
        self.cloud.wait(actions.start(caller, scope, server.id))
        self.assertEqual(RUNNING, self.cloud.usage())
        self.cloud.work()
        self.assertEqual(Status.ACTIVE, self.cloud.show(server.id).status)
        self.assertEqual(0, self.cloud.pending())

    def delete(self, ident: int) -> None:
        self.cloud.wait(
            self.cloud.compute.actions.delete(
                self.cloud.caller(), self.cloud.scope(), ident
            )
        )

    def test_cyclades_26_a_failed_build_keeps_its_charge(self) -> None:
        server = self.cloud.create()
        self.cloud.work(fail="the disk is on fire")
        server = self.cloud.show(server.id)
        self.assertEqual(Status.ERROR, server.status)
        self.assertIn("fire", server.fault or "")
        assert server.diagnostic is not None
        self.assertIn("fire", server.diagnostic.message)
        self.assertEqual("ERROR", self.cloud.ports(server.id)[0].state.value)
        self.assertEqual(RUNNING, self.cloud.usage())
        self.delete(server.id)
        self.cloud.work()
        self.assertEqual(Status.DELETED, self.cloud.show(server.id).status)
        self.assertEqual({}, self.cloud.usage())

    def test_cyclades_39_deleting_what_no_cluster_heard_of(self) -> None:
        server = self.cloud.create()
        self.delete(server.id)
        self.assertEqual(Status.DELETED, self.cloud.show(server.id).status)
        self.assertEqual({}, self.cloud.usage())
        self.assertNotIn(
            f"snf-{server.id}",
            [one.intent.request["name"] for one in self.cloud.intents()],
        )

    def test_settling_again_changes_nothing(self) -> None:
        server = self.cloud.create()
        outcomes = self.cloud.work()
        before = self.cloud.show(server.id)
        for outcome in outcomes:
            self.cloud.settle(outcome)
        after = self.cloud.show(server.id)
        self.assertEqual(before.state, after.state)
        self.assertEqual(before.attachments, after.attachments)
        self.assertEqual(RUNNING, self.cloud.usage())

    def test_cyclades_41_what_somebody_else_stopped_is_stopped(self) -> None:
        server = self.cloud.active()
        self.cloud.seen(server.id, Event.STOPPED)
        self.assertEqual(Status.STOPPED, self.cloud.show(server.id).status)
        self.assertEqual(STOPPED, self.cloud.usage())

    def test_what_somebody_else_did_first_is_charged_once(self) -> None:
        actions, caller = self.cloud.compute.actions, self.cloud.caller()
        scope = self.cloud.scope()
        server = self.cloud.active()
        self.cloud.wait(actions.stop(caller, scope, server.id))
        self.foreign(server.id, Event.STOPPED)
        self.assertEqual(STOPPED, self.cloud.usage())
        self.cloud.work()
        self.assertEqual(STOPPED, self.cloud.usage())
        self.cloud.wait(actions.delete(caller, scope, server.id))
        self.foreign(server.id, Event.STARTED)
        self.cloud.work()
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(0, self.cloud.pending())

    def foreign(self, server: int, event: Event) -> None:
        """Somebody else's job, between ours."""
        self.cloud.ganeti.queue.last += 1
        self.cloud.seen(server, event, self.cloud.ganeti.queue.last)

    def test_cyclades_40_what_somebody_else_removed_is_gone(self) -> None:
        server = self.cloud.active()
        self.cloud.seen(server.id, Event.REMOVED)
        self.assertEqual({}, self.cloud.usage())

    def test_a_crash_keeps_its_room(self) -> None:
        server = self.cloud.active()
        self.cloud.seen(server.id, Event.CRASHED)
        self.assertEqual(Status.STOPPED, self.cloud.show(server.id).status)
        self.assertEqual(RUNNING, self.cloud.usage())
