"""Ten pocket clusters in one process, full of servers, and the rows for them.

What there is depends on the numbers alone: server ``n`` is the ``n // CLUSTERS``-th
of cluster ``n % CLUSTERS``, with one card on that cluster's network and one disk.
So the clusters' process and the database are filled apart from each other.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from uuid import UUID

from attrs import asdict, frozen

from bench.populace import SINCE
from bench.rig import Cloud
from pocket.cluster import Node
from pocket.model import Connection, Disk, Instance, Network, Nic
from pocket.service import Pocket, make_pocket
from pocket.settings import Settings
from pocket.users import WRITE, User
from tests.functional.daemon import eventually
from tests.functional.snfctl import Snfctl
from tests.lab.ports import free_port

CLUSTERS = 10
FIRST = 100_000
"""Number of the first server, port and disk."""

NETWORK = 1000
"""Number of the first cluster's network."""

LATENCY = 8.0
"""Seconds that a job takes: all are accepted before the first one ends."""

_PASSWORD = "pocket-word"
_ROOM = 1 << 40


@frozen
class Plan:
    """What the clusters' process is told.

    :ivar count: instances of all clusters together.
    :ivar ports: of each cluster's RAPI.
    :ivar ram: MiB; so is ``disk``.
    """

    folder: str
    count: int
    ports: Sequence[int]
    cpu: int
    ram: int
    disk: int


@frozen
class Pockets:
    """The running process.

    :ivar pid: its id.
    """

    plan: Plan
    pid: int

    def jobs(self) -> list[dict[str, Any]]:
        """Every job of every cluster."""
        return [job for port in self.plan.ports for job in _ask(port, "/2/jobs?bulk=1")]


def _ask(port: int, path: str) -> Any:
    context = ssl._create_unverified_context()
    login = b64encode(f"snfd:{_PASSWORD}".encode()).decode()
    connection = HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        connection.request("GET", path, None, {"Authorization": f"Basic {login}"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@contextmanager
def pockets(ours: Cloud, count: int) -> Iterator[Pockets]:
    """Clusters with ``count`` servers of the cloud, which is told of all of it."""
    [(cpu, ram, disk)] = ours.sql(
        "SELECT cpu, ram, disk * 1024 FROM compute.flavor ORDER BY ram, disk LIMIT 1"
    )
    with tempfile.TemporaryDirectory(prefix="snfd-bench-") as folder:
        ports = [free_port() for _ in range(CLUSTERS)]
        plan = Plan(folder, count, ports, cpu, ram, disk)
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.clusters", json.dumps(asdict(plan))],
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "the clusters did not start"
            _register(ours, plan)
            _fill(ours, count)
            yield Pockets(plan, process.pid)
        finally:
            process.terminate()
            process.wait()


def _register(ours: Cloud, plan: Plan) -> None:
    """Have the cloud know the clusters, and work on these alone."""
    snfctl = Snfctl(ours.daemon.var)
    snfctl("backend", "modify", "pocket", "--offline", "yes")
    for number, port in enumerate(plan.ports):
        ca = Path(plan.folder, str(number), "rapi-cert.pem")
        snfctl(
            *("backend", "add", f"c{number}", "--url", f"https://127.0.0.1:{port}"),
            *("--username", "snfd", "--hypervisor", "fake", "--tls-ca", str(ca)),
            "--password-stdin",
            stdin=_PASSWORD + "\n",
        )
    eventually(
        lambda: ours.sql(
            "SELECT 1 FROM compute.cluster WHERE NOT offline"
            " HAVING bool_and(stats_at IS NOT NULL AND reachable)"
        ),
        120,
    )


_ROWS = """
CREATE TEMPORARY TABLE one ON COMMIT DROP AS
SELECT n, %(first)s + n AS id, n %% %(clusters)s AS k, c.id AS cluster, c.idx,
       %(network)s + n %% %(clusters)s AS network, u.owner, u.project,
       ('10.' || 100 + n %% %(clusters)s || '.0.2')::inet + n / %(clusters)s AS addr,
       md5('disk ' || n)::uuid AS disk, f.id AS flavor, f.disk AS size, f.volume_type
  FROM generate_series(0, %(count)s - 1) AS n
  JOIN compute.cluster c ON c.name = 'c' || n %% %(clusters)s
  CROSS JOIN (SELECT * FROM compute.flavor ORDER BY ram, disk LIMIT 1) f
  JOIN (VALUES (false, %(demo)s::uuid, %(demos)s::uuid),
               (true, %(admin)s::uuid, %(admins)s::uuid)) AS u(rest, owner, project)
    ON u.rest = (n >= %(owned)s);

INSERT INTO compute.network (id, name, owner, project, kind, mode, link, mac_prefix)
SELECT DISTINCT network, 'net-' || k, %(demo)s::uuid, %(demos)s::uuid,
       'CUSTOM', 'bridged', 'br0', 'aa:00:0' FROM one;

INSERT INTO compute.cluster_network (network, cluster, mac_prefix, state, added)
SELECT DISTINCT network, cluster, 'aa:00:0' || to_hex(idx::int), 'ACTIVE', true
  FROM one;

INSERT INTO compute.subnet (id, network, owner, ip_version, cidr, gateway)
SELECT DISTINCT network, network, %(demo)s::uuid, 4,
       ('10.' || 100 + k || '.0.0/22')::cidr, ('10.' || 100 + k || '.0.1')::inet
  FROM one;

INSERT INTO compute.ip_slot (subnet, addr, state)
SELECT network, addr, 'used' FROM one;

INSERT INTO compute.server (id, name, owner, project, cluster, flavor, state,
       metadata, serial_no, settled_at, created, launched, node, console_port)
SELECT id, 'server-' || n, owner, project, cluster, flavor, 'STARTED',
       '{"role": "bench"}', 1, now(), %(since)s, %(since)s, 'node1.pocket.local', 11000
  FROM one;

INSERT INTO compute.volume (id, disk_number, owner, project, size, volume_type,
       status, server, idx, cluster)
SELECT disk, id, owner, project, size, volume_type, 'IN_USE', id, 0, cluster FROM one;

INSERT INTO compute.port (id, owner, project, server, network, idx, mac, state)
SELECT id, owner, project, id, network, 0, ('aa:00:0' || to_hex(idx::int) || ':00:'
       || regexp_replace(lpad(to_hex(n / %(clusters)s), 4, '0'), '(..)', '\\1:'))
       ::macaddr, 'ACTIVE' FROM one;

INSERT INTO compute.ip (subnet, network, addr, port, owner, project)
SELECT network, network, addr, id, owner, project FROM one;
"""

OWNED = 1000
"""So many servers belong to demo, the rest to somebody else."""


def _fill(ours: Cloud, count: int) -> None:
    demo, admin = ours.client(), ours.client("admin")
    ours.sql(
        "SET LOCAL session_replication_role = replica;" + _ROWS,
        {
            "first": FIRST,
            "clusters": CLUSTERS,
            "network": NETWORK,
            "count": count,
            "owned": OWNED,
            "since": SINCE,
            "demo": demo.user,
            "demos": demo.project,
            "admin": admin.user,
            "admins": admin.project,
        },
    )
    ours.sql("ANALYZE")


def serve(plan: Plan) -> None:
    """Be the clusters, until a signal comes."""
    from twisted.internet import reactor as _reactor
    from twisted.internet.defer import gatherResults

    reactor: Any = _reactor
    made = [_pocket(plan, number) for number in range(CLUSTERS)]
    for one in made:
        one.startService()
    gatherResults([one.ready for one in made]).addCallback(
        lambda _: print("ready", flush=True)
    )
    reactor.run()


def _pocket(plan: Plan, number: int) -> Pocket:
    from twisted.internet import reactor

    settings = Settings(
        data=Path(plan.folder, str(number)),
        port=f"tcp:{plan.ports[number]}:interface=127.0.0.1",
        users=(User("snfd", _PASSWORD, frozenset({WRITE})),),
        hypervisor="fake",
        latency=LATENCY,
        node=Node(memory=_ROOM, disk=_ROOM, cpus=1 << 20),
    )
    made = make_pocket(settings, reactor)
    keep = made.cluster.store.put
    network = _network(number)
    keep("network", network.name, network)
    for n in range(number, plan.count, CLUSTERS):
        one = _instance(plan, n, network.name)
        keep("instance", one.name, one)
    return made


def _network(number: int) -> Network:
    return Network(
        f"snf-net-{NETWORK + number}",
        str(UUID(int=NETWORK + number)),
        f"10.{100 + number}.0.0/22",
        0.0,
        0.0,
        gateway=f"10.{100 + number}.0.1",
        mac_prefix=_prefix(number),
        connection=Connection("bridged", "br0"),
    )


def _prefix(number: int) -> str:
    """Octets of a cluster's addresses; the cloud's own cluster is the 0th."""
    return f"aa:00:0{number + 1:x}"


def _instance(plan: Plan, n: int, network: str) -> Instance:
    cluster, own, ident = n % CLUSTERS, n // CLUSTERS, FIRST + n
    high, low = divmod(own + 2, 256)
    nic = Nic(
        str(UUID(int=(1 << 64) + ident)),
        f"{_prefix(cluster)}:00:{own >> 8:02x}:{own & 255:02x}",
        f"snf-nic-{ident}",
        f"10.{100 + cluster}.{high}.{low}",
        link="br0",
        network=network,
    )
    size = {"minmem": plan.ram, "maxmem": plan.ram, "vcpus": plan.cpu}
    flags = {"auto_balance": True, "always_failover": False, "spindle_use": 1}
    disk = Disk(str(UUID(int=(2 << 64) + ident)), plan.disk, f"snf-vol-{ident}")
    return Instance(
        f"snf-{ident}",
        str(UUID(int=ident)),
        "snf-image+default",
        "fake",
        "ext",
        {**size, **flags},
        {},
        {},
        (nic,),
        (disk,),
        (),
        "up",
        0.0,
        0.0,
    )


if __name__ == "__main__":
    serve(Plan(**json.loads(sys.argv[1])))
