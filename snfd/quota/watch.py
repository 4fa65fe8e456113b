"""How many commissions wait for their answer, for those who watch the cloud."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from snfd.clock import now
from snfd.db.port import Database
from snfd.rounds import Rounds


@define(eq=False)
class CommissionWatch(Rounds):
    """Looks now and then.

    :ivar pending: how many there were at the last look.
    """

    clock: IReactorTime
    db: Database
    period: float = 30.0
    pending: int = field(init=False, default=0)
    _oldest: datetime | None = field(init=False, default=None)
    failure: ClassVar[str] = "pending commissions are not counted"

    async def round(self) -> None:
        """Look."""
        sql = "SELECT count(*), min(issued_at) FROM quota.commission"
        for count, oldest in await self.db.read(sql):
            self.pending, self._oldest = count, oldest

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest of them waits; 0 where there is none."""
        if self._oldest is None:
            return 0.0
        return max((now(self.clock) - self._oldest).total_seconds(), 0.0)
