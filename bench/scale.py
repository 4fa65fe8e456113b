"""What many clusters with many servers cost, from 100 to 10 000 servers.

Ten clusters in a process of their own, so that the daemon's CPU and memory are
its own.  A pass of reconciliation is one that was asked for, of all clusters, and
must have seen all servers and found nothing; idle is what the daemon does by
itself with nobody there, its usual passes among it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

from attrs import frozen

from bench.clusters import CLUSTERS, OWNED, Pockets, pockets
from bench.jobs import LOOK, PATIENCE, made_by
from bench.report import cost, goal, note
from bench.rig import ROUNDS, Cloud, NotComparable, cloud, eventually, resident
from bench.servers import COMPUTE, create, template
from tests.functional.daemon import Client

SIZES = (100, 1_000, 10_000)
IDLE = 60.0
"""Seconds of idleness that are measured: two usual passes."""

PAGE = 100
IN_FLIGHT = 200
WARM = 30
"""Servers that are made first: they make networks, too."""

PASS, POLLING, SOON, QUICK, MEMORY = 30.0, 5.0, 1.5, 150.0, 400.0
"""Goals: s, % of a core, s, ms and MB."""


@frozen
class Seen:
    """Medians at one number of servers; CPU of the daemon unless said.

    :ivar reconcile: seconds of a pass; ``database`` of PostgreSQL for it.
    :ivar stall: milliseconds that a small answer took at most meanwhile.
    :ivar idle: % of a core.
    :ivar page: milliseconds of the slowest page, and of CPU for one.
    """

    reconcile: float
    database: float
    stall: float
    idle: float
    database_idle: float
    page: float
    page_cpu: float
    memory: float


def run() -> None:
    """Every size, and creates in flight at the largest."""
    seen: dict[int, Seen] = {}
    for size in SIZES:
        with cloud(SNFD_POCKET_HYPERVISOR="fake") as ours:
            ours.make_room()
            with pockets(ours, size) as theirs:
                ours.durability()
                seen[size] = _measured(ours, size)
                _told(size, seen[size])
                if size == SIZES[-1]:
                    _flights(ours, theirs)
                    goal("memory_MB", resident(ours.daemon.pid), MEMORY, at_least=False)
    _growth(seen)


def _measured(ours: Cloud, size: int) -> Seen:
    user = ours.client()
    passes = [_pass(ours, size) for _ in range(ROUNDS)]
    stalls = [_stall(ours, user, size) for _ in range(ROUNDS)]
    idle, database = _idle(ours)
    pages = [_pages(ours, user, min(size, OWNED)) for _ in range(ROUNDS)]
    return Seen(
        median(spent for spent, _ in passes),
        median(spent for _, spent in passes),
        median(stalls),
        idle,
        database,
        median(slowest for slowest, _ in pages),
        median(spent for _, spent in pages),
        resident(ours.daemon.pid),
    )


_ASK = """
UPDATE compute.cluster SET refresh_wanted = clock_timestamp() WHERE NOT offline;
SELECT pg_notify('snfd', 'cluster:0');
SELECT clock_timestamp()
"""
_LOOKED = """
SELECT coalesce(sum(l.servers), 0), coalesce(sum(l.findings), 0), count(*)
  FROM ops.look l JOIN compute.cluster c ON c.id = l.cluster
 WHERE NOT c.offline AND l.at > %s
"""


def _pass(ours: Cloud, size: int) -> tuple[float, float]:
    """Seconds of CPU of the daemon and of PostgreSQL."""
    before, database = ours.cpu(), ours.database_cpu()
    asked = _asked(ours)
    eventually(lambda: _over(ours, asked, size), PATIENCE, "a pass")
    return ours.cpu() - before, ours.database_cpu() - database


def _stall(ours: Cloud, user: Client, size: int) -> float:
    """Milliseconds that a small answer took at most during a pass."""
    longest, asked = 0.0, _asked(ours)

    def over() -> bool:
        nonlocal longest
        for _ in range(10):
            began = time.perf_counter()
            user.get("/os/compute/")
            longest = max(longest, time.perf_counter() - began)
        return _over(ours, asked, size)

    eventually(over, PATIENCE, "a pass")
    return longest * 1e3


def _asked(ours: Cloud) -> object:
    """Ask for a pass; when, by the database's clock."""
    return ours.sql(_ASK)[0][0]


def _over(ours: Cloud, asked: object, size: int) -> bool:
    """Whether every cluster was looked at since then.

    :raises NotComparable: not all servers were seen, or something disagrees.
    """
    servers, findings, clusters = ours.sql(_LOOKED, (asked,))[0]
    if clusters == CLUSTERS and (servers, findings) != (size, 0):
        raise NotComparable(f"{servers} servers of {size}, {findings} findings")
    return bool(clusters == CLUSTERS)


def _idle(ours: Cloud) -> tuple[float, float]:
    """% of a core that the daemon and PostgreSQL use by themselves."""
    before, database = ours.cpu(), ours.database_cpu()
    time.sleep(IDLE)
    spent, spent_database = ours.cpu() - before, ours.database_cpu() - database
    return spent / IDLE * 100, spent_database / IDLE * 100


def _pages(ours: Cloud, user: Client, count: int) -> tuple[float, float]:
    """Milliseconds of the slowest page of all servers, and of CPU a page."""
    before, found, after = ours.cpu(), 0, ""
    took: list[float] = []
    while not took or after:
        path = f"{COMPUTE}/servers/detail?limit={PAGE}{after}"
        began = time.perf_counter()
        servers = user.get(path).json["servers"]
        took.append((time.perf_counter() - began) * 1e3)
        found += len(servers)
        after = f"&marker={servers[-1]['id']}" if len(servers) == PAGE else ""
    if found != count:
        raise NotComparable(f"{found} servers in the list, not {count}")
    return max(took), (ours.cpu() - before) / len(took) * 1e3


def _told(size: int, seen: Seen) -> None:
    note(
        f"{size} servers: pass {seen.reconcile:.2f} s CPU, PostgreSQL"
        f" {seen.database:.2f} s, a small answer meanwhile {seen.stall:.0f} ms at most;"
        f" idle {seen.idle:.1f} % of a core, PostgreSQL {seen.database_idle:.1f} %;"
        f" slowest page of {PAGE} {seen.page:.0f} ms, CPU {seen.page_cpu:.1f} ms;"
        f" {seen.memory:.0f} MB"
    )


def _growth(seen: Mapping[int, Seen]) -> None:
    many = seen[SIZES[-1]]
    cost("reconcile_per_server", many.reconcile / SIZES[-1] * 1e6, "us")
    cost("reconcile_stall", many.stall, "ms")
    few = seen[OWNED]
    cost("page_10000_to_1000", many.page_cpu / few.page_cpu, "times")
    goal("reconcile_seconds", many.reconcile, PASS, at_least=False)
    goal("idle_percent", many.idle, POLLING, at_least=False)
    goal("page_milliseconds", many.page, QUICK, at_least=False)


def _flights(ours: Cloud, theirs: Pockets) -> None:
    """Creates all at once: from each job's end to its being seen."""
    user, made_of = ours.client(), template(ours.client())
    _made(user, made_of, "warm", WARM)
    eventually(lambda: len(_active(user, "warm")) == WARM, PATIENCE, "first servers")
    before, database = ours.cpu(), ours.database_cpu()
    servers, accepted = _made(user, made_of, "flight", IN_FLIGHT), time.time()
    seen: dict[str, float] = {}
    deadline = time.time() + PATIENCE
    while not servers <= set(seen):
        if time.time() > deadline:
            raise NotComparable(f"only {len(seen)} servers became active")
        found, now = _active(user, "flight"), time.time()
        seen = {**dict.fromkeys(found, now), **seen}
        time.sleep(LOOK)
    spent, used = ours.cpu() - before, ours.database_cpu() - database
    ended = made_by(theirs.jobs())
    delays = [seen[one] - ended[one] for one in servers]
    if min(ended[one] for one in servers) < accepted:
        note("not all were in flight when the first job ended")
    note(f"{IN_FLIGHT} creates: {spent:.1f} s CPU, PostgreSQL {used:.1f} s, with lists")
    cost("create_cpu", spent / IN_FLIGHT * 1e3, "ms")
    cost("settled_p95", quantiles(delays, n=20)[-1], "s")
    goal("settled_seconds", median(delays), SOON, at_least=False)


def _made(user: Client, made_of: Mapping[str, str], name: str, many: int) -> set[str]:
    with ThreadPoolExecutor(4) as threads:
        names = [f"{name}-{number}" for number in range(many)]
        return set(threads.map(lambda one: create(user, made_of, one), names))


def _active(user: Client, name: str) -> Sequence[str]:
    found = user.get(f"{COMPUTE}/servers?status=ACTIVE&name=^{name}").json["servers"]
    return [one["id"] for one in found]
