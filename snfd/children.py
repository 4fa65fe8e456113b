"""Helper processes that live and die with the daemon."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

STOP_SECONDS = 20.0


@define(eq=False)
class Child(Service):
    """Keeps one process running: starts it again when it dies.

    A process that an earlier daemon, killed, left behind is ended first; it
    is known by its pid file and by ``mark`` in its command line.

    :ivar command: program and arguments; no shell is involved.
    :ivar pid_file: where the process's id is kept.
    :ivar mark: a word of the command line that no other process has.
    """

    name: str
    reactor: Any
    command: Sequence[str]
    environment: Mapping[str, str]
    pid_file: Path
    mark: str
    _protocol: _Output | None = field(init=False, default=None)
    _failures: int = field(init=False, default=0)
    _again: Any = field(init=False, default=None)
    _log = Logger()

    def startService(self) -> None:
        """Start the process."""
        Service.startService(self)
        end_orphan(self.pid_file, self.mark)
        self._spawn()

    def stopService(self) -> Deferred[None]:
        """End the process and wait for its end."""
        Service.stopService(self)
        if self._again is not None and self._again.active():
            self._again.cancel()
        if self._protocol is None:
            return succeed(None)
        return self._protocol.end(self.reactor)

    def _spawn(self) -> None:
        processes: IReactorProcess = self.reactor
        self._protocol = _Output(self.name, self._ended)
        process = processes.spawnProcess(
            self._protocol, self.command[0], list(self.command), dict(self.environment)
        )
        self.pid_file.write_text(f"{process.pid}\n")

    def _ended(self, reason: Failure) -> None:
        self._protocol = None
        with suppress(FileNotFoundError):
            self.pid_file.unlink()
        if not self.running:
            return
        self._failures += 1
        wait = backoffPolicy(initialDelay=1.0, maxDelay=30.0)(self._failures)
        self._log.error(
            "{name} ended ({why}); starting it again in {wait:.0f} s",
            name=self.name,
            why=reason.getErrorMessage(),
            wait=wait,
        )
        clock: IReactorTime = self.reactor
        self._again = clock.callLater(wait, self._spawn)


class _Output(ProcessProtocol):
    """Logs what the process writes, and waits for its end."""

    _log = Logger(namespace="snfd.children")

    def __init__(self, name: str, ended: Any) -> None:
        self._name = name
        self._tell = ended
        self._done: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Log a line, or several."""
        self._lines(data)

    def errReceived(self, data: bytes) -> None:
        """Log a line, or several."""
        self._lines(data)

    def processEnded(self, reason: Failure) -> None:
        """Tell the service and whoever waits."""
        self._tell(reason)
        self._done.callback(None)

    def end(self, clock: IReactorTime) -> Deferred[None]:
        """Ask the process to end, and insist after `STOP_SECONDS`."""
        self._signal("TERM")
        insist = clock.callLater(STOP_SECONDS, self._signal, "KILL")

        def over(result: None) -> None:
            if insist.active():
                insist.cancel()

        return self._done.addCallback(over)

    def _signal(self, name: str) -> None:
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess(name)

    def _lines(self, data: bytes) -> None:
        for line in data.decode("utf-8", "replace").splitlines():
            self._log.info("{name}: {line}", name=self._name, line=line[:1000])


def end_orphan(pid_file: Path, mark: str) -> bool:
    """Kill the process of ``pid_file`` if ``mark`` is in its command line."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    if mark.encode() not in command:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True
