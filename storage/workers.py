"""Threads for what would hold the reactor up: hashing, disks, librados."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from snfd.errors import Closed, Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Workers(Protocol):
    """Somewhere to call functions that take long."""

    def run(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]:
        """Call ``work`` and give its result; cancelling stops only the waiting.

        :raises Unavailable: too much waits already (in the Deferred).
        """
        ...

    def stop(self) -> Deferred[None]:
        """Take no more work and wait for what was taken."""
        ...


class _Threads(ThreadPool):
    """Threads that do not keep a process from ending."""

    threadFactory: Any = staticmethod(partial(Thread, daemon=True))


class ThreadWorkers:
    """A few threads of one's own, so that no other part can clog them.

    :param size: how many threads.
    :param queue: how many calls may be under way or waiting, before the next
        is refused.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        size: int,
        name: str = "storage",
        queue: int = 4096,
    ) -> None:
        self._reactor = reactor
        self._queue = queue
        self._busy = 0
        self._idle: Deferred[None] | None = None
        self._pool = _Threads(0, size, name)
        self._pool.start()

    def run(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]:
        """Call ``work`` in a thread (`Workers.run`)."""
        if self._idle is not None:
            return fail(Closed("the storage is shutting down"))
        if self._busy >= self._queue:
            return fail(Unavailable("the storage is overloaded", retry_after=1))
        self._busy += 1
        # Only the waiting can be cancelled: a thread cannot.
        answer: Deferred[T] = Deferred()
        outcome = deferToThreadPool(self._reactor, self._pool, work, *args, **kwargs)
        outcome.addBoth(self._done, answer)
        return answer

    def stop(self) -> Deferred[None]:
        """Wait for what was taken and end the threads (`Workers.stop`)."""
        if self._idle is None:
            self._idle = Deferred()
            self._idle.addCallback(lambda _: self._pool.stop())
            if not self._busy:
                self._idle.callback(None)
        return _after(self._idle)

    def _done(self, result: Any, answer: Deferred[Any]) -> None:
        self._busy -= 1
        answer.callback(result)
        if self._idle is not None and not self._busy and not self._idle.called:
            self._idle.callback(None)


class CallerWorkers:
    """Calls at once, in the caller's thread; for tests without a reactor."""

    def run(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]:
        """Call ``work`` now (`Workers.run`)."""
        return maybeDeferred(work, *args, **kwargs)

    def stop(self) -> Deferred[None]:
        """Nothing to wait for (`Workers.stop`)."""
        return succeed(None)


def _after(first: Deferred[None]) -> Deferred[None]:
    """Fire with what ``first`` fires with, without taking it away."""
    answer: Deferred[None] = Deferred()

    def both(result: Any) -> Any:
        answer.callback(result)
        return result

    first.addBoth(both)
    return answer
