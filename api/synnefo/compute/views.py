"""Servers and what hangs on them, as replies of Synnefo's compute v2.0."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType
from msgspec import field as named

from api.links import Link, Links
from api.operations import Reply
from api.times import micros_offset
from snfd.compute.model import Attachment, Diagnostic, Server, Status
from snfd.compute.states import Task

_TASKS = {
    Task.BUILD: "BUILDING",
    Task.START: "STARTING",
    Task.STOP: "STOPPING",
    Task.REBOOT: "REBOOTING",
    Task.DESTROY: "DESTROYING",
    Task.CONNECT: "CONNECTING",
    Task.DISCONNECT: "DISCONNECTING",
    Task.RESIZE: "RESIZING",
    Task.REBUILD: "REBUILDING",
    Task.RESCUE: "RESCUING",
    Task.UNRESCUE: "UNRESCUING",
}


def status(server: Server) -> str:
    """A server's status; Synnefo knows one kind of reboot."""
    if server.status is Status.HARD_REBOOT:
        return "REBOOT"
    text: str = server.status.value
    return text


class AttachmentView(Reply):
    """A network card of a server."""

    id: int
    network_id: str
    mac_address: str
    ipv4: str
    ipv6: str
    type: str = named(name="OS-EXT-IPS:type")
    firewall: str = named(name="firewallProfile")

    @classmethod
    def of(cls, card: Attachment) -> AttachmentView:
        """A working card."""
        held = {one.version: one.addr for one in card.addresses}
        floating = any(one.floating for one in card.addresses)
        return cls(
            card.port,
            str(card.network),
            card.mac,
            held.get(4, ""),
            held.get(6, ""),
            "floating" if floating else "fixed",
            card.firewall,
        )


class AddressView(Reply):
    """One address of a server."""

    version: int
    addr: str
    type: str = named(name="OS-EXT-IPS:type")


class DiagnosticView(Reply):
    """Something that a server's owner should know."""

    level: str
    created: str
    source: str
    source_date: str
    message: str
    details: str

    @classmethod
    def of(cls, one: Diagnostic) -> DiagnosticView:
        """A diagnostic."""
        return cls(
            one.level,
            micros_offset(one.created),
            one.source,
            micros_offset(one.source_date or one.created),
            one.message,
            one.details,
        )


class IntRef(Reply):
    """Something with a number, and where it is."""

    id: int
    links: list[Link]


class ImageRef(Reply):
    """The image that a server was made from."""

    id: str
    links: list[Link]


class GroupRef(Reply):
    """A security group by name."""

    name: str


class Forwarding(Reply):
    """Where a server's port is reached from outside."""

    host: str
    port: str


class ServerView(Reply):
    """A server in full."""

    id: int
    name: str
    status: str
    task: str = named(name="SNF:task_state")
    progress: int
    user_id: str
    tenant_id: str
    shared_to_project: bool
    host_id: str = named(name="hostId")
    created: str
    updated: str
    deleted: bool
    suspended: bool
    flavor: IntRef
    image: ImageRef
    metadata: dict[str, str]
    tags: list[str]
    attachments: list[AttachmentView]
    addresses: dict[str, list[AddressView]]
    volumes: list[str]
    diagnostics: list[DiagnosticView]
    security_groups: list[GroupRef]
    key_name: str | None
    key_names: list[str] = named(name="SNF:key_names")
    config_drive: str
    access_v4: str = named(name="accessIPv4")
    access_v6: str = named(name="accessIPv6")
    fqdn: str | None = named(name="SNF:fqdn")
    forwarding: dict[str, Forwarding] = named(name="SNF:port_forwarding")
    rescue: bool = named(name="SNF:rescue")
    links: list[Link]
    password: str | UnsetType = named(name="adminPass", default=UNSET)

    @classmethod
    def of(
        cls, server: Server, links: Links, password: str | UnsetType = UNSET
    ) -> ServerView:
        """A server as its users see it."""
        image = "" if server.image is None else str(server.image)
        return cls(
            id=server.id,
            name=server.name,
            status=status(server),
            task=_TASKS.get(server.task, "UNKNOWN") if server.task else "",
            progress=server.progress,
            user_id=str(server.owner),
            tenant_id=str(server.project),
            shared_to_project=server.shared,
            host_id="",
            created=micros_offset(server.created),
            updated=micros_offset(server.updated),
            deleted=server.deleted,
            suspended=server.suspended,
            flavor=IntRef(server.flavor.id, links.of("flavors", server.flavor.id)),
            image=ImageRef(image, links.of("images", image)),
            metadata=dict(server.metadata),
            tags=list(server.tags),
            attachments=[AttachmentView.of(card) for card in server.attachments],
            addresses=addresses(server.attachments),
            volumes=[str(volume.id) for volume in server.volumes],
            diagnostics=_newest(server),
            security_groups=[GroupRef("default")],
            key_name=server.key_names[0] if server.key_names else None,
            key_names=list(server.key_names),
            config_drive="",
            access_v4="",
            access_v6="",
            fqdn=None,
            forwarding={},
            rescue=server.rescue,
            links=links.of("servers", server.id),
            password=password,
        )


def _newest(server: Server) -> list[DiagnosticView]:
    return [DiagnosticView.of(server.diagnostic)] if server.diagnostic else []


def addresses(cards: Sequence[Attachment]) -> dict[str, list[AddressView]]:
    """All addresses by the network's id."""
    found: dict[str, list[AddressView]] = {}
    for card in cards:
        for held in card.addresses:
            kind = "floating" if held.floating else "fixed"
            shown = AddressView(held.version, held.addr, kind)
            found.setdefault(str(card.network), []).append(shown)
    return found


class ServerReply(Reply):
    """One server."""

    server: ServerView


class ServersReply(Reply):
    """Servers in full."""

    servers: list[ServerView]


class BriefServer(Reply):
    """A server by name."""

    id: int
    name: str
    links: list[Link]


class BriefServersReply(Reply):
    """Servers by name."""

    servers: list[BriefServer]


class IpsReply(Reply):
    """A server's addresses and cards."""

    addresses: dict[str, list[AddressView]]
    attachments: list[AttachmentView]


class NetworkIpsReply(Reply):
    """A server's addresses on one network."""

    network: dict[str, list[AddressView]]


class MetadataReply(Reply):
    """A server's metadata."""

    metadata: dict[str, str]


class MetaReply(Reply):
    """One metadata item."""

    meta: dict[str, str]


class PasswordReply(Reply):
    """A server's login password."""

    password: str


class RebuiltReply(Reply):
    """A server's new password, told once."""

    password: str = named(name="adminPass")


class ConsoleView(Reply):
    """Where a console is."""

    type: str
    host: str
    port: int
    password: str
    path: str
    url: str


class ConsoleReply(Reply):
    """Answer of the action ``console``."""

    console: ConsoleView


class VncView(Reply):
    """Where a console's page is."""

    type: str
    url: str


class VncReply(Reply):
    """Answer of the action ``os-getVNCConsole``."""

    console: VncView
