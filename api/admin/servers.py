"""Everybody's servers."""

from __future__ import annotations

from attrs import frozen
from msgspec import Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.operations import operation
from api.paging import RowId
from snfd.admin.reading import Readings
from snfd.admin.rights import RIGHTS, Right, Staff
from snfd.admin.server_model import ServerAsk, ServerFacts, ServerRow
from snfd.admin.servers import ServerViews
from snfd.compute.giving import Giving
from snfd.compute.stewarding import Steward, Stewards

Number = RowId


class Rebooting(Struct):
    """How to reboot; ``hard``: as if its power were cut."""

    hard: bool = False


class Resized(Struct):
    """Another flavor; ``running``: stop it for that, and start it again."""

    flavor: RowId
    running: bool = False


class Renamed(Struct):
    """Another name."""

    name: Short


class Reassigned(Struct):
    """Another project of its owner, by uuid or name; ``shared`` with its members."""

    project: Short
    shared: bool = False


class Given(Struct):
    """Another owner; ``project``: one of his, by uuid or name; null: his own."""

    owner: Short
    project: Short | None = None


class Rescued(Struct):
    """A rescue image by number, or null for one that suits; ``running``: though it
    runs.
    """

    image: RowId | None = None
    running: bool = False


class Unrescued(Struct):
    """``running``: though it runs."""

    running: bool = False


def _helper(staff: Staff) -> Steward:
    """Who may do the few things that the helpdesk may.

    :raises Forbidden: he may not.
    """
    actor = staff.to(Right.SUPPORT)
    return Steward(actor, frozenset() if staff.may(Right.SERVERS) else SPARED)


SPARED = frozenset(RIGHTS)
"""Whose members' servers the helpdesk leaves alone."""


@frozen(eq=False)
class ServersApi:
    """Looking at servers, and what users do with them as well."""

    _views: ServerViews
    _stewards: Stewards
    _readings: Readings

    @operation("GET", "/servers", query=ServerAsk)
    async def all(self, staff: Staff, query: ServerAsk) -> Listing[ServerRow]:
        """List servers by number."""
        await self._readings.told_of_helpers(staff, "server.list", "server:*")
        return Listing.of(await self._views.servers(query))

    @operation("GET", "/servers/<server>")
    async def show(self, staff: Staff, server: Number) -> ServerFacts:
        """Show a server, with its cards, disks and latest jobs; no secrets."""
        found = await self._views.server(server)
        await self._readings.told_of_helpers(staff, "server.show", f"server:{server}")
        return found

    @operation("POST", "/servers/<server>/start", status=202)
    async def start(self, staff: Staff, server: Number) -> None:
        """Start a stopped server."""
        await self._stewards.act(
            _helper(staff), server, "server.start",
            lambda bench: bench.actions.start(bench.caller, bench.scope, server),
        )  # fmt: skip

    @operation("POST", "/servers/<server>/stop", status=202)
    async def stop(self, staff: Staff, server: Number) -> None:
        """Stop a running server."""
        await self._stewards.act(
            _helper(staff), server, "server.stop",
            lambda bench: bench.actions.stop(bench.caller, bench.scope, server),
        )  # fmt: skip

    @operation("POST", "/servers/<server>/suspend", status=204)
    async def suspend(self, staff: Staff, server: Number) -> None:
        """Have users do nothing with a server but look at it; it runs on."""
        await self._stewards.suspend(_helper(staff), server, suspended=True)

    @operation("POST", "/servers/<server>/unsuspend", status=204)
    async def unsuspend(self, staff: Staff, server: Number) -> None:
        """Give a suspended server back to its users."""
        await self._stewards.suspend(_helper(staff), server, suspended=False)


@frozen(eq=False)
class ServerChangesApi:
    """What only administrators do with servers."""

    _stewards: Stewards

    @operation("POST", "/servers/<server>/reboot", body=Rebooting, status=202)
    async def reboot(self, staff: Staff, server: Number, body: Rebooting) -> None:
        """Reboot a server; a stopped one is started."""
        steward, hard = Steward(staff.to(Right.SERVERS)), body.hard
        await self._stewards.act(
            steward, server, "server.reboot",
            lambda b: b.actions.reboot(b.caller, b.scope, server, hard=hard), hard=hard,
        )  # fmt: skip

    @operation("DELETE", "/servers/<server>", status=202)
    async def delete(self, staff: Staff, server: Number) -> None:
        """Remove a server and its disks, whatever it is doing."""
        await self._stewards.act(
            Steward(staff.to(Right.SERVERS)), server, "server.delete",
            lambda bench: bench.actions.delete(bench.caller, bench.scope, server),
        )  # fmt: skip

    @operation("POST", "/servers/<server>/resize", body=Resized, status=202)
    async def resize(self, staff: Staff, server: Number, body: Resized) -> None:
        """Give a server another flavor of the same disk."""
        steward, to, on = Steward(staff.to(Right.SERVERS)), body.flavor, body.running
        await self._stewards.act(
            steward, server, "server.resize",
            lambda b: b.resizing.resize(b.caller, b.scope, server, to, running=on),
            flavor=to,
        )  # fmt: skip

    @operation("POST", "/servers/<server>/rescue", body=Rescued, status=202)
    async def rescue(self, staff: Staff, server: Number, body: Rescued) -> None:
        """Have a server start from a rescue image."""
        steward, image, on = Steward(staff.to(Right.SERVERS)), body.image, body.running
        await self._stewards.act(
            steward, server, "server.rescue",
            lambda b: b.rescuing.rescue(b.caller, b.scope, server, image, running=on),
        )  # fmt: skip

    @operation("POST", "/servers/<server>/unrescue", body=Unrescued, status=202)
    async def unrescue(self, staff: Staff, server: Number, body: Unrescued) -> None:
        """Have a server start from its own disk again."""
        steward, on = Steward(staff.to(Right.SERVERS)), body.running
        await self._stewards.act(
            steward, server, "server.unrescue",
            lambda b: b.rescuing.unrescue(b.caller, b.scope, server, running=on),
        )  # fmt: skip


@frozen(eq=False)
class ServerBelongingApi:
    """What servers are called, and whose they are."""

    _views: ServerViews
    _stewards: Stewards
    _giving: Giving

    @operation("PATCH", "/servers/<server>", body=Renamed)
    async def rename(self, staff: Staff, server: Number, body: Renamed) -> ServerFacts:
        """Give a server another name."""
        await self._stewards.act(
            Steward(staff.to(Right.SERVERS)), server, "server.rename",
            lambda b: b.servers.rename(b.caller, b.scope, server, body.name),
        )  # fmt: skip
        return await self._views.server(server)

    @operation("POST", "/servers/<server>/reassign", body=Reassigned)
    async def reassign(
        self, staff: Staff, server: Number, body: Reassigned
    ) -> ServerFacts:
        """Give a server, and what it uses of quotas, to another project."""
        actor = staff.to(Right.SERVERS)
        project = await self._views.find.project(body.project)
        await self._stewards.reassign(actor, server, project, shared=body.shared)
        return await self._views.server(server)

    @operation("POST", "/servers/<server>/owner", body=Given)
    async def give(self, staff: Staff, server: Number, body: Given) -> ServerFacts:
        """Give a server to somebody else, with disks, cards, addresses and quota."""
        actor, find = staff.to(Right.SERVERS), self._views.find
        owner = await find.user(body.owner)
        project = await find.project(body.project) if body.project else owner
        await self._giving.give(actor, server, owner, project)
        return await self._views.server(server)
