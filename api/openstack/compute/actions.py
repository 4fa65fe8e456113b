"""``POST /servers/{server}/action`` of compute v2.1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from attrs import frozen
from msgspec import field as named

from api.decoding import decode_json
from api.links import Links
from api.openstack.compute.action_bodies import (
    AddFixed,
    AddressOf,
    ChangePassword,
    Reboot,
    Rebuild,
    Rescue,
    Resize,
    VncConsole,
)
from api.openstack.compute.bodies import (
    CreateRemoteConsole,
    RemoteConsole,
    named_in_body,
)
from api.openstack.compute.servers import existing, within
from api.openstack.compute.views import ServerReply, ServerView
from api.operations import Answer, Reply, operation
from api.paging import number
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.errors import Busy, Forbidden, Invalid, NotImplementedHere
from snfd.identity.model import Caller
from snfd.network.groups import profile_called
from snfd.network.model import OPEN, NewPort, NicRequest


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


class PasswordReply(Reply):
    """The password that a rescue system was asked to have; its own counts."""

    password: str = named(name="adminPass")


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
    links: Links

    @operation(
        "POST",
        "/servers/<server>/action",
        body=dict[str, msgspec.Raw],
        status=202,
        also={200: ConsoleReply | OutputReply | PasswordReply, 204: None},
    )
    async def act(
        self, caller: Caller, server: int, body: dict[str, msgspec.Raw]
    ) -> Answer[ServerReply | None]:
        """Have a server do something."""
        if len(body) != 1:
            raise Invalid("the body must name exactly one action")
        [(name, arguments)] = body.items()
        if name not in ACTIONS:
            raise Invalid(f"there is no action {name!r}")
        await existing(self.compute, caller, server)
        reply: Any = await ACTIONS[name](self, caller, server, arguments)
        if isinstance(reply, Answer):
            return reply
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
    profile = profile_called(decode_json(bytes(given), GroupName).name)
    if profile != OPEN:
        await api.compute.firewalls.put_all(caller, within(caller), server, profile)


async def _no_group(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    profile = profile_called(decode_json(bytes(given), GroupName).name)
    if profile != OPEN:
        await api.compute.firewalls.take_all(caller, within(caller), server, profile)


async def _add_address(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    wanted = decode_json(bytes(given), AddressOf)
    found = await existing(api.compute, caller, server)
    cards = [
        card.port
        for card in found.attachments
        if wanted.fixed in (None, *(one.addr for one in card.addresses))
    ]
    if wanted.fixed is not None and not cards:
        raise Invalid(f"the server does not have {wanted.fixed}")
    await api.compute.carrying.add(
        caller,
        within(caller),
        server,
        wanted.address,
        shown=cards[0] if cards else None,
    )


async def _remove_address(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    address = decode_json(bytes(given), AddressOf).address
    await api.compute.carrying.remove(caller, within(caller), server, address)


async def _add_fixed(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    network = number(decode_json(bytes(given), AddFixed).network)
    await api.compute.nics.connect(
        caller, within(caller), NewPort(network, server=server), NicRequest(network)
    )


async def _remove_fixed(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    address = decode_json(bytes(given), AddressOf).address
    await api.compute.nics.take_off(caller, within(caller), server, address)


async def _unserved(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    raise NotImplementedHere("this action is not served by this cloud")


async def _suspend(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    raise Forbidden("servers cannot be suspended by users")


async def _resize(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    flavor = number(decode_json(bytes(given), Resize).flavor)
    with named_in_body():
        await api.compute.resizing.resize(
            caller, within(caller), server, flavor, running=True
        )


async def _rebuild(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> Answer[ServerReply]:
    wanted = decode_json(bytes(given), Rebuild).wanted()
    with named_in_body():
        made, password = await api.compute.rebuilding.rebuild(
            caller, within(caller), server, wanted
        )
    view = ServerView.of(made, api.links)
    view.password = password
    return Answer(ServerReply(view), status=202)


async def _rescue(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> PasswordReply:
    raw = bytes(given)
    wanted = decode_json(b"{}" if raw == b"null" else raw, Rescue)
    with named_in_body():
        await api.compute.rescuing.rescue(
            caller, within(caller), server, wanted.ident(), running=True
        )
    return PasswordReply(wanted.password or "")


async def _unrescue(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    await api.compute.rescuing.unrescue(caller, within(caller), server, running=True)


async def _change_password(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    password = decode_json(bytes(given), ChangePassword).password
    await api.compute.rebuilding.change_password(
        caller, within(caller), server, password
    )


async def _confirm(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> Answer[None]:
    found = await api.compute.servers.show(within(caller), server)
    if found.task is not None:
        raise Busy(f"the server is busy with {found.task.value}")
    return Answer(None, status=204)


async def _revert(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    raise Busy("a resize is final as soon as it is done; resize to the old flavor")


async def _no_image(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    raise NotImplementedHere("images of servers are not made yet: copy the data out")


async def _moved(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    raise Forbidden("only the cluster's administrators move servers between nodes")


_MOVES = ("migrate", "os-migrateLive", "evacuate", "os-resetState", "injectNetworkInfo")

_UNSERVED = (
    *("os-getSPICEConsole", "os-getRDPConsole", "os-getSerialConsole"),
    *("lock", "unlock", "pause", "unpause", "shelve", "shelveOffload", "unshelve"),
    *("createBackup", "trigger_crash_dump"),
)

ACTIONS: Mapping[str, Act] = {
    "os-start": _start,
    "os-stop": _stop,
    "reboot": _reboot,
    "forceDelete": _delete,
    "resize": _resize,
    "rebuild": _rebuild,
    "rescue": _rescue,
    "unrescue": _unrescue,
    "changePassword": _change_password,
    "confirmResize": _confirm,
    "revertResize": _revert,
    "os-getVNCConsole": _vnc,
    "os-getConsoleOutput": _output,
    "addSecurityGroup": _group,
    "removeSecurityGroup": _no_group,
    "addFloatingIp": _add_address,
    "removeFloatingIp": _remove_address,
    "addFixedIp": _add_fixed,
    "removeFixedIp": _remove_fixed,
    "suspend": _suspend,
    "resume": _suspend,
    "createImage": _no_image,
    **dict.fromkeys(_MOVES, _moved),
    **dict.fromkeys(_UNSERVED, _unserved),
}
"""What the one key of the body may be."""
