"""Bookkeeping: when tokens were used last; removing dead ones, old failures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from snfd.clock import now
from snfd.db.port import Database, Transaction
from snfd.identity import store, throttle_store
from snfd.identity.throttle import WINDOW

MAX_USED = 50_000
"""How many tokens are remembered between two rounds; more are not noted."""

MAX_PURGE = 1000
"""How many dead tokens one round removes."""

MAX_FORGIVEN = 10_000
"""How many counts of failed logins one round removes."""

GRACE = timedelta(days=1)
"""How long an expired token is kept."""


@define(eq=False)
class TokenUpkeep(Service):
    """Writes ``last_used_at`` in bulk, removes expired tokens and old failures.

    :ivar period: time between two rounds, in seconds.
    """

    clock: IReactorTime
    db: Database
    period: float = 60.0
    _used: dict[bytes, datetime] = field(init=False, factory=dict)
    _loop: LoopingCall = field(init=False)
    _ended: Deferred[Any] = field(init=False, factory=lambda: succeed(None))
    _log = Logger()

    def used(self, token_hash: bytes) -> None:
        """Note that a token was good just now; written in the next round."""
        if len(self._used) < MAX_USED or token_hash in self._used:
            self._used[token_hash] = now(self.clock)

    def startService(self) -> None:
        """Start the rounds."""
        Service.startService(self)
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._round()))
        self._loop.clock = self.clock
        self._ended = self._loop.start(self.period, now=False)

    def stopService(self) -> Deferred[Any]:
        """Wait for the round in progress, then write what is left."""
        Service.stopService(self)
        if self._loop.running:
            self._loop.stop()
        return self._ended.addCallback(lambda _: Deferred.fromCoroutine(self._round()))

    async def _round(self) -> None:
        used, self._used = self._used, {}
        try:
            await self.db.run(_write, used, now(self.clock))
        except Exception:
            self._log.failure("the use of {count} tokens is not noted", count=len(used))


async def _write(tx: Transaction, used: dict[bytes, datetime], at: datetime) -> None:
    if used:
        await store.touch_tokens(tx, used)
    await store.purge_tokens(tx, at - GRACE, MAX_PURGE)
    await throttle_store.purge(tx, at - WINDOW, MAX_FORGIVEN)
