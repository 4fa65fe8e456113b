"""Servers as replies of compute v2.1; nova's schemas are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha224

from msgspec import UNSET, UnsetType
from msgspec import field as named

from api.links import Link, Links
from api.operations import Reply
from api.times import micros_bare, whole_z
from snfd.compute.model import Attachment, Server, Status
from snfd.compute.states import State, Task
from snfd.network.groups import DEFAULT, called

STATUS = {
    Status.BUILD: "BUILD",
    Status.ACTIVE: "ACTIVE",
    Status.STOPPED: "SHUTOFF",
    Status.REBOOT: "REBOOT",
    Status.HARD_REBOOT: "HARD_REBOOT",
    Status.RESIZE: "RESIZE",
    Status.REBUILD: "REBUILD",
    Status.ERROR: "ERROR",
    Status.DELETED: "DELETED",
}
_VM_STATE = {
    Status.BUILD: "building",
    Status.STOPPED: "stopped",
    Status.ERROR: "error",
    Status.DELETED: "deleted",
}
_POWER = {State.STARTED: 1, State.STOPPED: 4}
_TASK = {
    Task.BUILD: "spawning",
    Task.START: "powering-on",
    Task.STOP: "powering-off",
    Task.REBOOT: "rebooting",
    Task.DESTROY: "deleting",
    Task.RESIZE: "resize_prep",
    Task.REBUILD: "rebuilding",
    Task.RESCUE: "rescuing",
    Task.UNRESCUE: "unrescuing",
}
_SHOWS_PROGRESS = (Status.BUILD, Status.ACTIVE)


def precise(at: datetime | None) -> str | None:
    """A time as nova's usage extension writes it; None where there is none yet."""
    return None if at is None else micros_bare(at)


class AddressView(Reply):
    """One address of a server."""

    version: int
    addr: str
    type: str = named(name="OS-EXT-IPS:type")
    mac: str = named(name="OS-EXT-IPS-MAC:mac_addr")


class PlainAddress(Reply):
    """One address, as the list of addresses alone has it."""

    version: int
    addr: str


class Ref(Reply):
    """What a server was made from."""

    id: str
    links: list[Link]


class GroupRef(Reply):
    """A security group by name."""

    name: str


class VolumeRef(Reply):
    """A volume by id."""

    id: str


class FaultView(Reply):
    """Why a server is in error."""

    code: int
    created: str
    message: str


def _groups(server: Server) -> list[GroupRef]:
    """The groups that stand for the firewall profiles of a server's cards."""
    held = {called(one.firewall) for one in server.attachments}
    return [GroupRef(name) for name in sorted(held or {DEFAULT})]


class ServerView(Reply):
    """A server in full."""

    id: str
    name: str
    status: str
    tenant_id: str
    user_id: str
    host_id: str = named(name="hostId")
    created: str
    updated: str
    flavor: Ref
    image: Ref | str
    metadata: dict[str, str]
    addresses: dict[str, list[AddressView]]
    key_name: str | None
    config_drive: str
    access_v4: str = named(name="accessIPv4")
    access_v6: str = named(name="accessIPv6")
    security_groups: list[GroupRef]
    links: list[Link]
    disk_config: str = named(name="OS-DCF:diskConfig")
    zone: str = named(name="OS-EXT-AZ:availability_zone")
    power_state: int = named(name="OS-EXT-STS:power_state")
    task_state: str | None = named(name="OS-EXT-STS:task_state")
    vm_state: str = named(name="OS-EXT-STS:vm_state")
    launched: str | None = named(name="OS-SRV-USG:launched_at")
    terminated: str | None = named(name="OS-SRV-USG:terminated_at")
    volumes: list[VolumeRef] = named(name="os-extended-volumes:volumes_attached")
    progress: int | UnsetType = UNSET
    fault: FaultView | UnsetType = UNSET
    password: str | UnsetType = named(name="adminPass", default=UNSET)

    @classmethod
    def of(cls, server: Server, links: Links) -> ServerView:
        """A server as its users see it."""
        status = server.status
        fault: FaultView | UnsetType = UNSET
        if status is Status.ERROR:
            text = server.fault or "the server could not be made"
            fault = FaultView(500, whole_z(server.updated), text)
        return cls(
            id=str(server.id),
            name=server.name,
            status="RESCUE" if _rescued(server) else STATUS[status],
            tenant_id=str(server.project),
            user_id=str(server.owner),
            host_id=_host(server),
            created=whole_z(server.created),
            updated=whole_z(server.updated),
            flavor=Ref(
                str(server.flavor.id), links.marked("flavors", server.flavor.id)
            ),
            image=_image(server, links),
            metadata=dict(server.metadata),
            addresses=addresses(server.attachments),
            key_name=server.key_names[0] if server.key_names else None,
            config_drive="",
            access_v4="",
            access_v6="",
            security_groups=_groups(server),
            links=links.of("servers", server.id),
            disk_config="MANUAL",
            zone=ZONE,
            power_state=4 if server.crashed else _POWER.get(server.state, 0),
            task_state=_task(server),
            vm_state="rescued" if _rescued(server) else _VM_STATE.get(status, "active"),
            launched=precise(server.launched),
            terminated=precise(server.deleted_at),
            volumes=[VolumeRef(str(volume.id)) for volume in server.volumes],
            progress=server.progress if status in _SHOWS_PROGRESS else UNSET,
            fault=fault,
        )


ZONE = "nova"
"""The one availability zone."""


def _host(server: Server) -> str:
    if server.node is None:
        return ""
    return sha224(f"{server.project}{server.node}".encode()).hexdigest()


def _image(server: Server, links: Links) -> Ref | str:
    if server.image is None:
        return ""
    return Ref(str(server.image), links.marked("images", server.image))


def _rescued(server: Server) -> bool:
    return server.rescue and server.status in (Status.ACTIVE, Status.STOPPED)


def _task(server: Server) -> str | None:
    if server.status is Status.HARD_REBOOT:
        return "rebooting_hard"
    return _TASK.get(server.task) if server.task else None


def labels(cards: Sequence[Attachment]) -> dict[int, str]:
    """A label for each network: its name, with its id where two have one name."""
    names: dict[str, int] = {}
    found: dict[int, str] = {}
    for card in cards:
        first = names.setdefault(card.network_name, card.network)
        mine = first == card.network
        found[card.network] = (
            card.network_name if mine else f"{card.network_name}-{card.network}"
        )
    return found


def addresses(cards: Sequence[Attachment]) -> dict[str, list[AddressView]]:
    """All addresses by the network's label."""
    label = labels(cards)
    found: dict[str, list[AddressView]] = {}
    for card in cards:
        for held in card.addresses:
            kind = "floating" if held.floating else "fixed"
            shown = AddressView(held.version, held.addr, kind, card.mac)
            found.setdefault(label[card.network], []).append(shown)
    return found


class ServerReply(Reply):
    """One server."""

    server: ServerView


class ServersReply(Reply):
    """One page of servers in full."""

    servers: list[ServerView]
    servers_links: list[Link] | UnsetType = UNSET


class BriefServer(Reply):
    """A server by name."""

    id: str
    name: str
    links: list[Link]


class BriefServersReply(Reply):
    """One page of servers by name."""

    servers: list[BriefServer]
    servers_links: list[Link] | UnsetType = UNSET


class NewServerView(Reply):
    """A server that was just accepted; the password is told once."""

    id: str
    links: list[Link]
    disk_config: str = named(name="OS-DCF:diskConfig")
    password: str = named(name="adminPass")
    security_groups: list[GroupRef]


class ServerCreated(Reply):
    """Answer of ``POST /servers``."""

    server: NewServerView

    @classmethod
    def of(cls, server: Server, password: str, links: Links) -> ServerCreated:
        """A server that was just accepted."""
        return cls(
            NewServerView(
                str(server.id),
                links.of("servers", server.id),
                "MANUAL",
                password,
                [GroupRef("default")],
            )
        )


class AddressesReply(Reply):
    """A server's addresses by network."""

    addresses: dict[str, list[PlainAddress]]


def plain(cards: Sequence[Attachment]) -> dict[str, list[PlainAddress]]:
    """All addresses by the network's label, without their cards."""
    return {
        label: [PlainAddress(one.version, one.addr) for one in held]
        for label, held in addresses(cards).items()
    }
