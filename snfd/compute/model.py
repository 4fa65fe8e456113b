"""Values of servers, flavors and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

from attrs import field, frozen

from snfd.compute.states import DONE, Footprint, State, Task
from snfd.network.model import Address, NicRequest


@frozen
class Flavor:
    """A size that servers come in.

    :ivar ram: MiB.
    :ivar disk: GiB.
    :ivar template: disk template of its volume type.
    :ivar projects: which may use it although it is not public.
    """

    id: int
    cpu: int
    ram: int
    disk: int
    volume_type: int
    template: str
    allow_create: bool
    public: bool
    specs: Mapping[str, str]
    deleted: bool
    projects: tuple[UUID, ...] = ()

    @property
    def name(self) -> str:
        """``C<cpu>R<ram>D<disk><template>``, as Synnefo names flavors."""
        return f"C{self.cpu}R{self.ram}D{self.disk}{self.template}"

    @property
    def footprint(self) -> Footprint:
        """What a server of this size takes of a quota."""
        return Footprint(self.cpu, self.ram, self.disk)


@frozen
class ImageFacts:
    """What compute needs to know of an image.

    :ivar size: of its data, in bytes.
    :ivar min_disk: GiB.
    :ivar min_ram: MiB.
    """

    id: UUID
    name: str
    size: int
    min_disk: int = 0
    min_ram: int = 0
    os: str = ""
    properties: Mapping[str, str] = field(factory=dict)


@frozen
class Diagnostic:
    """Something that a server's owner should know about it."""

    level: str
    source: str
    source_date: datetime | None
    message: str
    details: str
    created: datetime


@frozen
class Attachment:
    """A working network card of a server."""

    port: int
    network: int
    network_name: str
    mac: str
    firewall: str
    addresses: tuple[Address, ...]


@frozen
class Volume:
    """A disk of a server.

    :ivar number: gives Ganeti's disk its name.
    :ivar size: GiB.
    """

    id: UUID
    number: int
    idx: int
    size: int
    status: str


@frozen
class RescueImage:
    """A system to start servers from whose own does not start.

    :ivar path: of its file on every node.
    :ivar os_family: of servers that it suits, or empty for any.
    :ivar os: likewise, within the family.
    :ivar is_default: for servers that no other suits.
    """

    id: int
    name: str
    path: str
    os_family: str = ""
    os: str = ""
    is_default: bool = False


class Status(Enum):
    """What users see of a server; each dialect has its own words for it."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"
    REBOOT = "REBOOT"
    HARD_REBOOT = "HARD_REBOOT"
    RESIZE = "RESIZE"
    REBUILD = "REBUILD"
    ERROR = "ERROR"
    DELETED = "DELETED"


_STATUS = {
    State.BUILD: Status.BUILD,
    State.STARTED: Status.ACTIVE,
    State.STOPPED: Status.STOPPED,
    State.ERROR: Status.ERROR,
    State.DESTROYED: Status.DELETED,
}
_SHOWN = {Task.RESIZE: Status.RESIZE, Task.REBUILD: Status.REBUILD}


@frozen
class Server:
    """A server as its users see it.

    :ivar image: None where it was adopted without one.
    :ivar task_hard: of a reboot: the hard kind.
    :ivar crashed: down although it is meant to run.
    :ivar attachments: working network cards, in order.
    :ivar diagnostic: the newest, or None.
    :ivar rescue: whether it starts from a rescue image.
    """

    id: int
    name: str
    owner: UUID
    project: UUID
    shared: bool
    cluster: int
    flavor: Flavor
    image: UUID | None
    os: str | None
    key_names: tuple[str, ...]
    metadata: Mapping[str, str]
    state: State
    task: Task | None
    task_hard: bool
    fault: str | None
    progress: int
    suspended: bool
    crashed: bool
    node: str | None
    launched: datetime | None
    created: datetime
    updated: datetime
    deleted_at: datetime | None
    attachments: tuple[Attachment, ...] = ()
    volumes: tuple[Volume, ...] = ()
    diagnostic: Diagnostic | None = None
    rescue: bool = False
    tags: tuple[str, ...] = ()

    @property
    def deleted(self) -> bool:
        """Whether it is gone and only remembered."""
        return self.state is State.DESTROYED

    @property
    def status(self) -> Status:
        """What users see (``spec/cyclades.md`` §3.1)."""
        if self.state is State.STARTED and self.task is Task.REBOOT:
            return Status.HARD_REBOOT if self.task_hard else Status.REBOOT
        if self.task in _SHOWN and self.state in (State.STARTED, State.STOPPED):
            return _SHOWN[self.task]
        if self.state is State.STARTED and self.crashed:
            return Status.STOPPED
        return _STATUS[self.state]


@frozen
class Locked:
    """A server's row as an action or an outcome finds it, locked.

    :ivar intent: id of the intent that ``task`` waits for.
    :ivar commission: serial of the quota that the task holds, or None.
    :ivar commission_from: the state that the commission was made in.
    :ivar settled_job: id of the last job that was settled.
    :ivar reachable: whether its cluster answers.
    :ivar rescue: whether it starts from a rescue image.
    :ivar new_password: whether one waits for the next start.
    :ivar task_to: where the task leads, if its kind does not say.
    :ivar task_size: the size that the task leads to, or None: the same.
    """

    id: int
    name: str
    owner: UUID
    project: UUID
    shared: bool
    cluster: int
    state: State
    task: Task | None
    intent: UUID | None
    commission: int | None
    commission_from: State | None
    settled_job: int | None
    settled_at: datetime | None
    suspended: bool
    crashed: bool
    reachable: bool
    metadata: Mapping[str, str]
    flavor: int
    rescue: bool
    new_password: bool
    task_to: State | None
    task_size: Footprint | None
    footprint: Footprint

    @property
    def target(self) -> tuple[State, Footprint] | None:
        """Where its task leads if that succeeds; None: its state stays."""
        if self.task is None:
            return None
        state = self.task_to or DONE.get(self.task)
        return None if state is None else (state, self.task_size or self.footprint)


@frozen
class NewVolume:
    """A disk that a new server shall have; the first is its root.

    :ivar size: GiB, or None: the flavor's.
    :ivar source: the image it starts as, or None: blank.
    """

    source: UUID | None
    size: int | None = None
    delete_on_termination: bool = True


@frozen
class File:
    """A file to put into a new server (Synnefo's personality).

    :ivar contents: base64.
    """

    path: str
    contents: str
    owner: str | None = None
    group: str | None = None
    mode: int | None = None


@frozen
class NewServer:
    """A server that somebody wants.

    :ivar image: None where the first of ``volumes`` says it.
    :ivar nics: None for what the cloud gives by default.
    :ivar password: None to have one made.
    :ivar project: None for the token's.
    :ivar shared: None for what the dialect does by default.
    """

    name: str
    flavor: int
    image: UUID | None = None
    metadata: Mapping[str, str] = field(factory=dict)
    files: Sequence[File] = ()
    nics: Sequence[NicRequest] | None = None
    key_names: tuple[str, ...] = ()
    password: str | None = None
    user_data: str = ""
    project: UUID | None = None
    shared: bool | None = None
    volumes: Sequence[NewVolume] = ()
    tags: Sequence[str] = ()


@frozen
class ServerFilter:
    """What a list of servers is narrowed to; None means "whatever".

    :ivar name: part of the name; ``^`` and ``$`` anchor it.
    :ivar since: changed at or after it, deleted ones included.
    :ivar deleted: only deleted ones (True), or only others (False).
    :ivar sort: ``id``, ``created``, ``updated`` or ``name``.
    :ivar marker: id of the last server of the previous page.
    """

    name: str | None = None
    states: tuple[State, ...] | None = None
    flavor: int | None = None
    image: UUID | None = None
    ip: str | None = None
    ids: tuple[int, ...] | None = None
    project: UUID | None = None
    owner: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None
    deleted: bool = False
    sort: str = "id"
    descending: bool = False
    marker: int | None = None
    limit: int = 10_000


@frozen
class Page:
    """One page of a list of servers.

    :ivar at: the database's clock when the list was made.
    :ivar more: whether rows follow.
    """

    items: Sequence[Server]
    at: datetime
    more: bool = False


@frozen
class Keypair:
    """A public key that its owner has new servers accept."""

    id: int
    name: str
    owner: UUID
    content: str
    fingerprint: str
    created: datetime
    updated: datetime
