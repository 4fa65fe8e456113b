"""Servers get other flavors, by their users or behind everybody's back."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.model import Server, Status
from snfd.compute.states import Footprint, State, usage
from snfd.errors import Busy, Forbidden, Invalid, NotFound, OverQuota
from snfd.ganeti.model import Event
from snfd.identity.model import Caller
from snfd.network.scope import Scope
from tests.compute.kit import compute_cloud

SMALL, BIG = Footprint(1, 1024, 10), Footprint(2, 1024, 10)


class ResizeCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        self.small = self.cloud.flavor(1, 1024)
        self.big = self.cloud.flavor(2, 1024)

    def stopped(self) -> Server:
        server = self.cloud.active(flavor=self.small)
        actions = self.cloud.compute.actions
        self.cloud.wait(actions.stop(*self.who, server.id))
        self.cloud.work()
        return self.cloud.show(server.id)

    @property
    def who(self) -> tuple[Caller, Scope]:
        return self.cloud.caller(), self.cloud.scope()

    def resize(self, server: int, flavor: int, running: bool = False) -> None:
        resizing = self.cloud.compute.resizing
        self.cloud.wait(resizing.resize(*self.who, server, flavor, running=running))

    def refused(self, error: type[Exception], server: int, flavor: int) -> None:
        resizing = self.cloud.compute.resizing
        self.cloud.fails(
            resizing.resize(*self.who, server, flavor, running=False), error
        )
        self.assertEqual([], list(self.cloud.intents()))

    def uses(self, state: State, size: Footprint) -> None:
        wanted = {name: use for name, use in usage(state, size).items() if use}
        self.assertEqual(wanted, self.cloud.usage())

    def settled(self, server: int, flavor: int, status: Status) -> Server:
        shown = self.cloud.show(server)
        self.assertEqual((flavor, None), (shown.flavor.id, shown.task))
        self.assertEqual(status, shown.status)
        self.assertEqual(0, self.cloud.pending())
        return shown


class StoppedTests(ResizeCase):
    def test_cyclades_36_a_stopped_server_gets_another_flavor(self) -> None:
        server = self.stopped()
        self.resize(server.id, self.big)
        shown = self.cloud.show(server.id)
        self.assertEqual((self.small, Status.RESIZE), (shown.flavor.id, shown.status))
        self.assertEqual(2, self.cloud.usage()["cyclades.total_cpu"])
        self.cloud.work()
        self.settled(server.id, self.big, Status.STOPPED)
        self.uses(State.STOPPED, BIG)
        instance = self.cloud.ganeti.world.instances[f"snf-{server.id}"]
        self.assertEqual((2, 1024), (instance.vcpus, instance.memory))

    def test_shrinking_frees_nothing_before_its_job_has_ended(self) -> None:
        server = self.cloud.active(flavor=self.big)
        self.resize(server.id, self.small, running=True)
        self.uses(State.STARTED, BIG)
        self.cloud.work()
        self.settled(server.id, self.small, Status.ACTIVE)
        self.uses(State.STARTED, SMALL)

    def test_cyclades_36_what_is_refused(self) -> None:
        server = self.stopped()
        self.refused(Invalid, server.id, self.small)
        self.refused(Invalid, server.id, self.cloud.flavor(1, 512))
        self.refused(NotFound, server.id, 999_999)
        self.cloud.people.execute(
            "UPDATE compute.flavor SET allow_create = false WHERE id = %s", self.big
        )
        self.refused(Forbidden, server.id, self.big)
        running = self.cloud.active(flavor=self.small)
        self.cloud.people.execute("UPDATE compute.flavor SET allow_create = true")
        self.refused(Busy, running.id, self.big)

    def test_without_room_nothing_begins(self) -> None:
        server = self.stopped()
        self.cloud.people.execute(
            "UPDATE quota.holding SET cap = 1 WHERE resource = 'cyclades.total_cpu'"
        )
        self.refused(OverQuota, server.id, self.big)
        self.settled(server.id, self.small, Status.STOPPED)

    def test_cyclades_37_a_refusal_of_the_cluster_changes_nothing(self) -> None:
        server = self.stopped()
        self.resize(server.id, self.big)
        self.cloud.work(fail="Instance does not conform to the ipolicy")
        shown = self.settled(server.id, self.small, Status.STOPPED)
        self.uses(State.STOPPED, SMALL)
        assert shown.diagnostic is not None
        self.assertIn("ipolicy", shown.diagnostic.message)


class RunningTests(ResizeCase):
    def test_cyclades_36_a_running_server_is_stopped_and_started(self) -> None:
        server = self.cloud.active(flavor=self.small)
        self.resize(server.id, self.big, running=True)
        kinds = [one.intent.kind for one in self.cloud.intents()]
        self.assertEqual(
            ["OP_INSTANCE_SHUTDOWN", "OP_INSTANCE_SET_PARAMS", "OP_INSTANCE_STARTUP"],
            kinds,
        )
        self.uses(State.STARTED, BIG)
        for waiting in self.cloud.intents():
            self.assertEqual(Status.RESIZE, self.cloud.show(server.id).status)
            self.cloud.one(waiting)
            # What is left of its way stays held: nobody can take it.
            self.uses(State.STARTED, BIG)
        self.settled(server.id, self.big, Status.ACTIVE)

    def test_one_whose_change_fails_is_started_again(self) -> None:
        server = self.cloud.active(flavor=self.small)
        self.resize(server.id, self.big, running=True)
        stop, change, start = self.cloud.intents()
        self.cloud.one(stop)
        self.cloud.one(change, fail="no room on the node")
        self.cloud.one(start)
        shown = self.settled(server.id, self.small, Status.ACTIVE)
        self.uses(State.STARTED, SMALL)
        assert shown.diagnostic is not None
        self.assertIn("no room", shown.diagnostic.message)

    def test_one_that_cannot_be_started_again_has_its_flavor(self) -> None:
        server = self.cloud.active(flavor=self.small)
        self.resize(server.id, self.big, running=True)
        stop, change, start = self.cloud.intents()
        self.cloud.one(stop)
        self.cloud.one(change)
        self.cloud.one(start, fail="not enough memory")
        self.settled(server.id, self.big, Status.STOPPED)
        self.uses(State.STOPPED, BIG)

    def test_deleting_amid_a_resize(self) -> None:
        server = self.cloud.active(flavor=self.small)
        self.resize(server.id, self.big, running=True)
        self.cloud.one(self.cloud.intents()[0])
        self.cloud.wait(self.cloud.compute.actions.delete(*self.who, server.id))
        self.cloud.work()
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(0, self.cloud.pending())
        self.assertTrue(self.cloud.show(server.id).deleted)


class ForeignTests(ResizeCase):
    def changed(self, server: int, cpu: int, memory: int) -> None:
        """Somebody changes the instance at the cluster."""
        found = self.cloud.instance(f"snf-{server}")
        assert found is not None
        self.cloud.ganeti.queue.last += 1
        self.cloud.seen(
            server, Event.MODIFIED, self.cloud.ganeti.queue.last,
            instance=evolve(found, vcpus=cpu, memory=memory, serial=found.serial + 1),
        )  # fmt: skip

    def test_cyclades_42_a_known_flavor_is_found(self) -> None:
        server = self.cloud.active(flavor=self.small)
        self.changed(server.id, 2, 1024)
        self.settled(server.id, self.big, Status.ACTIVE)
        self.uses(State.STARTED, BIG)

    def test_cyclades_42_any_other_gets_a_flavor_of_its_own(self) -> None:
        server = self.cloud.active(flavor=self.small)
        for _ in range(2):
            self.changed(server.id, 3, 1536)
        shown = self.cloud.show(server.id)
        self.assertEqual("C3R1536D10file", shown.flavor.name)
        self.assertEqual(
            (False, False), (shown.flavor.public, shown.flavor.allow_create)
        )
        self.uses(State.STARTED, Footprint(3, 1536, 10))
        listed = self.cloud.wait(self.cloud.compute.flavors.list(self.cloud.caller()))
        self.assertNotIn(shown.flavor.id, [one.id for one in listed])
        mine = self.cloud.wait(
            self.cloud.compute.flavors.show(self.cloud.caller(), shown.flavor.id)
        )
        self.assertEqual(shown.flavor, mine)
        self.changed(server.id, 1, 1024)
        self.settled(server.id, self.small, Status.ACTIVE)
        self.uses(State.STARTED, SMALL)

    def test_while_another_task_is_under_way_it_stays(self) -> None:
        server = self.cloud.active(flavor=self.big)
        self.cloud.wait(self.cloud.compute.actions.stop(*self.who, server.id))
        self.changed(server.id, 1, 1024)
        self.cloud.work()
        self.settled(server.id, self.small, Status.STOPPED)
        self.uses(State.STOPPED, SMALL)

    def test_between_ours_it_counts_once(self) -> None:
        server = self.stopped()
        self.resize(server.id, self.big)
        self.changed(server.id, 4, 2048)
        self.cloud.work()
        self.settled(server.id, self.big, Status.STOPPED)
        self.uses(State.STOPPED, BIG)
