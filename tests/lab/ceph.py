"""One small Ceph cluster for each test process, made by ``ceph-up.sh``."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from unittest import SkipTest

from attrs import frozen

from storage.librados import RadosConfig
from tests.lab.ports import free_port

_SCRIPT = Path(__file__).parent / "ceph-up.sh"
_PACKAGES = "ceph-mon ceph-osd ceph-common python3-rados"


@frozen
class Ceph:
    """A running cluster.

    :ivar home: everything that belongs to it.
    """

    home: Path
    conf: str
    pool: str
    user: str
    keyring: str

    def config(self, namespace: str = "", timeout: float = 30.0) -> RadosConfig:
        """How a block store gets at it."""
        return RadosConfig(
            self.conf, self.pool, self.user, self.keyring, namespace, timeout
        )

    def freeze(self) -> None:
        """Stop its only OSD in its tracks, as a hung machine would."""
        osd = self._osd()
        os.kill(osd, signal.SIGSTOP)
        threads = list(Path(f"/proc/{osd}/task").iterdir())
        while any(_state(thread) not in "TXZ" for thread in threads):
            time.sleep(0.01)  # some thread may still be serving

    def thaw(self) -> None:
        """Let the OSD go on."""
        os.kill(self._osd(), signal.SIGCONT)

    def _osd(self) -> int:
        return int((self.home / "run" / "osd.0.pid").read_text())


@cache
def cluster() -> Ceph:
    """The cluster of this process, started when first asked for.

    :raises SkipTest: there can be none here, and CI is not set.
    """
    if shutil.which("ceph-osd") is None and os.geteuid() != 0:
        return _cannot(f"Ceph is missing: apt-get install {_PACKAGES}")
    home = Path(tempfile.mkdtemp(prefix="snfd-ceph-"))
    atexit.register(_wipe, home)
    port = {"CEPH_PORT": str(free_port(2))}
    done = _run("up", home, port)
    if done.returncode != 0:
        return _cannot(f"no Ceph cluster: {done.stderr[-2000:]}")
    said = dict(line.split("=", 1) for line in done.stdout.split())
    return Ceph(
        home,
        said["CEPH_CONF"],
        said["CEPH_POOL"],
        said["CEPH_NAME"],
        said["CEPH_KEYRING"],
    )


def _state(thread: Path) -> str:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "X"


def _cannot(why: str) -> Ceph:
    if os.environ.get("CI"):
        raise AssertionError(why)
    raise SkipTest(why)


def _run(
    action: str, home: Path, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(_SCRIPT), action, str(home)],
        env={**os.environ, **(settings or {})},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def _wipe(home: Path) -> None:
    _run("wipe", home)
    shutil.rmtree(home, ignore_errors=True)
