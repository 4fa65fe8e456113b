"""A newcomer's machine: a clean clone, ``make run``, and what is left of it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import define, field

from pocket.choose import socket_directory
from snfd.db.place import ELSEWHERE
from tests.functional.daemon import ROOT, Client, eventually
from tests.lab.ports import free_port

ORDINARY = 12345
"""A uid that is in no list of users, as containers have them."""

SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
NOWHERE = "http://127.0.0.1:9"
INSTALL_SECONDS = 420.0
AS_ROOT = os.geteuid() == 0


def owner() -> int:
    """Who owns the clone: an ordinary user even where the tests run as root."""
    return ORDINARY if AS_ROOT else os.geteuid()


@cache
def desk() -> Path:
    """A directory for all of it, which anyone may enter; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="snfd-newcomer-", dir="/tmp"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def home() -> Path:
    """The owner's home directory, private."""
    return private_folder("home")


def private_folder(name: str, uid: int | None = None) -> Path:
    """A new directory with mode 0700 of that user, by default the owner."""
    folder = desk() / name
    folder.mkdir(mode=0o700)
    if AS_ROOT:
        os.chown(folder, owner() if uid is None else uid, -1)
    return folder


@cache
def clone(name: str = "clone") -> Path:
    """A clean ``git clone`` of this checkout, nothing made in it yet."""
    folder = desk() / name
    # whoever owns the checkout
    trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    subprocess.run(
        ["git", "clone", "-q", f"file://{ROOT}", str(folder)],
        check=True,
        env={**os.environ, **trust, "GIT_CONFIG_VALUE_0": "*"},
    )
    if AS_ROOT:
        subprocess.run(["chown", "-R", str(owner()), str(folder)], check=True)
    return folder


def system_python() -> str:
    """A Python that every user of this machine can run and make venvs with."""
    for name in ("python3.11", "python3.14", "python3.13", "python3.12", "python3"):
        for folder in SYSTEM:
            path = f"{folder}/{name}"
            look = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
            if os.access(path, os.X_OK) and not subprocess.call(
                [path, "-c", look], stderr=subprocess.DEVNULL
            ):
                return path
    raise AssertionError("no Python >= 3.11 with venv for all users")


def path_without(*names: str) -> str:
    """A PATH with all programs of the system but those that begin so."""
    folder = Path(tempfile.mkdtemp(prefix="path-", dir=desk()))
    folder.chmod(0o755)
    for directory in reversed(SYSTEM):
        for program in Path(directory).glob("*"):
            link = folder / program.name
            if not program.name.startswith(names):
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    return str(folder)


@define
class Start:
    """One ``make run``.

    :ivar words: ``NAME=value`` for make.
    :ivar environment: variables besides the usual ones.
    :ivar uid: whom it runs as; None is whoever runs the tests.
    :ivar offline: without a network but loopback, or, where the tests may not
        do that, with no registry of packages.
    """

    words: Sequence[str] = ()
    environment: Mapping[str, str] = field(factory=dict)
    uid: int | None = None
    offline: bool = False
    target: str = "run"
    where: Path = field(factory=clone)
    port: int = field(factory=free_port)
    seconds: float = field(init=False, default=0.0)
    _process: subprocess.Popen[bytes] = field(init=False)
    _output: Path = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._output = Path(tempfile.mkstemp(dir=desk(), prefix="out-")[1])
        gone = ("SNFD_", "MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV", "CI")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(gone)}
        kept["PATH"] = ":".join(SYSTEM)
        if self.uid is not None:
            kept = {k: v for k, v in kept.items() if k not in ("USER", "LOGNAME")}
            kept["HOME"] = str(home())
        words = list(self.words)
        said = any(w.startswith(("CONFIG=", "PORT=")) for w in words)
        if self.target == "run" and not said:
            words.append(f"PORT={self.port}")
        uid, before = self.uid, []
        if self.offline and AS_ROOT:
            before, uid = _offline(uid), None
        elif self.offline:
            kept |= {"PIP_INDEX_URL": NOWHERE, "npm_config_registry": NOWHERE}
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*before, "make", "--no-print-directory", self.target, *words],
                cwd=self.where,
                env={**kept, **self.environment},
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                user=uid,
                group=uid,
                extra_groups=None if uid is None else [],
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text()

    def ready(self, within: float = 60) -> Start:
        """Wait for the ready line."""
        began = time.monotonic()

        def look() -> bool:
            return "\nready: " in self.output or self._process.poll() is not None

        try:
            eventually(look, within, 0.02)
            self.seconds = time.monotonic() - began
            if self._process.poll() is not None:
                raise AssertionError("it ended")
        except AssertionError:
            output = self.output
            self.kill()
            raise AssertionError(f"no ready line: {output}") from None
        return self

    def ended(self, within: float = 60) -> tuple[int, str]:
        """Wait for its end; make's exit status and all it printed."""
        try:
            return self._process.wait(within), self.output
        except subprocess.TimeoutExpired:
            output = self.output
            self.kill()
            raise AssertionError(f"it does not end: {output}") from None

    @property
    def family(self) -> dict[int, list[str]]:
        """All its processes with their command lines, make first.

        Those that have left the family are known by the data directory.
        """
        found = {self._process.pid: command(self._process.pid)}
        for word in self.words:
            if word.startswith("VAR="):
                found |= mentioning(word.removeprefix("VAR="))
        while True:
            more = {
                child: command(child) for parent in found for child in children(parent)
            }
            if not set(more) - set(found):
                return found
            found |= more

    def member(self, *words: str) -> int:
        """The first of its processes with all these in its command line."""

        def look() -> int | None:
            for pid, line in self.family.items():
                text = " ".join(line)
                if line and all(word in text for word in words):
                    return pid
            return None

        return eventually(look, 30) or 0

    def end(self, number: signal.Signals = signal.SIGINT) -> dict[int, list[str]]:
        """Signal all of its process group, as a terminal does, and wait.

        What is left of its processes afterwards.
        """
        family = self.family
        os.killpg(self._process.pid, number)
        self.ended()
        return survivors(family)

    def kill(self) -> dict[int, list[str]]:
        """``kill -9`` to the process group; what is left."""
        family = self.family
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return survivors(family)


def _offline(uid: int | None) -> list[str]:
    """Runs a command without a network; as that user."""
    user = [] if uid is None else ["--reuid", str(uid), "--regid", str(uid)]
    drop = ["setpriv", *user, "--clear-groups"] if user else []
    return ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "-", *drop]


def survivors(family: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Those that still run the same command."""
    return {pid: line for pid, line in family.items() if line and command(pid) == line}


def end_all(family: Mapping[int, list[str]]) -> None:
    """Kill what a failed test left behind, and only that."""
    for pid in survivors(family):
        os.kill(pid, signal.SIGKILL)


def command(pid: int) -> list[str]:
    """Program and arguments; empty if it does not run."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").split("\0")[:-1]


def moved(var: Path) -> Path:
    """Where PostgreSQL's data is that cannot be below ``var``."""
    return ELSEWHERE / sha256(os.fsencode(var.resolve())).hexdigest()[:16]


def forget(var: Path) -> None:
    """Remove what had to go elsewhere because of where ``var`` is."""
    for folder in (
        moved(var),
        Path("/tmp") / f"snfd-{moved(var).name}",
        socket_directory(var / "pocket"),
    ):
        if not folder.is_relative_to(var):
            shutil.rmtree(folder, ignore_errors=True)


def mentioning(path: str) -> dict[int, list[str]]:
    """Processes with that path in their command lines."""
    pids = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    lines = {pid: command(pid) for pid in pids}
    return {pid: line for pid, line in lines.items() if path in " ".join(line)}


def children(pid: int) -> list[int]:
    """Processes whose parent that is."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def login(port: int, cloud: Mapping[str, Any]) -> Client:
    """A user as ``clouds.yaml`` says that he logs in."""
    domain = {"name": "Default"}
    user = {
        "name": cloud["username"],
        "domain": domain,
        "password": cloud["password"],
    }
    auth = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": cloud["project_name"], "domain": domain}},
    }
    got = Client(port).post("/identity/v3/auth/tokens", {"auth": auth})
    assert got.status == 201, (got.status, got.body)
    return Client(
        port,
        got.headers["x-subject-token"],
        got.json["token"]["project"]["id"],
        got.json["token"]["user"]["id"],
    )


def server(client: Client, name: str = "first") -> dict[str, Any]:
    """A server of the demo image, once it is ACTIVE."""
    images = client.get("/os/image/v2/images?name=hello").json["images"]
    flavors = client.get("/os/compute/v2.1/flavors").json["flavors"]
    wanted = {
        "name": name,
        "imageRef": images[0]["id"],
        "flavorRef": flavors[0]["id"],
        "networks": "auto",
    }
    made = client.post("/os/compute/v2.1/servers", {"server": wanted})
    assert made.status == 202, made.body
    path = f"/os/compute/v2.1/servers/{made.json['server']['id']}"

    def active() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(path).json["server"]
        assert found["status"] in ("BUILD", "ACTIVE"), found
        return found if found["status"] == "ACTIVE" else None

    return eventually(active, 90) or {}


def page(port: int, path: str) -> str:
    """A page of the daemon."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as got:
        text: str = got.read().decode()
    return text


def clouds(var: Path) -> dict[str, dict[str, Any]]:
    """The clouds in ``clouds.yaml``, flat; every value there is a JSON string."""
    found: dict[str, dict[str, Any]] = {}
    for line in (var / "clouds.yaml").read_text().splitlines()[1:]:
        name, _, value = line.strip().partition(":")
        if line.startswith("  ") and line[2] != " ":
            found[name] = latest = {}
        elif value.strip().startswith('"'):
            latest[name] = json.loads(value)
    return found
