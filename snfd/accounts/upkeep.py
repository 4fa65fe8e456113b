"""Removes accounts that nobody verified, and keys of letters that are too old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from attrs import define
from twisted.internet.interfaces import IReactorTime

from snfd.accounts.service import target
from snfd.accounts.store import keys
from snfd.accounts.store import people as store
from snfd.audit import DAEMON, record
from snfd.clock import now
from snfd.db.port import Database, Transaction
from snfd.rounds import Rounds

GRACE = timedelta(days=1)
"""How long what ended is kept."""

MOST = 100
"""How many of each one round removes."""


@define(eq=False)
class AccountUpkeep(Rounds):
    """Looks now and then for what nobody waits for any longer.

    :ivar period: time between two rounds, in seconds.
    """

    clock: IReactorTime
    db: Database
    period: float = 600.0
    failure: ClassVar[str] = "accounts that nobody verified are not removed"

    async def round(self) -> None:
        """Remove them, and keys of letters that are too old."""
        await self.db.run(_removed, now(self.clock) - GRACE)


async def _removed(tx: Transaction, before: datetime) -> None:
    for user in await store.stale(tx, before, MOST):
        await record(tx, DAEMON, "user.remove", target(user), reason="unverified")
    await keys.purge(tx, before, MOST)
