"""What users do with subnets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid
from snfd.identity.model import Caller, require_writer
from snfd.network import pools, presence
from snfd.network.model import Filter, NewSubnet, Subnet
from snfd.network.naming import checked_name, missing
from snfd.network.owning import changeable
from snfd.network.scope import Scope
from snfd.network.store import networks


@frozen(eq=False)
class Subnets:
    """Subnets; IPv4 only."""

    db: Database
    new_id: Callable[[], UUID]

    async def list(self, scope: Scope, wanted: Filter) -> Sequence[Subnet]:
        """Subnets by id; one more than ``limit`` if there are more."""
        return await networks.subnets(self.db, scope, wanted)

    async def show(self, scope: Scope, ident: int) -> Subnet:
        """One subnet.

        :raises NotFound: there is none in the scope.
        """
        found = await networks.subnet(self.db, scope, ident)
        if found is None:
            raise missing("Subnet", ident)
        return found

    async def create(self, caller: Caller, scope: Scope, new: NewSubnet) -> Subnet:
        """Give a network its IPv4 range.

        :raises NotFound: there is no such network in the scope.
        :raises Forbidden: the network is not the caller's.
        :raises Invalid: malformed, or the network has one or is in use already.
        :raises TooLarge: larger than /22 or smaller than /29.
        :raises Conflict: the pools do not fit.
        """
        require_writer(caller)
        checked_name(new.name)
        ident = await self.db.run(self._create, caller, scope, new)
        return await self.show(scope, ident)

    async def _create(
        self, tx: Transaction, caller: Caller, scope: Scope, new: NewSubnet
    ) -> int:
        network = await changeable(tx, scope, new.network)
        cidr, gateway, ranges = pools.checked(new)
        if network.subnets:
            raise Invalid("the network has an IPv4 subnet already")
        if await presence.exists(tx, network.id):
            raise Invalid("servers are on the network already")
        ident = await networks.insert_subnet(
            tx,
            {
                "network": network.id,
                "owner": caller.user,
                "name": new.name,
                "cidr": str(cidr),
                "gateway": str(gateway) if gateway else None,
                "dhcp": new.dhcp,
                "dns": list(new.dns),
                "routes": new.routes,
                "pools": ranges,
            },
        )
        await networks.insert_slots(tx, ident, ranges)
        return ident

    async def update(
        self,
        caller: Caller,
        scope: Scope,
        ident: int,
        name: str | None,
        dns: Sequence[str] | None = None,
    ) -> Subnet:
        """Change a subnet's name or name servers; None leaves them.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: its network is public.
        """
        require_writer(caller)
        values: dict[str, object] = {}
        if name is not None:
            values["name"] = checked_name(name)
        if dns is not None:
            values["dns"] = [str(pools.address(one)) for one in dns]
        found = await self.show(scope, ident)
        await self.db.run(self._update, scope, found, values)
        return await self.show(scope, ident)

    async def _update(
        self, tx: Transaction, scope: Scope, found: Subnet, values: dict[str, object]
    ) -> None:
        await changeable(tx, scope, found.network)
        if values:
            await networks.update_subnet(tx, found.id, **values)

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
        if await networks.subnet_in_use(tx, found.id):
            raise Conflict("addresses of the subnet are in use", kind="SubnetInUse")
        if await networks.has_servers(tx, network.id):
            raise Conflict("servers are on the subnet's network", kind="SubnetInUse")
        await presence.withdraw(tx, network, self.new_id)
        await networks.drop_subnet(tx, found.id)
