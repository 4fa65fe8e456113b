"""What administrators do with networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from attrs import field, frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.network import pools, presence, standard, subnets
from snfd.network.building import build, remove
from snfd.network.model import Cluster, Kind, Network, NewSubnet
from snfd.network.naming import checked_name, missing
from snfd.network.pooling import Pools
from snfd.network.ranging import SubnetStaff
from snfd.network.rules import Rules
from snfd.network.store import networks
from snfd.network.store import presence as places
from snfd.network.store import standard as cards
from snfd.quota import service as quota

MAX_TAGS = 10


@frozen
class Wanted:
    """A network that an administrator wants.

    :ivar owner: and project: None for public ones.
    :ivar given: ``mode``, ``link`` and ``mac_prefix``, where the kind leaves them.
    :ivar lazy: whether clusters hear of it with their first server only.
    """

    name: str
    kind: Kind
    public: bool = False
    owner: UUID | None = None
    project: UUID | None = None
    shared: bool = False
    floating_ip_pool: bool = False
    mtu: int = 1500
    tags: tuple[str, ...] = ()
    given: Mapping[str, str] = field(factory=dict)
    subnets: Sequence[NewSubnet] = ()
    lazy: bool = False

    def columns(self) -> Mapping[str, object]:
        """The columns of its row that it says.

        :raises Invalid: it belongs to nobody, or is public and somebody's.
        """
        if self.public != (self.owner is None) or self.public != (self.project is None):
            raise Invalid("a network is public, or has an owner and a project")
        if self.floating_ip_pool and not self.public:
            raise Invalid("floating IPs come from public networks only")
        if self.public and not self.name:
            raise Invalid("a public network needs a name")
        return {
            "name": checked_name(self.name),
            "owner": self.owner,
            "project": self.project,
            "shared": self.shared,
            "public": self.public,
            "floating_ip_pool": self.floating_ip_pool,
            "mtu": self.mtu,
            "tags": list(self.tags),
            "everywhere": not self.lazy,
        }


@frozen
class Changes:
    """What shall be different of a network; None leaves it."""

    name: str | None = None
    drained: bool | None = None
    floating_ip_pool: bool | None = None
    mtu: int | None = None


@frozen(eq=False)
class NetworkStaff:
    """Networks as administrators change them, and what belongs to them.

    :ivar new_id: a fresh id for an intent.
    """

    db: Database
    new_id: Callable[[], UUID]
    rules: Rules
    subnets: SubnetStaff
    pools: Pools

    @classmethod
    def build(
        cls, db: Database, new_id: Callable[[], UUID], rules: Rules
    ) -> NetworkStaff:
        """Make it, with its parts."""
        return cls(db, new_id, rules, SubnetStaff(db, new_id, rules), Pools(db))

    async def create(self, actor: Actor, wanted: Wanted) -> int:
        """Make a network of any kind, and have clusters make it; its id.

        :raises Invalid: something is malformed, or comes from a pool.
        :raises Unavailable: a pool is empty.
        :raises Conflict: a public network has the name, or another the link.
        :raises OverQuota: the project has no room.
        """
        return await self.db.run(self._create, actor, wanted)

    async def _create(self, tx: Transaction, actor: Actor, wanted: Wanted) -> int:
        columns, rules = wanted.columns(), self.rules
        ident = await build(tx, rules, wanted.kind, columns, wanted.given)
        for one in wanted.subnets:
            network = await _locked(tx, ident)
            plan = pools.checked(one, pools.ADMIN_LARGEST, 30)
            rest = rules.quarantine if wanted.public else 0
            await subnets.add(tx, network, one, plan, wanted.owner, rest)
        if not wanted.lazy:
            await presence.spread(tx, await _locked(tx, ident), self.new_id)
        facts = {"name": wanted.name, "kind": wanted.kind.value}
        await record(tx, actor, "network.create", f"network:{ident}", **facts)
        if wanted.owner is not None and wanted.project is not None:
            amounts = {presence.QUOTA: 1}
            await quota.charge(tx, wanted.owner, wanted.project, amounts)
        return ident

    async def modify(self, actor: Actor, ident: int, changes: Changes) -> None:
        """Change a network.

        :raises NotFound: there is none.
        :raises Invalid: it gives no floating IPs.
        :raises Conflict: some of its floating IPs are reserved, or the name is
            another public network's.
        """
        await self.db.run(self._modify, actor, ident, changes)

    async def _modify(
        self, tx: Transaction, actor: Actor, ident: int, changes: Changes
    ) -> None:
        network = await _locked(tx, ident)
        values = {
            name: getattr(changes, name)
            for name in ("name", "drained", "floating_ip_pool", "mtu")
            if getattr(changes, name) is not None
        }
        checked_name(str(values.get("name", "")))
        if changes.floating_ip_pool and not network.public:
            raise Invalid("floating IPs come from public networks only")
        if changes.floating_ip_pool is False and await networks.has_floating(tx, ident):
            raise Conflict("floating IPs of the network are reserved")
        if changes.floating_ip_pool and not network.floating_ip_pool:
            values["everywhere"] = True
        if values:
            await networks.update(tx, ident, **values)
        if values.get("everywhere"):
            await presence.spread(tx, await _locked(tx, ident), self.new_id)
        await record(tx, actor, "network.modify", f"network:{ident}", **values)

    async def remove(self, actor: Actor, ident: int) -> None:
        """Remove a network, with its subnets, from everywhere.

        :raises NotFound: there is none.
        :raises Conflict: ports or floating IPs are on it.
        """
        await self.db.run(self._remove, actor, ident)

    async def _remove(self, tx: Transaction, actor: Actor, ident: int) -> None:
        network = await _locked(tx, ident)
        await record(tx, actor, "network.remove", f"network:{ident}", name=network.name)
        await remove(tx, network, self.new_id)

    async def join(self, actor: Actor, ident: int, backend: str) -> None:
        """Have a cluster make a network, before any server wants it.

        :raises NotFound: there is no such network or cluster.
        """
        await self.db.run(self._join, actor, ident, backend)

    async def _join(
        self, tx: Transaction, actor: Actor, ident: int, backend: str
    ) -> None:
        network, cluster = await _locked(tx, ident), await _cluster(tx, backend)
        await presence.join(tx, network, cluster, self.new_id)
        await record(tx, actor, "network.join", f"network:{ident}", cluster=cluster.id)

    async def leave(self, actor: Actor, ident: int, backend: str) -> None:
        """Have a cluster forget a network; it comes back with a server only.

        :raises NotFound: there is no such network or cluster, or it is not there.
        :raises Conflict: servers of the cluster are on it.
        """
        await self.db.run(self._leave, actor, ident, backend)

    async def _leave(
        self, tx: Transaction, actor: Actor, ident: int, backend: str
    ) -> None:
        network, cluster = await _locked(tx, ident), await _cluster(tx, backend)
        await presence.leave(tx, network, cluster.id, self.new_id)
        await networks.update(tx, ident, everywhere=False)
        await record(tx, actor, "network.leave", f"network:{ident}", cluster=cluster.id)

    async def unasked(
        self,
        actor: Actor,
        forced: Sequence[Sequence[str]],
        default: Sequence[Sequence[str]],
    ) -> None:
        """Say which cards servers get whatever, or if, their users ask.

        :param forced: choices for each card; see `snfd.network.standard`.
        :raises Invalid: a choice is neither a network's id nor a word for some.
        """
        for one in (*forced, *default):
            for choice in one:
                if choice not in standard.WORDS and not choice.isdecimal():
                    words = ", ".join(standard.WORDS)
                    raise Invalid(f"a choice is a network's id or one of {words}")
        await self.db.run(self._unasked, actor, forced, default)

    async def _unasked(
        self,
        tx: Transaction,
        actor: Actor,
        forced: Sequence[Sequence[str]],
        default: Sequence[Sequence[str]],
    ) -> None:
        await cards.set_cards(tx, True, forced)
        await cards.set_cards(tx, False, default)
        facts = {"forced": [*map(list, forced)], "default": [*map(list, default)]}
        await record(tx, actor, "network.unasked", "networks:all", **facts)


async def _locked(tx: Transaction, ident: int) -> Network:
    network = await networks.lock(tx, None, ident)
    if network is None or network.action is not None:
        raise missing("Network", ident)
    return network


async def _cluster(tx: Transaction, which: str) -> Cluster:
    cluster = await places.cluster(tx, which)
    if cluster is None:
        raise NotFound(f"there is no cluster {which!r}")
    return cluster
