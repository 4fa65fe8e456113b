"""Network cards of servers that exist: added and removed by a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import evolve, frozen

from snfd import outbox
from snfd.compute.actions import Actions, changeable, ready
from snfd.compute.model import Locked
from snfd.compute.states import State, Task
from snfd.compute.store import rows
from snfd.db.port import Transaction
from snfd.errors import Busy, Invalid
from snfd.ganeti import names, requests
from snfd.identity.model import Caller, require_writer
from snfd.network import firewall, plugging
from snfd.network.addressing import Owner
from snfd.network.model import NewPort, NicRequest, Port, PortState
from snfd.network.naming import checked_name, missing
from snfd.network.owning import changeable_port
from snfd.network.scope import Scope
from snfd.network.store import ports


@frozen(eq=False)
class Nics:
    """Ports with a server.

    :ivar hotplug: whether clusters change cards of running servers.
    """

    actions: Actions
    draw: Callable[[int], int]
    hotplug: bool = True

    async def connect(
        self, caller: Caller, scope: Scope, new: NewPort, request: NicRequest
    ) -> int:
        """Give a server another card; the port's id.

        :raises NotFound: no such server, network or port in the scope.
        :raises Busy: the server's state or task excludes it.
        :raises Conflict: an address or port is taken, or none is left.
        :raises Invalid: it has too many, or the address is outside.
        """
        require_writer(caller)
        checked_name(new.name)
        return await self.actions.db.run(self.within, caller.user, scope, new, request)

    async def within(
        self,
        tx: Transaction,
        user: UUID | None,
        scope: Scope,
        new: NewPort,
        request: NicRequest,
    ) -> int:
        """The same as `connect`, as part of a transaction."""
        assert new.server is not None
        server = await ready(tx, scope, new.server, Task.CONNECT)
        how = await self._plugging(tx, scope, server)
        plugged = await plugging.plug(tx, how, [request])
        nic = plugged.nics[0]
        if new.name:
            await plugging.name(tx, nic.port, new.name)
        card = requests.NewNic(nic.port, nic.network, nic.ip, nic.mac)
        made = requests.add_nic(server.id, card, hotplug=self._hot(server))
        job = await self._put(tx, user, server, made, plugged.after)
        await rows.begin(tx, server, Task.CONNECT, job)
        tags = firewall.tags(nic.port, nic.firewall)
        if tags:
            tagging = evolve(requests.add_tags(server.id, tags), strict=True)
            await self._put(tx, user, server, tagging, (job,))
        return nic.port

    async def disconnect(self, caller: Caller, scope: Scope, port: Port) -> None:
        """Take a card away from its server; the port goes when that is done.

        :raises NotFound: the server is not in the scope.
        :raises Busy: the server's state or task excludes it.
        """
        require_writer(caller)
        await self.actions.db.run(self.without, caller.user, scope, port)

    async def without(
        self, tx: Transaction, user: UUID | None, scope: Scope, port: Port
    ) -> None:
        """The same as `disconnect`, as part of a transaction."""
        if port.server is None:
            raise Invalid("no server has the port")
        if port.state is PortState.ERROR:
            await self._forget(tx, scope, port.id)
            return
        server = await ready(tx, scope, port.server, Task.DISCONNECT)
        held = {one.id: one for one in await ports.of_server(tx, server.id)}
        if port.id not in held:
            raise missing("Port", port.id)
        made = requests.remove_nic(server.id, port.id, hotplug=self._hot(server))
        waiting = await outbox.open_entries(tx, names.server_subject(server.id))
        profile = firewall.expected(held[port.id], [one.intent for one in waiting])
        job = await self._put(tx, user, server, made, ())
        await rows.begin(tx, server, Task.DISCONNECT, job)
        tags = firewall.tags(port.id, profile)
        if tags:
            untagging = evolve(requests.remove_tags(server.id, tags), strict=True)
            await self._put(tx, user, server, untagging, (job,))

    async def take_off(
        self, caller: Caller, scope: Scope, server: int, address: str
    ) -> None:
        """Take the card that has an address off a server.

        :raises NotFound: the server is not in the scope.
        :raises Invalid: it does not have the address.
        :raises Busy: its state or task excludes it.
        """
        require_writer(caller)
        await self.actions.db.run(self._take_off, caller.user, scope, server, address)

    async def _take_off(
        self,
        tx: Transaction,
        user: UUID | None,
        scope: Scope,
        server: int,
        address: str,
    ) -> None:
        await changeable(tx, scope, server)
        for port in await ports.of_server(tx, server):
            if address in (one.addr for one in port.addresses):
                await self.without(tx, user, scope, port)
                return
        raise Invalid(f"server {server} does not have {address}")

    async def _forget(self, tx: Transaction, scope: Scope, ident: int) -> None:
        """Remove a port that no instance has."""
        port = await changeable_port(tx, scope, ident)
        if port.state is not PortState.ERROR:
            raise Busy("the port has changed this moment")
        await plugging.remove(tx, ident)

    def _hot(self, server: Locked) -> bool:
        return self.hotplug and server.state is State.STARTED

    async def _plugging(
        self, tx: Transaction, scope: Scope, server: Locked
    ) -> plugging.Plugging:
        return plugging.Plugging(
            scope,
            Owner(server.owner, server.project, server.shared),
            server.id,
            await rows.cluster(tx, server.cluster),
            self.draw,
            self.actions.new_id,
            await plugging.next_index(tx, server.id),
        )

    async def _put(
        self,
        tx: Transaction,
        user: UUID | None,
        server: Locked,
        request: requests.Request,
        after: Sequence[UUID],
    ) -> UUID:
        made = requests.intent(
            self.actions.new_id(), server.cluster, names.server_subject(server.id),
            request, depends=after, actor=user,
            request_id=self.actions.request_id(),
        )  # fmt: skip
        await outbox.put(tx, made)
        return made.id
