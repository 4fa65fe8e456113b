"""When a cluster counts as unreachable; pure (decision 20)."""

from __future__ import annotations

from attrs import evolve, frozen

FAILURES_MAX = 3
SILENCE_MAX = 5.0
"""Seconds from the start of the first poll that failed."""

RETRY = 0.3
RETRY_MAX = 5.0


@frozen
class Reach:
    """What the last polls said of a cluster.

    :ivar failures: polls that failed in a row.
    :ivar since: start of the first of them, or None.
    """

    reachable: bool = True
    failures: int = 0
    since: float | None = None

    def succeeded(self) -> Reach:
        """After a poll that was answered."""
        return Reach()

    def failed(self, started: float, now: float) -> Reach:
        """After a poll that began at ``started`` and was not answered.

        :param now: seconds by the same clock.
        """
        since = started if self.since is None else self.since
        failures = self.failures + 1
        gone = failures >= FAILURES_MAX or now - since >= SILENCE_MAX
        return evolve(
            self,
            failures=failures,
            since=since,
            reachable=self.reachable and not gone,
        )

    @property
    def pause(self) -> float:
        """Seconds to wait before the next try, after a failure."""
        beyond = max(0, self.failures - FAILURES_MAX)
        return min(RETRY_MAX, RETRY * 2.0 ** min(beyond, 10))
