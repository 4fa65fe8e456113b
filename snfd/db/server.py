"""PostgreSQL's processes: run, watched, adopted and ended."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from snfd.children import command_of
from snfd.db.place import Place, environment

_LOOK = 0.2
_LAST_WORDS = 4000
# Fast shutdown; immediate, after which the next start recovers.
_ENDING = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0))


class Process(Protocol):
    """A process that we started or adopted."""

    @property
    def last_words(self) -> str:
        """The end of what it wrote, as far as we heard it."""
        ...

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; no matter if it is gone."""

    def over(self) -> Deferred[int | None]:
        """Fires with the exit status, where known, once it has ended."""
        ...


class Program(ProcessProtocol):
    """A child of ours."""

    _log = Logger()

    def __init__(self) -> None:
        self.last_words = ""
        self._status: tuple[int | None] | None = None
        self._waiting: list[Deferred[int | None]] = []

    def signal(self, number: signal.Signals) -> None:
        """See `Process.signal`."""
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess(number)

    def over(self) -> Deferred[int | None]:
        """See `Process.over`."""
        if self._status is not None:
            return succeed(self._status[0])
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def outReceived(self, data: bytes) -> None:
        """Keep what it says."""
        self.last_words += data.decode(errors="replace")
        self.last_words = self.last_words[-_LAST_WORDS:]

    def errReceived(self, data: bytes) -> None:
        """Keep what it says."""
        self.outReceived(data)

    def processEnded(self, reason: Failure) -> None:
        """Tell those who wait."""
        self._status = (getattr(reason.value, "exitCode", None),)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(self._status[0])


@define(eq=False)
class Orphan:
    """A server whose daemon was killed; not our child, so it is looked at."""

    _reactor: Any
    _pid: int
    last_words: str = field(init=False, default="")

    def signal(self, number: signal.Signals) -> None:
        """See `Process.signal`."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def over(self) -> Deferred[int | None]:
        """See `Process.over`."""
        return Deferred.fromCoroutine(self._over())

    async def _over(self) -> None:
        while command_of(self._pid):
            await deferLater(self._reactor, _LOOK)


def spawn(reactor: Any, place: Place, program: str, *arguments: str) -> Program:
    """Run one of ``place``'s programs as its user, away from our terminal."""
    process = Program()
    command = [str(place.binaries.folder / program), *arguments]
    if program == "initdb":
        command = [*_naming(place.uid), *command]
    # In a session of its own a Ctrl-C does not reach it before us.
    setsid = shutil.which("setsid")
    if setsid is not None:
        command.insert(0, setsid)
    user = place.user
    reactor.spawnProcess(
        process,
        command[0],
        command,
        environment(os.environ),
        path="/",
        uid=None if user is None else user.uid,
        gid=None if user is None else user.gid,
    )
    return process


def _naming(uid: int) -> list[str]:
    """What gives ``uid`` a name for a command: initdb insists on one.

    Containers run programs as users that are in no list; in a user namespace
    such a one can be called by the name of another.
    """
    try:
        pwd.getpwuid(uid)
    except KeyError:
        unshare = shutil.which("unshare")
        other = max(entry.pw_uid for entry in pwd.getpwall())
        if unshare is not None:
            return [unshare, "--user", f"--map-user={other}", "--"]
    return []


def find_orphan(reactor: Any, place: Place) -> Orphan | None:
    """The server that runs on ``place``'s data already.

    Its pid file is removed if it names a process of another kind, or a dead
    one that nobody buried, since PostgreSQL would refuse to start because of
    that. Should parts of the old server still run, PostgreSQL notices anyway.
    """
    pid_file = place.data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
    command = command_of(pid)
    if command and Path(command[0]).name == "postgres" and str(place.data) in command:
        return Orphan(reactor, pid)
    if Path(f"/proc/{pid}").exists():
        pid_file.unlink()
    return None


async def end(reactor: Any, process: Process) -> None:
    """End a server in order, or else by force."""
    over = process.over()
    for number, seconds in _ENDING:
        process.signal(number)
        await _either(over, deferLater(reactor, seconds))
        if over.called:
            return


async def _either(over: Deferred[Any], timer: Deferred[None]) -> None:
    """Wait until one of the two has fired; end the timer."""
    first: Deferred[None] = Deferred()

    def fired(result: Any) -> Any:
        if not first.called:
            first.callback(None)
        return result

    over.addBoth(fired)
    timer.addBoth(fired)
    await first
    timer.addErrback(lambda _: None)
    timer.cancel()
