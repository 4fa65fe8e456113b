"""Runs a short program and waits for its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from pocket.errors import OpExecError

_MOST = 64 * 1024


@define(eq=False)
class _Run(ProcessProtocol):
    done: Deferred[int] = field(init=False, factory=Deferred)
    output: bytearray = field(init=False, factory=bytearray)

    def childDataReceived(self, child: int, data: bytes) -> None:
        self.output += data[: _MOST - len(self.output)]

    def processEnded(self, reason: Failure) -> None:
        code = getattr(reason.value, "exitCode", None)
        signal = getattr(reason.value, "signal", None)
        self.done.callback(-(signal or 1) if code is None else code)


async def run(reactor: Any, argv: Sequence[str], patience: float) -> str:
    """Run a program; what it printed.

    :param patience: seconds after which it is killed.
    :raises OpExecError: it failed, or took too long.
    """
    task = _Run()
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    process = reactor.spawnProcess(task, argv[0], list(argv), environment)

    def kill() -> None:
        try:
            process.signalProcess("KILL")
        except ProcessExitedAlready:
            return

    timer = reactor.callLater(patience, kill)
    code = await task.done
    if timer.active():
        timer.cancel()
    text = task.output.decode("utf-8", "replace").strip()
    if code != 0:
        raise OpExecError(f"{argv[0]} ended with {code}: {text[-500:]}")
    return text
