"""Networks and ports as those who may change them lock them."""

from __future__ import annotations

from uuid import UUID

from snfd.db.port import Transaction
from snfd.errors import Conflict, Forbidden
from snfd.network.model import Network, Port
from snfd.network.naming import missing
from snfd.network.scope import Scope
from snfd.network.store import networks, ports


async def changeable(tx: Transaction, scope: Scope, ident: int) -> Network:
    """Lock a network that its users may change.

    :raises NotFound: there is none in the scope.
    :raises Forbidden: it is public, or the caller only reads.
    """
    network = await networks.lock(tx, scope, ident)
    if network is None:
        raise missing("Network", ident)
    if network.public:
        raise Forbidden("a public network is changed by administrators only")
    scope.check_change(network.project)
    return network


async def joinable(tx: Transaction, scope: Scope, ident: int) -> Network:
    """Lock a network, shared with others, on which its users may have ports.

    :raises NotFound: there is none in the scope.
    :raises Forbidden: it is private, and the caller only reads.
    :raises Conflict: it takes no new ports.
    """
    network = await networks.lock(tx, scope, ident, "SHARE")
    if network is None:
        raise missing("Network", ident)
    if not network.public:
        scope.check_change(network.project)
    if not network.usable:
        raise Conflict(f"network {ident} takes no new ports", kind="NetworkBusy")
    return network


async def changeable_port(tx: Transaction, scope: Scope, ident: int) -> Port:
    """Lock a port that its users may change.

    :raises NotFound: there is none in the scope.
    :raises Forbidden: the caller only reads.
    """
    port = await ports.lock(tx, scope, ident)
    if port is None:
        raise missing("Port", ident)
    scope.check_change(port.project)
    return port


def check_sharing(one: tuple[UUID, bool], other: tuple[UUID, bool]) -> None:
    """Pass if two things may be put together: each its project, and whether shared.

    What is shared stays within its project (``spec/cyclades.md`` B9).

    :raises Conflict: they may not.
    """
    if one[0] != other[0] and (one[1] or other[1]):
        raise Conflict("what is shared goes together with its own project's only")
