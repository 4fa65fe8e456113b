"""A turn of work, again and again, until stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

AFTER_FAILURE = 1.0
"""Seconds to the next turn after one that failed unexpectedly."""


@define(eq=False)
class Loop:
    """Runs ``turn`` over and over; two turns never overlap.

    :ivar turn: does a piece of work and says how many seconds to pause.
    :ivar what: names it in the log when it fails.
    """

    clock: IReactorTime
    turn: Callable[[], Coroutine[Any, Any, float]]
    what: str
    _next: IDelayedCall | None = field(init=False, default=None)
    _current: Deferred[Any] | None = field(init=False, default=None)
    _again: bool = field(init=False, default=False)
    _active: bool = field(init=False, default=False)
    _ended: Deferred[None] | None = field(init=False, default=None)
    _log = Logger()

    def start(self) -> None:
        """Begin with a turn at once."""
        self._active = True
        self._begin()

    def wake(self) -> None:
        """Have a turn now, or right after the one under way."""
        if not self._active:
            return
        if self._current is not None:
            self._again = True
        else:
            self._drop_next()
            self._begin()

    def stop(self) -> Awaitable[None]:
        """Begin no more turns; wait for the one under way."""
        self._active = False
        self._drop_next()
        if self._current is None:
            return succeed(None)
        if self._ended is None:
            self._ended = Deferred()
        return self._ended

    def abort(self) -> Awaitable[None]:
        """As `stop`, but cut off what the turn under way waits for."""
        ended = self.stop()
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
        self._current = Deferred()  # of a turn that ends before it is known
        running = Deferred.fromCoroutine(self._guarded())
        if self._current is not None:
            self._current = running
        running.addBoth(self._end)

    async def _guarded(self) -> float:
        try:
            return await self.turn()
        except CancelledError:
            return AFTER_FAILURE
        except Exception:
            self._log.failure(
                "{what} failed; again in {pause} s", what=self.what, pause=AFTER_FAILURE
            )
            return AFTER_FAILURE

    def _end(self, pause: Any) -> None:
        self._current = None
        if not isinstance(pause, float):
            self._active = False
        if self._active:
            wait = 0.0 if self._again else pause
            self._next = self.clock.callLater(wait, self._begin)
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)
