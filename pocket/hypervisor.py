"""What runs machines: the port, and a hypervisor that only says so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from attrs import frozen


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
    """

    name: str
    screens: bool

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

    async def close(self) -> None:
        """End all machines: the pocket is stopping."""


class FakeHypervisor:
    """Runs nothing, but keeps the books: Ganeti's ``fake``."""

    name = "fake"
    screens = False

    def __init__(self) -> None:
        self._running: set[str] = set()

    async def start(self, machine: Machine) -> None:
        """From now on it "runs"."""
        self._running.add(machine.name)

    async def stop(self, name: str, patience: float) -> None:
        """From now on it does not."""
        self._running.discard(name)

    def running(self, name: str) -> bool:
        """Whether it was started and not stopped."""
        return name in self._running

    def port_free(self, port: int) -> bool:
        """No machine has a screen."""
        return False

    async def find(self, machines: Collection[Machine], up: frozenset[str]) -> None:
        """What should run is said to run, as if nothing had happened."""
        self._running = {machine.name for machine in machines} & up

    async def close(self) -> None:
        """Nothing to end."""
        self._running.clear()

    def crash(self, name: str) -> None:
        """As if the guest had ended by itself (for tests)."""
        self._running.discard(name)
