"""What may go wrong between a server and its cluster, and what is left then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.clock import now
from snfd.compute.model import Server, Status
from snfd.compute.rebuilding import Rebuild
from snfd.compute.states import Footprint, State, usage
from snfd.errors import CloudError, NotFound, Unavailable
from snfd.ganeti.model import Event, Outcome
from snfd.ganeti.verdict import judge
from snfd.ganeti.verdict import refused as refusal
from snfd.intent import Entry
from tests.compute.kit import IMAGE, compute_cloud

SIZE = Footprint(1, 1024, 10)
Act = Callable[[int], Any]


class MisfortuneCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        self.small = self.cloud.flavor(1, 1024)
        self.big = self.cloud.flavor(2, 1024)
        compute = self.cloud.compute
        who, scope = self.cloud.caller(), self.cloud.scope()
        self.on_running: dict[str, Act] = {
            "stop": lambda server: compute.actions.stop(who, scope, server),
            "reboot": lambda server: compute.actions.reboot(
                who, scope, server, hard=True
            ),
            "delete": lambda server: compute.actions.delete(who, scope, server),
            "rebuild": lambda server: compute.rebuilding.rebuild(
                who, scope, server, Rebuild(IMAGE)
            ),
            "resize": lambda server: compute.resizing.resize(
                who, scope, server, self.big, running=True
            ),
        }
        self.on_stopped: dict[str, Act] = {
            "start": lambda server: compute.actions.start(who, scope, server),
            "delete": lambda server: compute.actions.delete(who, scope, server),
            "resize": lambda server: compute.resizing.resize(
                who, scope, server, self.big, running=False
            ),
        }

    def stopped(self) -> Server:
        server = self.cloud.active(flavor=self.small)
        self.cloud.wait(self.on_running["stop"](server.id))
        self.cloud.work()
        return self.cloud.show(server.id)

    def every(self) -> list[tuple[Server, Act, State]]:
        """A server for each action, in the state that the action begins in."""
        running = [(self.cloud.active(flavor=self.small), act, State.STARTED)
                   for act in self.on_running.values()]  # fmt: skip
        stopped = [
            (self.stopped(), act, State.STOPPED) for act in self.on_stopped.values()
        ]
        return running + stopped

    def end(self, waiting: Entry, how: str) -> None:
        """The job of an intent is lost, or the cluster would not take it."""
        intent = waiting.intent
        instance = self.cloud.instance(intent.request["name"])
        if how == "lost":
            verdict = judge(intent, None, instance, None)
        else:
            verdict, instance = refusal(intent, "no such parameter"), None
        self.cloud.people.execute(
            "UPDATE ops.outbox SET state = 'lost', finished = now() WHERE id = %s",
            intent.id,
        )
        at = now(self.cloud.people.clock)
        self.cloud.settle(
            Outcome(intent, intent.subject, verdict.event, None, at, verdict.error,
                    instance, cluster=intent.cluster)
        )  # fmt: skip

    def cancel(self, waiting: Entry) -> None:
        """Somebody cancels the job of an intent."""
        outcome = self.cloud.outcome(waiting, "the job was canceled")
        self.cloud.settle(outcome)

    def unharmed(self, server: Server, state: State, before: object) -> None:
        shown = self.cloud.show(server.id)
        self.assertEqual((state, None), (shown.state, shown.task))
        self.assertEqual(self.small, shown.flavor.id)
        self.assertEqual(0, self.cloud.pending())
        self.assertEqual(before, self.cloud.usage())


class ActionTests(MisfortuneCase):
    def test_jobs_that_fail_are_lost_or_refused_leave_all_as_it_was(self) -> None:
        for how in ("error", "lost", "refused"):
            for server, act, state in self.every():
                before = self.cloud.usage()
                self.cloud.wait(act(server.id))
                for waiting in self.cloud.intents():
                    if how == "error":
                        self.cancel(waiting)
                    else:
                        self.end(waiting, how)
                self.unharmed(server, state, before)
                self.remove(server)

    def remove(self, server: Server) -> None:
        self.cloud.wait(self.on_running["delete"](server.id))
        self.cloud.work()
        self.assertEqual({}, self.of(server))

    def of(self, server: Server) -> dict[str, int]:
        """What a server still holds."""
        shown = self.cloud.show(server.id)
        return {name: use for name, use in usage(shown.state, SIZE).items() if use}

    def test_a_lost_job_counts_where_the_instance_shows_what_it_did(self) -> None:
        server = self.cloud.active(flavor=self.small)
        self.cloud.wait(self.on_running["stop"](server.id))
        [waiting] = self.cloud.intents()
        world = self.cloud.ganeti.world
        name = f"snf-{server.id}"
        world.change(world.the(name), admin_state="down", oper_state=False)
        self.end(waiting, "lost")
        self.assertEqual(Status.STOPPED, self.cloud.show(server.id).status)

    def test_what_goes_meanwhile_is_gone(self) -> None:
        for server, act, _ in self.every():
            self.cloud.wait(act(server.id))
            waiting = self.cloud.intents()
            self.cloud.ganeti.queue.last += 1
            job = self.cloud.ganeti.queue.last
            self.cloud.seen(server.id, Event.REMOVED, job)
            del self.cloud.ganeti.world.instances[f"snf-{server.id}"]
            for one in waiting:
                self.cloud.one(one)
            self.assertTrue(self.cloud.show(server.id).deleted)
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(0, self.cloud.pending())


class CreateTests(MisfortuneCase):
    def test_one_that_is_lost_refused_or_canceled_is_in_error(self) -> None:
        for how in ("lost", "refused", "error"):
            server = self.cloud.create(flavor=self.small)
            [*networks, create] = self.cloud.intents()
            for one in networks:
                self.cloud.one(one)
            if how == "error":
                self.cancel(create)
            else:
                self.end(create, how)
            shown = self.cloud.show(server.id)
            self.assertEqual((Status.ERROR, None), (shown.status, shown.task))
            self.assertTrue(shown.fault)
            assert shown.diagnostic is not None
            self.cloud.wait(self.on_running["delete"](server.id))
            self.cloud.work()
            self.assertTrue(self.cloud.show(server.id).deleted)
        self.assertEqual({}, self.cloud.usage())

    def test_one_that_was_lost_and_yet_made(self) -> None:
        server = self.cloud.create(flavor=self.small)
        [*networks, create] = self.cloud.intents()
        for one in networks:
            self.cloud.one(one)
        self.end(create, "lost")
        outcome = self.cloud.outcome(create)
        self.cloud.settle(evolve(outcome, intent=None, job=None))
        self.assertEqual(Status.ACTIVE, self.cloud.show(server.id).status)
        self.assertEqual(1, self.cloud.usage()["cyclades.vm"])

    def test_deleting_one_whose_creation_is_canceled(self) -> None:
        server = self.cloud.create(flavor=self.small)
        [*networks, create] = self.cloud.intents()
        for one in networks:
            self.cloud.one(one)
        self.cloud.people.execute("UPDATE ops.outbox SET state = 'queued', attempts = 1"
                                  " WHERE finished IS NULL")  # fmt: skip
        self.cloud.wait(self.on_running["delete"](server.id))
        self.cancel(create)
        self.cloud.work()
        self.assertTrue(self.cloud.show(server.id).deleted)
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(0, self.cloud.pending())


class ClusterTests(MisfortuneCase):
    def test_while_it_is_away_servers_are_shown_stopped_and_removed(self) -> None:
        made = self.every()
        self.cloud.people.execute("UPDATE compute.cluster SET reachable = false")
        patient = {"stop", "delete"}
        acts = [*self.on_running, *self.on_stopped]
        for name, (server, act, state) in zip(acts, made, strict=True):
            self.assertEqual(state, self.cloud.show(server.id).state)
            if name in patient:
                self.cloud.wait(act(server.id))
            else:
                error: CloudError = self.cloud.fails(act(server.id), Unavailable)
                self.assertEqual(30, error.details["retry_after"])
                self.assertIsNone(self.cloud.show(server.id).task)

    def test_one_that_never_was_is_not_found(self) -> None:
        for act in (*self.on_running.values(), *self.on_stopped.values()):
            self.cloud.fails(act(999_999), NotFound)

    def test_news_of_what_nobody_knows_mean_nothing(self) -> None:
        at = now(self.cloud.people.clock)
        for event in Event:
            if not event.name.startswith("NETWORK"):
                self.cloud.settle(Outcome(None, "server:999999", event, None, at))
