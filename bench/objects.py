"""Objects through our dialects, beside a tuned radosgw and ``rados bench``.

All keep their blocks in one pool of one bluestore OSD and are loaded by the same
threads: a token on each request, distinct content, connections kept alive, MD5
ETags checked (Pithos's ETag is another hash), every twentieth object read back.
Peers take turns within a round, and start in another order in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from attrs import define, field, frozen

from bench.ceph import IN_FLIGHT, Ceph, ceph
from bench.loader import MIB, Content, Outcome, Target, check, read, write
from bench.report import cost, goal, note, ratio
from bench.rig import ROUNDS, Cloud, NotComparable, cloud, cpu, resident

GIB = 1024 * MIB
RADOS_SECONDS = 2
EVERY = 20


@frozen
class Seen:
    """One round of one peer.

    :ivar rate: MiB or, of small objects, requests a second.
    :ivar cpu: of its process: seconds a GiB or microseconds a request.
    :ivar database: of its PostgreSQL, likewise.
    :ivar p50: half of the requests were faster, milliseconds.
    """

    rate: float
    cpu: float
    database: float
    p50: float
    p99: float


@frozen
class Case:
    """One size of objects.

    :ivar times: how often each object is read.
    """

    name: str
    size: int
    count: int
    clients: int
    times: int


CASES = (
    Case("64", 64 * MIB, 6, 4, 2),
    Case("4k", 4096, 600, 16, 4),
)
MANY = Case("64x16", 64 * MIB, 16, 16, 1)
"""Run once, for the memory that it takes."""

GOALS = {
    "put64_vs_radosgw": 1.1,
    "get64_vs_radosgw": 1.1,
    "put4k_vs_radosgw": 1.5,
    "get4k_vs_radosgw": 1.5,
    "get64_vs_rados": 0.8,
    "pithos_put64_vs_radosgw": 1.5,
    "pithos_put64_vs_rados": 0.6,
}
MEMORY = 400.0
"""MB that the daemon may take with sixteen clients of 64 MiB each."""

OURS, PITHOS, RADOSGW = "swift", "pithos", "radosgw"


@define
class Peer:
    """Who is measured, and what was seen of it.

    :ivar used: seconds of CPU of its process so far.
    :ivar database: the same of its PostgreSQL.
    :ivar seen: the rounds, by what was done (``put64``).
    """

    name: str
    target: Target
    used: Callable[[], float]
    database: Callable[[], float] = float
    seen: dict[str, list[Seen]] = field(factory=dict)

    def measure(self, what: str, case: Case, work: Callable[[], Outcome]) -> None:
        """Do ``work`` and keep what was seen."""
        before, before_database = self.used(), self.database()
        outcome = work()
        spent, spent_database = self.used() - before, self.database() - before_database
        large = case.size >= MIB
        units = outcome.transferred / GIB if large else len(outcome.latencies) / 1e6
        seen = Seen(
            outcome.rate if large else outcome.per_second,
            spent / units,
            spent_database / units,
            outcome.percentile(0.5) * 1e3,
            outcome.percentile(0.99) * 1e3,
        )
        self.seen.setdefault(what + case.name, []).append(seen)

    def rates(self, key: str) -> list[float]:
        """What was reached in each round."""
        return [one.rate for one in self.seen[key]]


def run() -> None:
    """All sizes, in rounds; then the ratios."""
    with ceph() as store, _daemon(store) as ours:
        ours.durability()
        peers = _peers(ours, store)
        raw: list[tuple[float, float]] = []
        for number in range(ROUNDS):
            turned = peers[number % len(peers) :] + peers[: number % len(peers)]
            if number % 2:
                raw.append(store.bench(RADOS_SECONDS))
            for case in CASES:
                _round(number, case, turned)
            if not number % 2:
                raw.append(store.bench(RADOS_SECONDS))
        _told(peers, raw)
        _round(ROUNDS, MANY, peers[:1])
        _shown(peers[:1], MANY)
        memory = resident(ours.daemon.pid)
        cost("objects_rss_16_clients", memory, "MB")
        goal("objects_rss_16_clients", memory, MEMORY, at_least=False)
        cost("radosgw_rss_4_clients", resident(store.radosgw), "MB")


@contextmanager
def _daemon(store: Ceph) -> Iterator[Cloud]:
    with cloud(
        SNFD_PLUGINS="identity,objects",
        SNFD_POCKET_ENABLED="false",
        **store.environment(),
    ) as ours:
        yield ours


def _peers(ours: Cloud, store: Ceph) -> list[Peer]:
    user = ours.client()
    ours.make_room()
    token = {"X-Auth-Token": user.token}
    swift, pithos = f"/v1/AUTH_{user.project}/bench", f"/object-store/v1/{user.user}/b"
    for container in (swift, pithos):
        made = user.put(container)
        if made.status not in (201, 202):
            raise NotComparable(f"PUT {container}: {made.status} {made.body!r}")
    port = ours.daemon.port
    typed = {**token, "Content-Type": "application/octet-stream"}
    mine = (ours.cpu, ours.database_cpu)
    gateway = store.radosgw
    return [
        Peer(OURS, Target("127.0.0.1", port, f"{swift}/", token), *mine),
        Peer(PITHOS, Target("127.0.0.1", port, f"{pithos}/", typed, md5=False), *mine),
        Peer(RADOSGW, store.target("bench"), lambda: cpu(gateway)),
    ]


def _round(number: int, case: Case, peers: Sequence[Peer]) -> None:
    contents = {
        peer.name: Content(f"{peer.name}-{case.name}-{number}", case.size, case.count)
        for peer in peers
    }
    for peer in peers:
        content = contents[peer.name]
        peer.measure("put", case, lambda: write(peer.target, content, case.clients))  # noqa: B023
    for peer in peers:
        content = contents[peer.name]
        peer.measure(
            "get",
            case,
            lambda: read(peer.target, content, case.clients, case.times),  # noqa: B023
        )
    for peer in peers:
        check(peer.target, contents[peer.name], EVERY)


def _told(peers: Sequence[Peer], raw: Sequence[tuple[float, float]]) -> None:
    for case in CASES:
        _shown(peers, case)
    blocks = ", ".join(f"{wrote:.0f}/{got:.0f}" for wrote, got in raw)
    note(f"rados bench, 4 MiB x {IN_FLIGHT}, write/seq MiB/s: {blocks}")
    by_name = {peer.name: peer for peer in peers}
    ours, pithos, gateway = (by_name[name] for name in (OURS, PITHOS, RADOSGW))
    for key in ("put64", "get64", "put4k", "get4k"):
        _compared(f"{key}_vs_radosgw", ours.rates(key), gateway.rates(key))
    for number, what in enumerate(("put", "get")):
        bare = [one[number] for one in raw]
        _compared(f"{what}64_vs_rados", ours.rates(f"{what}64"), bare)
        rates = pithos.rates(f"{what}64")
        _compared(f"pithos_{what}64_vs_radosgw", rates, gateway.rates(f"{what}64"))
        _compared(f"pithos_{what}64_vs_rados", rates, bare)


def _compared(name: str, ours: Sequence[float], peers: Sequence[float]) -> None:
    value = ratio(name, ours, peers)
    if name in GOALS:
        goal(name, value, GOALS[name], at_least=True)


def _shown(peers: Sequence[Peer], case: Case) -> None:
    """Print the rounds of each peer, and what they cost."""
    rate, unit = ("MiB/s", "s/GiB") if case.size >= MIB else ("req/s", "us/req")
    for what in ("put", "get"):
        for peer in peers:
            seen = peer.seen[what + case.name]
            rates = " ".join(f"{one.rate:.0f}" for one in seen)
            database = median(one.database for one in seen)
            note(
                f"{what}{case.name} {peer.name}: {rates} {rate};"
                f" p50 {median(one.p50 for one in seen):.1f} ms,"
                f" p99 {median(one.p99 for one in seen):.1f} ms;"
                f" PostgreSQL {database:.3g} {unit}"
            )
            spent = median(one.cpu for one in seen)
            cost(f"{peer.name}_{what}{case.name}", spent, unit)
