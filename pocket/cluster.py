"""The cluster's state: one node, its instances and networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from pocket.errors import NO_RESOURCES, OpPrereqError
from pocket.hypervisor import Hypervisor, Machine, Port
from pocket.model import Instance, Nic
from pocket.registry import Instances, Networks
from pocket.store import Store

_PORTS = 4000
GROUP = "default"


@frozen
class Node:
    """What the one node is and has; memory and disk in MiB."""

    cluster: str = "pocket.local"
    name: str = "node1.pocket.local"
    address: str = "127.0.0.1"
    memory: int = 8192
    disk: int = 1024 * 1024
    cpus: int = 4
    mac_prefix: str = "aa:00:00"
    vnc_address: str = "127.0.0.1"
    vnc_base: int = 11000
    vnc_password_file: str = ""
    disk_templates: tuple[str, ...] = ("file", "diskless", "ext")
    os_name: str = "snf-image+default"


class Space:
    """Where disks lie when they are not real: nowhere."""

    real = False

    def place(self, instance: str, disk: str) -> Path:
        """The file of a disk, from the UUIDs of instance and disk."""
        return Path(instance, disk)

    def free(self) -> int:
        """MiB that are left; without end here."""
        return 1 << 40

    async def make(
        self, instance: Instance, image: str | None, say: Callable[[str], None]
    ) -> None:
        """Make the disks of an instance, the first from the image at a URL.

        :raises OpExecError: it cannot be done; no disk is left behind.
        """

    async def remove(self, instance: str) -> None:
        """Remove the disks of an instance."""

    async def discard(self, instance: str, disk: str) -> None:
        """Remove one disk."""

    async def tidy(self, instances: frozenset[str]) -> None:
        """Remove disks that belong to none of these."""


@define(eq=False)
class Cluster:
    """Everything an operation works on."""

    node: Node
    clock: IReactorTime
    store: Store
    hypervisor: Hypervisor
    random: Random
    space: Space = field(factory=Space)
    instances: Instances = field(init=False)
    networks: Networks = field(init=False)
    tags: set[str] = field(init=False, factory=set)
    identity: dict[str, Any] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.instances = Instances(self.store, self.clock.seconds)
        self.networks = Networks(self.store, self.clock.seconds)

    def load(self) -> None:
        """Read what an earlier process left."""
        self.networks.load()
        self.instances.load()
        found = dict(self.store.load("cluster"))
        self.tags = set(found.get("tags", ()))
        fresh = {
            **{what: self.uuid() for what in ("cluster", "group", "node")},
            "ctime": self.clock.seconds(),
        }
        self.identity = found.get("identity", fresh)
        self.store.put("cluster", "identity", self.identity)

    def uuid(self) -> str:
        """A new UUID."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def free_port(self) -> int:
        """A TCP port that no screen has.

        :raises OpPrereqError: all are taken.
        """
        first = self.node.vnc_base
        for port in range(first, first + _PORTS):
            if not self.instances.ports[port] and self.hypervisor.port_free(port):
                return port
        raise OpPrereqError("No free TCP port for a screen", NO_RESOURCES)

    def free_memory(self) -> int:
        """MiB that running instances leave."""
        running = (i for i in self.instances if self.hypervisor.running(i.name))
        return self.node.memory - sum(instance.memory for instance in running)

    def free_disk(self) -> int:
        """MiB that disks leave."""
        disks = (disk.size for i in self.instances for disk in i.disks)
        return max(0, min(self.node.disk - sum(disks), self.space.free()))

    def machine(self, instance: Instance) -> Machine:
        """What the hypervisor needs to run ``instance``."""
        files = (self.space.place(instance.uuid, disk.uuid) for disk in instance.disks)
        return Machine(
            name=instance.name,
            uuid=instance.uuid,
            memory=instance.memory,
            vcpus=instance.vcpus,
            disks=tuple(files),
            ports=tuple(map(self.port, instance.nics)),
            screen=instance.port,
        )

    def port(self, nic: Nic) -> Port:
        """What the hypervisor needs for a NIC."""
        if nic.network is None or nic.network not in self.networks:
            return Port(nic.mac, nic.ip)
        network = self.networks.get(nic.network)
        return Port(nic.mac, nic.ip, network.network, network.gateway)
