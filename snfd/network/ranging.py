"""What administrators do with subnets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Invalid
from snfd.network import pools, subnets
from snfd.network.model import Network, NewSubnet, Subnet, SubnetChange
from snfd.network.naming import missing
from snfd.network.rules import Rules
from snfd.network.store import networks
from snfd.network.store import subnets as store

MOST = 65536
"""Addresses that one request may reserve."""


@frozen(eq=False)
class SubnetStaff:
    """Subnets as administrators change them, public ones too.

    :ivar new_id: a fresh id for an intent.
    """

    db: Database
    new_id: Callable[[], UUID]
    rules: Rules

    async def create(self, actor: Actor, new: NewSubnet) -> int:
        """Give a network a range; its id.

        :raises NotFound: there is no such network.
        :raises Invalid: it is malformed, or the network has one of the version, or
            a cluster knows the network already.
        :raises TooLarge: a range of IPv4 with more addresses than can be rows.
        :raises Conflict: the pools do not fit.
        """
        return await self.db.run(self._create, actor, new)

    async def _create(self, tx: Transaction, actor: Actor, new: NewSubnet) -> int:
        network = await networks.lock(tx, None, new.network)
        if network is None or network.action is not None:
            raise missing("Network", new.network)
        plan = pools.checked(new, pools.ADMIN_LARGEST, 30)
        rest = self.rules.quarantine if network.public else 0
        ident = await subnets.add(tx, network, new, plan, network.owner, rest)
        facts = {"network": network.id, "cidr": str(plan.cidr)}
        await record(tx, actor, "subnet.create", f"subnet:{ident}", **facts)
        return ident

    async def modify(
        self, actor: Actor, ident: int, change: SubnetChange, rest: int | None = None
    ) -> None:
        """Change a subnet.

        :param rest: seconds that addresses rest once they are given back.
        :raises NotFound: there is none.
        :raises Invalid: something is malformed.
        :raises Conflict: pools would lose addresses, or a cluster has the network
            already, so that whether it has DHCP stays.
        """
        await self.db.run(self._modify, actor, ident, change, rest)

    async def _modify(
        self,
        tx: Transaction,
        actor: Actor,
        ident: int,
        change: SubnetChange,
        rest: int | None,
    ) -> None:
        network, _ = await _locked(tx, ident)
        await subnets.alter(tx, network, ident, change, self.new_id)
        if rest is not None:
            await store.update(tx, ident, quarantine=rest)
        await record(tx, actor, "subnet.modify", f"subnet:{ident}")

    async def remove(self, actor: Actor, ident: int) -> None:
        """Take a network's range away.

        :raises NotFound: there is none.
        :raises Conflict: addresses of it are taken, or servers are on the network.
        """
        await self.db.run(self._remove, actor, ident)

    async def _remove(self, tx: Transaction, actor: Actor, ident: int) -> None:
        network, old = await _locked(tx, ident)
        await subnets.take_away(tx, network, ident, self.new_id)
        facts = {"network": network.id, "cidr": str(old.cidr)}
        await record(tx, actor, "subnet.remove", f"subnet:{ident}", **facts)

    async def reserve(
        self, actor: Actor, ident: int, wanted: Sequence[str], *, keep: bool = True
    ) -> None:
        """Give addresses out no more, or again; who has one keeps it.

        :param wanted: addresses, or ranges such as ``10.0.0.5-10.0.0.9``.
        :raises NotFound: there is no such subnet.
        :raises Invalid: one is none, or lies outside.
        """
        await self.db.run(self._reserve, actor, ident, wanted, keep)

    async def _reserve(
        self,
        tx: Transaction,
        actor: Actor,
        ident: int,
        wanted: Sequence[str],
        keep: bool,
    ) -> None:
        _, subnet = await _locked(tx, ident)
        addresses = expanded(wanted, subnet)
        work = store.reserve if keep else store.release
        await work(tx, ident, addresses, None)
        action = "subnet.reserve" if keep else "subnet.release"
        facts = {"addresses": list(wanted)}
        await record(tx, actor, action, f"subnet:{ident}", **facts)


def expanded(wanted: Sequence[str], within: Subnet) -> list[str]:
    """Every address that ``wanted`` names.

    :raises Invalid: one is none or lies outside, or there are too many.
    """
    found: list[str] = []
    for one in wanted:
        first, _, last = one.partition("-")
        low, high = pools.address(first), pools.address(last or first)
        if low not in within.cidr or high not in within.cidr or low > high:
            raise Invalid(f"{one} is no range of {within.cidr}")
        if len(found) + int(high) - int(low) >= MOST:
            raise Invalid(f"at most {MOST} addresses at once")
        found += [str(IPv4Address(n)) for n in range(int(low), int(high) + 1)]
    return found


async def _locked(tx: Transaction, ident: int) -> tuple[Network, Subnet]:
    """A subnet, and its network, which is locked."""
    number = await store.network_of(tx, ident)
    network = None if number is None else await networks.lock(tx, None, number)
    if network is not None and network.action is None:
        for one in await store.within(tx, network.id):
            if one.id == ident:
                return network, one
    raise missing("Subnet", ident)
