"""A hypervisor for hosts without QEMU: no machines, but real screens."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from attrs import define, field
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from pocket.canvas import Screen
from pocket.errors import OpExecError
from pocket.hypervisor import Device, Machine
from pocket.qemu import port_free
from pocket.screen import RfbFactory


@define(eq=False)
class StandIn:
    """Each machine that "runs" has a screen that answers keys and pointer."""

    reactor: Any
    address: str = "127.0.0.1"
    password: str | None = None
    name: str = "kvm"
    screens: bool = True
    hotplugs: bool = True
    _running: dict[str, tuple[IListeningPort, RfbFactory]] = field(
        init=False, factory=dict
    )

    async def start(self, machine: Machine) -> None:
        """Put a screen on the machine's port.

        :raises OpExecError: the port is taken.
        """
        if self.running(machine.name):
            return
        factory = RfbFactory(Screen(machine.name), self.password, os.urandom)
        try:
            port = self.reactor.listenTCP(
                machine.screen or 0, factory, interface=self.address
            )
        except CannotListenError as error:
            raise OpExecError(f"No screen for {machine.name}: {error}") from error
        self._running[machine.name] = port, factory

    async def stop(self, name: str, patience: float) -> None:
        """Take the screen away."""
        if name in self._running:
            port, factory = self._running.pop(name)
            await maybeDeferred(port.stopListening)
            factory.disconnect()

    def running(self, name: str) -> bool:
        """Whether it has a screen."""
        return name in self._running

    def port_free(self, port: int) -> bool:
        """Whether nobody listens on that TCP port."""
        return port_free(self.address, port)

    async def find(self, machines: Collection[Machine], up: frozenset[str]) -> None:
        """Screens do not outlive the process; they are started anew."""

    async def hotplug(self, name: str, device: Device, add: bool) -> None:
        """No machine, no devices: nothing to do."""

    async def close(self) -> None:
        """Take all screens away."""
        for name in list(self._running):
            await self.stop(name, 0)
