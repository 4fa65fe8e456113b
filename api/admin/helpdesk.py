"""What the helpdesk looks at when somebody calls."""

from __future__ import annotations

from attrs import frozen

from api.admin.lists import Listing
from api.operations import operation
from snfd.admin.helpdesk import Helpdesk
from snfd.admin.helpdesk_model import AccountFacts, FindAsk, FoundRow
from snfd.admin.rights import Staff


@frozen(eq=False)
class HelpdeskApi:
    """Search, and overviews of accounts."""

    _helpdesk: Helpdesk

    @operation("GET", "/helpdesk/find", query=FindAsk)
    async def find(self, staff: Staff, query: FindAsk) -> Listing[FoundRow]:
        """Find what a uuid, e-mail, address, MAC, number or name may mean."""
        return Listing.of(await self._helpdesk.find(staff, query.query))

    @operation("GET", "/helpdesk/accounts/<user>")
    async def account(self, staff: Staff, user: str) -> AccountFacts:
        """Show a user with servers, networks, addresses, projects and quota."""
        return await self._helpdesk.account(staff, user)
