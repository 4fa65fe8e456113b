"""Bookkeeping: when tokens were used last; removing dead ones, old failures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from snfd.clock import now
from snfd.db.port import Database, Transaction
from snfd.identity import throttle_store, token_store
from snfd.identity.throttle import WINDOW
from snfd.rounds import Rounds

MAX_USED = 50_000
"""How many tokens are remembered between two rounds; more are not noted."""

MAX_PURGE = 1000
"""How many dead tokens one round removes."""

MAX_FORGIVEN = 10_000
"""How many counts of failed logins one round removes."""

GRACE = timedelta(days=1)
"""How long an expired token is kept."""


@define(eq=False)
class TokenUpkeep(Rounds):
    """Writes ``last_used_at`` in bulk, removes expired tokens and old failures.

    :ivar period: time between two rounds, in seconds.
    :ivar validated: how often a token was good, since the start.
    """

    clock: IReactorTime
    db: Database
    period: float = 60.0
    validated: int = field(init=False, default=0)
    _used: dict[bytes, datetime] = field(init=False, factory=dict)
    failure: ClassVar[str] = "the use of tokens is not noted"

    def used(self, token_hash: bytes) -> None:
        """Note that a token was good just now; written in the next round."""
        self.validated += 1
        if len(self._used) < MAX_USED or token_hash in self._used:
            self._used[token_hash] = now(self.clock)

    async def round(self) -> None:
        """Write what was noted, and remove what is dead."""
        used, self._used = self._used, {}
        await self.db.run(_write, used, now(self.clock))

    def stopService(self) -> Deferred[Any]:
        """Wait for the round in progress, then write what is left."""
        stopped = Rounds.stopService(self)
        return stopped.addCallback(lambda _: Deferred.fromCoroutine(self._guarded()))


async def _write(tx: Transaction, used: dict[bytes, datetime], at: datetime) -> None:
    if used:
        await token_store.touch_tokens(tx, used)
    await token_store.purge_tokens(tx, at - GRACE, MAX_PURGE)
    await throttle_store.purge(tx, at - WINDOW, MAX_FORGIVEN)
