"""Floating IPs on servers: each is carried by a network card of its own."""

from __future__ import annotations

from attrs import frozen

from snfd.compute.nics import Nics
from snfd.compute.store import rows
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.identity.model import Caller, require_writer
from snfd.network.floating import FloatingIp, FloatingIps, NewFloatingIp
from snfd.network.model import Filter, NewPort, NicRequest, Port
from snfd.network.scope import Scope
from snfd.network.store import ports


@frozen(eq=False)
class Carrying:
    """Puts floating IPs on servers, and takes them off."""

    nics: Nics
    floating: FloatingIps

    async def add(
        self,
        caller: Caller,
        scope: Scope,
        server: int,
        address: str,
        *,
        shown: int | None = None,
    ) -> None:
        """Give a server a card with a floating IP.

        :param shown: the card that users see the address with, if another.
        :raises NotFound: no such server, or no such floating IP, in the scope.
        :raises Conflict: it is in use, or either is shared in another project.
        :raises Busy: the server's state or task excludes it.
        """
        require_writer(caller)
        found = await self._found(scope, address)
        await self.nics.actions.db.run(self._add, caller, scope, server, found, shown)

    async def _found(self, scope: Scope, address: str) -> FloatingIp:
        found = await self.floating.list(scope, Filter(address=address))
        if not found:
            raise NotFound(
                f"you have no floating IP {address}", kind="FloatingIPNotFound"
            )
        return found[0]

    async def _add(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        server: int,
        found: FloatingIp,
        shown: int | None,
    ) -> None:
        card = NicRequest(
            found.network,
            fixed_ip=found.addr,
            needs_floating=True,
            for_port=shown,
        )
        new = NewPort(found.network, server=server, fixed_ip=found.addr)
        await self.nics.within(tx, caller.user, scope, new, card)

    async def remove(
        self, caller: Caller, scope: Scope, server: int, address: str
    ) -> None:
        """Take a floating IP, and the card that carries it, off a server.

        :raises NotFound: no such server, or no such floating IP, in the scope.
        :raises Invalid: the server does not have it.
        :raises Busy: the server's state or task excludes it.
        """
        require_writer(caller)
        found = await self._found(scope, address)
        await self.nics.actions.db.run(self._remove, caller, scope, server, found)

    async def _remove(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        server: int,
        found: FloatingIp,
    ) -> None:
        if await rows.lock(tx, server, scope) is None:
            raise NotFound(f"there is no server {server}")
        held = {one.id: one for one in await ports.of_server(tx, server)}
        if found.port not in held:
            raise Invalid(f"server {server} does not have {found.addr}")
        await self.nics.without(tx, caller.user, scope, held[found.port])

    async def put(self, caller: Caller, scope: Scope, ident: int, shown: Port) -> None:
        """Put a floating IP on the server that has a port, shown with that port.

        :raises NotFound: no such floating IP in the scope.
        :raises Conflict: no server has the port, or the address is in use, or either
            is shared in another project.
        :raises Busy: the server's state or task excludes it.
        """
        require_writer(caller)
        found = await self.floating.show(scope, ident)
        if found.port is not None and found.shown_port == shown.id:
            return
        server = _server(shown)
        await self.nics.actions.db.run(
            self._add, caller, scope, server, found, shown.id
        )

    async def create_on(
        self, caller: Caller, scope: Scope, new: NewFloatingIp, shown: Port
    ) -> FloatingIp:
        """Take a floating IP and put it on a port's server at once, or do neither.

        :raises NotFound: as `FloatingIps.create` and `put` do; so are others.
        """
        require_writer(caller)
        ident = await self.nics.actions.db.run(
            self._create_on, caller, scope, new, shown
        )
        return await self.floating.show(scope, ident)

    async def _create_on(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        new: NewFloatingIp,
        shown: Port,
    ) -> int:
        made = await self.floating.within(tx, caller, scope, new)
        await self._add(tx, caller, scope, _server(shown), made, shown.id)
        return made.id


def _server(shown: Port) -> int:
    if shown.server is None:
        raise Conflict("no server has the port")
    if shown.extra:
        raise Conflict("the port only carries another floating IP")
    return shown.server
