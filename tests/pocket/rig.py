"""A pocket cluster over real TCP, a client for it, and a server of images."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import SkipTest

import treq
from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import ProcessProtocol, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from pocket.service import Pocket, make_pocket
from pocket.settings import Settings
from pocket.users import WRITE, User

ROOT = Path(__file__).parent.parent.parent
READY = re.compile(r"RAPI at (\S+),")
SYSTEM_PYTHON = Path("/usr/bin/python3.11")
FINAL = ("success", "error", "canceled")
NAME, PASSWORD = "snfd", "secret"
SETTINGS = Settings(
    port="tcp:0:interface=127.0.0.1",
    tls=False,
    users=(User(NAME, PASSWORD, frozenset({WRITE})), User("reader", "looks")),
    hypervisor="fake",
    grace=0.0,
)


def new_instance(name: str, **changes: Any) -> dict[str, Any]:
    """The body of a create request for a small instance."""
    return {
        "__version__": 1,
        "mode": "create",
        "name": name,
        "disk_template": "file",
        "os": "snf-image+default",
        "disks": [{"size": 16}],
        "nics": [],
        "beparams": {"minmem": 64, "maxmem": 64, "vcpus": 1},
        **changes,
    }


def lacking(why: str) -> Exception:
    """What to raise where a test cannot run: with ``CI=true`` it fails."""
    return AssertionError(why) if os.environ.get("CI") == "true" else SkipTest(why)


class PocketCase(TestCase):
    """Tests that talk HTTP to a pocket in the same process."""

    settings = SETTINGS

    async def start(self, **changes: Any) -> Pocket:
        """A pocket that listens; stopped at the end of the test."""
        pocket = make_pocket(evolve(self.settings, **changes), reactor)
        pocket.startService()
        self.addCleanup(lambda: pocket.stopService() if pocket.running else None)
        await pocket.ready
        self.pocket, self.url = pocket, pocket.url
        return pocket

    async def spawn(
        self, data: Path, *options: str, uid: int | None = None, **environment: str
    ) -> Child:
        """A pocket in a process of its own, with an ``--option`` each.

        :param uid: whose process it is; None is this user.
        """
        secret = data / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        python = sys.executable if uid is None else str(SYSTEM_PYTHON)
        argv = [python, "-m", "twisted", "--log-format=text", "snfd-pocket"]
        argv += ["--plain", f"--data={data}", f"--password-file={secret}"]
        argv += ["--port=tcp:0:interface=127.0.0.1", "--grace=0", *options]
        paths = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": paths}
        more = {"PYTHONDONTWRITEBYTECODE": "1", **environment}
        child = Child()
        reactor.spawnProcess(
            child, python, argv, {**inherited, **more}, str(data), uid, uid
        )
        self.addCleanup(child.stop)
        self.url = await child.ready
        return child

    def directory(self) -> Path:
        """A new directory, removed at the end of the test."""
        path = Path(tempfile.mkdtemp(prefix="pocket-"))
        self.addCleanup(shutil.rmtree, path, True)
        return path

    async def call(
        self, method: str, path: str, body: Any = None, user: str = NAME
    ) -> tuple[int, Any]:
        """Status and decoded answer of a request."""
        password = PASSWORD if user == NAME else "looks"
        pool = HTTPConnectionPool(reactor, persistent=False)
        more = {} if body is None else {"json": body}
        response = await treq.request(
            method,
            self.url + path,
            auth=(user, password),
            agent=Agent(reactor, pool=pool),
            **more,
        )
        text = await response.text()
        return response.code, json.loads(text)

    async def ended(self, ident: int, patience: float = 60) -> dict[str, Any]:
        """A job, once it has ended."""
        for _ in range(int(patience / 0.02)):
            job: dict[str, Any]
            _, job = await self.call("GET", f"/2/jobs/{ident}")
            if job["status"] in FINAL:
                return job
            await deferLater(reactor, 0.02)
        raise AssertionError(f"job {ident} does not end")

    async def job(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The job of a request, once it has ended."""
        status, answer = await self.call(method, path, body)
        self.assertEqual(200, status, answer)
        return await self.ended(answer)

    async def good(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The job of a request, which must have succeeded."""
        job = await self.job(method, path, body)
        self.assertEqual("success", job["status"], job["opresult"])
        return job

    def serve(self, resource: Resource) -> str:
        """The URL of a resource, served until the test ends."""
        site: Any = Site(resource)
        port: Any = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return f"http://127.0.0.1:{port.getHost().port}/image"


class Child(ProcessProtocol):
    """A pocket in a process of its own.

    :ivar ready: its URL, once it is ready.
    :ivar log: what it printed.
    """

    def __init__(self) -> None:
        self.ready: Deferred[str] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self.log = ""

    def childDataReceived(self, child: int, data: bytes) -> None:
        self.log += data.decode()
        found = READY.search(self.log)
        if found and not self.ready.called:
            self.ready.callback(found[1])

    def processEnded(self, reason: Failure) -> None:
        if not self.ready.called:
            self.ready.errback(AssertionError(self.log))
        self.ended.callback(None)

    def peak(self) -> int:
        """The most memory it has had so far, in bytes."""
        process: Any = self.transport
        status = Path(f"/proc/{process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def stop(self, signal: str = "TERM") -> Deferred[None]:
        """End it, and wait for that."""
        if not self.ended.called:
            process: Any = self.transport
            process.signalProcess(signal)
        return self.ended


class Image(Resource):
    """Serves bytes as snfd does.

    :ivar digest: of the header; the true one by default, none if "".
    :ivar cut: how many bytes are held back at the end.
    """

    isLeaf = True

    def __init__(self, data: bytes, digest: str | None = None, cut: int = 0) -> None:
        super().__init__()
        self.data, self.cut, self.asked = data, cut, 0
        self.digest = hashlib.sha256(data).hexdigest() if digest is None else digest

    def render_GET(self, request: Request) -> Any:
        self.asked += 1
        request.setHeader("content-length", str(len(self.data)))
        if self.digest:
            request.setHeader("x-content-sha256", self.digest)
        if not self.cut:
            return self.data
        request.write(self.data[: -self.cut])
        reactor.callLater(0, request.channel.loseConnection)
        return NOT_DONE_YET


class Viewer(Protocol):
    """A VNC client without a picture: what came, and the way to wait for it."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.closed = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def say(self, data: bytes) -> None:
        """Send bytes."""
        assert self.transport is not None
        self.transport.write(data)

    async def take(self, count: int, patience: float = 10) -> bytes:
        """The next bytes."""
        for _ in range(int(patience / 0.01)):
            if len(self.got) >= count:
                part = bytes(self.got[:count])
                del self.got[:count]
                return part
            await deferLater(reactor, 0.01)
        raise AssertionError(f"{len(self.got)} of {count} bytes: {bytes(self.got)!r}")


async def view(test: TestCase, port: int) -> Viewer:
    """A client of the screen on a port; it has not spoken yet."""
    end = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    viewer: Any = await connectProtocol(end, Viewer())
    test.addCleanup(viewer.transport.abortConnection)
    assert isinstance(viewer, Viewer)
    return viewer
