"""A whole daemon as a child process, as ``make run`` starts it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field

from tests.functional.processes import bury
from tests.lab.ports import free_port

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent
PASSWORD = "correct-horse"
LATE = "did not stop in order"
"""What the log says of a part that was not waited for any longer."""


def eventually(look: Callable[[], T], seconds: float = 60, every: float = 0.1) -> T:
    """The first true answer of ``look``; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {look}")
        time.sleep(every)


@define
class Reply:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


@define
class Client:
    """A user of the daemon over real TCP; blocks."""

    port: int
    token: str = ""
    project: str = ""
    user: str = ""

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Reply:
        """One request on a connection of its own.

        ``body``: bytes as they are, anything else as JSON, None for none.
        """
        sent = {"X-Auth-Token": self.token} if self.token else {}
        data: Any = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, data, {**sent, **(headers or {})})
            got = connection.getresponse()
            return Reply(
                got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
            )
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Reply:
        """``GET path``."""
        return self.request("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> Reply:
        """``POST path``."""
        return self.request("POST", path, body, **more)

    def put(self, path: str, body: object = None, **more: Any) -> Reply:
        """``PUT path``."""
        return self.request("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        """``DELETE path``."""
        return self.request("DELETE", path, **more)


@define
class Daemon:
    """One ``twistd snfd`` with everything embedded.

    :ivar var: its data directory.
    :ivar environment: further ``SNFD_*`` variables.
    :ivar config: TOML file, or None.
    :ivar words: further options of its command line.
    :ivar cwd: where it runs; ``twistd`` looks there for packages first.
    """

    var: Path
    port: int = field(factory=free_port)
    pocket_port: int = field(factory=free_port)
    environment: dict[str, str] = field(factory=dict)
    config: Path | None = None
    twistd: Path = field(factory=lambda: Path(sys.executable).with_name("twistd"))
    cwd: Path = ROOT
    words: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    printed: list[str] = field(factory=list)

    def start(self, seconds: float = 90) -> Daemon:
        """Start it and wait for its ready line."""
        command = [
            str(self.twistd),
            "--nodaemon", "--pidfile=", "snfd",
            "--var", str(self.var), "--port", str(self.port),
        ]  # fmt: skip
        if self.config is not None:
            command += ["--config", str(self.config)]
        command += self.words
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SNFD_")},
            "SNFD_POCKET_PORT": str(self.pocket_port),
            "SNFD_POCKET_HYPERVISOR": "fake",
            "SNFD_POCKET_LATENCY": "0.05",
            "SNFD_SEED_PASSWORD": PASSWORD,
            "SNFD_SEED_ACCOUNTS": "true",
            "SNFD_LOG_FILE": str(self.log),
            **self.environment,
        }
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=self.cwd,
        )
        self._await_ready(time.monotonic() + seconds)
        return self

    def _await_ready(self, deadline: float) -> None:
        assert self.process is not None and self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            if line:
                self.printed.append(line)
                if line.startswith("ready"):
                    os.set_blocking(self.process.stdout.fileno(), False)
                    return
            elif self.process.poll() is not None:
                break
            else:
                time.sleep(0.02)
        log = self.log.read_text()[-3000:] if self.log.exists() else ""
        self.kill()
        raise AssertionError("".join(self.printed) + log)

    @property
    def log(self) -> Path:
        """Its log, JSON lines."""
        return self.var / "snfd.log"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """``kill -9`` and nothing else; its children stay."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 40) -> None:
        """Ctrl-C, and wait."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {seconds} s") from None
        if self.log.exists() and LATE in self.log.read_text():
            raise AssertionError(f"a part {LATE}; see {self.log}")

    def client(self, name: str = "demo", project: str | None = None) -> Client:
        """Log in by password, scoped to ``project``."""
        auth = {
            "identity": {
                "methods": ["password"],
                "password": {
                    "user": {
                        "name": name,
                        "domain": {"name": "Default"},
                        "password": PASSWORD,
                    }
                },
            },
            "scope": {
                "project": {
                    "name": project or PROJECTS.get(name, name),
                    "domain": {"name": "Default"},
                }
            },
        }
        client = Client(self.port)
        got = client.post("/identity/v3/auth/tokens", {"auth": auth})
        assert got.status == 201, (got.status, got.body)
        token = got.json["token"]
        return Client(
            self.port,
            got.headers["x-subject-token"],
            token["project"]["id"],
            token["user"]["id"],
        )

    def rapi(self, method: str, path: str, body: object = None) -> Any:
        """Ask the embedded cluster itself."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        password = (self.var / "pocket" / "password").read_text().strip()
        login = b64encode(f"snfd:{password}".encode()).decode()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.pocket_port, timeout=30, context=context
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

    def events(self) -> Iterator[dict[str, Any]]:
        """Its log so far."""
        for line in self.log.read_text().splitlines():
            yield json.loads(line)

    def complaints(self) -> Iterator[str]:
        """What its log says of errors: of ours, never of a client's."""
        for event in self.events():
            if event["level"] in ("error", "critical"):
                yield str(event.get("error", event["message"]))


PROJECTS = {"admin": "system", "reader": "demo", "altreader": "alt"}


@contextmanager
def running(
    configured: Callable[[Path], Path] | None = None, **environment: str
) -> Iterator[Daemon]:
    """A fresh daemon that is gone, with all its data, afterwards.

    :param configured: writes a configuration for a data directory; where.
    """
    with tempfile.TemporaryDirectory(prefix="snfd-", ignore_cleanup_errors=True) as var:
        Path(var).chmod(0o711)  # so that PostgreSQL's user may enter
        config = None if configured is None else configured(Path(var))
        daemon = Daemon(Path(var), environment=environment, config=config)
        try:
            yield daemon.start()
        finally:
            try:
                daemon.stop()
            finally:
                bury(daemon.var)
