"""The time of day that never goes back."""

from __future__ import annotations

from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from snfd.clock import NOTABLE, Steady


@define
class World:
    """What the machine's two clocks say."""

    wall: float = 1e9
    passed: float = 100.0

    def go(self, seconds: float, jump: float = 0.0) -> None:
        """Let time pass, and put the clock elsewhere."""
        self.passed += seconds
        self.wall += seconds + jump


class SteadyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.clock = Steady(lambda: self.world.wall, lambda: self.world.passed)

    def test_it_tells_the_time_of_day(self) -> None:
        for seconds, jump in ((0.0, 0.0), (3.0, 0.0), (1.0, 7200.0), (5.0, 0.0)):
            self.world.go(seconds, jump)
            self.assertEqual(self.world.wall, self.clock.seconds())

    def test_time_passes_though_the_clock_is_put_back(self) -> None:
        before = self.clock.seconds()
        self.world.go(10.0, -3600.0)
        self.assertAlmostEqual(before + 9.9, self.clock.seconds())
        self.world.go(100.0)
        self.assertAlmostEqual(before + 108.9, self.clock.seconds())

    def test_it_agrees_again_in_the_end(self) -> None:
        self.world.go(1.0, -10.0)
        for _ in range(1100):
            self.world.go(1.0)
            self.clock.seconds()
        self.assertEqual(self.world.wall, self.clock.seconds())

    @given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e5, 1e5))))
    def test_it_never_goes_back(self, steps: list[tuple[float, float]]) -> None:
        before = self.clock.seconds()
        for seconds, jump in steps:
            self.world.go(seconds, jump)
            after = self.clock.seconds()
            self.assertGreaterEqual(after, before)
            self.assertGreaterEqual(after, self.world.wall)
            before = after

    def test_a_jump_is_logged_once(self) -> None:
        with capturedLogs() as told:
            self.world.go(1.0, -2 * NOTABLE)
            for _ in range(3):
                self.clock.seconds()
                self.world.go(1.0)
        self.assertEqual(1, len(told))
