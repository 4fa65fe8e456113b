"""Old rows are removed, a few at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred

from snfd.clock import now
from snfd.db.port import Database, Transaction
from snfd.loop import Loop

CHUNK = 1000
"""Rows that one transaction removes."""

Purge = Callable[[Transaction, datetime, int], Awaitable[int]]
"""(transaction, before, limit) → rows removed, ``limit`` at most."""


@frozen
class Keep:
    """How long rows of one kind are kept."""

    purge: Purge
    time: timedelta


@define(eq=False)
class Retention(Service):
    """Removes what is older than it must be kept.

    :ivar period: seconds between two rounds.
    :ivar pause: seconds between two transactions of a round that goes on.
    """

    clock: Any
    db: Database
    keeps: Sequence[Keep]
    period: float = 3600.0
    pause: float = 1.0
    _loop: Loop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = Loop(self.clock, self._turn, "removing old rows")

    def startService(self) -> None:
        """Begin with a round."""
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:
        """Wait for the transaction under way."""
        Service.stopService(self)
        return self._loop.stop()

    async def _turn(self) -> float:
        more = False
        for keep in self.keeps:
            if self.running:
                before = now(self.clock) - keep.time
                more |= await self.db.run(keep.purge, before, CHUNK) == CHUNK
        return self.pause if more else self.period
