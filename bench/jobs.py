"""How long after a job's end the API shows what came of it.

The cluster says when a job ended, the API is asked again and again; both go by
one clock.  Each job takes so long that all are outstanding when the first ends,
and the cluster runs twenty at a time, so that they end in bursts.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles
from typing import Any

from bench.report import cost, goal, note
from bench.rig import ROUNDS, Cloud, NotComparable, cloud
from bench.servers import POCKET, create, listed, populate, template
from tests.functional.daemon import Client

OUTSTANDING = 50
LATENCY = 2.0
"""Seconds that a job takes."""

LOOK = 0.1
"""Seconds between two questions to the API."""

PATIENCE = 120.0
ENOUGH = 1.5


def run() -> None:
    """Make servers all at once, and watch them become active; in rounds."""
    with cloud(SNFD_POCKET_LATENCY=str(LATENCY), **POCKET) as ours:
        ours.make_room()
        user = ours.client()
        populate(ours, user, 1)  # the first one makes the network too
        delays = [one for _ in range(ROUNDS) for one in _round(ours, user)]
    middle = median(delays)
    note(f"least {min(delays):.2f} s, most {max(delays):.2f} s, asked every {LOOK} s")
    cost("job_to_api_p95", quantiles(delays, n=20)[-1], "s")
    goal("job_to_api_seconds", middle, ENOUGH, at_least=False)


def _round(ours: Cloud, user: Client) -> list[float]:
    """Seconds between the end of each job and its being seen."""
    made_of = template(user)
    asked = time.time()
    with ThreadPoolExecutor(4) as threads:
        making = [
            threads.submit(create, user, made_of, f"bench-{number}")
            for number in range(OUTSTANDING)
        ]
        servers = {one.result() for one in making}
    accepted = time.time()
    seen = _watched(user, servers)
    ended = made_by(ours.daemon.rapi("GET", "/2/jobs?bulk=1"))
    missing = servers - set(ended)
    if missing:
        raise NotComparable(f"no job made the servers {sorted(missing)}")
    ends = [ended[server] for server in servers]
    note(
        f"{OUTSTANDING} creates accepted in {accepted - asked:.2f} s; the first job"
        f" ended {min(ends) - accepted:+.2f} s after that, the last"
        f" {max(ends) - min(ends):.1f} s later"
    )
    return [seen[server] - ended[server] for server in servers]


def _watched(client: Client, servers: set[str]) -> Mapping[str, float]:
    """When each server was first seen to be active, by its id."""
    seen: dict[str, float] = {}
    deadline = time.time() + PATIENCE
    while not servers <= set(seen):
        if time.time() > deadline:
            raise NotComparable(f"only {len(seen)} servers became active")
        found = listed(client)
        now = time.time()
        for one in found:
            if one["status"] == "ERROR":
                raise NotComparable(f"server {one['id']}: {one.get('fault')}")
            if one["status"] == "ACTIVE":
                seen.setdefault(str(one["id"]), now)
        time.sleep(LOOK)
    return seen


def made_by(jobs: Iterable[Mapping[str, Any]]) -> Mapping[str, float]:
    """When the job that made each server ended, by the server's id."""
    return {
        _server(job["ops"][0]): job["end_ts"][0] + job["end_ts"][1] / 1e6
        for job in jobs
        if job["ops"][0]["OP_ID"] == "OP_INSTANCE_CREATE" and job["end_ts"]
    }


def _server(op: Mapping[str, Any]) -> str:
    """The id of the server that an instance is, from its name."""
    name: str = op["instance_name"]
    return name.rpartition("-")[2]
