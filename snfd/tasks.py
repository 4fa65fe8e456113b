"""The one way to start work that nobody awaits; stopping waits for it."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from snfd.errors import Closed, CloudError

T = TypeVar("T")


@define(eq=False)
class Tasks:
    """Keeps track of work that outlives whoever asked for it."""

    _running: dict[Deferred[Any], str] = field(init=False, factory=dict)
    _stopping: bool = field(init=False, default=False)
    _log = Logger()

    def start(self, work: Coroutine[Any, Any, Any], what: str) -> None:
        """Run ``work`` to its end; a failure is logged once, named ``what``.

        :raises Closed: the process is stopping.
        """
        self.detached(work, what).addErrback(self._failed, what)

    def detached(self, work: Coroutine[Any, Any, T], what: str) -> Deferred[T]:
        """Run ``work`` to its end and say how it ended.

        Cancelling the answer stops only the waiting, never the work: a client
        that hangs up must not reach into a transaction.

        :raises Closed: the process is stopping.
        """
        if self._stopping:
            work.close()
            raise Closed(f"shutting down; {what} was not started")
        inner: Deferred[T] = Deferred.fromCoroutine(work)
        outer: Deferred[T] = Deferred(lambda _: None)
        self._running[inner] = what
        inner.addBoth(self._ended, inner, outer, what)
        return outer

    @property
    def running(self) -> tuple[str, ...]:
        """What is running now, oldest first."""
        return tuple(self._running.values())

    def stop(self) -> Awaitable[object]:
        """Start nothing more and wait until all has ended."""
        self._stopping = True
        if not self._running:
            return succeed(None)
        return DeferredList(
            [_when_done(task) for task in self._running], consumeErrors=True
        )

    def _ended(
        self,
        result: T | Failure,
        inner: Deferred[T],
        outer: Deferred[T],
        what: str,
    ) -> None:
        del self._running[inner]
        if not outer.called:
            outer.callback(result)
        elif isinstance(result, Failure) and not result.check(CloudError):
            # whoever asked has gone; that it could not be done concerned only him
            self._failed(result, what)

    def _failed(self, failure: Failure, what: str) -> None:
        self._log.failure("{what} failed", failure=failure, what=what)


def _when_done(task: Deferred[Any]) -> Deferred[None]:
    """Fire once ``task`` has fired, whatever its result."""
    done: Deferred[None] = Deferred()

    def pass_on(result: Any) -> Any:
        done.callback(None)
        return result

    task.addBoth(pass_on)
    return done
