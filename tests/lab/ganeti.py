"""A real Ganeti cluster for the tests of one process, started when asked for.

``ganeti-up.sh`` beside this file does the work and says how. It needs root on
Debian 12 and may install packages; elsewhere the tests that want it skip,
which ``CI=true`` turns into a failure.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import shutil
import signal
import ssl
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import SkipTest
from urllib.request import Request, urlopen

from attrs import frozen

from tests.lab.ports import claim, free

SCRIPT = Path(__file__).with_name("ganeti-up.sh")
BASES = range(40, 200, 5)
"""Third octets of 127.0.x.y tried for the lab's addresses."""
BRIDGES = "br0 prv0"
"""Of the demo's public network, and of private ones."""


@frozen
class Lab:
    """A running lab.

    :ivar urls: of RAPI, one for each cluster.
    :ivar ca: PEM that RAPI's certificate of the first cluster is verified by.
    """

    directory: Path
    base: int
    urls: tuple[str, ...]
    user: str
    password: str
    ca: str

    @property
    def url(self) -> str:
        """RAPI of the first cluster."""
        return self.urls[0]

    def run(self, *command: str) -> str:
        """Output of a command on the first cluster's master."""
        return self._script("exec", "1", "1", *command)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask RAPI of the first cluster."""
        context = ssl.create_default_context(cadata=self.ca)
        login = b64encode(f"{self.user}:{self.password}".encode()).decode()
        asked = Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            method=method,
        )
        with urlopen(asked, timeout=60, context=context) as got:
            return json.load(got)

    def clear(self) -> None:
        """Remove every instance and network of the first cluster."""
        for name in self.ask("GET", "/2/instances"):
            self.run("gnt-instance", "remove", "-f", "--shutdown-timeout=0", name["id"])
        for name in self.run(
            "gnt-network", "list", "--no-headers", "-o", "name"
        ).split():
            self.run("gnt-network", "disconnect", name)
            self.run("gnt-network", "remove", name)

    def daemons(self, how: signal.Signals, name: str = "ganeti-rapi") -> None:
        """Send a signal to the daemons of that name of the first cluster."""
        self.run("pkill", f"-{how.value}", "-f", name)

    def restart(self, daemon: str = "ganeti-rapi") -> None:
        """Start a daemon that was stopped."""
        self.run("sh", "-c", f"cd / && /usr/lib/ganeti/daemon-util start {daemon}")

    def stop(self) -> None:
        """End all of it."""
        self._script("down", "-r")

    def _script(self, verb: str, *arguments: str) -> str:
        command = [str(SCRIPT), verb, "-w", str(self.directory), *arguments]
        done = subprocess.run(command, env=_environment(self.base), check=True,
                              capture_output=True, text=True)  # fmt: skip
        return done.stdout


def _environment(base: int) -> dict[str, str]:
    return {**os.environ, "GANETI_LAB_NETBASE": str(base)}


def _base(clusters: int, nodes: int) -> int:
    """Where a new lab's addresses begin; none is used twice by a process."""
    for base in BASES:
        if free(_addresses(base, clusters, nodes)) and claim(f"ganeti-{base}"):
            return base
    raise RuntimeError("no free addresses for a Ganeti lab")


def _addresses(base: int, clusters: int, nodes: int) -> Iterator[tuple[str, int]]:
    """What Ganeti listens on."""
    for number in range(1, clusters + 1):
        yield f"127.0.{base + number}.254", 5080
        for node in range(1, nodes + 1):
            for port in (1811, 1814, 1815):
                yield f"127.0.{base + number}.{node}", port


def _missing() -> str:
    if os.geteuid() != 0:
        return "a real Ganeti cluster needs root"
    if not Path("/etc/debian_version").exists():
        return "a real Ganeti cluster needs Debian 12"
    return ""


def start(clusters: int = 1, nodes: int = 1, kvm: str = "no", bridges: str = "") -> Lab:
    """A new lab, which the caller stops.

    :param kvm: whether machines are real: no, tcg, kvm or auto.
    :param bridges: that there must be for bridged network cards.
    :raises SkipTest: it cannot run here.
    """
    if missing := _missing():
        raise RuntimeError(missing) if "CI" in os.environ else SkipTest(missing)
    base = _base(clusters, nodes)
    directory = Path(tempfile.mkdtemp(prefix="snfd-ganeti-", dir="/var/tmp"))
    command = [str(SCRIPT), "up", "-w", str(directory), "-c", str(clusters),
               "-n", str(nodes), "-k", kvm, "-b", bridges]  # fmt: skip
    done = subprocess.run(command, env=_environment(base), text=True,
                          capture_output=True, stdin=subprocess.DEVNULL)  # fmt: skip
    if done.returncode != 0:
        subprocess.run([str(SCRIPT), "down", "-r", "-w", str(directory)])
        shutil.rmtree(directory, ignore_errors=True)
        raise RuntimeError(done.stderr[-3000:])
    told = dict(line.split("=", 1) for line in shlex.split(done.stdout) if "=" in line)
    return Lab(
        directory,
        base,
        tuple(told["GANETI_RAPI_URLS"].split()),
        told["GANETI_RAPI_USER"],
        told["GANETI_RAPI_PASSWORD"],
        Path(told["GANETI_RAPI_CERT"]).read_text(),
    )


@cache
def lab() -> Lab:
    """One cluster of one node with the fake hypervisor, for all of the run."""
    made = start(bridges=BRIDGES)
    atexit.register(made.stop)
    return made
