"""How fast tokens are validated, beside a resource that does nothing.

The plain resource of twisted.web measures the machine, and what of a request
is HTTP.  wrk sends from one thread; sixteen tokens of one user take turns.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from bench.report import cost, goal, note, ratio
from bench.rig import ROUNDS, Cloud, Load, Request, cloud, cpu, shown, wrk
from tests.functional.daemon import PASSWORD

SECONDS = 3.0
TOKENS = 16
LOGINS = 12
CONNECTIONS = (1, 16)
ENOUGH = 2500.0
"""Validations a second that are aimed at."""


def run() -> None:
    """Validation, a list that needs a token, and logging in."""
    with cloud(SNFD_POCKET_HYPERVISOR="fake") as ours, _bare() as (port, pid):
        ours.durability()
        requests = _requests(ours)
        for connections in CONNECTIONS:
            seen: dict[str, list[Load]] = {name: [] for name in ("bare", *requests)}
            for _ in range(ROUNDS):
                plain = Request(f"http://127.0.0.1:{port}/")
                seen["bare"].append(wrk(plain, connections, SECONDS, lambda: cpu(pid)))
                for name, request in requests.items():
                    load = wrk(
                        request, connections, SECONDS, ours.cpu, ours.database_cpu
                    )
                    seen[name].append(load)
            _told(seen, connections)
        _logins(ours)


def _requests(ours: Cloud) -> dict[str, Request]:
    tokens = [ours.client().token for _ in range(TOKENS)]
    base = f"http://127.0.0.1:{ours.daemon.port}/identity/v3"
    service = ours.client("admin").token
    own = [{"X-Auth-Token": token} for token in tokens]
    others = [{"X-Auth-Token": service, "X-Subject-Token": one} for one in tokens]
    return {
        "validate": Request(f"{base}/auth/tokens", others),
        "validate_nocatalog": Request(f"{base}/auth/tokens?nocatalog=", others),
        "authenticated_get": Request(f"{base}/auth/domains", own),
    }


def _told(seen: dict[str, list[Load]], connections: int) -> None:
    for name, loads in seen.items():
        shown(f"{name} c={connections}", loads)
        cost(f"{name}{connections}", median(load.cpu for load in loads), "us/req")
    rates = [load.rate for load in seen["validate"]]
    bare = [load.rate for load in seen["bare"]]
    ratio(f"validate{connections}_vs_bare", rates, bare)
    if connections == max(CONNECTIONS):
        goal("validate16_per_second", median(rates), ENOUGH, at_least=True)


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
