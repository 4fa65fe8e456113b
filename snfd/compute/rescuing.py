"""Servers start from rescue images where their own system does not.

A rescue image is a file on every node, the instance's CD; who starts from it finds
the server's disks beside. Rules of the choice: spec/cyclades.md, appendix B8.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from snfd.audit import Actor, record
from snfd.compute.actions import Actions, Plan, ready
from snfd.compute.images import Images
from snfd.compute.model import Locked, RescueImage, Server
from snfd.compute.states import State, Task
from snfd.compute.store import rescues, rows, servers
from snfd.db.port import Database, Transaction
from snfd.errors import Busy, Conflict, Invalid, NotFound, NotImplementedHere
from snfd.ganeti import requests
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope


def choose(images: Sequence[RescueImage], family: str, os: str) -> RescueImage | None:
    """The rescue image for a system: made for it, for its family, the default."""
    family, os = family.lower(), os.lower()
    kin = [one for one in images if family and one.os_family.lower() == family]
    exact = [one for one in kin if os and one.os.lower() == os]
    general = [one for one in kin if not one.os]
    default = [one for one in images if one.is_default]
    found = exact or general or kin or default
    return found[0] if found else None


@frozen(eq=False)
class Rescuing:
    """Has servers start from rescue images, and from their disks again."""

    actions: Actions
    images: Images

    async def rescue(
        self,
        caller: Caller,
        scope: Scope,
        ident: int,
        image: int | None = None,
        *,
        running: bool,
    ) -> None:
        """Have a server start from a rescue image.

        :param image: None for the one that suits its system.
        :param running: stop a running one for it, and start it from there; else
            a stopped one stays stopped, and others are refused.
        :raises NotFound: there is no such server or rescue image, or none at all.
        :raises Forbidden: the server is suspended, or the caller only reads.
        :raises Busy: the server's state or task excludes it, or it does so already.
        :raises NotImplementedHere: the cluster's hypervisor has no CDs.
        :raises OverQuota: no room for another running server.
        :raises Unavailable: its cluster does not answer.
        """
        require_writer(caller)
        chosen = await self._chosen(caller, scope, ident, image)
        await self.actions.db.run(self._rescue, caller, scope, ident, chosen, running)

    async def unrescue(
        self, caller: Caller, scope: Scope, ident: int, *, running: bool
    ) -> None:
        """Have a server start from its own disk again.

        :param running: as in `rescue`.
        :raises NotFound: there is no such server.
        :raises Forbidden: the server is suspended, or the caller only reads.
        :raises Busy: the server's state or task excludes it, or it does so already.
        :raises OverQuota: no room for another running server.
        :raises Unavailable: its cluster does not answer.
        """
        require_writer(caller)
        await self.actions.db.run(self._unrescue, caller, scope, ident, running)

    async def _chosen(
        self, caller: Caller, scope: Scope, ident: int, image: int | None
    ) -> RescueImage:
        server = await servers.find(self.actions.db, scope, ident)
        if server is None:
            raise NotFound(f"there is no server {ident}")
        known = await rescues.listed(self.actions.db)
        if image is not None:
            found = next((one for one in known if one.id == image), None)
        else:
            family = await self._family(caller, server)
            found = choose(known, family, server.os or "")
        if found is None:
            raise NotFound("there is no rescue image for this server")
        return found

    async def _family(self, caller: Caller, server: Server) -> str:
        if server.image is None:
            return ""
        try:
            facts = await self.images.usable(caller, server.image)
        except (NotFound, Conflict):
            return ""
        return facts.properties.get("osfamily", "")

    async def _rescue(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        ident: int,
        chosen: RescueImage,
        running: bool,
    ) -> None:
        server = await _ready(tx, scope, ident, Task.RESCUE, running)
        if await rescues.hypervisor(tx, server.cluster) != "kvm":
            raise NotImplementedHere("only servers on KVM start from rescue images")
        if not await rescues.held(tx, chosen.id):
            raise NotFound("the rescue image is gone")
        await rows.update(tx, ident, rescue_image=chosen.id)
        change = requests.rescue(ident, chosen.path)
        await self._begin(tx, caller, server, Task.RESCUE, change, running)

    async def _unrescue(
        self, tx: Transaction, caller: Caller, scope: Scope, ident: int, running: bool
    ) -> None:
        server = await _ready(tx, scope, ident, Task.UNRESCUE, running)
        change = requests.unrescue(ident)
        await self._begin(tx, caller, server, Task.UNRESCUE, change, running)

    async def _begin(
        self,
        tx: Transaction,
        caller: Caller,
        server: Locked,
        task: Task,
        change: requests.Request,
        running: bool,
    ) -> None:
        to = State.STARTED if running else State.STOPPED
        plan = Plan.while_stopped(task, server, change, to)
        await self.actions.begin(tx, caller, server, plan)


async def _ready(
    tx: Transaction, scope: Scope, ident: int, task: Task, running: bool
) -> Locked:
    server = await ready(tx, scope, ident, task)
    if server.state is State.STARTED and not running:
        raise Busy("the server must be stopped for that")
    if server.rescue is (task is Task.RESCUE):
        raise Busy("the server starts from there already")
    return server


@frozen(eq=False)
class RescueImages:
    """The rescue images that administrators have put on their nodes."""

    db: Database

    async def list(self) -> Sequence[RescueImage]:
        """All of them, by name."""
        return await rescues.listed(self.db)

    async def add(self, actor: Actor, new: RescueImage) -> RescueImage:
        """Make a rescue image known; a default one takes the place of another.

        :raises Invalid: no name, or a path that is not absolute.
        :raises Conflict: there is one of that name.
        """
        if not 1 <= len(new.name) <= 255 or "\0" in new.name + new.path:
            raise Invalid("a rescue image's name has 1 to 255 characters")
        if not new.path.startswith("/") or len(new.path) > 1024:
            raise Invalid("the path of a rescue image is that of a file on the nodes")
        return await self.db.run(self._add, actor, new)

    async def _add(
        self, tx: Transaction, actor: Actor, new: RescueImage
    ) -> RescueImage:
        ident = await rescues.insert(tx, new)
        if ident is None:
            raise Conflict(f"there is a rescue image {new.name!r} already")
        target = f"rescue-image:{ident}"
        await record(tx, actor, "rescue-image.add", target, name=new.name)
        return evolve(new, id=ident)

    async def remove(self, actor: Actor, name: str) -> None:
        """Forget a rescue image; its file is left alone.

        :raises NotFound: there is none of that name.
        :raises Conflict: a server starts from it.
        """
        await self.db.run(self._remove, actor, name)

    async def _remove(self, tx: Transaction, actor: Actor, name: str) -> None:
        ident = await rescues.lock(tx, name)
        if ident is None:
            raise NotFound(f"there is no rescue image {name!r}")
        if await rescues.used(tx, ident):
            raise Conflict("a server starts from that rescue image")
        await rescues.remove(tx, ident)
        target = f"rescue-image:{ident}"
        await record(tx, actor, "rescue-image.remove", target, name=name)
