"""What runs machines: the port, and a hypervisor that only says so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from attrs import frozen

from pocket.errors import OpExecError


@frozen
class Port:
    """A NIC as the machine needs it.

    :ivar subnet: CIDR of the network the address is from, or None.
    :ivar gateway: the network's gateway, or None.
    """

    mac: str
    ip: str | None = None
    subnet: str | None = None
    gateway: str | None = None


@frozen
class Device:
    """What is plugged into a running machine: a NIC or a disk."""

    port: Port | None = None
    disk: Path | None = None


@frozen
class Machine:
    """Everything needed to run an instance.

    :ivar memory: MiB.
    :ivar disks: raw files in the order of the disks.
    :ivar screen: TCP port of the screen, or None.
    """

    name: str
    uuid: str
    memory: int
    vcpus: int
    disks: tuple[Path, ...] = ()
    ports: tuple[Port, ...] = ()
    screen: int | None = None


class Hypervisor(Protocol):
    """Runs machines, by name.

    :ivar name: Ganeti's word for it.
    :ivar screens: whether machines have a screen on a TCP port.
    :ivar hotplugs: whether running machines take and give back devices.
    """

    name: str
    screens: bool
    hotplugs: bool

    async def start(self, machine: Machine) -> None:
        """Run a machine that does not run.

        :raises OpExecError: it does not start.
        """

    async def stop(self, name: str, patience: float) -> None:
        """End a machine, at once if it has not shut down within ``patience``
        seconds; nothing happens if it does not run.

        :raises OpExecError: it does not end.
        """

    def running(self, name: str) -> bool:
        """Whether it runs, as far as is known now."""

    def port_free(self, port: int) -> bool:
        """Whether a screen can be put on that TCP port."""

    async def find(self, machines: Collection[Machine], up: frozenset[str]) -> None:
        """Take over machines that an earlier process left running.

        :param up: the names of those that should run.
        """

    async def hotplug(self, name: str, device: Device, add: bool) -> None:
        """Plug a device into a running machine, or take it out.

        :raises OpExecError: it cannot be done.
        """

    async def close(self) -> None:
        """End all machines: the pocket is stopping."""


class FakeHypervisor:
    """Runs nothing, but keeps the books: Ganeti's ``fake``.

    :ivar machines: the names of those that "run"; a test that takes one out
        makes a guest that has ended by itself.
    """

    name = "fake"
    screens = False
    hotplugs = False

    def __init__(self) -> None:
        self.machines: set[str] = set()

    async def start(self, machine: Machine) -> None:
        """From now on it "runs"."""
        self.machines.add(machine.name)

    async def stop(self, name: str, patience: float) -> None:
        """From now on it does not."""
        self.machines.discard(name)

    def running(self, name: str) -> bool:
        """Whether it was started and not stopped."""
        return name in self.machines

    def port_free(self, port: int) -> bool:
        """No machine has a screen."""
        return False

    async def find(self, machines: Collection[Machine], up: frozenset[str]) -> None:
        """What should run is said to run, as if nothing had happened."""
        self.machines = {machine.name for machine in machines} & up

    async def hotplug(self, name: str, device: Device, add: bool) -> None:
        """Not possible, as in Ganeti.

        :raises OpExecError: always.
        """
        raise OpExecError("Hotplug is not supported by the fake hypervisor")

    async def close(self) -> None:
        """Nothing to end."""
        self.machines.clear()
