"""What Ganeti tells, as values; sizes are MiB, times are Ganeti's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from attrs import field, frozen

from snfd.intent import Intent


class Kind(StrEnum):
    """What an intent asks for; the value is Ganeti's opcode."""

    CREATE = "OP_INSTANCE_CREATE"
    REMOVE = "OP_INSTANCE_REMOVE"
    START = "OP_INSTANCE_STARTUP"
    STOP = "OP_INSTANCE_SHUTDOWN"
    REBOOT = "OP_INSTANCE_REBOOT"
    MODIFY = "OP_INSTANCE_SET_PARAMS"
    GROW_DISK = "OP_INSTANCE_GROW_DISK"
    REINSTALL = "OP_INSTANCE_REINSTALL"
    """One job that stops the instance, runs its OS definition, and may start it."""
    ADD_TAGS = "OP_TAGS_SET"
    REMOVE_TAGS = "OP_TAGS_DEL"
    NETWORK_ADD = "OP_NETWORK_ADD"
    NETWORK_CONNECT = "OP_NETWORK_CONNECT"
    NETWORK_DISCONNECT = "OP_NETWORK_DISCONNECT"
    NETWORK_MODIFY = "OP_NETWORK_SET_PARAMS"
    NETWORK_REMOVE = "OP_NETWORK_REMOVE"


class Event(Enum):
    """What happened to a server or network in its cluster.

    ``*_FAILED``: the job ended with an error, was cancelled or was refused;
    the thing is as it was before.
    """

    CREATED = "created"
    """It exists; ``outcome.instance`` says whether it runs."""
    CREATE_FAILED = "create-failed"
    REMOVED = "removed"
    """It is gone, by our job, by an administrator's or found missing twice."""
    REMOVE_FAILED = "remove-failed"
    """It still exists."""
    STARTED = "started"
    START_FAILED = "start-failed"
    STOPPED = "stopped"
    """It is down and meant to be."""
    CRASHED = "crashed"
    """It is down but meant to be up: Ganeti's watcher may start it again."""
    STOP_FAILED = "stop-failed"
    REBOOTED = "rebooted"
    REBOOT_FAILED = "reboot-failed"
    MODIFIED = "modified"
    """NICs, disks or sizes may differ now: see ``outcome.instance``."""
    MODIFY_FAILED = "modify-failed"
    REINSTALLED = "reinstalled"
    """Its OS definition was run again; it runs now."""
    REINSTALLED_DOWN = "reinstalled-down"
    """The same, and it is down."""
    REINSTALL_FAILED = "reinstall-failed"
    REINSTALL_FAILED_DOWN = "reinstall-failed-down"
    """It was stopped, and then something failed."""
    TAGGED = "tagged"
    TAG_FAILED = "tag-failed"
    UNTAGGED = "untagged"
    UNTAG_FAILED = "untag-failed"
    NETWORK_ADDED = "network-added"
    NETWORK_ADD_FAILED = "network-add-failed"
    NETWORK_CONNECTED = "network-connected"
    NETWORK_CONNECT_FAILED = "network-connect-failed"
    NETWORK_DISCONNECTED = "network-disconnected"
    NETWORK_DISCONNECT_FAILED = "network-disconnect-failed"
    NETWORK_MODIFIED = "network-modified"
    NETWORK_MODIFY_FAILED = "network-modify-failed"
    NETWORK_REMOVED = "network-removed"
    NETWORK_REMOVE_FAILED = "network-remove-failed"


class Status(StrEnum):
    """State of a job or of one of its opcodes."""

    QUEUED = "queued"
    WAITING = "waiting"
    CANCELING = "canceling"
    RUNNING = "running"
    CANCELED = "canceled"
    SUCCESS = "success"
    ERROR = "error"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self in (Status.CANCELED, Status.SUCCESS, Status.ERROR)


@frozen
class JobStatus:
    """The cheap part of a job."""

    id: int
    status: Status


@frozen
class Op:
    """One opcode of a job.

    :ivar code: ``OP_…``; may be one that we never submit.
    :ivar input: the opcode's parameters; secrets come masked.
    :ivar result: what it returned, or ``[class, [text, …]]`` on error.
    :ivar reasons: texts of the reason trail, oldest first.
    :ivar log: messages, oldest first.
    """

    code: str
    status: Status
    input: Mapping[str, Any]
    result: Any = None
    reasons: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


@frozen
class Job:
    """A job with its opcodes; times are None until they come."""

    id: int
    status: Status
    ops: tuple[Op, ...]
    received: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None


@frozen
class Nic:
    """A network card of an instance; None where Ganeti knows nothing.

    :ivar network: Ganeti's name of the network.
    """

    name: str | None
    network: str | None
    ip: str | None
    mac: str | None
    mode: str | None = None
    link: str | None = None
    uuid: str | None = None


@frozen
class Disk:
    """A disk of an instance."""

    name: str | None
    size: int
    uuid: str | None = None


Card = tuple[str, str | None]
"""Name and IPv4 address of a network card."""


@frozen
class Sighting:
    """The cheap part of an instance, for comparing many.

    :ivar admin_state: ``up``, ``down`` or ``offline``: what it is meant to be.
    :ivar oper_state: whether it runs; None when its node did not say.
    :ivar status: Ganeti's word, such as ``running`` or ``ERROR_nodedown``.
    :ivar serial: grows with each change of the instance's configuration.
    :ivar size: virtual processors and MiB of memory; None where it was not told.
    :ivar cards: names of network cards with their IPv4 addresses.
    """

    name: str
    admin_state: str
    oper_state: bool | None
    status: str
    serial: int
    tags: frozenset[str] = frozenset()
    size: tuple[int, int] | None = None
    cards: frozenset[Card] = frozenset()


@frozen
class Instance:
    """All that we ask about an instance.

    :ivar node: name of its primary node.
    :ivar port: of its VNC server, or None where there is none.
    :ivar hvparams: hypervisor parameters in force.
    """

    name: str
    uuid: str
    admin_state: str
    oper_state: bool | None
    status: str
    serial: int
    node: str | None
    port: int | None
    vcpus: int
    memory: int
    disk_template: str
    hvparams: Mapping[str, Any] = field(factory=dict)
    nics: tuple[Nic, ...] = ()
    disks: tuple[Disk, ...] = ()
    tags: frozenset[str] = frozenset()
    snodes: tuple[str, ...] = ()

    def sighting(self) -> Sighting:
        """The cheap part."""
        return Sighting(
            self.name,
            self.admin_state,
            self.oper_state,
            self.status,
            self.serial,
            self.tags,
            (self.vcpus, self.memory),
            frozenset((card.name or "", card.ip) for card in self.nics),
        )


@frozen
class Network:
    """A network as the cluster has it.

    :ivar groups: names of the node groups that it is connected to.
    :ivar reserved: addresses that the cluster took for itself.
    """

    name: str
    uuid: str
    network: str | None
    gateway: str | None
    mac_prefix: str | None
    groups: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()


@frozen
class Description:
    """The cluster itself: what it can do and has free, summed over nodes.

    Nodes that are offline, drained or cannot run instances do not count.

    :ivar templates: disk templates that new instances may use.
    """

    name: str
    version: str
    hypervisors: tuple[str, ...]
    templates: tuple[str, ...]
    groups: tuple[str, ...]
    mfree: int
    mtotal: int
    dfree: int
    dtotal: int
    pinst_cnt: int
    ctotal: int


@frozen
class Outcome:
    """Something that happened in a cluster, to be settled in the database.

    Outcomes may come twice and late; settling one again changes nothing.

    :ivar intent: what had asked for it, or None if it was not us.
    :ivar subject: ``server:42`` or ``network:5``.
    :ivar job: the job that ended, or None: the request was refused, its job is
        lost, or reconciliation saw the new state.
    :ivar at: when it happened, by the cluster's clock; orders the outcomes of
        a subject. Without a job: the start of the look, by ours.
    :ivar error: the cluster's own words on a failure, else an empty text.
    :ivar instance: how the instance looks after the event, where it was
        asked for: always after CREATED, STARTED, REBOOTED and MODIFIED(_FAILED)
        unless it has gone meanwhile.
    :ivar network: the same of a network, after NETWORK_ADDED and _CONNECTED.
    :ivar cluster: id of the cluster.
    """

    intent: Intent | None
    subject: str
    event: Event
    job: Job | None
    at: datetime
    error: str = ""
    instance: Instance | None = None
    network: Network | None = None
    cluster: int = 0
