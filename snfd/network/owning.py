"""Networks as those who may change them lock them."""

from __future__ import annotations

from snfd.db.port import Transaction
from snfd.errors import Forbidden
from snfd.network.model import Network
from snfd.network.naming import missing
from snfd.network.scope import Scope
from snfd.network.store import networks


async def changeable(tx: Transaction, scope: Scope, ident: int) -> Network:
    """Lock a network that its users may change.

    :raises NotFound: there is none in the scope.
    :raises Forbidden: it is public.
    """
    network = await networks.lock(tx, scope, ident)
    if network is None:
        raise missing("Network", ident)
    if network.public:
        raise Forbidden("a public network is changed by administrators only")
    return network
