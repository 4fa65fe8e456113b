"""What users do with networks, subnets, ports and floating IPs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Forbidden
from snfd.identity.model import Caller, require_writer
from snfd.network import presence
from snfd.network.addressing import Owner, make_port
from snfd.network.administering import NetworkStaff
from snfd.network.building import build, remove
from snfd.network.floating import FloatingIps
from snfd.network.model import (
    MAX_LOOSE,
    Filter,
    Kind,
    Network,
    NewNetwork,
    NewPort,
    NicRequest,
    Port,
)
from snfd.network.naming import checked_name, missing
from snfd.network.owning import changeable, changeable_port, joinable
from snfd.network.rules import RULES, Rules
from snfd.network.scope import Scope, project_for
from snfd.network.store import networks, ports
from snfd.network.subnets import Subnets
from snfd.quota import service as quota
from snfd.quota.model import provisions


@frozen(eq=False)
class Networks:
    """Networks."""

    db: Database
    new_id: Callable[[], UUID]
    rules: Rules = RULES

    async def list(self, scope: Scope, wanted: Filter) -> Sequence[Network]:
        """Networks by id; one more than ``limit`` if there are more."""
        return await networks.listed(self.db, scope, wanted)

    async def show(self, scope: Scope, ident: int) -> Network:
        """One network.

        :raises NotFound: there is none in the scope.
        """
        found = await networks.find(self.db, scope, ident)
        if found is None:
            raise missing("Network", ident)
        return found

    async def create(self, caller: Caller, scope: Scope, new: NewNetwork) -> Network:
        """Make a private network; see `create_all`."""
        (made,) = await self.create_all(caller, scope, [new])
        return made

    async def create_all(
        self, caller: Caller, scope: Scope, wanted: Sequence[NewNetwork]
    ) -> Sequence[Network]:
        """Make private networks, all or none; clusters hear of them with a server.

        :raises Forbidden: users make no networks of that kind.
        :raises Unavailable: a pool of MAC prefixes or bridges is empty.
        :raises OverQuota: the project has no room.
        """
        require_writer(caller)
        for new in wanted:
            checked_name(new.name)
            if self._kind(new) not in self.rules.enabled:
                kind = self._kind(new).value
                raise Forbidden(f"networks of type {kind} are made by admins")
        idents = await self.db.run(self._create, caller, scope, wanted)
        return [await self.show(Scope.own(caller), ident) for ident in idents]

    def _kind(self, new: NewNetwork) -> Kind:
        return new.kind or self.rules.enabled[0]

    async def _create(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        wanted: Sequence[NewNetwork],
    ) -> Sequence[int]:
        made, charged = [], Counter[UUID]()
        for new in wanted:
            project = project_for(caller, new.project)
            columns = {
                "name": new.name,
                "owner": caller.user,
                "project": project,
                "shared": scope.shares if new.shared is None else new.shared,
            }
            made.append(await build(tx, self.rules, self._kind(new), columns))
            charged[project] += 1
        for project in sorted(charged):
            amounts = {presence.QUOTA: charged[project]}
            await quota.charge(tx, caller.user, project, amounts)
        return made

    async def rename(
        self, caller: Caller, scope: Scope, ident: int, name: str
    ) -> Network:
        """Give a network another name.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: it is public.
        """
        require_writer(caller)
        checked_name(name)
        await self.db.run(self._rename, scope, ident, name)
        return await self.show(scope, ident)

    async def _rename(
        self, tx: Transaction, scope: Scope, ident: int, name: str
    ) -> None:
        await changeable(tx, scope, ident)
        await networks.update(tx, ident, name=name)

    async def reassign(
        self, caller: Caller, ident: int, project: UUID, shared: bool
    ) -> None:
        """Have another project pay for a network.

        :raises NotFound: the caller sees no such network.
        :raises Forbidden: it is public or somebody else's, or the caller only
            reads in either project.
        :raises Invalid: the caller is no member of the project.
        :raises OverQuota: the project has no room.
        """
        require_writer(caller)
        project_for(caller, project)
        await self.db.run(self._reassign, caller, ident, project, shared)

    async def _reassign(
        self, tx: Transaction, caller: Caller, ident: int, project: UUID, shared: bool
    ) -> None:
        network = await changeable(tx, Scope.own(caller), ident)
        if network.owner != caller.user or network.project is None:
            raise Forbidden("only its owner moves a network to another project")
        await networks.update(tx, ident, project=project, shared=shared)
        if project != network.project:
            user, one = network.owner, presence.QUOTA
            leaving = provisions(user, network.project, {one: -1})
            coming = provisions(user, project, {one: 1})
            await quota.transfer(tx, {**leaving, **coming})

    async def delete(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Remove a network, with its subnets, from everywhere.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: it is public.
        :raises Conflict: ports or floating IPs are on it.
        """
        require_writer(caller)
        await self.db.run(self._delete, scope, ident)

    async def _delete(self, tx: Transaction, scope: Scope, ident: int) -> None:
        network = await changeable(tx, scope, ident)
        await remove(tx, network, self.new_id)


@frozen(eq=False)
class Ports:
    """Ports without a server; those with one are its server's business."""

    db: Database

    async def list(self, scope: Scope, wanted: Filter) -> Sequence[Port]:
        """Ports by id; one more than ``limit`` if there are more."""
        return await ports.listed(self.db, scope, wanted)

    async def show(self, scope: Scope, ident: int) -> Port:
        """One port.

        :raises NotFound: there is none in the scope.
        """
        found = await ports.find(self.db, scope, ident)
        if found is None:
            raise missing("Port", ident)
        return found

    async def create(
        self, caller: Caller, scope: Scope, new: NewPort, request: NicRequest
    ) -> Port:
        """Make a port, with its address, that no server has yet.

        :raises NotFound: there is no such network in the scope.
        :raises Conflict: the address is taken, none is left, or the network
            takes no new ports.
        :raises Invalid: the address lies outside the subnet.
        """
        require_writer(caller)
        checked_name(new.name)
        ident = await self.db.run(self._create, caller, scope, new, request)
        return await self.show(scope, ident)

    async def _create(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        new: NewPort,
        request: NicRequest,
    ) -> int:
        network = await joinable(tx, scope, new.network)
        if await ports.loose(tx, caller.project) >= MAX_LOOSE:
            raise Conflict(f"a project has at most {MAX_LOOSE} ports without a server")
        owner = Owner(caller.user, caller.project, scope.shares)
        columns = {"name": new.name, "firewall": new.firewall}
        ident, _ = await make_port(tx, scope, owner, network, request, columns)
        return ident

    async def rename(self, caller: Caller, scope: Scope, ident: int, name: str) -> Port:
        """Give a port another name.

        :raises NotFound: there is none in the scope.
        """
        require_writer(caller)
        checked_name(name)
        await self.db.run(self._rename, scope, ident, name)
        return await self.show(scope, ident)

    async def _rename(
        self, tx: Transaction, scope: Scope, ident: int, name: str
    ) -> None:
        await changeable_port(tx, scope, ident)
        await ports.update(tx, ident, name=name)

    async def delete(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Remove a port that no server has; its address is freed.

        :raises NotFound: there is none in the scope.
        :raises Conflict: a server has it.
        """
        require_writer(caller)
        await self.db.run(self._delete, scope, ident)

    async def _delete(self, tx: Transaction, scope: Scope, ident: int) -> None:
        port = await changeable_port(tx, scope, ident)
        if port.server is not None:
            raise Conflict("a server has the port", kind="PortInUse")
        await ports.delete(tx, ident)


@frozen(eq=False)
class NetworkServices:
    """All of the above, as APIs get them."""

    networks: Networks
    subnets: Subnets
    ports: Ports
    floating: FloatingIps
    staff: NetworkStaff

    @classmethod
    def build(
        cls, db: Database, new_id: Callable[[], UUID], rules: Rules = RULES
    ) -> NetworkServices:
        """Make them.

        :param rules: what the operator allows.
        """
        return cls(
            Networks(db, new_id, rules),
            Subnets(db, new_id, rules),
            Ports(db),
            FloatingIps(db),
            NetworkStaff.build(db, new_id, rules),
        )
