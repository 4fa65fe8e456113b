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
from snfd.db.port import Database
from snfd.errors import TooManyRequests
from snfd.identity import allowance_store as store
from snfd.identity.throttle import network
from snfd.identity.throttle_store import FAILURES, Count, counts

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
        """Count ``amount``, also where it is refused, or only look where it is 0.

        So who has spent everything learns nothing more, not even from what is
        refused and what is not.

        :raises TooManyRequests: it is more than ``user`` may have now.
        """
        await self._spend(str(user), amount)

    async def spend_at(self, address: str) -> None:
        """Count one for an address; of IPv6, for all that one customer has.

        :raises TooManyRequests: as `spend`.
        """
        await self._spend(network(address), 1)

    async def _spend(self, who: str, amount: int) -> None:
        at = now(self.clock)
        subject = sha256(f"{self.what}:{who}".encode()).digest()
        spent: Count | None
        if amount:
            spend = store.spend
            spent = await self.db.run(spend, subject, amount, at, at - WINDOW)
        else:
            rows = await self.db.read(FAILURES, (subject, subject, at - WINDOW))
            spent = counts(rows).get(subject)
        if spent is not None and spent.failures > self.most:
            left = max(1, ceil((spent.since + WINDOW - at).total_seconds()))
            raise TooManyRequests(
                f"more than {self.most} {self.what} in a minute; "
                f"try again in {left} seconds",
                retry_after=left,
            )
