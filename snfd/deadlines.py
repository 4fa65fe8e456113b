"""Time limits that are seldom reached, all on one timer of a clock.

A timer of the reactor costs as much as half a statement's round trip, and one that
is cancelled stays in its heap for a while.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime


@define(eq=False)
class Deadline:
    """What to call when, by the clock's seconds."""

    at: float
    expire: Callable[[], object]


@define(eq=False)
class Deadlines:
    """Calls what is not cancelled in time; its timer runs while it has something."""

    _clock: IReactorTime
    _pending: dict[Deadline, None] = field(init=False, factory=dict)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _next: float = field(init=False, default=0.0)

    def set(self, seconds: float, expire: Callable[[], object]) -> Deadline:
        """Have ``expire`` called in so many seconds, unless it is cancelled."""
        deadline = Deadline(self._clock.seconds() + seconds, expire)
        self._pending[deadline] = None
        if self._timer is None or deadline.at < self._next:
            self._wake(deadline.at, seconds)
        return deadline

    def cancel(self, deadline: Deadline) -> None:
        """Do not call it; nothing where it was called already."""
        self._pending.pop(deadline, None)
        if not self._pending and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self, at: float, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = at
        self._timer = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for deadline in [one for one in self._pending if one.at <= now]:
            # an earlier one may have cancelled it
            if deadline in self._pending:
                del self._pending[deadline]
                deadline.expire()
        if self._pending and self._timer is None:
            first = min(one.at for one in self._pending)
            self._wake(first, first - now)
