"""How many forms one address may send that make work for others.

Letters to people and new accounts cost somebody something, and whoever asks for
them need not say who he is.
"""

from __future__ import annotations

from attrs import frozen
from twisted.web.iweb import IRequest

from api.addresses import DIRECT, Peers
from snfd.identity.allowance import Allowance


@frozen
class Door:
    """Lets requests in, some of each address at a time.

    :ivar forms: None where nobody counts.
    """

    peers: Peers = DIRECT
    forms: Allowance | None = None

    async def admit(self, request: IRequest) -> str:
        """Count a request; its address, or an empty string where it has none.

        :raises TooManyRequests: there were too many of that address lately.
        """
        address = self.peers.address(request)
        if self.forms is not None and address:
            await self.forms.spend_at(address)
        return address


OPEN = Door()
"""Where nobody counts."""
