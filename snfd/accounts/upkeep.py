"""Removes accounts that nobody verified, and keys of letters that are too old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from snfd.accounts.service import target
from snfd.accounts.store import keys
from snfd.accounts.store import people as store
from snfd.audit import DAEMON, record
from snfd.clock import now
from snfd.db.port import Database, Transaction

GRACE = timedelta(days=1)
"""How long what ended is kept."""

MOST = 100
"""How many of each one round removes."""


@define(eq=False)
class AccountUpkeep(Service):
    """Looks now and then for what nobody waits for any longer.

    :ivar period: time between two rounds, in seconds.
    """

    clock: IReactorTime
    db: Database
    period: float = 600.0
    _loop: LoopingCall = field(init=False)
    _ended: Deferred[Any] = field(init=False, factory=lambda: succeed(None))
    _log = Logger()

    def startService(self) -> None:
        """Start the rounds."""
        Service.startService(self)
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._round()))
        self._loop.clock = self.clock
        self._ended = self._loop.start(self.period, now=False)

    def stopService(self) -> Deferred[Any]:
        """Wait for the round in progress."""
        Service.stopService(self)
        if self._loop.running:
            self._loop.stop()
        return self._ended

    async def _round(self) -> None:
        try:
            await self.db.run(_removed, now(self.clock) - GRACE)
        except Exception:
            self._log.failure("accounts that nobody verified are not removed")


async def _removed(tx: Transaction, before: datetime) -> None:
    for user in await store.stale(tx, before, MOST):
        await record(tx, DAEMON, "user.remove", target(user), reason="unverified")
    await keys.purge(tx, before, MOST)
