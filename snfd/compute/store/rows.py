"""Servers' rows as actions and outcomes change them, locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from snfd.compute.model import Locked, NewVolume
from snfd.compute.states import Footprint, State, Task
from snfd.db.port import Jsonb, Row, Transaction
from snfd.db.sql import changes_to, row_of
from snfd.network.model import Cluster
from snfd.network.scope import Scope

_LOCKED = """
    SELECT s.id, s.name, s.owner, s.project, s.shared, s.cluster, s.state, s.task,
        s.task_intent, s.commission, s.commission_from, s.settled_job, s.settled_at,
        s.suspended, s.crashed, coalesce(c.reachable AND NOT c.offline, false),
        s.metadata, s.flavor, s.rescue, s.new_password IS NOT NULL, s.task_to,
        t.cpu, t.ram, f.cpu, f.ram, (SELECT coalesce(sum(v.size), 0)
            FROM compute.volume v WHERE v.server = s.id AND NOT v.deleted)
    FROM compute.server s
    JOIN compute.flavor f ON f.id = s.flavor
    LEFT JOIN compute.flavor t ON t.id = s.task_flavor
    LEFT JOIN compute.cluster c ON c.id = s.cluster
"""


async def lock(
    tx: Transaction, ident: int, scope: Scope | None = None
) -> Locked | None:
    """Lock a server's row; None if there is none that ``scope`` sees."""
    seen = scope.clause("s") if scope else "true"
    params = dict(scope.params) if scope else {}
    row = await tx.row(
        f"{_LOCKED} WHERE s.id = %(id)s AND {seen} FOR UPDATE OF s",
        {"id": ident, **params},
    )
    return None if row is None else _locked(row)


_FIELDS = (
    *("id", "name", "owner", "project", "shared", "cluster", "state", "task"),
    *("intent", "commission", "commission_from", "settled_job", "settled_at"),
    *("suspended", "crashed", "reachable", "metadata", "flavor", "rescue"),
    *("new_password", "task_to"),
)


def _locked(row: Row) -> Locked:
    found = dict(zip(_FIELDS, row, strict=False))
    found["state"] = State(found["state"])
    found["task"] = Task(found["task"]) if found["task"] else None
    began = found["commission_from"]
    found["commission_from"] = State(began) if began else None
    found["task_to"] = State(found["task_to"]) if found["task_to"] else None
    cpu, ram, *size = row[21:]
    footprint = Footprint(*size)
    resized = None if cpu is None else Footprint(cpu, ram, footprint.disk)
    return Locked(**found, task_size=resized, footprint=footprint)


async def insert(tx: Transaction, values: Mapping[str, object]) -> int:
    """Insert a server; its id."""
    row = await tx.row(
        f"INSERT INTO compute.server {row_of(values)} RETURNING id",
        dict(values),
    )
    assert row is not None
    return int(row[0])


async def update(tx: Transaction, ident: int, **values: object) -> None:
    """Set columns of a locked server."""
    await tx.execute(
        f"UPDATE compute.server SET {changes_to(values)} WHERE id = %(ident)s",
        {**values, "ident": ident},
    )


async def begin(
    tx: Transaction,
    server: Locked,
    task: Task,
    intent: UUID,
    *,
    hard: bool = False,
    to: State | None = None,
    flavor: int | None = None,
) -> None:
    """Note the one task that a locked server is busy with.

    :param to: where it leads, if its kind does not say.
    :param flavor: the size that it leads to, or None: the same.
    """
    await update(
        tx, server.id, task=task.value, task_intent=intent, task_hard=hard,
        task_to=to.value if to else None, task_flavor=flavor,
        commission=None, commission_from=None,
    )  # fmt: skip


async def insert_volumes(
    tx: Transaction,
    server: int,
    wanted: Sequence[NewVolume],
    ids: Sequence[UUID],
    common: Mapping[str, Any],
) -> list[int]:
    """Insert a new server's disks; the numbers of their Ganeti names.

    :param common: owner, project, shared, volume_type and cluster.
    """
    numbers = []
    for index, (one, ident) in enumerate(zip(wanted, ids, strict=True)):
        row = await tx.row(
            "INSERT INTO compute.volume (id, owner, project, shared, volume_type, "
            "cluster, size, source_kind, source, server, idx) VALUES (%(id)s, "
            "%(owner)s, %(project)s, %(shared)s, %(volume_type)s, %(cluster)s, "
            "%(size)s, %(kind)s, %(source)s, %(server)s, %(idx)s) "
            "RETURNING disk_number",
            {
                **common,
                "id": ident,
                "size": one.size,
                "kind": "image" if one.source else None,
                "source": one.source,
                "server": server,
                "idx": index,
            },
        )
        assert row is not None
        numbers.append(int(row[0]))
    return numbers


async def volumes_status(tx: Transaction, server: int, old: str, new: str) -> None:
    """Move a server's disks from one status to another."""
    await tx.execute(
        "UPDATE compute.volume SET status = %s WHERE server = %s AND status = %s",
        (new, server, old),
    )


async def volumes_gone(tx: Transaction, server: int) -> None:
    """Mark a removed server's disks deleted."""
    await tx.execute(
        "UPDATE compute.volume SET status = 'DELETED', server = NULL, idx = NULL, "
        "deleted_at = clock_timestamp() WHERE server = %s AND NOT deleted",
        (server,),
    )


async def diagnose(
    tx: Transaction, server: int, source: str, at: datetime, text: str
) -> None:
    """Keep a message for the server's owner; long ones are cut."""
    await tx.execute(
        "INSERT INTO compute.diagnostic (server, level, source, source_date, message, "
        "details) VALUES (%s, 'ERROR', %s, %s, %s, %s)",
        (server, source, at, text[:255] or "no reason was given", text[:10_000]),
    )


async def forget_secrets(tx: Transaction, server: int, *, password: bool) -> None:
    """Drop hand-offs of a server, and its stored ``password`` if so asked."""
    await tx.execute("DELETE FROM compute.handoff WHERE server = %s", (server,))
    if password:
        await tx.execute(
            "DELETE FROM compute.server_password WHERE server = %s", (server,)
        )


async def metadata(tx: Transaction, server: int, wanted: Mapping[str, str]) -> None:
    """Replace all metadata of a locked server."""
    await update(tx, server, metadata=Jsonb(dict(wanted)))


async def cluster(tx: Transaction, ident: int) -> Cluster:
    """What networks need to know of a cluster."""
    row = await tx.row(
        "SELECT id, idx, node_groups FROM compute.cluster WHERE id = %s", (ident,)
    )
    assert row is not None
    return Cluster(row[0], row[1], tuple(row[2]))
