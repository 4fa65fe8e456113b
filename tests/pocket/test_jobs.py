"""The job queue: states, order, dependencies, locks, cancelling, restarts."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pocket.errors import OpExecError, OpPrereqError, Refusal
from pocket.jobs import JobQueue, Log
from pocket.operations import locks
from pocket.params import Op, fill
from pocket.store import MemoryStore


def startup(name: str, depends: Any = None, **more: Any) -> Op:
    static = {"instance_name": name, "reason": [["gnt:user", "why", 1]]}
    body = {"depends": depends} if depends else {}
    return fill("OP_INSTANCE_STARTUP", {**body, **more}, static)


class JobQueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.store = MemoryStore()
        self.running: dict[str, Deferred[Any]] = {}
        self.jobs = self.queue()

    def queue(self, **more: Any) -> JobQueue:
        return JobQueue(self.clock, self.store, self.execute, locks, **more)

    def execute(self, op: Op, say: Log) -> Awaitable[Any]:
        """Done at once, but for names with a ``-``: these when the test says."""
        say(f"on {op['instance_name']}")
        if "-" not in op["instance_name"]:
            return succeed(None)
        wait = self.running[op["instance_name"]] = Deferred(lambda _: None)
        return wait

    def turn(self) -> None:
        for _ in range(3):
            self.clock.advance(0)

    def states(self, *idents: int) -> list[str]:
        found = [self.jobs.get(ident) for ident in idents]
        return [job.status for job in found if job is not None]

    def test_ids_rise_and_a_job_goes_through_its_states(self) -> None:
        first, second = self.jobs.submit(startup("a-")), self.jobs.submit(startup("b-"))
        self.assertEqual((1, 2), (first, second))
        self.assertEqual(["queued", "queued"], self.states(1, 2))
        self.turn()
        self.assertEqual(["running", "running"], self.states(1, 2))
        self.clock.advance(2.5)
        self.running["a-"].callback(["x"])
        job = self.jobs.get(1)
        assert job is not None
        self.assertEqual(("success", ["x"]), (job.status, job.result))
        self.assertEqual((1_000_000, 1_000_002.5), (job.start, job.end))
        self.assertEqual([(1, [1_000_000, 0], "on a-")], job.log)

    def test_an_operation_takes_as_long_as_the_latency_says(self) -> None:
        self.jobs.latency = 1.5
        self.jobs.submit(startup("a"))
        self.turn()
        self.clock.advance(1.4)
        self.assertEqual(["running"], self.states(1))
        self.clock.advance(0.1)
        self.assertEqual(["success"], self.states(1))

    def test_one_instance_has_one_job_at_a_time_in_order(self) -> None:
        for _ in range(3):
            self.jobs.submit(startup("a-"))
        self.turn()
        self.assertEqual(["running", "waiting", "waiting"], self.states(1, 2, 3))
        self.running["a-"].callback(None)
        self.turn()
        self.assertEqual(["success", "running", "waiting"], self.states(1, 2, 3))

    def test_only_so_many_jobs_have_slots(self) -> None:
        self.jobs.slots = 2
        for name in ("a-", "b-", "c-"):
            self.jobs.submit(startup(name))
        self.turn()
        self.assertEqual(["running", "running", "queued"], self.states(1, 2, 3))
        self.running["b-"].callback(None)
        self.turn()
        self.assertEqual(["running", "success", "running"], self.states(1, 2, 3))

    def test_a_failure_is_an_error_with_its_class_text_and_code(self) -> None:
        for name in ("a-", "b-"):
            self.jobs.submit(startup(name))
        self.turn()
        self.running["a-"].errback(OpPrereqError("no", "wrong_state"))
        self.running["b-"].errback(OpExecError("broken"))
        results = [job.result for job in self.jobs.all()]
        self.assertEqual(
            [["OpPrereqError", ["no", "wrong_state"]], ["OpExecError", ["broken"]]],
            results,
        )

    def test_a_bug_is_an_error_and_is_logged(self) -> None:
        self.jobs.submit(startup("a-"))
        self.turn()
        self.running["a-"].errback(KeyError("oops"))
        self.assertEqual(["error"], self.states(1))
        self.assertEqual(1, len(self.flushLoggedErrors(KeyError)))

    # -- dependencies

    def test_a_job_waits_for_what_it_depends_on(self) -> None:
        self.jobs.submit(startup("a-"))
        self.jobs.submit(startup("b", [[1, ["success"]]]))
        self.turn()
        self.assertEqual(["running", "queued"], self.states(1, 2))
        self.running["a-"].callback(None)
        self.turn()
        self.assertEqual(["success", "success"], self.states(1, 2))

    def test_an_unmet_dependency_is_an_error(self) -> None:
        self.jobs.submit(startup("a-"))
        self.jobs.submit(startup("b", [[1, ["success"]]]))
        self.turn()
        self.running["a-"].errback(OpExecError("broken"))
        self.turn()
        job = self.jobs.get(2)
        assert job is not None
        text = (
            "Dependency job 1 finished with status 'error', not one of 'success'"
            " as required"
        )
        self.assertEqual(("error", ["OpExecError", [text]]), (job.status, job.result))

    def test_any_end_will_do_where_no_status_is_named(self) -> None:
        self.jobs.submit(startup("a-"))
        self.jobs.submit(startup("b", [[1, []]]))
        self.turn()
        self.running["a-"].errback(OpExecError("broken"))
        self.turn()
        self.assertEqual(["error", "success"], self.states(1, 2))

    def test_a_canceled_dependency_cancels(self) -> None:
        self.jobs.slots = 1
        self.jobs.submit(startup("a-"))
        self.jobs.submit(startup("b"))
        self.jobs.submit(startup("c", [[2, ["success"]]]))
        self.turn()
        self.assertEqual((True, "Dequeued job 2"), self.jobs.cancel(2))
        self.running["a-"].callback(None)
        self.turn()
        self.assertEqual(["success", "canceled", "canceled"], self.states(1, 2, 3))

    def test_an_unknown_dependency_is_taken_and_fails(self) -> None:
        self.jobs.submit(startup("b", [[77, ["success"]]]))
        self.turn()
        self.assertEqual(["error"], self.states(1))

    # -- cancelling and archiving

    def test_what_runs_or_has_ended_is_not_canceled(self) -> None:
        self.jobs.submit(startup("a-"))
        self.jobs.submit(startup("a-"))
        self.turn()
        self.assertFalse(self.jobs.cancel(1)[0])
        self.assertTrue(self.jobs.cancel(2)[0])
        self.assertEqual(["running", "canceled"], self.states(1, 2))
        self.running["a-"].callback(None)
        dead = (True, "Job 1 has been already dead")
        self.assertEqual(dead, self.jobs.cancel(1))
        self.assertEqual(["success"], self.states(1))
        self.assertRaises(Refusal, self.jobs.cancel, 99)

    def test_archived_jobs_are_gone_from_lists_but_not_from_memory(self) -> None:
        self.jobs.submit(startup("a"))
        self.jobs.submit(startup("b-"))
        self.turn()
        self.assertEqual(0, self.jobs.archive(10))
        self.clock.advance(10)
        self.assertEqual(1, self.jobs.archive(10))
        self.assertEqual([2], [job.id for job in self.jobs.all()])
        self.assertEqual([1, 2], [job.id for job in self.jobs.all(archived=True)])
        self.assertEqual(["success"], self.states(1))

    def test_a_drained_queue_takes_nothing(self) -> None:
        self.jobs.drained = True
        refusal = self.assertRaises(Refusal, self.jobs.submit, startup("a"))
        self.assertEqual(503, refusal.status)

    # -- restarts

    def test_after_a_crash_what_ran_is_an_error_and_the_rest_goes_on(self) -> None:
        self.three_jobs()
        self.assertEqual(["success", "running", "queued"], self.states(1, 2, 3))
        self.jobs = self.queue()
        self.jobs.start()
        self.turn()
        self.assertEqual(
            ["success", "error", "success", "success"], self.states(1, 2, 3, 4)
        )
        self.assertEqual(5, self.jobs.submit(startup("e")))

    def test_after_a_stop_what_ran_begins_anew(self) -> None:
        self.three_jobs()
        self.successResultOf(self.jobs.stop())
        self.assertRaises(Refusal, self.jobs.submit, startup("e"))
        self.assertEqual(["success", "queued", "queued"], self.states(1, 2, 3))
        self.jobs = self.queue()
        self.jobs.start()
        self.turn()
        self.assertEqual(["success", "running", "success"], self.states(1, 2, 3))
        self.running["b-"].callback(None)
        self.assertEqual(["success"], self.states(2))

    def three_jobs(self) -> None:
        """One that has ended, one that runs, and some that wait."""
        self.jobs.slots = 1
        self.jobs.submit(startup("a"))
        self.turn()
        self.jobs.submit(startup("b-"))
        self.jobs.submit(startup("c"))
        self.turn()
        self.jobs.submit(startup("d", [[3, ["success"]]]))

    def test_the_reason_trail_is_kept_and_ends_with_the_job(self) -> None:
        self.jobs.submit(startup("a"))
        self.jobs = self.queue()
        self.jobs.start()
        job = self.jobs.get(1)
        assert job is not None
        [user, own] = job.op["reason"]
        self.assertEqual(["gnt:user", "why", 1], user)
        self.assertEqual("job=1;index=0", own[1])

    def test_a_thousand_jobs_are_cheap(self) -> None:
        """Counts turns of the scheduler, not time: each admits 20 at most."""
        for number in range(1000):
            self.jobs.submit(startup(f"n{number}"))
        turns = 0
        while any(job.status != "success" for job in self.jobs.all()):
            self.clock.advance(0)
            turns += 1
        self.assertLessEqual(turns, 60)

    def test_after_a_rewind_no_job_is_known_and_numbers_come_again(self) -> None:
        first = self.jobs.submit(startup("web-"))
        self.turn()
        self.jobs.rewind(0)
        self.assertIsNone(self.jobs.get(first))
        self.assertEqual([], list(self.jobs.all(archived=True)))
        self.assertEqual(first, self.jobs.submit(startup("web-")))
        self.turn()
        self.assertEqual(["running"], self.states(first))
