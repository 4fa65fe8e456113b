"""``POST /servers/{server}/action`` of compute v2.1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from attrs import frozen

from api.decoding import decode_json
from api.openstack.compute.bodies import (
    CreateRemoteConsole,
    Reboot,
    RemoteConsole,
    VncConsole,
)
from api.openstack.compute.servers import existing, within
from api.operations import Answer, Reply, operation
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.errors import Busy, Forbidden, Invalid, NotFound, NotImplementedHere
from snfd.identity.model import Caller


class ConsoleView(Reply):
    """Where a console is."""

    type: str
    url: str


class ConsoleReply(Reply):
    """Answer of ``os-getVNCConsole``."""

    console: ConsoleView


class RemoteConsoleView(Reply):
    """Where a console is, and how it speaks."""

    protocol: str
    type: str
    url: str


class RemoteConsoleReply(Reply):
    """Answer of ``remote-consoles``."""

    remote_console: RemoteConsoleView


class OutputReply(Reply):
    """Answer of ``os-getConsoleOutput``."""

    output: str


class GroupName(msgspec.Struct):
    """A security group by name."""

    name: str


Act = Callable[["ActionsApi", Caller, int, msgspec.Raw], Awaitable[Any]]


@frozen(eq=False)
class ActionsApi:
    """What users have their servers do.

    :ivar page: URL of the console page, to which ``#ticket=…`` is added.
    """

    compute: Compute
    consoles: ConsoleTickets
    page: str

    @operation(
        "POST",
        "/servers/<server>/action",
        body=dict[str, msgspec.Raw],
        status=202,
        also={200: ConsoleReply | OutputReply},
    )
    async def act(
        self, caller: Caller, server: int, body: dict[str, msgspec.Raw]
    ) -> Answer[None]:
        """Have a server do something."""
        if len(body) != 1:
            raise Invalid("the body must name exactly one action")
        [(name, arguments)] = body.items()
        if name not in ACTIONS:
            raise Invalid(f"there is no action {name!r}")
        await existing(self.compute, caller, server)
        reply: Any = await ACTIONS[name](self, caller, server, arguments)
        return Answer(reply, status=202 if reply is None else 200)

    @operation("POST", "/servers/<server>/remote-consoles", body=CreateRemoteConsole)
    async def remote_console(
        self, caller: Caller, server: int, body: CreateRemoteConsole
    ) -> RemoteConsoleReply:
        """Open a console."""
        wanted: RemoteConsole = body.remote_console
        if (wanted.protocol, wanted.type) != ("vnc", "novnc"):
            raise Invalid("only protocol vnc with type novnc is served")
        await existing(self.compute, caller, server)
        url = await self.ticket_url(caller, server)
        return RemoteConsoleReply(RemoteConsoleView("vnc", "novnc", url))

    async def ticket_url(self, caller: Caller, server: int) -> str:
        """The URL of the console page with a fresh ticket in its fragment."""
        ticket = await self.consoles.issue(caller, within(caller), server, "novnc")
        return f"{self.page}#ticket={ticket.text}"


async def _start(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    await api.compute.actions.start(caller, within(caller), server)


async def _stop(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    await api.compute.actions.stop(caller, within(caller), server)


async def _reboot(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    how = decode_json(bytes(given), Reboot)
    hard = how.type.upper() == "HARD"
    await api.compute.actions.reboot(caller, within(caller), server, hard=hard)


async def _delete(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    await api.compute.actions.delete(caller, within(caller), server)


async def _vnc(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> ConsoleReply:
    wanted = decode_json(bytes(given), VncConsole)
    if wanted.type != "novnc":
        raise Invalid(f"console type {wanted.type!r} is not served: ask for novnc")
    url = await api.ticket_url(caller, server)
    return ConsoleReply(ConsoleView("novnc", url))


async def _output(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> OutputReply:
    found = await api.compute.servers.diagnostics(within(caller), server)
    lines = [f"{one.created:%Y-%m-%d %H:%M:%S} {one.message}" for one in found]
    return OutputReply("\n".join(reversed(lines)))


async def _group(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    if decode_json(bytes(given), GroupName).name != "default":
        raise NotFound("there is no security group but 'default'")


async def _unserved(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    raise NotImplementedHere("this action is not served by this cloud")


async def _suspend(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    raise Forbidden("servers cannot be suspended by users")


async def _not_resized(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    raise Busy("there is no resize to confirm or revert")


_UNSERVED = (
    *("os-getSPICEConsole", "os-getRDPConsole", "os-getSerialConsole"),
    *("changePassword", "rebuild", "resize", "createImage", "rescue", "unrescue"),
    *("lock", "unlock", "pause", "unpause", "shelve", "unshelve", "migrate"),
    *("evacuate", "addFloatingIp", "removeFloatingIp", "addFixedIp"),
    *("removeFixedIp", "os-migrateLive", "createBackup", "trigger_crash_dump"),
)

ACTIONS: Mapping[str, Act] = {
    "os-start": _start,
    "os-stop": _stop,
    "reboot": _reboot,
    "forceDelete": _delete,
    "os-getVNCConsole": _vnc,
    "os-getConsoleOutput": _output,
    "addSecurityGroup": _group,
    "removeSecurityGroup": _group,
    "suspend": _suspend,
    "resume": _suspend,
    "confirmResize": _not_resized,
    "revertResize": _not_resized,
    **dict.fromkeys(_UNSERVED, _unserved),
}
"""What the one key of the body may be."""
