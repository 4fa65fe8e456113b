"""Firewall profiles of servers' network cards."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd import outbox
from snfd.compute.actions import Actions, changeable, idle
from snfd.compute.model import Locked
from snfd.compute.states import State
from snfd.db.port import Transaction
from snfd.errors import Busy, NotFound
from snfd.ganeti import names, requests
from snfd.identity.model import Caller, require_writer
from snfd.intent import Intent
from snfd.network import firewall
from snfd.network.model import OPEN, Port
from snfd.network.owning import changeable_port
from snfd.network.scope import Scope
from snfd.network.store import ports


@frozen(eq=False)
class Firewalls:
    """Changes profiles; each is recorded once the cluster has it.

    Every method raises `NotFound` where the scope has no such server or port,
    `Invalid` where the server is gone, `Forbidden` where it is suspended or the
    caller only reads, and `Busy` where its state or its task excludes it.
    """

    actions: Actions

    async def put(
        self, caller: Caller, scope: Scope, ident: int, port: int, profile: str
    ) -> None:
        """Have one card of a server filtered by a profile.

        :raises NotFound: the server has no such card.
        :raises Invalid: there is no such profile.
        """
        require_writer(caller)
        firewall.checked(profile)
        await self.actions.db.run(self._put, caller, scope, ident, port, profile)

    async def _put(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        ident: int,
        port: int,
        profile: str,
    ) -> None:
        server = await _ready(tx, scope, ident)
        held = [one for one in await ports.of_server(tx, ident) if one.id == port]
        if not held:
            raise NotFound(f"server {ident} has no network card {port}")
        await self._change(tx, caller, server, held, profile)

    async def put_all(
        self, caller: Caller, scope: Scope, ident: int, profile: str
    ) -> None:
        """Have all cards of a server filtered by a profile."""
        require_writer(caller)
        await self.actions.db.run(self._put_all, caller, scope, ident, profile)

    async def _put_all(
        self, tx: Transaction, caller: Caller, scope: Scope, ident: int, profile: str
    ) -> None:
        server = await _ready(tx, scope, ident)
        held = await ports.of_server(tx, ident)
        await self._change(tx, caller, server, held, profile)

    async def take_all(
        self, caller: Caller, scope: Scope, ident: int, profile: str
    ) -> None:
        """Have no card of a server filtered by a profile any more.

        :raises NotFound: no card has the profile.
        """
        require_writer(caller)
        await self.actions.db.run(self._take_all, caller, scope, ident, profile)

    async def _take_all(
        self, tx: Transaction, caller: Caller, scope: Scope, ident: int, profile: str
    ) -> None:
        server = await _ready(tx, scope, ident)
        waiting = await _waiting(tx, server)
        held = [
            one
            for one in await ports.of_server(tx, ident)
            if firewall.expected(one, waiting) == profile
        ]
        if not held:
            raise NotFound(f"no card of server {ident} has that profile")
        await self._change(tx, caller, server, held, OPEN)

    async def put_on_port(
        self, caller: Caller, scope: Scope, ident: int, profile: str
    ) -> None:
        """Have a port filtered by a profile, with a server or for when it has one.

        :raises Invalid: there is no such profile.
        """
        require_writer(caller)
        firewall.checked(profile)
        await self.actions.db.run(self._put_on_port, caller, scope, ident, profile)

    async def _put_on_port(
        self, tx: Transaction, caller: Caller, scope: Scope, ident: int, profile: str
    ) -> None:
        server = await ports.server_of(tx, scope, ident)
        if server is not None:
            await self._put(tx, caller, scope, server, ident, profile)
            return
        port = await changeable_port(tx, scope, ident)
        if port.server is not None:
            raise Busy(f"port {ident} comes to a server this moment")
        await ports.update(tx, ident, firewall=profile)

    async def _change(
        self,
        tx: Transaction,
        caller: Caller,
        server: Locked,
        held: Sequence[Port],
        profile: str,
    ) -> None:
        """Have the cluster take old tags off locked ports, and put new ones on."""
        waiting = await _waiting(tx, server)
        gone, new = [], []
        for one in held:
            now = firewall.expected(one, waiting)
            if now != profile:
                gone += firewall.tags(one.id, now)
                new += firewall.tags(one.id, profile)
        for tags, make in ((gone, requests.remove_tags), (new, requests.add_tags)):
            if tags:
                made = requests.intent(
                    self.actions.new_id(), server.cluster,
                    names.server_subject(server.id), make(server.id, tags),
                    actor=caller.user, request_id=self.actions.request_id(),
                )  # fmt: skip
                await outbox.put(tx, made)


async def _ready(tx: Transaction, scope: Scope, ident: int) -> Locked:
    server = await changeable(tx, scope, ident)
    idle(server)
    if server.state is State.ERROR:
        raise Busy("the server is in error; it can be deleted only")
    return server


async def _waiting(tx: Transaction, server: Locked) -> Sequence[Intent]:
    subject = names.server_subject(server.id)
    return [one.intent for one in await outbox.open_entries(tx, subject)]
