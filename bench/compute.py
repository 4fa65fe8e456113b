"""What a list of servers costs: of twenty, and of as many as a network holds.

What many clusters with many servers cost is in `bench.scale`.
"""

from __future__ import annotations

from statistics import median

from bench import scale
from bench.report import cost, note
from bench.rig import ROUNDS, Load, Request, cloud, shown, wrk
from bench.servers import COMPUTE, POCKET, listed, populate

SECONDS = 3.0
COUNTS = (20, 200)
CONNECTIONS = (1, 16)


def run() -> None:
    """Lists by each number of connections, in rounds; then many clusters."""
    _lists()
    scale.run()


def _lists() -> None:
    with cloud(SNFD_POCKET_LATENCY="0", **POCKET) as ours:
        ours.durability()
        ours.make_room()
        user = ours.client()
        for count in COUNTS:
            populate(ours, user, count)
            size = len(user.get(f"{COMPUTE}/servers/detail").body)
            note(f"{len(listed(user))} servers: {size} bytes")
            request = Request(
                f"http://127.0.0.1:{ours.daemon.port}{COMPUTE}/servers/detail",
                [{"X-Auth-Token": user.token}],
            )
            seen: dict[int, list[Load]] = {number: [] for number in CONNECTIONS}
            for _ in range(ROUNDS):
                for number, loads in seen.items():
                    load = wrk(request, number, SECONDS, ours.cpu, ours.database_cpu)
                    loads.append(load)
            for number, loads in seen.items():
                shown(f"list of {count} c={number}", loads)
                spent = median(load.cpu for load in loads)
                cost(f"servers{count}_c{number}", spent, "us/req")
