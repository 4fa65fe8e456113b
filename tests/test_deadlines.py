"""`snfd.deadlines`: many time limits on one timer."""

from __future__ import annotations

from functools import partial

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd.deadlines import Deadlines


class DeadlinesTests(SynchronousTestCase):
    """What is called, when, and what is left in the clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock)
        self.called: list[str] = []

    def test_each_is_called_at_its_time(self) -> None:
        for name, seconds in (("late", 5.0), ("soon", 1.0), ("between", 3.0)):
            self.deadlines.set(seconds, partial(self.called.append, name))
        seen = []
        for _ in range(6):
            self.clock.advance(1)
            seen.append(list(self.called))
        self.assertEqual(["soon"], seen[0])
        self.assertEqual(["soon"], seen[1])
        self.assertEqual(["soon", "between"], seen[2])
        self.assertEqual(["soon", "between", "late"], seen[4])
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_there_is_one_timer_and_none_once_all_are_cancelled(self) -> None:
        pending = [self.deadlines.set(5.0, self.fail) for _ in range(100)]
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        for one in pending:
            self.deadlines.cancel(one)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_cancelling_what_was_called_is_harmless(self) -> None:
        one = self.deadlines.set(1.0, lambda: self.called.append("one"))
        self.clock.advance(1)
        self.deadlines.cancel(one)
        self.assertEqual(["one"], self.called)

    def test_one_may_cancel_another_that_is_due_as_well(self) -> None:
        def first() -> None:
            self.called.append("first")
            self.deadlines.cancel(second)

        self.deadlines.set(1.0, first)
        second = self.deadlines.set(1.0, self.fail)
        self.clock.advance(2)
        self.assertEqual(["first"], self.called)

    def test_a_new_one_may_be_set_by_one_that_is_called(self) -> None:
        def again() -> None:
            self.deadlines.set(1.0, lambda: self.called.append("again"))

        self.deadlines.set(1.0, again)
        self.deadlines.set(10.0, lambda: self.called.append("last"))
        self.clock.pump([1, 1])
        self.assertEqual(["again"], self.called)
        self.clock.advance(8)
        self.assertEqual(["again", "last"], self.called)
