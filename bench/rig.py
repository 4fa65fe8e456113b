"""What measurements run against: a whole daemon, wrk, and what they cost in CPU."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2
from attrs import define, field, frozen

from bench.report import note
from snfd.db.place import decide, installed
from snfd.keepsake import keepsake
from tests.functional.daemon import Client, Daemon

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
"""How often each measurement is repeated; peers take turns within a round."""

ROOM = 1 << 50
"""More of anything than a measurement uses."""

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
"""Settings of PostgreSQL without which no figure counts."""

_TICK: int = os.sysconf("SC_CLK_TCK")


class NotComparable(Exception):
    """What was asked to be measured would say nothing."""


@define
class Cloud:
    """A fresh daemon with everything embedded.

    :ivar postmaster: process id of its PostgreSQL.
    """

    daemon: Daemon
    dsn: dict[str, Any]
    postmaster: int

    def cpu(self) -> float:
        """Seconds of CPU that the daemon has used, without its children."""
        return cpu(self.daemon.pid)

    def database_cpu(self) -> float:
        """Seconds of CPU that PostgreSQL has used, all its processes."""
        return cpu(self.postmaster, ended=True) + sum(
            cpu(pid) for pid in children(self.postmaster)
        )

    def client(self, name: str = "demo") -> Client:
        """A user who is logged in."""
        return self.daemon.client(name)

    def sql(
        self, statement: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[Any]:
        """Ask or tell its database directly."""
        link = psycopg2.connect(**self.dsn)
        try:
            with link, link.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()

    def make_room(self) -> None:
        """Have quota stand in nobody's way."""
        for column in ("holding SET cap", "project_limit SET project_cap"):
            self.sql(f"UPDATE quota.{column} = {ROOM}")

    def durability(self) -> None:
        """Print how safe its commits are.

        :raises NotComparable: less than they have to be.
        """
        wanted = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
        found = dict(self.sql(wanted, (list(DURABLE),)))
        note("PostgreSQL: " + " ".join(f"{name}={found[name]}" for name in DURABLE))
        if any(value != "on" for value in found.values()):
            raise NotComparable("PostgreSQL does not sync what it commits")


@contextmanager
def cloud(**environment: str) -> Iterator[Cloud]:
    """A daemon that is gone, with all its data, afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="snfd-bench-", ignore_cleanup_errors=True
    ) as var:
        Path(var).chmod(0o700)
        daemon = Daemon(Path(var), environment=environment)
        place = decide(daemon.var, installed())
        try:
            daemon.start()
            password, _ = keepsake(daemon.var / "secrets", "postgresql_password", str)
            dsn = {"host": str(place.sockets), "user": "snfd", "password": password}
            postmaster = int((place.data / "postmaster.pid").read_text().split()[0])
            yield Cloud(daemon, {**dsn, "dbname": "snfd"}, postmaster)
        finally:
            daemon.stop()
            if place.base != daemon.var:
                shutil.rmtree(place.base, ignore_errors=True)


def cpu(pid: int, *, ended: bool = False) -> float:
    """Seconds of CPU of a process; 0 if it is gone.

    :param ended: count its children that have ended too.
    """
    with suppress(FileNotFoundError, ProcessLookupError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11 : 15 if ended else 13])) / _TICK
    return 0.0


def children(pid: int) -> list[int]:
    """Ids of the processes that a process has started."""
    return [
        int(one)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for one in (thread / "children").read_text().split()
    ]


def resident(pid: int) -> float:
    """MB of memory that a process has at most had (``VmHWM``)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0.0


@frozen
class Load:
    """What wrk saw.

    :ivar cpu: of the server, in microseconds a request.
    :ivar database: of its PostgreSQL, likewise.
    :ivar others: how many cores were busy with what is no part of it.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    database: float = 0.0
    others: float = 0.0


@frozen
class Request:
    """A GET for wrk.

    :ivar headers: one set of headers for each request in turn.
    """

    url: str
    headers: Sequence[Mapping[str, str]] = field(factory=lambda: [{}])


_TURNS = """
local sets = {%s}
local requests = {}
local turn = 0
init = function()
  for number, headers in ipairs(sets) do
    requests[number] = wrk.format("GET", nil, headers)
  end
end
request = function()
  turn = turn %% #requests + 1
  return requests[turn]
end
"""


def wrk(
    request: Request,
    connections: int,
    seconds: float,
    used: Callable[[], float],
    database: Callable[[], float] = float,
) -> Load:
    """Send a request as often as ``connections`` get answers.

    :param used: seconds of CPU that the server has used so far.
    :raises NotComparable: wrk is not installed, or an answer was no success.
    """
    program = shutil.which("wrk")
    if program is None:
        raise NotComparable("wrk is missing: apt-get install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_TURNS % ",".join(map(_table, request.headers)))
        script.flush()
        before, before_database, began = used(), database(), _whole()
        said = subprocess.run(
            [program, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency",
             "--timeout", "30", "-s", script.name, request.url],
            capture_output=True, text=True, check=True, timeout=seconds + 60,
        ).stdout  # fmt: skip
        spent, spent_database = used() - before, database() - before_database
        took, busy = (now - then for now, then in zip(_whole(), began, strict=True))
    if "Non-2xx" in said or "Socket errors" in said:
        raise NotComparable(f"{request.url}: {said}")
    count = int(_said(r"(\d+) requests in", said))
    return Load(
        rate=float(_said(r"Requests/sec:\s+([\d.]+)", said)),
        p50=_milliseconds(_said(r"^\s+50%\s+(\S+)", said)),
        p99=_milliseconds(_said(r"^\s+99%\s+(\S+)", said)),
        cpu=spent / count * 1e6,
        database=spent_database / count * 1e6,
        others=max(busy - spent - spent_database, 0.0) / took,
    )


def shown(name: str, loads: Sequence[Load]) -> None:
    """Print what each round saw, and the medians."""
    rates = " ".join(f"{load.rate:.0f}" for load in loads)
    note(
        f"{name}: {rates} req/s;"
        f" p50 {median(load.p50 for load in loads):.2f} ms,"
        f" p99 {median(load.p99 for load in loads):.1f} ms;"
        f" CPU {median(load.cpu for load in loads):.0f} us/req"
        f" (least {min(load.cpu for load in loads):.0f}),"
        f" PostgreSQL {median(load.database for load in loads):.0f} us/req;"
        f" cores busy with other things:"
        f" {' '.join(f'{load.others:.1f}' for load in loads)}"
    )


def eventually(look: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until ``look`` is true.

    :raises NotComparable: it did not become so in ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise NotComparable(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def _whole() -> tuple[float, float]:
    """The time, and how long the cores were busy, less what wrk had; in seconds."""
    words = Path("/proc/stat").read_text().split()[1:9]
    idle, waiting = words[3:5]
    busy = (sum(map(int, words)) - int(idle) - int(waiting)) / _TICK
    spent = os.times()
    return time.monotonic(), busy - spent.children_user - spent.children_system


def _table(headers: Mapping[str, str]) -> str:
    pairs = (f'["{name}"]="{value}"' for name, value in headers.items())
    return "{" + ",".join(pairs) + "}"


def _said(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise NotComparable(f"wrk said: {text}")
    return found[1]


def _milliseconds(text: str) -> float:
    for unit, factor in (("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 6e4)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise NotComparable(f"wrk said {text}")
