"""A turn of work, again and again, until stopped."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from snfd.errors import Unavailable

AFTER_FAILURE = 1.0
"""Seconds to the next turn after one that failed unexpectedly."""


@define(eq=False)
class Loop:
    """Runs ``turn`` over and over; two turns never overlap.

    :ivar turn: does a piece of work and says how many seconds to pause.
    :ivar what: names it in the log when it fails.
    :ivar expected: failures that the log is not told of.
    """

    clock: IReactorTime
    turn: Callable[[], Coroutine[Any, Any, float]]
    what: str
    expected: tuple[type[Exception], ...] = ()
    _next: IDelayedCall | None = field(init=False, default=None)
    _current: Deferred[Any] | None = field(init=False, default=None)
    _busy: bool = field(init=False, default=False)
    _again: bool = field(init=False, default=False)
    _cut: bool = field(init=False, default=False)
    _active: bool = field(init=False, default=False)
    _ended: Deferred[None] | None = field(init=False, default=None)
    _failing: type[Exception] | None = field(init=False, default=None)
    _log = Logger()

    def start(self) -> None:
        """Begin with a turn at once."""
        self._active = True
        self._begin()

    def wake(self) -> None:
        """Have a turn now, or right after the one under way."""
        if not self._active:
            return
        if self._busy:
            self._again = True
        else:
            self._drop_next()
            self._begin()

    def stop(self) -> Deferred[None]:
        """Begin no more turns; wait for the one under way."""
        self._active = False
        self._drop_next()
        if not self._busy:
            return succeed(None)
        if self._ended is None:
            self._ended = Deferred()
        return self._ended

    def abort(self) -> Deferred[None]:
        """As `stop`, but cut off what the turn under way waits for."""
        ended = self.stop()
        self._cut = True
        if self._current is not None:
            self._current.cancel()
        return ended

    def _drop_next(self) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    def _begin(self) -> None:
        self._next = None
        self._again = False
        self._busy = True
        self._current = Deferred.fromCoroutine(self._guarded())
        self._current.addCallbacks(self._end, self._broken)

    async def _guarded(self) -> float:
        try:
            pause = await self.turn()
        except CancelledError:
            return AFTER_FAILURE
        except Exception as error:
            if not self._cut and not isinstance(error, self.expected):
                self._failed(error)
            return AFTER_FAILURE
        self._failing = None
        return pause

    def _failed(self, error: Exception) -> None:
        """Log a failure, but not the same again and again."""
        if type(error) is not self._failing:
            if isinstance(error, Unavailable):
                self._log.warn(
                    "{what} waits: {error}", what=self.what, error=error.message
                )
            else:
                self._log.failure(
                    "{what} failed; again every {pause} s",
                    what=self.what,
                    pause=AFTER_FAILURE,
                )
        self._failing = type(error)

    def _end(self, pause: float) -> None:
        self._busy = False
        self._current = None
        if self._active:
            wait = 0.0 if self._again else pause
            self._next = self.clock.callLater(wait, self._begin)
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)

    def _broken(self, failure: Failure) -> None:
        self._log.failure("{what} ended for good", failure, what=self.what)
        self._active = False
        self._end(0.0)
