"""``POST /servers/{server}/action`` of Synnefo's compute v2.0."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from attrs import frozen

from api.decoding import decode_json
from api.operations import Answer, operation
from api.paging import number
from api.synnefo.compute.action_bodies import (
    AddressOf,
    ChangePassword,
    Console,
    FirewallProfile,
    Reassign,
    Reboot,
    Rebuild,
    Rescue,
    Resize,
    VncConsole,
)
from api.synnefo.compute.views import (
    ConsoleReply,
    ConsoleView,
    RebuiltReply,
    VncReply,
    VncView,
)
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.errors import Forbidden, Invalid, NotImplementedHere
from snfd.identity.model import Caller
from snfd.network.scope import Scope

T = TypeVar("T")

Act = Callable[["ActionsApi", Caller, int, msgspec.Raw], Awaitable[Any]]


def arguments(given: msgspec.Raw, kind: type[T]) -> T:
    """An action's arguments; null stands for none.

    :raises Invalid: they are not of that kind.
    """
    raw = bytes(given)
    found: T = decode_json(b"{}" if raw == b"null" else raw, kind)
    return found


@frozen(eq=False)
class ActionsApi:
    """What users have their servers do.

    :ivar console: base URL of the console.
    """

    compute: Compute
    tickets: ConsoleTickets
    console: str

    @operation(
        "POST",
        "/servers/<server>/action",
        body=dict[str, msgspec.Raw],
        status=202,
        also={200: ConsoleReply | VncReply},
    )
    async def act(
        self, caller: Caller, server: int, body: dict[str, msgspec.Raw]
    ) -> Answer[RebuiltReply | None]:
        """Have a server do something."""
        if len(body) != 1:
            raise Invalid("the body must name exactly one action")
        [(name, given)] = body.items()
        if name not in ACTIONS:
            raise Invalid(f"there is no action {name!r}")
        reply: Any = await ACTIONS[name](self, caller, server, given)
        if isinstance(reply, Answer):
            return reply
        return Answer(reply, status=202 if reply is None else 200)


async def _start(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    await api.compute.actions.start(caller, Scope.own(caller), server)


async def _stop(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    await api.compute.actions.stop(caller, Scope.own(caller), server)


async def _delete(api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw) -> None:
    await api.compute.actions.delete(caller, Scope.own(caller), server)


async def _reboot(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    hard = arguments(given, Reboot).type == "HARD"
    await api.compute.actions.reboot(caller, Scope.own(caller), server, hard=hard)


async def _resize(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    flavor = number(arguments(given, Resize).flavor)
    await api.compute.resizing.resize(
        caller, Scope.own(caller), server, flavor, running=False
    )


async def _reassign(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> Answer[None]:
    wanted = arguments(given, Reassign)
    await api.compute.reassigning.reassign(
        caller, Scope.own(caller), server, wanted.project, shared=wanted.shared
    )
    return Answer(None, status=200)


async def _rebuild(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> Answer[RebuiltReply]:
    wanted = arguments(given, Rebuild).wanted()
    _, password = await api.compute.rebuilding.rebuild(
        caller, Scope.own(caller), server, wanted
    )
    return Answer(RebuiltReply(password), status=202)


async def _rescue(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    image = arguments(given, Rescue).image
    await api.compute.rescuing.rescue(
        caller,
        Scope.own(caller),
        server,
        None if image is None else number(image),
        running=False,
    )


async def _unrescue(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    scope = Scope.own(caller)
    await api.compute.rescuing.unrescue(caller, scope, server, running=False)


async def _change_password(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    password = arguments(given, ChangePassword).password
    await api.compute.rebuilding.change_password(
        caller, Scope.own(caller), server, password
    )


async def _console(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> ConsoleReply:
    kind = arguments(given, Console).type
    ticket = await api.tickets.issue(
        caller, Scope.own(caller), server, kind, with_password=True
    )
    base = urlsplit(api.console)
    port = base.port or (443 if base.scheme == "https" else 80)
    path = f"console/{ticket.text}"
    scheme = "wss" if base.scheme == "https" else "ws"
    url = f"{scheme}://{base.netloc}/{path}"
    host = base.hostname or ""
    return ConsoleReply(ConsoleView(kind, host, port, ticket.password or "", path, url))


async def _vnc(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> VncReply:
    kind = arguments(given, VncConsole).type
    ticket = await api.tickets.issue(caller, Scope.own(caller), server, kind)
    url = f"{api.console}/ui/console.html#ticket={ticket.text}"
    return VncReply(VncView(kind, url))


async def _firewall(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    wanted = arguments(given, FirewallProfile)
    await api.compute.firewalls.put(
        caller, Scope.own(caller), server, number(wanted.nic), wanted.profile
    )


async def _add_address(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    address, scope = arguments(given, AddressOf).address, Scope.own(caller)
    await api.compute.carrying.add(caller, scope, server, address)


async def _remove_address(
    api: ActionsApi, caller: Caller, server: int, given: msgspec.Raw
) -> None:
    address, scope = arguments(given, AddressOf).address, Scope.own(caller)
    await api.compute.carrying.remove(caller, scope, server, address)


async def _unserved(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    await api.compute.servers.show(Scope.own(caller), server)
    raise NotImplementedHere("this action is not served by this cloud")


async def _unsupported(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    await api.compute.servers.show(Scope.own(caller), server)
    raise Invalid("servers have no such action; see the volume API")


async def _suspend(
    api: ActionsApi, caller: Caller, server: int, _: msgspec.Raw
) -> None:
    await api.compute.servers.show(Scope.own(caller), server)
    raise Forbidden("servers are suspended by administrators only")


_UNSERVED = (
    *("os-getRDPConsole", "os-getSPICEConsole"),
    *("confirmResize", "revertResize"),
)

ACTIONS: Mapping[str, Act] = {
    "start": _start,
    "os-start": _start,
    "shutdown": _stop,
    "os-stop": _stop,
    "reboot": _reboot,
    "delete": _delete,
    "resize": _resize,
    "reassign": _reassign,
    "rebuild": _rebuild,
    "rescue": _rescue,
    "unrescue": _unrescue,
    "changePassword": _change_password,
    "console": _console,
    "os-getVNCConsole": _vnc,
    "firewallProfile": _firewall,
    "addFloatingIp": _add_address,
    "removeFloatingIp": _remove_address,
    "suspend": _suspend,
    "createImage": _unsupported,
    "snapshot": _unsupported,
    **dict.fromkeys(_UNSERVED, _unserved),
}
"""What the one key of the body may be."""
