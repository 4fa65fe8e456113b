"""Helper processes: kept running, taken over, ended."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from snfd.children import Child, command_of

SLEEP = "import time; time.sleep(600)"


class ChildTests(TestCase):
    timeout = 60

    def child(self, mark: str = "one", folder: str | None = None) -> Child:
        folder = folder or tempfile.mkdtemp()
        return Child(
            "sleeper",
            reactor,
            [sys.executable, "-c", SLEEP, mark],
            dict(os.environ),
            Path(folder) / "pid",
        )

    async def pid(self, child: Child) -> int:
        while True:
            if child.pid_file.exists() and child.pid_file.read_text().strip():
                pid = int(child.pid_file.read_text())
                if command_of(pid):
                    return pid
            await deferLater(reactor, 0.02)

    async def test_it_is_started_again_and_ended(self) -> None:
        child = self.child()
        child.startService()
        first = await self.pid(child)
        os.kill(first, signal.SIGKILL)
        while (second := await self.pid(child)) == first:
            await deferLater(reactor, 0.02)
        await child.stopService()
        self.assertEqual([], command_of(second))

    async def test_one_that_was_left_behind_is_taken_over(self) -> None:
        folder = tempfile.mkdtemp()
        left = self.child(folder=folder)
        left.startService()
        pid = await self.pid(left)
        new = self.child(folder=folder)
        new.startService()
        await deferLater(reactor, 0.3)
        self.assertEqual(pid, await self.pid(new))
        left.running = False
        await new.stopService()
        self.assertEqual([], command_of(pid))

    async def test_a_stranger_with_the_same_id_is_left_alone(self) -> None:
        child = self.child()
        child.pid_file.write_text(f"{os.getpid()}\n")
        child.startService()
        while await self.pid(child) == os.getpid():
            await deferLater(reactor, 0.02)
        await child.stopService()
