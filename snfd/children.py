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
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

STOP_SECONDS = 20.0
LOOK_SECONDS = 0.2


@define(eq=False)
class Child(Service):
    """Keeps one process running: starts it again when it dies.

    A process that an earlier daemon, killed, left behind is taken over if it
    was started in the same way, and else ended first; it is known by its pid
    file and its command line.

    :ivar command: program and arguments; no shell is involved.
    :ivar pid_file: where the process's id is kept.
    """

    name: str
    reactor: Any
    command: Sequence[str]
    environment: Mapping[str, str]
    pid_file: Path
    _kept: Deferred[None] = field(init=False, factory=Deferred)
    _protocol: _Output | None = field(init=False, default=None)
    _adopted: int | None = field(init=False, default=None)
    _failures: int = field(init=False, default=0)
    _log = Logger()

    def startService(self) -> None:
        """Take the process over, or start it."""
        Service.startService(self)
        self._kept = Deferred.fromCoroutine(self._keep())
        self._kept.addErrback(self._not_kept)

    async def stopService(self) -> None:
        """End the process and wait for its end."""
        Service.stopService(self)
        if self._adopted is not None:
            await self._end_adopted(self._adopted)
        if self._protocol is not None:
            await self._protocol.end(self.reactor)
        self._kept.cancel()
        await self._kept

    def _not_kept(self, failure: Failure) -> None:
        if self.running or not failure.check(CancelledError):
            self._log.failure(
                "{name} is not kept running", failure=failure, name=self.name
            )

    async def _keep(self) -> None:
        await self._take_over()
        while self.running:
            self._protocol = _Output(self.name)
            process = self.reactor.spawnProcess(
                self._protocol,
                self.command[0],
                list(self.command),
                dict(self.environment),
            )
            self.pid_file.write_text(f"{process.pid}\n")
            reason = await self._protocol.over()
            self._protocol = None
            with suppress(FileNotFoundError):
                self.pid_file.unlink()
            if self.running:
                await self._pause(reason)

    async def _take_over(self) -> None:
        pid = left_behind(self.pid_file, self.command[-1])
        if pid is None:
            return
        self._adopted = pid
        if command_of(pid)[-len(self.command) :] != list(self.command):
            await self._end_adopted(pid)
        else:
            self._log.info("{name} is still running; taken over", name=self.name)
        while self.running and command_of(pid):
            await deferLater(self.reactor, LOOK_SECONDS)
        self._adopted = None

    async def _end_adopted(self, pid: int) -> None:
        for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
            for _ in range(round(seconds / LOOK_SECONDS)):
                if not command_of(pid):
                    return
                await deferLater(self.reactor, LOOK_SECONDS)

    async def _pause(self, reason: Failure) -> None:
        self._failures += 1
        wait = backoffPolicy(initialDelay=1.0, maxDelay=30.0)(self._failures)
        self._log.error(
            "{name} ended ({why}); starting it again in {wait:.0f} s",
            name=self.name,
            why=reason.getErrorMessage(),
            wait=wait,
        )
        await deferLater(self.reactor, wait)


class _Output(ProcessProtocol):
    """Logs what the process writes, and tells of its end."""

    _log = Logger(namespace="snfd.children")

    def __init__(self, name: str) -> None:
        self._name = name
        self._reason: Failure | None = None
        self._waiting: list[Deferred[None]] = []

    def outReceived(self, data: bytes) -> None:
        """Log a line, or several."""
        self._lines(data)

    def errReceived(self, data: bytes) -> None:
        """Log a line, or several."""
        self._lines(data)

    def processEnded(self, reason: Failure) -> None:
        """Tell whoever waits."""
        self._reason = reason
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    async def over(self) -> Failure:
        """Why the process ended, once it has."""
        if self._reason is None:
            ended: Deferred[None] = Deferred()
            self._waiting.append(ended)
            await ended
        assert self._reason is not None
        return self._reason

    async def end(self, clock: Any) -> None:
        """Ask the process to end, and insist after `STOP_SECONDS`."""
        self._signal("TERM")
        insist = clock.callLater(STOP_SECONDS, self._signal, "KILL")
        await self.over()
        if insist.active():
            insist.cancel()

    def _signal(self, name: str) -> None:
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess(name)

    def _lines(self, data: bytes) -> None:
        for line in data.decode("utf-8", "replace").splitlines():
            self._log.info("{name}: {line}", name=self._name, line=line[:1000])


def left_behind(pid_file: Path, mark: str) -> int | None:
    """The running process of ``pid_file`` with ``mark`` among its arguments."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if mark in command_of(pid) else None


def command_of(pid: int) -> list[str]:
    """Program and arguments of a process; empty if it is not running."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").split("\0")[:-1]
