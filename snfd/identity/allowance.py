"""How much of something a user, or an address, may do in a minute.

All processes count together.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from math import ceil
from uuid import UUID

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import TooManyRequests
from snfd.identity import allowance_store as store
from snfd.identity.throttle import network

WINDOW = timedelta(minutes=1)


@frozen(eq=False)
class Allowance:
    """So much of one thing for each user, or each address, in a `WINDOW`.

    :ivar what: names it, in the database and to users: ``letters``.
    :ivar most: how much.
    """

    db: Database
    clock: Seconds
    what: str
    most: int

    async def spend(self, user: UUID, amount: int = 1) -> None:
        """Count ``amount``; what is refused does not count.

        :raises TooManyRequests: it is more than ``user`` may have now.
        """
        if amount > 0:
            await self.db.run(self._spend, str(user), amount)

    async def spend_at(self, address: str) -> None:
        """Count one for an address; of IPv6, for all that one customer has.

        :raises TooManyRequests: as `spend`.
        """
        await self.db.run(self._spend, network(address), 1)

    async def _spend(self, tx: Transaction, who: str, amount: int) -> None:
        at = now(self.clock)
        subject = sha256(f"{self.what}:{who}".encode()).digest()
        spent = await store.spend(tx, subject, amount, at, at - WINDOW)
        if spent.failures > self.most:
            left = max(1, ceil((spent.since + WINDOW - at).total_seconds()))
            raise TooManyRequests(
                f"more than {self.most} {self.what} in a minute; "
                f"try again in {left} seconds",
                retry_after=left,
            )
