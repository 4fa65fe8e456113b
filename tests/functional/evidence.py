"""What a daemon leaves behind: its rows, its log, its processes."""

from __future__ import annotations

import re
import tomllib
from contextlib import closing
from typing import Any

import psycopg2

from tests.functional.daemon import Daemon

_HELD = """
    SELECT project_id, member, resource, usage_min, usage_max FROM quota.holding
    WHERE resource = ANY (%s)
"""

_SERVERS = """
    WITH size AS (
        SELECT s.project, s.owner, f.cpu, f.ram::bigint << 20 AS ram,
               (s.state <> 'STOPPED')::int AS runs,
               (SELECT coalesce(sum(v.size), 0)::bigint << 30 FROM compute.volume v
                WHERE v.server = s.id AND NOT v.deleted) AS disk
        FROM compute.server s JOIN compute.flavor f ON f.id = s.flavor
        WHERE NOT s.deleted)
    SELECT size.project, size.owner, one.resource, sum(one.amount)::bigint
    FROM size, LATERAL (VALUES
        ('cyclades.vm', 1::bigint), ('cyclades.total_cpu', cpu),
        ('cyclades.total_ram', ram), ('cyclades.cpu', runs * cpu),
        ('cyclades.ram', runs * ram), ('cyclades.disk', disk)
    ) AS one (resource, amount) GROUP BY 1, 2, 3
"""

_OBJECTS = """
    SELECT c.project, o.payer, 'pithos.diskspace', sum(v.size)::bigint
    FROM store.version v JOIN store.object o ON o.id = v.object_id
    JOIN store.container c ON c.id = o.container_id
    WHERE v.cluster = 0 GROUP BY 1, 2
"""

_CONTAINERS = """
    SELECT c.name, c.n_cur, c.b_cur, c.n_hist, c.b_hist,
           count(v.serial) FILTER (WHERE v.cluster = 0),
           coalesce(sum(v.size) FILTER (WHERE v.cluster = 0), 0)::bigint,
           count(v.serial) FILTER (WHERE v.cluster = 1),
           coalesce(sum(v.size) FILTER (WHERE v.cluster = 1), 0)::bigint
    FROM store.container c LEFT JOIN store.object o ON o.container_id = c.id
    LEFT JOIN store.version v ON v.object_id = o.id GROUP BY c.id
"""

COUNTED = (
    "cyclades.vm",
    "cyclades.total_cpu",
    "cyclades.total_ram",
    "cyclades.cpu",
    "cyclades.ram",
    "cyclades.disk",
    "pithos.diskspace",
)
_WHOLE = "00000000-0000-0000-0000-000000000000"
_LOUD = re.compile(r"#(error|critical)\b|Traceback|Unhandled", re.IGNORECASE)


def rows(daemon: Daemon, sql: str, *given: object) -> list[tuple[Any, ...]]:
    """Ask the daemon's own PostgreSQL, past the daemon."""
    secret = tomllib.loads((daemon.var / "secrets").read_text())
    with (
        closing(
            psycopg2.connect(
                host=str(daemon.var / "pg"),
                dbname="snfd",
                user="snfd",
                password=secret["postgresql_password"],
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def imbalance(daemon: Daemon) -> list[tuple[str, str, str, int, int, int]]:
    """Holdings that are not what a recount of rows says, and pending ones.

    Project, user, resource, least and most that is held, and what was counted.
    """
    counted: dict[tuple[str, str, str], int] = {}
    for sql in (_SERVERS, _OBJECTS):
        for project, user, resource, amount in rows(daemon, sql):
            for member in (user, _WHOLE):
                key = project, member, resource
                counted[key] = counted.get(key, 0) + amount
    held = {
        (project, member, resource): (low, high)
        for project, member, resource, low, high in rows(daemon, _HELD, list(COUNTED))
    }
    return [
        (*key, *held.get(key, (0, 0)), counted.get(key, 0))
        for key in sorted(held.keys() | counted.keys())
        if {*held.get(key, (0, 0))} != {counted.get(key, 0)}
    ]


def miscounted(daemon: Daemon) -> list[tuple[Any, ...]]:
    """Containers whose statistics are not what a recount of versions says."""
    return [row for row in rows(daemon, _CONTAINERS) if row[1:5] != row[5:9]]


def complaints(daemon: Daemon, *named: str) -> list[str]:
    """Errors and tracebacks in the log, but for those that a test names.

    :param named: regular expressions, searched for in the messages.
    """
    return [
        f"{one['message']} {one.get('traceback', '')[-2000:]}"
        for one in daemon.events()
        if one["level"] in ("error", "critical")
        or "traceback" in one
        or (one["from"] == "snfd.children._Output" and _LOUD.search(one["message"]))
        if not any(re.search(text, one["message"]) for text in named)
    ]


def pocket_pid(daemon: Daemon) -> int:
    """The embedded pocket cluster's process."""
    return int((daemon.var / "pocket" / "pid").read_text())


def postmaster(daemon: Daemon) -> int:
    """The embedded PostgreSQL's first process."""
    return int((daemon.var / "pg" / "postmaster.pid").read_text().split()[0])
