"""Requests to Ganeti as values, and how to make each of them; pure.

Bodies are those that Ganeti 3.0 takes (spec/cyclades.md §5.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from attrs import evolve, field, frozen

from snfd.ganeti import names
from snfd.intent import Intent

Pairs = Mapping[str, Any]
_GOOD = ["success"]
_ENDED = ["success", "error", "canceled"]


@frozen
class Request:
    """A job to submit.

    :ivar kind: a `snfd.ganeti.model.Kind`: the opcode.
    :ivar name: of the instance or network.
    :ivar body: parameters of the opcode.
    :ivar query: further arguments in the URL, such as a reboot's ``type``.
    :ivar strict: fail unless the jobs that it depends on by name succeeded.
    """

    kind: str
    name: str
    body: Pairs = field(factory=dict)
    query: Mapping[str, str | Sequence[str]] = field(factory=dict)
    strict: bool = False

    def stored(self) -> dict[str, Any]:
        """The form in which an intent keeps it, beside its kind."""
        kept = {"name": self.name, "body": self.body, "query": self.query}
        return {**kept, "strict": True} if self.strict else kept

    @classmethod
    def of(cls, intent: Intent) -> Request:
        """What ``intent`` asks for."""
        kept = intent.request
        return cls(
            intent.kind,
            kept["name"],
            kept.get("body", {}),
            kept.get("query", {}),
            kept.get("strict", False),
        )

    def with_body(self, **more: Any) -> Request:
        """The same with further parameters."""
        return evolve(self, body={**self.body, **more})

    def after(self, jobs: Iterable[int], named: Set[int] = frozenset()) -> Request:
        """The same, to run once ``jobs`` have ended, in whatever way.

        :param named: those that must have succeeded if the request is strict.
        """
        must = named if self.strict else frozenset()
        depends = [[job, _GOOD if job in must else _ENDED] for job in jobs]
        return self.with_body(depends=depends) if depends else self


def intent(
    ident: UUID,
    cluster: int,
    subject: str,
    request: Request,
    *,
    depends: Sequence[UUID] = (),
    actor: UUID | None = None,
    request_id: str | None = None,
) -> Intent:
    """The intent that has ``request`` submitted to ``cluster``."""
    return Intent(
        ident,
        cluster,
        request.kind,
        subject,
        request.stored(),
        depends=tuple(depends),
        actor=actor,
        request_id=request_id,
    )


@frozen
class NewDisk:
    """A disk to make.

    :ivar volume: id of the volume; gives the disk its name.
    :ivar size: MiB.
    :ivar params: further parameters, ``provider`` and its own among them.
    """

    volume: int
    size: int
    params: Pairs = field(factory=dict)

    def parameters(self) -> dict[str, Any]:
        """What Ganeti is told."""
        return {**self.params, "name": names.volume(self.volume), "size": self.size}


@frozen
class NewNic:
    """A network card to make.

    :ivar port: id of the port; gives the card its name.
    :ivar network: id of the network.
    :ivar ip: IPv4 address, or None for none.
    :ivar mac: or None: Ganeti makes one with the network's prefix.
    """

    port: int
    network: int
    ip: str | None = None
    mac: str | None = None

    def parameters(self) -> dict[str, Any]:
        """What Ganeti is told."""
        told = {
            "name": names.nic(self.port),
            "network": names.network(self.network),
            "ip": self.ip,
        }
        return told if self.mac is None else {**told, "mac": self.mac}


@frozen
class NewInstance:
    """An instance to make.

    :ivar server: id of the server; gives the instance its name.
    :ivar memory: MiB.
    :ivar template: Ganeti's disk template.
    :ivar osparams: must hold no secret: see `Dispatcher.enrich`.
    """

    server: int
    hypervisor: str
    os_name: str
    template: str
    vcpus: int
    memory: int
    disks: Sequence[NewDisk] = ()
    nics: Sequence[NewNic] = ()
    osparams: Mapping[str, str] = field(factory=dict)
    hvparams: Pairs = field(factory=dict)
    tags: Sequence[str] = ()
    start: bool = True


def create(new: NewInstance) -> Request:
    """Make an instance, on a node of Ganeti's choice, and start it."""
    body = {
        "__version__": 1,
        "mode": "create",
        "name": names.instance(new.server),
        "os_type": new.os_name,
        "hypervisor": new.hypervisor,
        "disk_template": new.template,
        "disks": [disk.parameters() for disk in new.disks],
        "nics": [nic.parameters() for nic in new.nics],
        "beparams": {
            "auto_balance": True,
            "vcpus": new.vcpus,
            "minmem": new.memory,
            "maxmem": new.memory,
        },
        "hvparams": dict(new.hvparams),
        "osparams": dict(new.osparams),
        "tags": list(new.tags),
        "ip_check": False,
        "name_check": False,
        "wait_for_sync": False,
        "opportunistic_locking": True,
        "start": new.start,
    }
    return Request("OP_INSTANCE_CREATE", names.instance(new.server), body)


def remove(server: int, timeout: int = 0) -> Request:
    """Remove an instance, giving its guest ``timeout`` seconds to shut down."""
    body = {"shutdown_timeout": timeout}
    return Request("OP_INSTANCE_REMOVE", names.instance(server), body)


def start(server: int) -> Request:
    """Start an instance; no harm if it runs."""
    return Request("OP_INSTANCE_STARTUP", names.instance(server))


def stop(server: int, timeout: int = 120) -> Request:
    """Stop an instance, giving its guest ``timeout`` seconds to shut down."""
    body = {"timeout": timeout}
    return Request("OP_INSTANCE_SHUTDOWN", names.instance(server), body)


def reboot(server: int, *, hard: bool) -> Request:
    """Reboot an instance; ``hard`` as if by its reset button.

    A soft one is Ganeti's ``hard`` with time for the guest to shut down, as
    Synnefo has it: Ganeti's own ``soft`` depends on the guest alone.
    """
    body = {"shutdown_timeout": 0} if hard else {}
    return Request("OP_INSTANCE_REBOOT", names.instance(server), body, {"type": "hard"})


def resize(server: int, vcpus: int, memory: int) -> Request:
    """Give an instance other numbers of CPUs and MiB at its next start."""
    beparams = {"vcpus": vcpus, "minmem": memory, "maxmem": memory}
    return modify(server, beparams=beparams)


def reinstall(
    server: int, os_name: str, *, start: bool, osparams: Mapping[str, str] | None = None
) -> Request:
    """Stop an instance, run its OS definition again, and start it if so asked.

    :param osparams: for this run; must hold no secret: see `Dispatcher.enrich`.
    """
    body = {"os": os_name, "start": start, "osparams": dict(osparams or {})}
    return Request("OP_INSTANCE_REINSTALL", names.instance(server), body)


def rescue(server: int, path: str) -> Request:
    """Have an instance start from a CD, a file on its node, from the next start on."""
    hvparams = {"boot_order": "cdrom", "cdrom_image_path": path}
    return modify(server, hvparams=hvparams)


def unrescue(server: int) -> Request:
    """Have an instance start from its disk again, from the next start on."""
    hvparams = {"boot_order": "disk", "cdrom_image_path": ""}
    return modify(server, hvparams=hvparams)


def rescued(hvparams: Pairs) -> bool:
    """Whether an instance with these parameters starts from a CD."""
    order = str(hvparams.get("boot_order") or "")
    return order.startswith("cdrom") and bool(hvparams.get("cdrom_image_path"))


def add_nic(server: int, nic: NewNic, *, hotplug: bool) -> Request:
    """Add a network card as the last one."""
    return modify(server, nics=[["add", "-1", nic.parameters()]], **_hot(hotplug))


def remove_nic(server: int, port: int, *, hotplug: bool) -> Request:
    """Take a port's network card away."""
    return modify(server, nics=[["remove", names.nic(port), {}]], **_hot(hotplug))


def modify(server: int, **parameters: Any) -> Request:
    """Change an instance's parameters, in Ganeti's own words."""
    return Request("OP_INSTANCE_SET_PARAMS", names.instance(server), parameters)


def add_tags(server: int, tags: Sequence[str]) -> Request:
    """Tag an instance."""
    return Request("OP_TAGS_SET", names.instance(server), {}, {"tag": list(tags)})


def remove_tags(server: int, tags: Sequence[str]) -> Request:
    """Take tags off an instance."""
    return Request("OP_TAGS_DEL", names.instance(server), {}, {"tag": list(tags)})


def _hot(hotplug: bool) -> dict[str, bool]:
    return {"hotplug_if_possible": True} if hotplug else {}
