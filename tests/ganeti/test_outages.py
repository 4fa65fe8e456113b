"""Clusters that do not answer, lose answers, forget jobs or go back in time."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.ganeti import requests, store
from snfd.ganeti.follower import Follower
from snfd.ganeti.model import Instance, Job
from snfd.ganeti.port import Away
from snfd.intent import State
from tests.ganeti.rig import Crash, Rig, new


class OutageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rig = Rig(self)
        self.ganeti = self.rig.ganeti

    def reachable(self) -> bool:
        async def read(tx: Transaction) -> bool:
            found = await store.one(tx, self.rig.cluster)
            assert found is not None
            return found.reachable

        return bool(self.rig.run(read))

    def test_three_refused_polls_make_it_unreachable(self) -> None:
        self.rig.start()
        self.ganeti.trouble.down = True
        self.rig.pump(5)  # the next idle poll
        self.assertTrue(self.reachable())
        self.rig.pump(1)
        self.assertFalse(self.reachable())
        self.ganeti.trouble.down = False
        self.rig.pump(5.1)
        self.assertTrue(self.reachable())

    def test_two_failures_do_not(self) -> None:
        self.rig.start()
        self.ganeti.trouble.code = 502
        self.rig.pump(5.1)
        self.ganeti.trouble.code = 0
        self.rig.pump(5)
        self.assertTrue(self.reachable())

    def test_what_is_put_meanwhile_is_submitted_afterwards_in_order(self) -> None:
        self.rig.start()
        self.ganeti.trouble.down = True
        self.rig.pump(6)
        first = self.rig.put(new(1))
        second = self.rig.put(requests.stop(1))
        self.rig.pump(60)
        self.assertEqual(State.NEW, self.rig.entry(first).state)
        self.ganeti.trouble.down = False
        self.rig.pump(7)
        self.assertEqual(
            [("OP_INSTANCE_CREATE", "snf-1"), ("OP_INSTANCE_SHUTDOWN", "snf-1")],
            self.rig.submitted,
        )
        self.assertEqual(1, self.rig.entry(first).attempts)
        self.assertEqual(2, self.rig.entry(second).job)

    def test_a_full_queue_is_tried_again(self) -> None:
        self.rig.start()
        self.ganeti.trouble.code = 503
        intent = self.rig.put(new(1))
        self.assertEqual(State.NEW, self.rig.entry(intent).state)
        self.ganeti.trouble.code = 0
        self.rig.pump(3)
        self.assertEqual(1, self.rig.entry(intent).job)
        self.assertEqual(1, self.rig.entry(intent).attempts)

    def test_a_lost_answer_leads_to_the_job_that_was_made(self) -> None:
        self.rig.start()
        self.ganeti.trouble.loses = True
        intent = self.rig.put(new(1))
        self.ganeti.trouble.loses = False
        self.rig.pump(8)
        self.assertEqual([("OP_INSTANCE_CREATE", "snf-1")], self.rig.submitted)
        self.assertEqual(1, self.rig.entry(intent).job)

    def test_a_lost_request_is_sent_anew_after_two_looks(self) -> None:
        self.rig.start()
        self.ganeti.trouble.code = 500
        intent = self.rig.put(new(1))
        self.ganeti.trouble.code = 0
        self.rig.pump(4.5)
        self.assertEqual([], self.rig.submitted)
        self.rig.pump(3)
        self.assertEqual([("OP_INSTANCE_CREATE", "snf-1")], self.rig.submitted)
        self.assertEqual(2, self.rig.entry(intent).attempts)

    def test_a_job_that_shows_late_is_still_found(self) -> None:
        self.rig.start()
        self.ganeti.trouble.code = 500
        intent = self.rig.put(new(1))
        self.ganeti.trouble.code = 0
        self.rig.pump(3)
        late = self.ganeti.queue.add(new(1), f"snfd:{intent.id}")
        self.rig.pump(5)
        self.assertEqual(late, self.rig.entry(intent).job)
        self.assertEqual(1, len(self.rig.submitted))

    def test_an_instance_that_our_tag_is_on_is_adopted(self) -> None:
        """The first job was archived before anybody looked."""
        self.rig.start()
        self.ganeti.trouble.loses = True
        intent = self.rig.put(new(1))
        self.ganeti.trouble.loses = False
        self.ganeti.queue.finish(1)
        self.ganeti.queue.forget(1, purge=True)
        self.rig.pump(8)
        self.assertEqual(2, self.rig.entry(intent).job)
        self.ganeti.queue.finish(2)
        self.rig.pump(0.5)
        self.assertEqual([("server:1", "created")], self.rig.events)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)

    def test_a_namesake_is_not_adopted(self) -> None:
        self.rig.start()
        self.ganeti.queue.finish(self.ganeti.queue.add(new(1), "somebody"))
        self.rig.pump(6)
        self.rig.outcomes.clear()
        self.rig.put(new(1))
        self.ganeti.queue.finish(2)
        self.rig.pump(0.5)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)

    def test_a_job_archived_early_is_still_followed(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        self.ganeti.queue.finish(1)
        self.ganeti.queue.forget(1)
        self.rig.pump(0.5)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)

    def test_cyclades_81_the_thing_itself_tells_what_a_lost_job_did(self) -> None:
        self.rig.start()
        for request, did, expected in (
            (new(1), True, "created"),
            (requests.stop(1), True, "stopped"),
            (requests.start(1), False, "start-failed"),
            (requests.start(1), True, "started"),
            (requests.remove(1), False, "remove-failed"),
            (requests.remove(1), True, "removed"),
            (new(2), False, "create-failed"),
        ):
            intent = self.rig.put(request)
            job = self.ganeti.queue.last
            if did:
                self.ganeti.queue.finish(job)
            self.ganeti.queue.forget(job, purge=True)
            self.rig.pump(1)
            self.assertEqual(expected, self.rig.events[-1][1])
            self.assertEqual(State.LOST, self.rig.entry(intent).state)
            self.assertIsNone(self.rig.outcomes[-1].job)

    def test_ids_that_go_back_are_noticed(self) -> None:
        """A cluster restored from yesterday: ids come again."""
        self.ganeti.queue.last = 500
        self.rig.start()
        lost = self.rig.put(requests.start(1))
        self.ganeti.queue.forget(501, purge=True)
        self.ganeti.trouble.down = True
        self.rig.pump(6)
        self.ganeti.trouble.down = False
        self.ganeti.queue.last = 100
        self.rig.pump(7)
        self.assertEqual(State.LOST, self.rig.entry(lost).state)
        intent = self.rig.put(new(2))
        self.assertEqual(101, self.rig.entry(intent).job)
        self.ganeti.queue.finish(101)
        self.rig.pump(0.5)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)

    def test_an_id_that_another_job_has_now_is_not_ours(self) -> None:
        self.rig.start()
        lost = self.rig.put(requests.stop(1))
        self.ganeti.queue.last = 0
        self.ganeti.queue.finish(self.ganeti.queue.add(new(9), "somebody"))
        self.rig.pump(1)
        self.assertEqual(State.LOST, self.rig.entry(lost).state)
        self.assertIn(("server:1", "stop-failed"), self.rig.events)

    def test_recovery_sees_through_ids_that_went_back(self) -> None:
        self.ganeti.queue.last = 500
        self.rig.start()
        self.ganeti.trouble.loses = True
        self.ganeti.queue.last = 7  # restored just now
        intent = self.rig.put(new(1))
        self.assertEqual(State.SUBMITTING, self.rig.entry(intent).state)
        self.ganeti.trouble.loses = False
        self.rig.pump(8)
        self.assertEqual(8, self.rig.entry(intent).job)
        self.assertEqual(1, len(self.rig.submitted))

    def test_a_settle_that_fails_is_tried_again(self) -> None:
        self.rig.start()
        self.rig.broken = RuntimeError("bug")
        intent = self.rig.put(new(1))
        self.ganeti.queue.finish(1)
        self.rig.pump(0.5)
        self.assertEqual(State.QUEUED, self.rig.entry(intent).state)
        self.rig.broken = None
        self.rig.pump(3)
        self.assertEqual([("server:1", "created")], self.rig.events)
        self.assertNotEqual([], self.flushLoggedErrors(RuntimeError))

    def test_one_that_cannot_be_settled_does_not_hold_up_the_others(self) -> None:
        self.rig.start()
        broken = self.rig.follower.settling.settle

        async def settle(tx: Transaction, outcome: object) -> None:
            if getattr(outcome, "subject", "") == "server:1":
                raise RuntimeError("bug")
            await broken(tx, outcome)  # type: ignore[arg-type]

        self.rig.follower.settling.settle = settle
        self.rig.put(new(1))
        self.rig.put(new(2))
        self.ganeti.queue.finish(1)
        self.ganeti.queue.finish(2)
        self.rig.pump(20)
        self.assertEqual([("server:2", "created")], self.rig.events)
        self.assertLess(len(self.flushLoggedErrors(RuntimeError)), 10)

    def test_a_dead_node_holds_up_only_its_own_instances(self) -> None:
        self.rig.start()
        real = self.ganeti.instances

        async def partly(names: Sequence[str]) -> list[Instance]:
            if "snf-1" in names:
                raise Away("no answer in 5 s")
            return await real(names)

        self.ganeti.instances = partly  # type: ignore[method-assign]
        stuck = self.rig.put(new(1))
        self.rig.put(new(2))
        self.ganeti.queue.finish(1)
        self.ganeti.queue.finish(2)
        self.rig.pump(1)
        self.assertEqual([("server:2", "created")], self.rig.events)
        self.assertTrue(self.reachable())
        self.ganeti.instances = real  # type: ignore[method-assign]
        self.rig.pump(3)
        self.assertEqual(State.SUCCESS, self.rig.entry(stuck).state)

    def test_without_the_database_nothing_is_lost(self) -> None:
        self.rig.start()
        self.rig.put(new(1))
        self.ganeti.queue.finish(1)
        run = self.rig.database.run

        def away(*_: object, **__: object) -> object:
            from twisted.internet.defer import fail

            return fail(Unavailable("no database"))

        self.rig.database.run = away  # type: ignore[method-assign,assignment]
        self.rig.pump(10)
        self.rig.database.run = run  # type: ignore[method-assign]
        self.rig.pump(3)
        self.assertEqual([("server:1", "created")], self.rig.events)
        self.assertEqual([], self.flushLoggedErrors())


class CrashTests(SynchronousTestCase):
    """The process is killed at a point; the next one makes exactly one job."""

    def crash(self, point: str) -> Rig:
        armed = [True]

        def probe(reached: str) -> None:
            if reached == point and armed:
                armed.clear()
                raise Crash

        rig = Rig(self, probe)
        rig.ganeti.queue.work = True
        rig.start()
        intent = rig.put(new(1))
        rig.pump(2)
        self.assertEqual([], armed, "the point was not reached")
        rig.reboot()
        rig.pump(15)
        self.assertEqual(State.SUCCESS, rig.entry(intent).state)
        self.assertEqual([("server:1", "created")], rig.events[-1:])
        self.assertEqual([("OP_INSTANCE_CREATE", "snf-1")], rig.submitted)
        self.assertNotEqual([], self.flushLoggedErrors(Crash))
        return rig

    def test_during_submit(self) -> None:
        self.crash("during-submit")

    def test_after_submit(self) -> None:
        self.crash("after-submit")

    def test_while_settling(self) -> None:
        self.crash("while-settling")

    def test_before_the_request_left(self) -> None:
        rig = Rig(self)
        rig.start()
        rig.ganeti.trouble.hangs = True
        intent = rig.put(new(1))
        self.assertEqual(State.SUBMITTING, rig.entry(intent).state)
        rig.ganeti.trouble.hangs = False
        rig.reboot()
        rig.pump(8)
        self.assertEqual([("OP_INSTANCE_CREATE", "snf-1")], rig.submitted)
        self.assertEqual(1, rig.entry(intent).job)


class LeaseTests(SynchronousTestCase):
    def test_a_later_tenure_ends_the_earlier(self) -> None:
        rig = Rig(self)
        rig.start()
        old = rig.tenure
        intent = rig.put(new(1))
        rig.ganeti.queue.finish(1)
        rig.run(store.begin, rig.cluster, "another process")
        rig.pump(2)
        self.assertFalse(old.held)
        self.assertEqual([], rig.events)
        self.assertEqual(State.QUEUED, rig.entry(intent).state)

    def test_nothing_is_submitted_without_the_lease(self) -> None:
        rig = Rig(self)
        rig.start()
        rig.tenure.end()
        calls = len(rig.ganeti.calls)
        rig.put(new(1))
        rig.pump(10)
        self.assertEqual(calls, len(rig.ganeti.calls))

    def test_losing_it_cuts_off_what_is_under_way(self) -> None:
        rig = Rig(self)
        rig.start()
        rig.ganeti.trouble.hangs = True
        rig.put(new(1))
        rig.tenure.end()
        self.successResultOf(rig.follower.stopService())
        self.successResultOf(rig.dispatcher.stopService())

    def test_stopping_waits_for_a_submit_under_way(self) -> None:
        rig = Rig(self)
        rig.start()
        rig.ganeti.trouble.hangs = True
        rig.put(new(1))
        self.assertNoResult(rig.dispatcher.stopService())


class FollowingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rig = Rig(self)
        self.ganeti = self.rig.ganeti

    def foreign(self, request: requests.Request) -> Job:
        job = self.ganeti.queue.add(request, "an administrator")
        self.ganeti.queue.finish(job)
        known = self.ganeti.queue.known(job)
        assert known is not None
        return known

    def test_an_administrators_job_is_an_outcome_without_intent(self) -> None:
        self.rig.start()
        self.foreign(new(1))
        self.rig.pump(5.1)
        self.foreign(requests.stop(1))
        self.rig.pump(5.1)
        self.assertEqual(
            [("server:1", "created"), ("server:1", "stopped")], self.rig.events
        )
        self.assertEqual([None, None], [each.intent for each in self.rig.outcomes])

    def test_it_is_followed_to_its_end(self) -> None:
        self.rig.start()
        job = self.ganeti.queue.add(new(1), "an administrator")
        self.rig.pump(5.1)
        self.assertEqual([], self.rig.events)
        self.ganeti.queue.finish(job)
        self.rig.pump(0.5)
        self.assertEqual([("server:1", "created")], self.rig.events)
        self.assertEqual(0, len(self.rig.follower.watchlist))

    def test_what_failed_or_is_not_ours_is_none(self) -> None:
        self.rig.start()
        self.ganeti.queue.fail(self.ganeti.queue.add(new(1), "x"), "no", "")
        other = requests.Request("OP_INSTANCE_REMOVE", "web.example.org")
        self.ganeti.queue.fail(self.ganeti.queue.add(other, "x"), "no", "")
        self.rig.pump(6)
        self.assertEqual([], self.rig.events)

    def test_many_unknown_jobs_are_looked_into_in_portions(self) -> None:
        self.rig.start()
        for server in range(1, 251):
            self.foreign(new(server))
        self.rig.pump(5.1)
        self.assertEqual(250, len(self.rig.events))
        self.assertEqual(3, self.ganeti.calls.count("jobs"))

    def test_polls_are_rare_when_nothing_is_outstanding(self) -> None:
        self.rig.start()
        self.rig.pump(60)
        self.assertLessEqual(self.ganeti.calls.count("statuses"), 13)
        self.assertEqual(0, self.ganeti.calls.count("jobs"))

    def test_opcodes_are_fetched_of_changed_jobs_only(self) -> None:
        self.rig.start()
        self.rig.put(new(1))
        self.rig.pump(30)
        self.assertGreater(self.ganeti.calls.count("statuses"), 70)
        self.assertEqual(0, self.ganeti.calls.count("jobs"))
        self.ganeti.queue.finish(1)
        self.rig.pump(1)
        self.assertEqual(1, self.ganeti.calls.count("jobs"))

    def test_fifty_jobs_cost_one_transaction_each_and_two_looks(self) -> None:
        self.rig.start()
        for server in range(1, 51):
            self.rig.put(new(server))
        self.rig.pump(1)
        for job in range(1, 51):
            self.ganeti.queue.finish(job)
        self.ganeti.calls.clear()
        before = self.rig.database.statements
        self.rig.pump(0.3)
        self.assertEqual(50, len(self.rig.events))
        self.assertEqual(["statuses", "jobs", "instances"], self.ganeti.calls)
        self.assertLess(self.rig.database.statements - before, 50 * 3 + 10)

    def test_a_job_noted_by_nobody_is_adopted_when_seen(self) -> None:
        """The follower may see a job before the dispatcher has its id."""
        self.rig.start()
        self.rig.dispatcher.stopService()
        intent = self.rig.put(new(1))

        async def submitting(tx: Transaction) -> None:
            await tx.execute("UPDATE ops.outbox SET state = 'submitting'")

        self.rig.run(submitting)
        job = self.ganeti.queue.add(new(1), f"snfd:{intent.id}")
        self.ganeti.queue.finish(job)
        self.rig.pump(6)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)
        self.assertEqual(
            [intent.id], [o.intent.id for o in self.rig.outcomes if o.intent]
        )

    def test_after_a_restart_outstanding_jobs_are_followed(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        self.rig.reboot()
        self.ganeti.queue.finish(1)
        self.rig.pump(0.5)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)

    def test_stopping_is_clean(self) -> None:
        self.rig.start()
        follower: Follower = self.rig.follower
        self.successResultOf(follower.stopService())
        self.successResultOf(self.rig.dispatcher.stopService())
        self.assertEqual([], self.rig.clock.getDelayedCalls())
