"""What users do with subnets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid
from snfd.identity.model import Caller, require_writer
from snfd.network import pools, presence
from snfd.network.model import Filter, Network, NewSubnet, Subnet, SubnetChange
from snfd.network.naming import checked_name, missing
from snfd.network.owning import changeable
from snfd.network.rules import RULES, Rules
from snfd.network.scope import Scope
from snfd.network.store import networks
from snfd.network.store import subnets as store


@frozen(eq=False)
class Subnets:
    """Subnets: at most one of each version on a network."""

    db: Database
    new_id: Callable[[], UUID]
    rules: Rules = RULES

    async def list(self, scope: Scope, wanted: Filter) -> Sequence[Subnet]:
        """Subnets by id; one more than ``limit`` if there are more."""
        return await store.listed(self.db, scope, wanted)

    async def show(self, scope: Scope, ident: int) -> Subnet:
        """One subnet.

        :raises NotFound: there is none in the scope.
        """
        found = await store.find(self.db, scope, ident)
        if found is None:
            raise missing("Subnet", ident)
        return found

    async def create(self, caller: Caller, scope: Scope, new: NewSubnet) -> Subnet:
        """Give a network a range; see `create_all`."""
        (made,) = await self.create_all(caller, scope, [new])
        return made

    async def create_all(
        self, caller: Caller, scope: Scope, wanted: Sequence[NewSubnet]
    ) -> Sequence[Subnet]:
        """Give networks their ranges, all of them or none.

        :raises NotFound: there is no such network in the scope.
        :raises Forbidden: the network is not the caller's.
        :raises Invalid: malformed, or the network has one or is in use already.
        :raises TooLarge: an IPv4 range larger or smaller than users may have.
        :raises Conflict: the pools do not fit.
        """
        require_writer(caller)
        for new in wanted:
            checked_name(new.name)
        idents = await self.db.run(self._create, caller, scope, wanted)
        return [await self.show(scope, ident) for ident in idents]

    async def _create(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        wanted: Sequence[NewSubnet],
    ) -> Sequence[int]:
        made = {}
        for new in sorted(wanted, key=lambda one: one.network):
            network = await changeable(tx, scope, new.network)
            plan = pools.checked(new, self.rules.largest)
            made[id(new)] = await add(tx, network, new, plan, caller.user)
        return [made[id(new)] for new in wanted]

    async def update(
        self, caller: Caller, scope: Scope, ident: int, change: SubnetChange
    ) -> Subnet:
        """Change a subnet.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: its network is public.
        :raises Invalid: something is malformed.
        :raises Conflict: a cluster has the network already, so that whether it
            has DHCP stays; or pools would lose addresses.
        """
        require_writer(caller)
        found = await self.show(scope, ident)
        await self.db.run(self._update, scope, found, change)
        return await self.show(scope, ident)

    async def _update(
        self, tx: Transaction, scope: Scope, found: Subnet, change: SubnetChange
    ) -> None:
        network = await changeable(tx, scope, found.network)
        await alter(tx, network, found.id, change, self.new_id)

    async def delete(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Take a network's range away.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: its network is public.
        :raises Conflict: addresses of it are taken.
        """
        require_writer(caller)
        await self.db.run(self._delete, scope, await self.show(scope, ident))

    async def _delete(self, tx: Transaction, scope: Scope, found: Subnet) -> None:
        network = await changeable(tx, scope, found.network)
        await take_away(tx, network, found.id, self.new_id)


async def add(
    tx: Transaction,
    network: Network,
    new: NewSubnet,
    plan: pools.Plan,
    owner: UUID | None,
    quarantine: int = 0,
) -> int:
    """Give a locked network a range; its id.

    :raises Invalid: it has one of the version, or a cluster knows it already.
    """
    there = await store.within(tx, network.id)
    if any(one.version == new.version for one in there):
        raise Invalid(f"the network has an IPv{new.version} subnet already")
    if await presence.exists(tx, network.id):
        raise Invalid("servers are on the network already")
    values = {
        "network": network.id,
        "owner": owner,
        "name": checked_name(new.name),
        "version": new.version,
        "cidr": str(plan.cidr),
        "gateway": str(plan.gateway) if plan.gateway else None,
        "dhcp": new.dhcp,
        "slaac": plan.slaac,
        "dns": list(plan.dns),
        "routes": plan.routes,
        "pools": plan.pools,
        "quarantine": quarantine if new.version == 4 else 0,
    }
    return await store.insert(tx, values)


async def alter(
    tx: Transaction,
    network: Network,
    ident: int,
    change: SubnetChange,
    new_id: Callable[[], UUID],
) -> None:
    """Change a subnet of a locked network; its clusters are told what is theirs.

    :raises NotFound: it has gone meanwhile.
    :raises Invalid: something is malformed.
    :raises Conflict: see `Subnets.update`.
    """
    there = await store.within(tx, network.id)
    old = next((one for one in there if one.id == ident), None)
    if old is None:
        raise missing("Subnet", ident)
    values: dict[str, object] = dict(_changed(change))
    if change.dhcp is not None and change.dhcp != old.dhcp:
        if await presence.exists(tx, network.id):
            raise Conflict("servers are on the subnet's network", kind="SubnetInUse")
        values["dhcp"] = change.dhcp
        values["slaac"] = old.version == 6 and change.dhcp
    if change.pools is not None:
        values["pools"] = await _grow(tx, old, change.pools)
    if not values:
        return
    await store.update(tx, ident, **values)
    await presence.retell(tx, network, there, new_id)


def _changed(change: SubnetChange) -> Mapping[str, object]:
    values: dict[str, object] = {}
    if change.name is not None:
        values["name"] = checked_name(change.name)
    if change.dns is not None:
        values["dns"] = list(pools.checked_dns(change.dns))
    if change.routes is not None:
        values["routes"] = pools.checked_routes(change.routes)
    return values


async def _grow(
    tx: Transaction, old: Subnet, wanted: Sequence[tuple[str, str]]
) -> tuple[pools.Pool, ...]:
    within, gate = old.cidr, old.gateway
    if within.version == 6:
        raise Conflict("an IPv6 range has no pools: hosts make their addresses")
    assert gate is None or gate.version == 4
    new = pools.pools(wanted, within, gate)
    await store.insert_slots(tx, old.id, pools.grown(old.pools, new))
    return new


async def take_away(
    tx: Transaction, network: Network, ident: int, new_id: Callable[[], UUID]
) -> None:
    """Take a range from a locked network.

    :raises Conflict: addresses of it are taken, or servers are on the network.
    """
    if await store.in_use(tx, ident):
        raise Conflict("addresses of the subnet are in use", kind="SubnetInUse")
    if await networks.has_servers(tx, network.id):
        raise Conflict("servers are on the subnet's network", kind="SubnetInUse")
    await presence.withdraw(tx, network, new_id)
    await store.drop(tx, ident)
