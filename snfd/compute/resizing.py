"""Servers get another flavor.

A stopped one is changed; a running one is stopped, changed and started again by
three jobs, the second of which fails unless the first succeeded.
"""

from __future__ import annotations

from attrs import evolve, frozen

from snfd.compute import rules
from snfd.compute.actions import Actions, Plan, ready
from snfd.compute.catalog import Flavors
from snfd.compute.model import Flavor
from snfd.compute.states import Footprint, State, Task
from snfd.compute.store import catalog
from snfd.db.port import Transaction
from snfd.errors import Busy, Invalid, NotFound
from snfd.ganeti import requests
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope


@frozen(eq=False)
class Resizing:
    """Gives servers other flavors."""

    actions: Actions
    flavors: Flavors

    async def resize(
        self, caller: Caller, scope: Scope, ident: int, flavor: int, *, running: bool
    ) -> None:
        """Give a server another flavor of the same disk and volume type.

        Its quota is held at once; a job that fails leaves both as they were.

        :param running: whether a running server is stopped for it and started
            again, and not refused.
        :raises NotFound: there is no such server or flavor.
        :raises Forbidden: the server is suspended, the caller only reads, or the
            server's project has no access to the flavor.
        :raises Invalid: the flavor is the same, or has another disk.
        :raises Busy: the server's state or task excludes it.
        :raises OverQuota: no room for the new size.
        :raises Unavailable: its cluster does not answer.
        """
        require_writer(caller)
        wanted = await self.flavors.show(caller, flavor)
        if wanted.deleted:
            raise NotFound(f"there is no flavor {flavor}")
        await self.actions.db.run(self._resize, caller, scope, ident, wanted, running)

    async def _resize(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        ident: int,
        wanted: Flavor,
        running: bool,
    ) -> None:
        server = await ready(tx, scope, ident, Task.RESIZE)
        if server.state is State.STARTED and not running:
            raise Busy("the server must be stopped before it is resized")
        rules.may_use(wanted, server.project)
        if wanted.id == server.flavor:
            raise Invalid("the server has that flavor already")
        if (wanted.disk, wanted.volume_type) != await catalog.shape(tx, server.flavor):
            raise Invalid("a server keeps its disk: the flavor must have the same")
        change = requests.resize(server.id, wanted.cpu, wanted.ram)
        plan = Plan.while_stopped(Task.RESIZE, server, change, server.state)
        size = Footprint(wanted.cpu, wanted.ram, server.footprint.disk)
        plan = evolve(plan, flavor=wanted.id, size=size)
        await self.actions.begin(tx, caller, server, plan)
