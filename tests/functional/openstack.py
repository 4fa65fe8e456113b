"""openstackclient as a user runs it, with the ``clouds.yaml`` of a daemon."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import Any

from attrs import frozen

from tests.functional.daemon import ROOT, Daemon

RUNNERS = ROOT / "tests" / "clients"


@frozen
class Openstack:
    """The command ``openstack``, for one of a daemon's clouds."""

    daemon: Daemon
    cloud: str = "demo"

    def __call__(self, command: str, *more: str) -> str:
        """What a command printed.

        :param command: its words, quoted as a shell wants it; ``more`` are
            words as they are.
        :raises AssertionError: it failed.
        """
        done = subprocess.run(
            [str(RUNNERS / "openstack.sh"), *shlex.split(command), *more],
            env={
                **os.environ,
                "CLOUDS": str(self.daemon.var / "clouds.yaml"),
                "CLOUD": self.cloud,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise AssertionError(f"openstack {command}: {done.stderr[-2000:]}")
        return done.stdout

    def json(self, command: str, *more: str) -> Any:
        """The same, decoded."""
        return json.loads(self(command, *more, "-f", "json"))
