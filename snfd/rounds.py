"""Bookkeeping that is done now and then while the daemon runs."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from snfd.errors import Unavailable


class Rounds(Service):
    """Does its `round` every ``period`` seconds; two never overlap.

    The first comes after a period. One that fails is logged, and followed by
    another; that something is away for a while is no bug.

    :cvar failure: what the log says of a round that failed.
    """

    clock: IReactorTime
    period: float
    failure: ClassVar[str] = "a round failed"
    _loop: LoopingCall
    _ended: Deferred[Any]
    _log = Logger()

    async def round(self) -> None:
        """The work of one round."""
        raise NotImplementedError

    def startService(self) -> None:
        """Start the rounds."""
        Service.startService(self)
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._guarded()))
        self._loop.clock = self.clock
        self._ended = self._loop.start(self.period, now=False)

    def stopService(self) -> Deferred[Any]:
        """Wait for the round in progress."""
        Service.stopService(self)
        if self._loop.running:
            self._loop.stop()
        return self._ended

    async def _guarded(self) -> None:
        try:
            await self.round()
        except Unavailable as error:
            self._log.warn("{why}: {error}", why=self.failure, error=error)
        except Exception:
            self._log.failure("{why}", why=self.failure)
