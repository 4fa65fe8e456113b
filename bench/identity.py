"""What a request costs that needs a token, by how many people there are.

Three daemons, each with its own PostgreSQL, have 100, 1 000 and 10 000 users, and
take turns; so does a plain resource of twisted.web, which measures the machine,
and what of a request is HTTP.  wrk sends from one thread; users take turns.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from statistics import median

from attrs import frozen

from bench.populace import Populace, settle
from bench.report import cost, goal, note, ratio
from bench.rig import (
    ROUNDS,
    Cloud,
    Load,
    NotComparable,
    Request,
    cloud,
    cpu,
    shown,
    wrk,
)
from tests.functional.daemon import PASSWORD

SECONDS = 2.0
SIZES = (100, 1_000, 10_000)
TOKENS = 100
LOGINS = 12
HOT, SLOW = (1, 16, 64), (1,)
"""How many connections what every request does is measured with, and the rest."""

ENOUGH = 2500.0
"""Validations a second that are aimed at."""

SOON = 20.0
"""Milliseconds in which one user's quotas shall be told."""

FLAT = 1.25
"""How much dearer a request may be with a hundred times the people."""

_COMPONENT = "bench-token-of-a-component"


@frozen
class Crowd:
    """A cloud with so many users, and what is asked of it.

    :ivar requests: with the numbers of connections that each is measured with.
    """

    cloud: Cloud
    people: Populace
    requests: Mapping[str, tuple[Request, Sequence[int]]]

    def load(self, name: str, connections: int) -> Load:
        """One round of one request."""
        request, _ = self.requests[name]
        ours = self.cloud
        return wrk(request, connections, SECONDS, ours.cpu, ours.database_cpu)


def run() -> None:
    """All requests of all crowds, and logging in."""
    with ExitStack() as running:
        port, pid = running.enter_context(_bare())
        crowds = [
            _crowd(running.enter_context(cloud(SNFD_POCKET_HYPERVISOR="fake")), size)
            for size in SIZES
        ]
        crowds[-1].cloud.durability()
        plain = Request(f"http://127.0.0.1:{port}/")
        for name, (_, measured) in crowds[-1].requests.items():
            for connections in measured:
                seen: dict[int, list[Load]] = {size: [] for size in (0, *SIZES)}
                for number in range(ROUNDS):
                    seen[0].append(wrk(plain, connections, 1, lambda: cpu(pid)))
                    turns = list(zip(SIZES, crowds, strict=True))
                    for size, crowd in turns if number % 2 else reversed(turns):
                        seen[size].append(crowd.load(name, connections))
                _told(f"{name}{connections}", seen)
        _logins(crowds[-1].cloud)


def _crowd(ours: Cloud, size: int) -> Crowd:
    people = settle(ours, size)
    note(f"{size} users, {size // 10} projects, {people.holdings} holdings")
    base = f"http://127.0.0.1:{ours.daemon.port}"
    v3, account = f"{base}/identity/v3", f"{base}/account/v1.0"
    admin = ours.client("admin").token
    tokens = [people.token(number) for number in people.spread(TOKENS)]
    own = [{"X-Auth-Token": token} for token in tokens]
    others = [{"X-Auth-Token": admin, "X-Subject-Token": one} for one in tokens]
    _component(ours)
    quotas = f"{account}/service_quotas?user={people.user(size // 2)}"
    return Crowd(
        ours,
        people,
        {
            "validate": (Request(f"{v3}/auth/tokens", others), HOT),
            "authenticated_get": (Request(f"{v3}/auth/domains", own), HOT),
            "quotas": (Request(f"{account}/quotas", own), SLOW),
            "projects": (Request(f"{v3}/auth/projects", own), SLOW),
            "service_quotas": (Request(quotas, [{"X-Auth-Token": _COMPONENT}]), SLOW),
        },
    )


def _component(ours: Cloud) -> None:
    """Have the component of compute present a token.

    :raises NotComparable: there is none.
    """
    known = ours.sql(
        "UPDATE identity.component c SET token_hash = %s FROM identity.service s"
        " WHERE s.component_id = c.id AND s.name = 'cyclades_compute' RETURNING c.id",
        (sha256(_COMPONENT.encode()).digest(),),
    )
    if not known:
        raise NotComparable("no component serves cyclades_compute")


def _told(name: str, seen: Mapping[int, Sequence[Load]]) -> None:
    """The least CPU of the rounds is compared: others' work only adds to it."""
    for size, loads in seen.items():
        shown(f"{name}, {size} users" if size else f"{name}, plain", loads)
    few, many = seen[SIZES[0]], seen[SIZES[-1]]
    cost(name, median(load.cpu for load in many), "us/req")
    cost(f"{name}_postgresql", median(load.database for load in many), "us/req")
    rates = [load.rate for load in many]
    ratio(f"{name}_vs_plain", rates, [load.rate for load in seen[0]])
    dearer = _least(many) / _least(few)
    goal(f"{name}_{SIZES[-1]}_to_{SIZES[0]}_users", dearer, FLAT, at_least=False)
    if name == "validate16":
        goal("validate16_per_second", median(rates), ENOUGH, at_least=True)
    if name.startswith("service_quotas"):
        late = median(load.p50 for load in many)
        goal(f"{name}_milliseconds", late, SOON, at_least=False)


def _least(loads: Sequence[Load]) -> float:
    return min(load.cpu + load.database for load in loads)


def _logins(ours: Cloud) -> None:
    before, started = ours.cpu(), time.perf_counter()
    for _ in range(LOGINS):
        ours.client()
    seconds = time.perf_counter() - started
    note(f"password login c=1: {LOGINS / seconds:.1f}/s (argon2id, {len(PASSWORD)} B)")
    cost("password_login", (ours.cpu() - before) / LOGINS * 1e3, "ms CPU")


@contextmanager
def _bare() -> Iterator[tuple[int, int]]:
    """A plain resource in a process of its own: its port and process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.identity", "bare"], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        process.terminate()
        process.wait()


def bare() -> None:
    """Be a resource that answers two bytes."""
    from twisted.internet import reactor as _reactor
    from twisted.web.resource import Resource
    from twisted.web.server import Request as WebRequest
    from twisted.web.server import Site

    reactor: object = _reactor

    class Plain(Resource):
        isLeaf = True

        def render_GET(self, request: WebRequest) -> bytes:
            return b"ok"

    port = reactor.listenTCP(0, Site(Plain()), interface="127.0.0.1")  # type: ignore[attr-defined]
    print(port.getHost().port, flush=True)
    reactor.run()  # type: ignore[attr-defined]


def main(arguments: Sequence[str]) -> None:
    """Measure, or be what is measured."""
    bare() if list(arguments) == ["bare"] else run()


if __name__ == "__main__":
    main(sys.argv[1:])
