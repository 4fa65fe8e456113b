"""What a fake cluster consists of, and what opcodes do to it; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field

from snfd.ganeti.model import (
    Description,
    Disk,
    Instance,
    Kind,
    Network,
    Nic,
)
from snfd.ganeti.renaming import RENAME
from snfd.ganeti.requests import Request

NODE = "node1.fake.test"


class OpFailed(Exception):
    """The opcode of a job failed.

    :ivar code: Ganeti's word for the kind of failure.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


@define(eq=False)
class World:
    """Instances and networks of a cluster of one node.

    :ivar reserved: addresses that it takes for itself on networks that it looks
        for conflicts on.
    """

    memory: int = 65536
    disk: int = 1048576
    instances: dict[str, Instance] = field(factory=dict)
    networks: dict[str, Network] = field(factory=dict)
    groups: tuple[str, ...] = ("default",)
    reserved: tuple[str, ...] = ()
    _numbers: Iterator[int] = field(init=False, factory=lambda: iter(range(1, 10**9)))

    def execute(self, request: Request) -> Any:
        """Do what the request asks for; the opcode's result.

        :raises OpFailed: as Ganeti would let the job fail.
        """
        return _DO[request.kind](self, request)

    def description(self) -> Description:
        """Sizes as if each instance took its memory and disks at once."""
        have = self.instances.values()
        return Description(
            "fake.test",
            "3.0.2",
            ("fake",),
            ("diskless", "file", "ext"),
            self.groups,
            self.memory - sum(each.memory for each in have),
            self.memory,
            self.disk - sum(disk.size for each in have for disk in each.disks),
            self.disk,
            len(self.instances),
            8,
        )

    def number(self) -> int:
        """One that was never returned before."""
        return next(self._numbers)

    def the(self, name: str) -> Instance:
        """The instance of that name."""
        if name not in self.instances:
            raise OpFailed(f"Instance '{name}' not known", "unknown_entity")
        return self.instances[name]

    def change(self, instance: Instance, **values: Any) -> None:
        """Replace an instance by one that differs, with a higher serial."""
        changed = evolve(instance, serial=instance.serial + 1, **values)
        self.instances[instance.name] = changed


def _create(world: World, request: Request) -> Any:
    body, name = request.body, request.body["name"]
    if name in world.instances:
        raise OpFailed(f"Instance '{name}' is already in the cluster", "already_exists")
    be = body["beparams"]
    runs = bool(body.get("start", True))
    instance = Instance(
        name,
        f"uuid-{world.number()}",
        "up" if runs else "down",
        runs,
        "running" if runs else "ADMIN_down",
        1,
        NODE,
        11000 + world.number(),
        be["vcpus"],
        be["maxmem"],
        body["disk_template"],
        {**body.get("hvparams", {})},
        tuple(_nic(world, each) for each in body["nics"]),
        tuple(_disk(world, each) for each in body["disks"]),
        frozenset(body.get("tags", ())),
    )
    world.instances[name] = instance
    return [NODE]


def _nic(world: World, given: Mapping[str, Any]) -> Nic:
    network = given.get("network")
    if network is not None:
        joined = world.networks.get(network)
        if joined is None or not joined.groups:
            raise OpFailed(f"Network '{network}' not found", "unknown_entity")
        _free(world, network, given.get("ip"))
    mac = given.get("mac") or f"aa:00:00:00:00:{world.number() % 256:02x}"
    uuid = f"uuid-{world.number()}"
    return Nic(given.get("name"), network, given.get("ip"), mac, uuid=uuid)


def _free(world: World, network: str, ip: str | None) -> None:
    for instance in world.instances.values():
        for nic in instance.nics:
            if ip is not None and (nic.network, nic.ip) == (network, ip):
                raise OpFailed(f"IP address {ip} already in use", "resource_not_unique")


def _disk(world: World, given: Mapping[str, Any]) -> Disk:
    return Disk(given.get("name"), int(given["size"]), f"uuid-{world.number()}")


def _remove(world: World, request: Request) -> Any:
    del world.instances[world.the(request.name).name]


def _start(world: World, request: Request) -> Any:
    instance = world.the(request.name)
    world.change(instance, admin_state="up", oper_state=True, status="running")


def _stop(world: World, request: Request) -> Any:
    instance = world.the(request.name)
    world.change(instance, admin_state="down", oper_state=False, status="ADMIN_down")


def _reboot(world: World, request: Request) -> Any:
    instance = world.the(request.name)
    if instance.admin_state != "up":
        raise OpFailed("Instance is not running", "wrong_state")
    world.change(instance, oper_state=True, status="running")


def _modify(world: World, request: Request) -> Any:
    instance, body = world.the(request.name), request.body
    be = body.get("beparams", {})
    nics = _changed(instance.nics, body.get("nics", ()), _nic, world)
    disks = _changed(instance.disks, body.get("disks", ()), _disk, world)
    world.change(
        instance,
        vcpus=be.get("vcpus", instance.vcpus),
        memory=be.get("maxmem", instance.memory),
        nics=nics,
        disks=disks,
        hvparams={**instance.hvparams, **body.get("hvparams", {})},
    )
    return [[f"be/{key}", value] for key, value in be.items()]


def _rename(world: World, request: Request) -> Any:
    instance, new = world.the(request.name), request.body["new_name"]
    if instance.admin_state == "up":
        raise OpFailed("Instance is marked to be up, cannot rename", "wrong_state")
    if new in world.instances:
        raise OpFailed(f"Instance '{new}' is already in the cluster", "already_exists")
    del world.instances[instance.name]
    world.instances[new] = evolve(instance, name=new, serial=instance.serial + 1)
    return new


def _reinstall(world: World, request: Request) -> Any:
    instance, runs = world.the(request.name), bool(request.body["start"])
    world.change(
        instance,
        admin_state="up" if runs else "down",
        oper_state=runs,
        status="running" if runs else "ADMIN_down",
    )


def _changed(
    old: Sequence[Any], steps: Any, make: Callable[..., Any], world: World
) -> tuple[Any, ...]:
    now = list(old)
    for action, which, values in steps:
        if action == "add":
            now.append(make(world, values))
            continue
        if which.isdecimal() and int(which) < len(now):
            index = int(which)
            put = [evolve(now[index], **values)] if action == "modify" else []
            now[index : index + 1] = put
            continue
        left = [each for each in now if each.name != which]
        if action != "remove" or len(left) == len(now):
            raise OpFailed(f"no such device: {which}", "unknown_entity")
        now = left
    return tuple(now)


def _add_tags(world: World, request: Request) -> Any:
    if request.name in world.networks:
        network = world.networks[request.name]
        more = network.tags | set(request.query["tag"])
        world.networks[network.name] = evolve(network, tags=more)
        return
    instance = world.the(request.name)
    world.change(instance, tags=instance.tags | set(request.query["tag"]))


def _remove_tags(world: World, request: Request) -> Any:
    gone = set(request.query["tag"])
    if request.name in world.networks:
        network = world.networks[request.name]
        world.networks[network.name] = evolve(network, tags=network.tags - gone)
        return
    instance = world.the(request.name)
    if not gone <= instance.tags:
        raise OpFailed("Tag(s) not found", "unknown_entity")
    world.change(instance, tags=instance.tags - gone)


def _network_add(world: World, request: Request) -> Any:
    body, name = request.body, request.name
    if name in world.networks:
        raise OpFailed(f"network '{name}' already exists", "already_exists")
    if len(body["mac_prefix"].split(":")[-1]) != 2:
        raise OpFailed("Invalid MAC address prefix", "wrong_input")
    world.networks[name] = Network(
        name,
        f"uuid-{world.number()}",
        body["network"],
        body.get("gateway"),
        body["mac_prefix"],
        reserved=world.reserved if body["conflicts_check"] else (),
        tags=frozenset(body.get("tags", ())),
    )


def _network(world: World, name: str) -> Network:
    if name not in world.networks:
        raise OpFailed(f"Network '{name}' not found", "unknown_entity")
    return world.networks[name]


def _connect(world: World, request: Request) -> Any:
    network, group = _network(world, request.name), request.body["group_name"]
    if group not in world.groups:
        raise OpFailed(f"Group '{group}' not found", "unknown_entity")
    if group not in network.groups:
        joined = evolve(network, groups=(*network.groups, group))
        world.networks[network.name] = joined


def _disconnect(world: World, request: Request) -> Any:
    network, group = _network(world, request.name), request.body["group_name"]
    left = tuple(each for each in network.groups if each != group)
    world.networks[network.name] = evolve(network, groups=left)


def _network_remove(world: World, request: Request) -> Any:
    network = _network(world, request.name)
    if network.groups:
        raise OpFailed(f"Network '{network.name}' is connected", "wrong_state")
    del world.networks[network.name]


_DO: Mapping[str, Callable[[World, Request], Any]] = {
    Kind.CREATE: _create,
    Kind.REMOVE: _remove,
    Kind.START: _start,
    Kind.STOP: _stop,
    Kind.REBOOT: _reboot,
    RENAME: _rename,
    Kind.MODIFY: _modify,
    Kind.REINSTALL: _reinstall,
    Kind.ADD_TAGS: _add_tags,
    Kind.REMOVE_TAGS: _remove_tags,
    Kind.NETWORK_ADD: _network_add,
    Kind.NETWORK_CONNECT: _connect,
    Kind.NETWORK_DISCONNECT: _disconnect,
    Kind.NETWORK_REMOVE: _network_remove,
}
