"""A connection of one's own: notifications and advisory locks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from psycopg2 import Error
from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IDelayedCall

from snfd.db.port import CHANNEL, Params, Row
from snfd.db.wire import Line, Wire, open_wire, rows_of
from snfd.errors import Unavailable


@frozen
class Pulse:
    """How soon a dead connection is noticed; seconds.

    :ivar connect: limit for becoming connected.
    :ivar period: pause between two signs of life.
    :ivar limit: how long each may take, as may every other statement.
    """

    connect: float = 5.0
    period: float = 5.0
    limit: float = 5.0

    def settings(self) -> tuple[tuple[str, str], ...]:
        """So that PostgreSQL drops our locks soon after we are gone."""
        return (
            ("statement_timeout", str(round(self.limit * 1000))),
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        )


@define(eq=False)
class Session:
    """See `open_session`."""

    _reactor: Any
    _pulse: Pulse
    _wire: Wire
    _turn: DeferredLock = field(init=False, factory=DeferredLock)
    _beat: IDelayedCall | None = field(init=False, default=None)
    _reason: str | None = field(init=False, default=None)
    _watchers: list[Deferred[str]] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self._wire.on_lost = self.close
        self._next_beat()

    async def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """Run one statement; all its rows. One that takes too long ends us.

        :raises Unavailable: the session has ended.
        """
        await self._turn.acquire()
        timer = self._reactor.callLater(
            self._pulse.limit, self.close, "PostgreSQL did not answer in time"
        )
        try:
            return rows_of(await self._wire.send(sql, params))
        finally:
            if timer.active():
                timer.cancel()
            self._turn.release()

    async def listen(self, heard: Callable[[str], object]) -> None:
        """Have ``heard`` called with each notification's payload, from now on.

        :raises Unavailable: the session has ended.
        """
        self._wire.on_notify = heard
        await self.rows(f"LISTEN {CHANNEL}")

    async def try_lock(self, key: int) -> bool:
        """Take the advisory lock ``key``, for as long as the session lasts.

        :param key: signed, 64 bits.
        :return: False where another session has it.
        :raises Unavailable: the session has ended.
        """
        [(got,)] = await self.rows("SELECT pg_try_advisory_lock(%s)", (key,))
        return bool(got)

    def lost(self) -> Deferred[str]:
        """Fires with the reason once the session has ended, in whatever way."""
        if self._reason is not None:
            return succeed(self._reason)
        watcher: Deferred[str] = Deferred(self._watchers.remove)
        self._watchers.append(watcher)
        return watcher

    def close(self, reason: str = "closed") -> None:
        """End it, with its locks; twice does no harm."""
        if self._reason is not None:
            return
        self._reason = reason
        if self._beat is not None and self._beat.active():
            self._beat.cancel()
        self._wire.close(reason)
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.callback(reason)

    def _next_beat(self) -> None:
        if self._reason is None:
            self._beat = self._reactor.callLater(
                self._pulse.period, lambda: Deferred.fromCoroutine(self._sign_of_life())
            )

    async def _sign_of_life(self) -> None:
        try:
            await self.rows("SELECT 1")
        except (Error, Unavailable) as error:
            self.close(str(error))
        self._next_beat()


async def open_session(reactor: Any, dsn: str, pulse: Pulse | None = None) -> Session:
    """A connection of its own, which is watched and says when it ends.

    :param dsn: libpq's connection string; no pooler may stand in between.
    :raises Timeout: PostgreSQL did not answer in time.
    :raises Unavailable: it is not there or does not let us in.
    """
    pulse = pulse or Pulse()
    line = Line(dsn, pulse.settings(), pulse.connect, "snfd session")
    return Session(reactor, pulse, await open_wire(reactor, line))


async def hold_lock(
    reactor: Any, dsn: str, key: int, pulse: Pulse | None = None
) -> Session | None:
    """A session that holds the advisory lock ``key``; None if another does.

    The lock is lost when `Session.lost` fires, and given back by closing.

    :raises Unavailable: as `open_session`.
    """
    session = await open_session(reactor, dsn, pulse)
    try:
        got = await session.try_lock(key)
    except BaseException:
        session.close()
        raise
    if got:
        return session
    session.close()
    return None
