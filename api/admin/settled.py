"""What became of commissions."""

from __future__ import annotations

from api.admin.lists import Listing
from api.operations import operation
from snfd.admin.rights import Staff
from snfd.admin.settled import Settled, SettledAsk, SettledRow


class SettledApi:
    """The log of what was charged and released."""

    def __init__(self, settled: Settled) -> None:
        self._settled = settled

    @operation("GET", "/settled-commissions", query=SettledAsk)
    async def settled(self, staff: Staff, query: SettledAsk) -> Listing[SettledRow]:
        """List what commissions that were resolved changed, newest first."""
        return Listing.of(await self._settled.page(query))
