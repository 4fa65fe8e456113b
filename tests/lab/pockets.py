"""Pocket clusters besides the one that a daemon embeds, each a process."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, field

from tests.lab.ports import free_port

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "pocket-word"


@define
class PocketCluster:
    """One ``twistd snfd-pocket`` with a fake hypervisor.

    :ivar name: what a cloud shall call it.
    :ivar memory: of its node, in MiB.
    """

    name: str
    data: Path
    memory: int = 8192
    latency: float = 0.05
    port: int = field(factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its RAPI."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """Its CA, which is its certificate."""
        return self.data / "rapi-cert.pem"

    def start(self, seconds: float = 60) -> PocketCluster:
        """Start it with what it had, and wait until it answers."""
        self.data.mkdir(exist_ok=True)
        words = self.data / "password"
        words.write_text(PASSWORD)
        command = [
            str(Path(sys.executable).with_name("twistd")),
            *("--nodaemon", "--pidfile=", "snfd-pocket"),
            f"--data={self.data}",
            f"--port=tcp:{self.port}:interface=127.0.0.1",
            f"--password-file={words}",
            "--hypervisor=fake",
            f"--latency={self.latency}",
            f"--memory={self.memory}",
        ]
        log = (self.data / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT
            )
        deadline = time.monotonic() + seconds
        while not self._answers():
            assert self.process.poll() is None, (self.data / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the pocket cluster does not answer"
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """End it; its data stay."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def _answers(self) -> bool:
        try:
            self.rapi("GET", "/2/info")
        except OSError:
            return False
        return True

    def rapi(self, method: str, path: str, body: object = None) -> Any:
        """Ask it, past every cloud.

        :raises OSError: it does not answer.
        """
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        login = b64encode(f"snfd:{PASSWORD}".encode()).decode()
        connection = HTTPSConnection(
            "127.0.0.1", self.port, timeout=30, context=context
        )
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            )
            got = connection.getresponse()
            text = got.read()
            assert got.status == 200, (got.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def instances(self) -> dict[str, dict[str, Any]]:
        """Its instances by name."""
        found = self.rapi("GET", "/2/instances?bulk=1")
        return {one["name"]: one for one in found}

    def networks(self) -> dict[str, dict[str, Any]]:
        """Its networks by name."""
        return {one["name"]: one for one in self.rapi("GET", "/2/networks?bulk=1")}


@contextmanager
def pockets(*names: str, memory: int = 8192) -> Iterator[list[PocketCluster]]:
    """Pocket clusters that are gone, with all they had, afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(
            TemporaryDirectory(prefix="pockets-", ignore_cleanup_errors=True)
        )
        made = [PocketCluster(name, Path(folder) / name, memory) for name in names]
        for one in made:
            stack.callback(one.stop)
            one.start()
        yield made
