"""Runs machines as QEMU processes that outlive the pocket.

Each has a pid file, a monitor socket and a serial console kept in a ring
buffer. A pocket that was killed finds them again by these.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Collection
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.logger import Logger

from pocket import netdev
from pocket.errors import OpExecError
from pocket.hotplug import PATIENCE, plug, unplug
from pocket.hypervisor import Device, Machine, Port
from pocket.process import run
from pocket.qmp import Monitor, MonitorFactory

BINARY = "qemu-system-x86_64"
_START = 60.0
_QUIT = 10.0


@define(eq=False)
class Qemu:
    """QEMU with emulation or KVM.

    :ivar binary: the program.
    :ivar place: directory for pid files and sockets.
    :ivar address: where screens listen.
    :ivar accel: QEMU's accelerator.
    :ivar grace: seconds that guests get to power off when the pocket stops.
    :ivar patience: seconds that guests get to let go of a device.
    :ivar password: the screens' password, or None.
    :ivar bridge: where NICs are connected, or None for closed networks.
    :ivar monitors: of the machines that run.
    """

    reactor: Any
    binary: str
    place: Path
    address: str = "127.0.0.1"
    accel: str = "tcg,tb-size=128"
    grace: float = 5.0
    password: str | None = None
    bridge: str | None = None
    name: str = "kvm"
    screens: bool = True
    hotplugs: bool = True
    patience: float = PATIENCE
    monitors: dict[str, Monitor] = field(init=False, factory=dict)
    _machines: dict[str, Machine] = field(init=False, factory=dict)
    _waiting: dict[str, list[Deferred[None]]] = field(init=False, factory=dict)
    _log = Logger()

    async def start(self, machine: Machine) -> None:
        """Run a machine that does not run.

        :raises OpExecError: it does not start.
        """
        if self.running(machine.name):
            return
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clean(machine)
        await run(self.reactor, [self.binary, *self._arguments(machine)], _START)
        await self._connect(machine)
        for port in machine.ports:
            await self._link(port)

    async def stop(self, name: str, patience: float) -> None:
        """End a machine; at once if it does not shut down within ``patience``.

        :raises OpExecError: it does not end.
        """
        monitor = self.monitors.get(name)
        if monitor is None:
            return
        if patience > 0:
            monitor.execute("system_powerdown").addErrback(_ignored)
            if await self._gone(name, patience):
                return
        if self.running(name):
            monitor.execute("quit").addErrback(_ignored)
        if await self._gone(name, _QUIT):
            return
        self._kill(self._machines[name].uuid)
        if not await self._gone(name, _QUIT):
            raise OpExecError(f"{name} does not end")

    def running(self, name: str) -> bool:
        """Whether its monitor is connected."""
        return name in self.monitors

    def port_free(self, port: int) -> bool:
        """Whether nobody listens on that TCP port."""
        return port_free(self.address, port)

    async def hotplug(self, name: str, device: Device, add: bool) -> None:
        """Plug a device into a running machine, or take it out.

        :raises OpExecError: QEMU or the guest does not play along.
        """
        monitor = self.monitors.get(name)
        if monitor is None:
            raise OpExecError(f"{name} does not run")
        if not add:
            await unplug(monitor, device, self.reactor, self.patience)
            return
        await plug(monitor, device, self.bridge)
        if device.port is not None:
            await self._link(device.port)

    async def find(self, machines: Collection[Machine], up: frozenset[str]) -> None:
        """Take over what runs; end processes that belong to no machine."""
        known = {machine.uuid for machine in machines}
        for path in self.place.glob("*.pid"):
            if path.stem not in known:
                self._kill(path.stem)
                path.unlink(missing_ok=True)
        for machine in machines:
            if not self._file(machine, "qmp").exists():
                continue
            try:
                await self._connect(machine)
            except OpExecError:
                self._kill(machine.uuid)
                self._clean(machine)

    async def close(self) -> None:
        """End all machines."""
        names = list(self.monitors)
        ends = [Deferred.fromCoroutine(self.stop(n, self.grace)) for n in names]
        for (good, why), name in zip(
            await DeferredList(ends, consumeErrors=True), names, strict=True
        ):
            if not good:
                self._log.error("{name} was not ended: {why}", name=name, why=why)

    # -- one process ---------------------------------------------------------

    async def _link(self, port: Port) -> None:
        if self.bridge is not None:
            tap = netdev.tap_name(port.mac)
            link = ["ip", "link", "set", "dev", tap, "master", self.bridge, "up"]
            await run(self.reactor, link, _QUIT)

    def _file(self, machine: Machine, kind: str) -> Path:
        return self.place / f"{machine.uuid}.{kind}"

    def _clean(self, machine: Machine) -> None:
        for kind in ("qmp", "pid"):
            self._file(machine, kind).unlink(missing_ok=True)

    def _arguments(self, machine: Machine) -> list[str]:
        secret = ",password=on" if self.password else ""
        screen = f"{self.address}:{(machine.screen or 5900) - 5900}{secret}"
        drives: list[str] = []
        for number, disk in enumerate(machine.disks, 1):
            path, node = str(disk).replace(",", ",,"), netdev.disk_node(disk)
            raw = f"driver=raw,node-name={node},discard=unmap"
            file = f"file.driver=file,file.discard=unmap,file.filename={path}"
            front = f"virtio-blk-pci,drive={node},id=dev{node}"
            drives += ["-blockdev", f"{raw},{file}"]
            drives += ["-device", f"{front},bootindex={number}"]
        return [
            *("-name", machine.name.replace(",", ",,"), "-uuid", machine.uuid),
            *("-nodefaults", "-no-user-config", "-machine", "pc", "-vga", "std"),
            *("-accel", self.accel, "-m", str(machine.memory)),
            *("-smp", str(machine.vcpus), "-boot", "strict=on", "-rtc", "base=utc"),
            *("-vnc", screen if machine.screen else "none"),
            *("-chardev", "ringbuf,id=serial,size=65536", "-serial", "chardev:serial"),
            "-chardev",
            f"socket,id=monitor,path={self._file(machine, 'qmp')},server=on,wait=off",
            *("-mon", "chardev=monitor,mode=control"),
            *drives,
            *netdev.arguments(machine.ports, self.bridge),
            "-sandbox",
            "on,obsolete=deny,resourcecontrol=deny",
            *("-pidfile", str(self._file(machine, "pid")), "-daemonize"),
        ]

    async def _connect(self, machine: Machine) -> None:
        path = str(self._file(machine, "qmp"))
        end = UNIXClientEndpoint(self.reactor, path, timeout=_QUIT)
        try:
            monitor: Any = await end.connect(
                MonitorFactory(lambda: self._ended(machine.name))
            )
            await monitor.ready.addTimeout(_QUIT, self.reactor)
        except (ConnectError, TooLate) as error:
            raise OpExecError(f"No contact with QEMU: {error}") from error
        self.monitors[machine.name] = monitor
        self._machines[machine.name] = machine
        if self.password:
            await monitor.execute(
                "set_password", protocol="vnc", password=self.password
            )

    def _ended(self, name: str) -> None:
        if self.monitors.pop(name, None) is not None:
            self._log.info("{name} has ended", name=name)
            self._clean(self._machines.pop(name))
        for waiting in self._waiting.pop(name, ()):
            if not waiting.called:
                waiting.callback(None)

    async def _gone(self, name: str, patience: float) -> bool:
        """Whether a machine ends within that many seconds."""
        if not self.running(name):
            return True
        ended: Deferred[None] = Deferred(lambda _: None)
        self._waiting.setdefault(name, []).append(ended)
        try:
            await ended.addTimeout(patience, self.reactor)
        except TooLate:
            return False
        return True

    def _kill(self, uuid: str) -> None:
        """Kill a machine's process, if the pid file's process is that."""
        try:
            pid = int((self.place / f"{uuid}.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if uuid.encode() in command.split(b"\0"):
                os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):
            return


def _ignored(failure: Any) -> None:
    """The next step will see what is the matter."""


def port_free(address: str, port: int) -> bool:
    """Whether one could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
