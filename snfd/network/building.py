"""Networks made of their kind, with what they take of pools, and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, Unavailable
from snfd.network import presence
from snfd.network.model import Kind, Network
from snfd.network.rules import Rules
from snfd.network.store import networks


async def build(
    tx: Transaction,
    rules: Rules,
    kind: Kind,
    columns: Mapping[str, object],
    given: Mapping[str, str] | None = None,
) -> int:
    """Make a network; its id.

    :param columns: name, owner and the like.
    :param given: ``mode``, ``link`` or ``mac_prefix`` that an administrator wants.
    :raises Unavailable: a pool is empty.
    :raises Invalid: what is wanted comes from a pool.
    :raises Conflict: another network has the link.
    """
    ident, wanted = await networks.next_id(tx), dict(given or {})
    pooled = {Kind.MAC_FILTERED: "mac_prefix", Kind.PHYSICAL_VLAN: "link"}.get(kind)
    if pooled in wanted:
        raise Invalid(f"the {pooled} of {kind.value} networks comes from a pool")
    values = {
        "mode": "routed" if kind is Kind.IP_LESS_ROUTED else "bridged",
        "link": rules.bridge,
        "mac_prefix": rules.mac_prefix,
    }
    match kind:
        case Kind.IP_LESS_ROUTED:
            values["link"] = f"snf-link-{ident}"
        case Kind.MAC_FILTERED:
            values["link"] = rules.filtered_bridge
            values["mac_prefix"] = await _taken(tx, "mac-prefix", "MAC prefix")
        case Kind.PHYSICAL_VLAN:
            values["link"] = await _taken(tx, "bridge", "bridge")
    row = {**columns, **values, **wanted, "id": ident, "kind": kind.value}
    if await networks.insert(tx, row) is None:
        raise Conflict("another network has that name, or that link")
    return ident


async def _taken(tx: Transaction, kind: str, what: str) -> str:
    value = await networks.take_slot(tx, kind)
    if value is None:
        raise Unavailable(f"no {what} is left for another network")
    return value


async def remove(tx: Transaction, network: Network, new_id: Callable[[], UUID]) -> None:
    """Remove a locked network, with its subnets, from everywhere.

    :raises Conflict: ports or floating IPs are on it.
    """
    if await networks.in_use(tx, network.id):
        raise Conflict("the network is in use", kind="NetworkInUse")
    if network.action is None:
        await presence.leave_all(tx, network, new_id)
