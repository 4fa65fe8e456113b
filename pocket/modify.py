"""``OP_INSTANCE_SET_PARAMS``: memory, processors, NICs, disks of an instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from attrs import define, field

from pocket.action import Action, Say, done
from pocket.cluster import Cluster
from pocket.create import beparams, new_disk, new_nic
from pocket.errors import (
    UNKNOWN,
    WRONG_INPUT,
    WRONG_STATE,
    OpExecError,
    OpPrereqError,
)
from pocket.hypervisor import Device
from pocket.model import Disk, Instance, Nic
from pocket.params import Op

Change = tuple[str, Any]


def set_params(cluster: Cluster, op: Op, say: Say) -> Action:
    """Change an instance; what needs a restart counts from the next start."""
    instance = cluster.instances.get(op["instance_name"])
    running = cluster.hypervisor.running(instance.name)
    wanted = ("nics", "disks", "beparams", "hvparams", "osparams", "os_name")
    if not any(op.get(key) for key in wanted) and op.get("offline") is None:
        raise OpPrereqError("No changes submitted", WRONG_INPUT)
    hot = _hotplug(cluster, op, running, say)
    edit = _Edit(cluster, instance, running and not hot, op["conflicts_check"])
    edit.parameters(op)
    for change in op["nics"]:
        edit.nic(*_place(change))
    for change in op["disks"]:
        edit.disk(*_place(change))

    async def act() -> list[Change]:
        for disk in edit.added:
            single = msgspec.structs.replace(instance, disks=(disk,))
            await cluster.space.make(single, None, say)
        cluster.instances.keep(edit.instance)
        if hot:
            for place, device, add in edit.devices():
                word = await _plug(cluster, instance.name, device, add, say)
                edit.changes.append((place, f"hotplug:{word}"))
        for disk in edit.removed:
            if disk.uuid not in edit.detached:
                await cluster.space.discard(instance.uuid, disk.uuid)
        return edit.changes

    return Action(act)


def rename(cluster: Cluster, op: Op, say: Say) -> Action:
    """Give an instance that is stopped another name."""
    instance = cluster.instances.get(op["instance_name"])
    new = op["new_name"]
    if cluster.hypervisor.running(instance.name) or instance.admin_state == "up":
        raise OpPrereqError(
            f"Instance '{instance.name}' is marked to be up, cannot rename", WRONG_STATE
        )
    if new in cluster.instances:
        raise OpPrereqError(
            f"Instance '{new}' is already in the cluster", "already_exists"
        )

    def act() -> str:
        cluster.instances.remove(instance.name)
        serial, now = instance.serial_no + 1, cluster.instances.now()
        cluster.instances.keep(instance, name=new, serial_no=serial, mtime=now)
        return str(new)

    return done(act)


def _hotplug(cluster: Cluster, op: Op, running: bool, say: Say) -> bool:
    """Whether devices are plugged at once.

    :raises OpPrereqError: they must be, and cannot.
    """
    if not op["hotplug"] and not op["hotplug_if_possible"]:
        return False
    if running and cluster.hypervisor.hotplugs:
        return True
    why = "the instance does not run" if not running else "not supported"
    if op["hotplug"]:
        raise OpPrereqError(f"Hotplug is not possible: {why}", WRONG_STATE)
    say(f" - WARNING: Hotplug is not possible: {why}")
    say(" - INFO: Modification will take place without hotplugging.")
    return False


async def _plug(
    cluster: Cluster, name: str, device: Device, add: bool, say: Say
) -> str:
    """Plug or unplug; as in Ganeti, failing at that does not fail the job."""
    try:
        await cluster.hypervisor.hotplug(name, device, add)
    except OpExecError as error:
        say(f" - WARNING: Could not hotplug device: {error}")
        return "failed"
    return "done"


def _place(change: list[Any]) -> tuple[str, str, dict[str, Any]]:
    """Verb, place and values of a change, also in its short form."""
    if len(change) == 3:
        return str(change[0]), str(change[1]), change[2]
    return (
        ("modify", str(change[0]), change[1])
        if isinstance(change[0], int) or change[0] not in ("add", "remove")
        else (change[0], "-1", change[1])
    )


@define
class _Edit:
    cluster: Cluster
    instance: Instance
    running: bool
    check: bool
    changes: list[Change] = field(factory=list)
    added: list[Disk] = field(factory=list)
    removed: list[Disk] = field(factory=list)
    detached: set[str] = field(factory=set)
    _plugged: list[tuple[str, Nic, bool]] = field(factory=list)

    def devices(self) -> Iterator[tuple[str, Device, bool]]:
        """What is plugged (true) and unplugged, with its place in the changes."""
        for place, nic, add in self._plugged:
            yield place, Device(port=self.cluster.port(nic)), add
        for disk in self.added:
            index = self.instance.disks.index(disk)
            yield f"disk/{index}", self._file(disk), True
        for disk in self.removed:
            yield f"disk/{disk.name or disk.uuid}", self._file(disk), False

    def _file(self, disk: Disk) -> Device:
        return Device(disk=self.cluster.space.place(self.instance.uuid, disk.uuid))

    def _set(self, **changes: Any) -> None:
        self.instance = msgspec.structs.replace(self.instance, **changes)

    def parameters(self, op: Op) -> None:
        """Apply everything but NICs and disks."""
        if op["beparams"]:
            self._set(beparams=beparams(op["beparams"], self.instance.beparams))
            self.changes += [(f"be/{k}", v) for k, v in op["beparams"].items()]
        if op["hvparams"]:
            self._set(hvparams={**self.instance.hvparams, **op["hvparams"]})
            self.changes += [(f"hv/{k}", v) for k, v in op["hvparams"].items()]
        if op["osparams"]:
            self._set(osparams={**self.instance.osparams, **op["osparams"]})
            self.changes += [(f"os/{k}", v) for k, v in op["osparams"].items()]
        if op.get("os_name"):
            self._set(os=op["os_name"])
            self.changes.append(("os", op["os_name"]))
        if op.get("offline") is not None:
            if self.running:
                raise OpPrereqError(
                    "Instance is running, can't mark offline", WRONG_STATE
                )
            self._set(admin_state="offline" if op["offline"] else "down")
            self.changes.append(("admin_state", self.instance.admin_state))

    def nic(self, verb: str, place: str, values: dict[str, Any]) -> None:
        """Add, remove or modify a NIC."""
        nics = list(self.instance.nics)
        if verb == "add":
            nics.append(new_nic(self.cluster, values, self.check, nics))
            self.changes.append((f"nic.{len(nics) - 1}", f"add:{_said(nics[-1])}"))
            self._plugged.append((f"nic.{len(nics) - 1}", nics[-1], True))
        else:
            index = _index(nics, place, "NIC")
            if verb == "remove":
                self._plugged.append((f"nic.{index}", nics.pop(index), False))
                self.changes.append((f"nic.{index}", "remove"))
            elif verb == "modify":
                nics[index] = self._modified(nics, index, values)
                self.changes += [(f"nic.{k}/{index}", v) for k, v in values.items()]
            else:
                raise OpPrereqError(f"Unknown NIC operation '{verb}'", WRONG_INPUT)
        self._set(nics=tuple(nics))

    def _modified(self, nics: list[Nic], index: int, values: dict[str, Any]) -> Nic:
        old = nics[index]
        base: dict[str, Any] = {"name": old.name, "mac": old.mac, "ip": old.ip}
        if "network" not in values and old.network is not None:
            base["network"] = old.network
        elif "network" not in values:
            base |= {"mode": old.mode, "link": old.link}
        bare = msgspec.structs.replace(self.instance, nics=(old,), port=None)
        self.cluster.instances.reserve(bare, -1)
        try:
            others = [nic for at, nic in enumerate(nics) if at != index]
            new = new_nic(self.cluster, {**base, **values}, self.check, others)
        finally:
            self.cluster.instances.reserve(bare, 1)
        return msgspec.structs.replace(new, uuid=old.uuid)

    def disk(self, verb: str, place: str, values: dict[str, Any]) -> None:
        """Add, remove, detach or modify a disk."""
        disks = list(self.instance.disks)
        if verb == "add":
            disks.append(new_disk(self.cluster, values))
            self.added.append(disks[-1])
            said = f"add:size={disks[-1].size},mode={disks[-1].mode}"
            self.changes.append((f"disk/{len(disks) - 1}", said))
        else:
            index = _index(disks, place, "disk")
            if verb in ("remove", "detach"):
                if self.running:
                    raise OpPrereqError(
                        f"Instance '{self.instance.name}' is running: can't remove"
                        " disk without hotplug",
                        WRONG_STATE,
                    )
                self.removed.append(disks.pop(index))
                if verb == "detach":
                    self.detached.add(self.removed[-1].uuid)
                self.changes.append((f"disk/{index}", verb))
            elif verb == "modify":
                known = {k: v for k, v in values.items() if k in ("name", "mode")}
                disks[index] = msgspec.structs.replace(disks[index], **known)
                self.changes += [(f"disk.{k}/{index}", v) for k, v in known.items()]
            else:
                raise OpPrereqError(f"Unknown disk operation '{verb}'", WRONG_INPUT)
        self._set(disks=tuple(disks))


def _said(nic: Nic) -> str:
    return (
        f"mac={nic.mac},ip={nic.ip},mode={nic.mode},link={nic.link},"
        f"network={nic.network}"
    )


def _index(items: list[Any], place: str, what: str) -> int:
    """Where the item is that a number, name or UUID denotes.

    :raises OpPrereqError: there is no such item.
    """
    if place.lstrip("-").isdecimal():
        index = int(place) if int(place) >= 0 else len(items) - 1
        if 0 <= index < len(items):
            return index
    for index, item in enumerate(items):
        if place in (item.uuid, item.name):
            return index
    raise OpPrereqError(f"Cannot find {what} '{place}'", UNKNOWN)
