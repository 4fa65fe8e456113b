"""The time of day from a reactor's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from attrs import define, field
from twisted.logger import Logger

SLEW = 0.01
"""By which part of the time that passes a clock that is ahead is slowed down."""

NOTABLE = 5.0
"""Seconds of a jump back that the log is told of."""


class Seconds(Protocol):
    """Anything that tells seconds since the epoch, as reactors do."""

    def seconds(self) -> float:
        """Seconds since 1970 UTC."""


def now(clock: Seconds) -> datetime:
    """The current time by ``clock``, aware, in UTC."""
    return datetime.fromtimestamp(clock.seconds(), UTC)


@define(eq=False)
class Steady:
    """The time of day, but it never goes back; for a reactor's timers.

    Those are points of the time of day: where that is put back by an hour, all
    that was to be done soon would be done an hour late. Where it is put forward,
    this follows at once; where it is put back, this goes on, a little slower,
    until both agree.

    :ivar wall: as `time.time`.
    :ivar passed: as `time.monotonic`.
    """

    wall: Callable[[], float]
    passed: Callable[[], float]
    _at: float = field(init=False)
    _told: float = field(init=False)
    _ahead: float = field(init=False, default=0.0)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._at, self._told = self.passed(), self.wall()

    def seconds(self) -> float:
        """Seconds since 1970 UTC, never less than at the last call."""
        at, wall = self.passed(), self.wall()
        since, self._at = at - self._at, at
        due = self._told + since
        if wall < due:
            due -= min(since * SLEW, due - wall)
        self._told = max(wall, due)
        ahead = self._told - wall
        if ahead > self._ahead + NOTABLE:
            self._log.error(
                "the clock was put back by {ahead:.0f} s; timers and tokens go on"
                " by what it said before: restart if it is right now",
                ahead=ahead,
            )
        self._ahead = ahead
        return self._told
