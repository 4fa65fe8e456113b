"""A small bluestore cluster with a tuned radosgw, and ``rados bench`` on it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from bench.loader import Target
from bench.rig import NotComparable, eventually
from tests.functional.daemon import ROOT
from tests.lab.ports import free_port

_SCRIPT = ROOT / "tests" / "lab" / "ceph-up.sh"
_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "16777216",
}
"""As ``ceph-up.sh`` gives to all of Ceph's daemons; so ``rados bench`` too."""
IN_FLIGHT = 16


@frozen
class Ceph:
    """A running cluster.

    :ivar gateway: radosgw's host and port.
    """

    home: Path
    conf: str
    pool: str
    user: str
    keyring: str
    gateway: str

    @property
    def osd(self) -> int:
        """Process id of its one OSD."""
        return _pid(self.home, "osd.0")

    @property
    def radosgw(self) -> int:
        """Process id of its radosgw."""
        return _pid(self.home, "rgw.a")

    def environment(self) -> dict[str, str]:
        """Settings of a daemon that keeps its blocks there."""
        return {
            "SNFD_STORAGE_DRIVER": "rados",
            "SNFD_STORAGE_POOL": self.pool,
            "SNFD_STORAGE_CEPH_CONF": self.conf,
            "SNFD_STORAGE_CEPH_USER": self.user,
            "SNFD_STORAGE_CEPH_KEYRING": self.keyring,
        }

    def target(self, container: str) -> Target:
        """A new container in radosgw, by Swift's API."""
        who = {"X-Auth-User": "test:tester", "X-Auth-Key": "testing"}
        said = _ask(self.gateway, "GET", "/auth/v1.0", who)
        token = {"X-Auth-Token": said["x-auth-token"]}
        prefix = f"{urlsplit(said['x-storage-url']).path}/{container}"
        _ask(self.gateway, "PUT", prefix, token)
        host, _, port = self.gateway.partition(":")
        return Target(host, int(port), f"{prefix}/", token)

    def bench(self, seconds: int) -> tuple[float, float]:
        """``rados bench``: MiB/s of 4 MiB objects written, and of these read."""
        name = ("--run-name", "bench")
        block = ("-b", "4194304")
        wrote = self._bench(seconds, "write", *block, "--no-cleanup", *name)
        got = self._bench(seconds, "seq", *name)
        self._rados("cleanup", *name)
        return wrote, got

    def _bench(self, seconds: int, *what: str) -> float:
        said = self._rados("bench", str(seconds), *what, "-t", str(IN_FLIGHT))
        found = re.search(r"Bandwidth \(MB/sec\):\s+([\d.]+)", said)
        if found is None:
            raise NotComparable(f"rados bench said: {said}")
        return float(found[1])

    def _rados(self, *what: str) -> str:
        name = self.user
        return subprocess.run(
            ["rados", "--conf", self.conf, "-n", name, "--keyring", self.keyring,
             "-p", self.pool, *what],
            env={**os.environ, **_MALLOC},
            capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip


@contextmanager
def ceph() -> Iterator[Ceph]:
    """A fresh cluster; radosgw keeps its data in the pool that we use."""
    home = Path(tempfile.mkdtemp(prefix="snfd-bench-ceph-"))
    settings = {
        "CEPH_STORE": "bluestore",
        "CEPH_PORT": str(free_port(2)),
        "RGW_PORT": str(free_port()),
    }
    try:
        up = _said(_script("up", home, settings))
        _script("rgw", home, settings)
        _one_pool(home, up["CEPH_CONF"], up["CEPH_POOL"])
        gateway = _said(_script("rgw", home, settings))["ST_AUTH"]
        yield Ceph(
            home,
            up["CEPH_CONF"],
            up["CEPH_POOL"],
            up["CEPH_NAME"],
            up["CEPH_KEYRING"],
            urlsplit(gateway).netloc,
        )
    finally:
        _script("wipe", home, settings)
        shutil.rmtree(home, ignore_errors=True)


def _one_pool(home: Path, conf: str, pool: str) -> None:
    """Have radosgw keep objects in ``pool``, and stop it."""
    subprocess.run(
        ["radosgw-admin", "--conf", conf, "zone", "placement", "modify",
         "--rgw-zone", "default", "--placement-id", "default-placement",
         "--data-pool", pool],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    pid = _pid(home, "rgw.a")
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), 60, "radosgw stops")


def _ask(where: str, method: str, path: str, headers: dict[str, str]) -> dict[str, str]:
    """The headers of an answer.

    :raises NotComparable: it is no success.
    """
    connection = http.client.HTTPConnection(where, timeout=60)
    try:
        connection.request(method, path, headers={**headers, "Content-Length": "0"})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise NotComparable(f"{method} {path}: {answer.status}")
    return {name.lower(): value for name, value in answer.getheaders()}


def _pid(home: Path, name: str) -> int:
    return int((home / "run" / f"{name}.pid").read_text())


def _script(action: str, home: Path, settings: dict[str, str]) -> str:
    done = subprocess.run(
        [str(_SCRIPT), action, str(home)],
        env={**os.environ, **settings},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise NotComparable(f"no Ceph: {done.stderr[-2000:]}")
    return done.stdout


def _said(lines: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines.split())
