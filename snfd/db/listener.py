"""Hears that rows changed, and looks for itself now and then.

A notification is only a hint. Whoever subscribes also says how to read
everything anew; that is done after each (re)connecting, when notifications may
have been missed, and on a timer, should they never arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from psycopg2 import Error
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from snfd.db.session import Pulse, Session, open_session
from snfd.errors import Unavailable

Heard = Callable[[str], object]
Reread = Callable[[], object]


@define(eq=False)
class _Subscriber:
    """Who wants to know of one kind of thing."""

    kind: str
    heard: Heard
    reread: Reread
    reading: bool = False
    again: bool = False


@define(eq=False)
class Listener(Service):
    """Tells subscribers of changes in this and every other process.

    :param dsn: libpq's connection string.
    :param period: time between two timed re-reads, in seconds.
    :param backoff: pauses between attempts to connect, in seconds; the last
        one repeats.
    """

    _reactor: Any
    _dsn: str
    _period: float = 30.0
    _backoff: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0, 5.0)
    _pulse: Pulse = field(factory=Pulse)
    _subscribers: list[_Subscriber] = field(init=False, factory=list)
    _session: Session | None = field(init=False, default=None)
    _wait: Deferred[Any] | None = field(init=False, default=None)
    _timer: LoopingCall = field(init=False)
    _ended: Deferred[None] = field(init=False, factory=lambda: succeed(None))
    _log = Logger()

    def subscribe(self, kind: str, heard: Heard, reread: Reread) -> None:
        """Have ``heard(ident)`` called for notifications ``kind:ident``.

        :param reread: called whenever anything may have been missed, never
            twice at the same time. Both may return a Deferred; their failures
            are logged.
        """
        self._subscribers.append(_Subscriber(kind, heard, reread))

    @property
    def connected(self) -> bool:
        """Whether notifications can be heard now."""
        return self._session is not None

    def startService(self) -> None:
        """Connect, and stay so."""
        super().startService()  # type: ignore[no-untyped-call]
        self._timer = LoopingCall(self._reread)
        self._timer.clock = self._reactor
        self._timer.start(self._period, now=False)
        self._ended = Deferred.fromCoroutine(self._stay_connected())

    def stopService(self) -> Deferred[None]:
        """Hear nothing more."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._timer.stop()
        if self._wait is not None:
            self._wait.cancel()
        if self._session is not None:
            self._session.close()
        return self._ended

    async def _stay_connected(self) -> None:
        failures = 0
        while self.running:
            try:
                await self._once()
                failures = 0
            except (CancelledError, Error, Unavailable) as error:
                if failures == 0 and self.running:
                    self._log.warn("cannot listen: {error}", error=str(error))
                failures += 1
            if self.running:
                await self._pause(failures)

    async def _once(self) -> None:
        """Listen until the connection breaks."""
        # What is waited for, LISTEN included, is known to `stopService` at every
        # moment: a session of which it did not know would never end.
        self._wait = Deferred.fromCoroutine(self._listening())
        try:
            session = await self._wait
        finally:
            self._wait = None
        self._session = session
        try:
            self._reread()
            reason = await session.lost()
            if self.running:
                self._log.warn("no longer listening: {reason}", reason=reason)
        finally:
            self._session = None
            session.close()

    async def _listening(self) -> Session:
        """A session that hears; once cancelled there is none."""
        session = await open_session(self._reactor, self._dsn, self._pulse)
        try:
            await session.listen(self._heard)
        except BaseException:
            session.close()
            raise
        return session

    async def _pause(self, failures: int) -> None:
        longest = len(self._backoff) - 1
        seconds = self._backoff[min(failures, longest)]
        self._wait = deferLater(self._reactor, seconds)
        try:
            await self._wait
        except CancelledError:
            return
        finally:
            self._wait = None

    def _heard(self, payload: str) -> None:
        kind, _, ident = payload.partition(":")
        for subscriber in self._subscribers:
            if subscriber.kind == kind:
                self._call(subscriber.heard, ident)

    def _reread(self) -> None:
        for subscriber in self._subscribers:
            Deferred.fromCoroutine(self._reread_one(subscriber))

    async def _reread_one(self, subscriber: _Subscriber) -> None:
        if subscriber.reading:
            subscriber.again = True
            return
        subscriber.reading = True
        try:
            subscriber.again = True
            while subscriber.again:
                subscriber.again = False
                await self._call(subscriber.reread)
        finally:
            subscriber.reading = False

    def _call(self, call: Callable[..., object], *args: str) -> Deferred[Any]:
        answer: Deferred[Any] = maybeDeferred(call, *args)
        return answer.addErrback(
            lambda failure: self._log.failure(
                "a listener of changes failed", failure=failure
            )
        )
