"""Ports made with their addresses: floating, certain, or any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.errors import Conflict, Forbidden, Invalid, OverQuota
from snfd.network import pools
from snfd.network.model import Network, NicRequest
from snfd.network.scope import Scope
from snfd.network.store import floating as addresses
from snfd.network.store import ports

SPARE = 4
"""Public addresses that a project may have beyond one for each of its servers."""


@frozen
class Owner:
    """Whose a server's cards are."""

    user: UUID
    project: UUID
    shared: bool

    @property
    def columns(self) -> Mapping[str, object]:
        """The columns of a row that say so."""
        return {"owner": self.user, "project": self.project, "shared": self.shared}

    @property
    def sharing(self) -> tuple[UUID, bool]:
        """The project, and whether it is shared to that."""
        return self.project, self.shared


async def make_port(
    tx: Transaction,
    scope: Scope,
    owner: Owner,
    network: Network,
    request: NicRequest,
    columns: Mapping[str, object],
) -> tuple[int, str | None]:
    """Make a port on a locked network; its id and its IPv4 address.

    :param columns: further columns of the row.
    :raises Conflict: the address is taken, or none is left.
    :raises Invalid: the address lies outside the subnet.
    :raises Forbidden: the network has no IPv4 and is public.
    :raises OverQuota: the project has public addresses enough.
    """
    held = await _address(tx, scope, owner, network, request)
    if network.public and held is not None and held[2] is None:
        await _check_plain(tx, owner.project)
    port = await ports.insert(
        tx,
        {**owner.columns, "network": network.id, **columns},
    )
    if held is None:
        return port, None
    subnet, addr, floating = held
    if floating is not None:
        await ports.put_on_port(tx, floating, port, request.for_port)
    else:
        taken = {"subnet": subnet, "network": network.id, "addr": addr, "port": port}
        await ports.insert_ip(tx, {**owner.columns, **taken})
    return port, addr


async def _check_plain(tx: Transaction, project: UUID) -> None:
    """Refuse a project one more public address that is no floating IP.

    No quota counts those, and a public network serves everybody.
    """
    held, servers = await ports.plain(tx, project)
    if held >= servers + SPARE:
        raise OverQuota(
            f"a project has one public address for each of its servers and {SPARE}"
            " more; take floating IPs for others",
            resource="cyclades.floating_ip",
            limit=servers + SPARE,
            usage=held,
            requested=1,
        )


async def _address(
    tx: Transaction, scope: Scope, owner: Owner, network: Network, request: NicRequest
) -> tuple[int, str, int | None] | None:
    """Subnet, address and, for a floating IP, its id; None where no IPv4."""
    if not network.numbered or not request.numbered:
        if network.public and not network.subnets:
            raise Forbidden("that public network gives no addresses")
        if request.fixed_ip is not None:
            raise Invalid("that network has no IPv4 subnet")
        return None
    wanted = str(pools.address(request.fixed_ip)) if request.fixed_ip else None
    if network.public and request.named and wanted is None:
        raise Invalid("a port on a public network needs a floating IP as its fixed ip")
    if network.public and (wanted or request.network is not None):
        floating = await ports.free_floating(
            tx, scope, network.id, wanted, owner.sharing
        )
        if floating is not None:
            return 0, floating[1], floating[0]
        if request.needs_floating:
            await _refuse(tx, scope, network, request)
    if wanted is None:
        taken = await ports.take_any(tx, network.numbered)
        if taken is None:
            raise Conflict("no address is left", kind="IpAddressGenerationFailure")
        return *taken, None
    return await _certain(tx, network, wanted), wanted, None


async def _refuse(
    tx: Transaction, scope: Scope, network: Network, request: NicRequest
) -> NoReturn:
    """Say why no floating IP can be had."""
    if wanted := request.fixed_ip:
        found, port = await addresses.held(tx, scope, network.id, wanted)
        if port is not None:
            raise Conflict(f"{wanted} is in use", kind="IpAddressInUse")
        if found:
            raise Conflict("what is shared goes together with its own project's only")
        if request.named:
            raise Invalid(f"{wanted} is no floating IP of yours")
    raise Conflict("you hold no such free floating IP", kind="NoAddress")


async def _certain(tx: Transaction, network: Network, wanted: str) -> int:
    subnet = await ports.take(tx, network.numbered, wanted)
    if subnet is not None:
        return subnet
    if await ports.slot_exists(tx, network.numbered, wanted):
        raise Conflict(
            f"{wanted} is in use, reserved, or was in use until a moment ago",
            kind="IpAddressInUse",
        )
    raise Invalid(f"{wanted} is none of the network's addresses", kind="InvalidIp")
