"""The pocket cluster as the daemon runs it: a process, known only by RAPI."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from secrets import token_urlsafe
from typing import IO, Any

from attrs import define
from twisted.application.service import Service
from twisted.internet.task import deferLater

from snfd import private
from snfd.children import Child, left_behind
from snfd.config import PocketSection
from snfd.db.datadir import locked
from snfd.errors import Unavailable
from snfd.ganeti.service import NewCluster
from snfd.keepsake import keepsake

NAME = "pocket"
START_SECONDS = 20.0


@define(eq=False)
class EmbeddedPocket(Service):
    """A pocket cluster below ``var``; no other daemon has it until it is stopped.

    :ivar port: of its RAPI.
    :ivar child: the process.
    :ivar hypervisor: as the cluster calls the one it has.
    """

    reactor: Any
    folder: Path
    port: int
    child: Child
    password: str
    hypervisor: str
    _lock: IO[str]

    @classmethod
    def prepare(cls, reactor: Any, var: Path, section: PocketSection) -> EmbeddedPocket:
        """Choose its port and password; the same as last time where possible.

        :raises PlaceError: another daemon is using ``var``.
        """
        folder = var / NAME
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # or the pocket cluster of a daemon that lives would be taken over
        lock = locked(var / f"{NAME}.lock")
        password, _ = keepsake(var / "secrets", NAME, lambda: token_urlsafe(24))
        private.write(folder / "password", password + "\n")
        port = _port(folder, section.port)
        command = [
            sys.executable,
            "-c",
            # a session of its own: Ctrl-C is for the daemon, which ends it in order
            "import os; os.setsid(); from twisted.scripts.twistd import run; run()",
            "--nodaemon",
            "--pidfile=",
            "snfd-pocket",
            f"--data={folder}",
            f"--port=tcp:{port}:interface=127.0.0.1",
            f"--password-file={folder / 'password'}",
            f"--hypervisor={section.hypervisor}",
            f"--latency={section.latency}",
            f"--memory={section.memory}",
            f"--vnc-base={_screens(port)}",
        ]
        if section.control:
            command.append("--control")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SNFD_")}
        child = Child(NAME, reactor, command, environment, folder / "pid")
        hypervisor = "fake" if section.hypervisor == "fake" else "kvm"
        return cls(reactor, folder, port, child, password, hypervisor, lock)

    def startService(self) -> None:
        """Take the process over, or start it."""
        Service.startService(self)
        self.child.startService()

    async def stopService(self) -> None:
        """End the process; then another daemon may have it."""
        Service.stopService(self)
        await self.child.stopService()
        self._lock.close()

    async def started(self) -> NewCluster:
        """How to reach it, once its RAPI answers.

        :raises Unavailable: it does not start.
        """
        certificate = self.folder / "rapi-cert.pem"
        for _ in range(int(START_SECONDS / 0.05)):
            if certificate.exists() and _listens(self.port):
                return NewCluster(
                    name=NAME,
                    url=f"https://127.0.0.1:{self.port}",
                    username="snfd",
                    password=self.password,
                    tls_ca=certificate.read_text(),
                    hypervisor=self.hypervisor,
                    disk_templates=("file",),
                )
            await deferLater(self.reactor, 0.05)
        raise Unavailable("the pocket cluster does not start; the log says why")


def _port(folder: Path, wanted: int) -> int:
    """``wanted``, or if that is 0, the last one or a free one."""
    file = folder / "port"
    if wanted:
        return wanted
    try:
        last = int(file.read_text())
    except (OSError, ValueError):
        last = 0
    running = left_behind(folder / "pid", "snfd-pocket") is not None
    if not last or not (running or _free(last)):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            last = probe.getsockname()[1]
        file.write_text(f"{last}\n")
    return last


def _screens(port: int) -> int:
    """The first port of the screens: seldom that of another pocket's."""
    return 11000 + port * 7919 % 200 * 100


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
