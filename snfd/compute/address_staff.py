"""What administrators do with ports and floating IPs, whosever they are."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve, frozen

from snfd.audit import Actor, record
from snfd.compute.nics import Nics
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid
from snfd.network.floating import FloatingIps, NewFloatingIp
from snfd.network.model import NewPort, NicRequest
from snfd.network.naming import missing
from snfd.network.scope import Reach, Scope
from snfd.network.store import floating as store
from snfd.network.store import ports

_NOBODY = UUID(int=0)
_ALL = Scope(Reach.ALL, _NOBODY, ())


@frozen(eq=False)
class AddressStaff:
    """Ports and floating IPs as administrators change them."""

    nics: Nics
    floating: FloatingIps

    async def remove_port(self, actor: Actor, ident: int) -> None:
        """Remove a port; from its server, if it has one, by a job.

        :raises NotFound: there is none.
        :raises Busy: its server's state or task excludes it.
        """
        await self.nics.actions.db.run(self._remove_port, actor, ident)

    async def _remove_port(self, tx: Transaction, actor: Actor, ident: int) -> None:
        found = await ports.peek(tx, ident)
        if found is None:
            raise missing("Port", ident)
        if found.server is not None:
            await self.nics.without(tx, actor.uuid, _ALL, found)
        else:
            locked = await ports.lock(tx, None, ident)
            if locked is None or locked.server is not None:
                raise Conflict("the port has changed this moment")
            await ports.delete(tx, ident)
        await record(tx, actor, "port.remove", f"port:{ident}", server=found.server)

    async def take(
        self, actor: Actor, owner: UUID, new: NewFloatingIp, project: UUID
    ) -> int:
        """Take a floating IP for somebody; its id.

        :raises NotFound: there is no such network.
        :raises Conflict: the network is no pool, none is left, or it is taken.
        :raises Invalid: the address is none of the pool's.
        :raises OverQuota: the project has no room.
        """
        wanted = evolve(new, project=project)
        return await self.nics.actions.db.run(self._take, actor, owner, wanted, project)

    async def _take(
        self,
        tx: Transaction,
        actor: Actor,
        owner: UUID,
        new: NewFloatingIp,
        project: UUID,
    ) -> int:
        ident = await self.floating.make(tx, owner, _ALL, new, project)
        await record(tx, actor, "floating-ip.create", f"floating-ip:{ident}")
        return ident

    async def give_back(self, actor: Actor, ident: int) -> None:
        """Give a floating IP back to its pool.

        :raises NotFound: there is none.
        :raises Conflict: a port has it.
        """
        await self.nics.actions.db.run(self._give_back, actor, ident)

    async def _give_back(self, tx: Transaction, actor: Actor, ident: int) -> None:
        await self.floating.drop(tx, _ALL, ident)
        await record(tx, actor, "floating-ip.remove", f"floating-ip:{ident}")

    async def attach(self, actor: Actor, ident: int, server: int) -> None:
        """Give a server a card with a floating IP.

        :raises NotFound: there is no such server or floating IP.
        :raises Conflict: it is in use, or either is shared in another project.
        :raises Busy: the server's state or task excludes it.
        """
        await self.nics.actions.db.run(self._attach, actor, ident, server)

    async def _attach(
        self, tx: Transaction, actor: Actor, ident: int, server: int
    ) -> None:
        found = await store.peek(tx, ident)
        if found is None:
            raise missing("FloatingIP", ident)
        network, addr, _ = found
        card = NicRequest(network, fixed_ip=addr, needs_floating=True)
        new = NewPort(network, server=server, fixed_ip=addr)
        await self.nics.within(tx, actor.uuid, _ALL, new, card)
        target = f"floating-ip:{ident}"
        await record(tx, actor, "floating-ip.attach", target, server=server)

    async def detach(self, actor: Actor, ident: int) -> None:
        """Take a floating IP off its server; its owner keeps it.

        :raises NotFound: there is none.
        :raises Invalid: no server has it.
        :raises Busy: the server's state or task excludes it.
        """
        await self.nics.actions.db.run(self._detach, actor, ident)

    async def _detach(self, tx: Transaction, actor: Actor, ident: int) -> None:
        found = await store.peek(tx, ident)
        if found is None:
            raise missing("FloatingIP", ident)
        port = None if found[2] is None else await ports.peek(tx, found[2])
        if port is None or port.server is None:
            raise Invalid("no server has the floating IP")
        await self.nics.without(tx, actor.uuid, _ALL, port)
        target = f"floating-ip:{ident}"
        await record(tx, actor, "floating-ip.detach", target, server=port.server)
