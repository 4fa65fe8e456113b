"""SQL for what was asked to be taken over, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
from attrs import frozen
from msgspec import Struct

from snfd.db.port import Jsonb, Transaction
from snfd.ganeti import store


class Wanted(Struct, frozen=True):
    """What shall be taken over, and for whom.

    :ivar instances: by name; empty for all that are called like servers.
    :ivar networks: whether networks that are not known are made, too.
    :ivar rename: whether those that have other names are renamed.
    :ivar strip_nics: whether those lose cards on networks that are none of ours.
    """

    owner: UUID
    project: UUID
    instances: list[str] = []
    shared: bool = False
    networks: bool = False
    rename: bool = False
    strip_nics: bool = False
    dry_run: bool = False


class Result(Struct, frozen=True):
    """What came of an instance.

    :ivar outcome: ``adopted``, ``would be adopted`` or ``refused``.
    """

    instance: str
    outcome: str
    server: int | None = None
    detail: str = ""


@frozen
class Waiting:
    """Something asked for that is not done."""

    id: int
    wanted: Wanted


async def ask(tx: Transaction, cluster: int, wanted: Wanted) -> int:
    """Have whoever works on a cluster take instances over; the request's id."""
    row = await tx.row(
        "INSERT INTO compute.adoption (cluster, wanted) VALUES (%s, %s) RETURNING id",
        (cluster, Jsonb(msgspec.to_builtins(wanted))),
    )
    assert row is not None
    await store.refresh(tx, cluster)
    return int(row[0])


async def open_requests(tx: Transaction, cluster: int) -> int:
    """How many requests of a cluster are not done."""
    row = await tx.row(
        "SELECT count(*) FROM compute.adoption WHERE cluster = %s AND finished IS NULL",
        (cluster,),
    )
    return int(row[0]) if row else 0


async def first(tx: Transaction, cluster: int) -> Waiting | None:
    """The oldest request of a cluster that is not done."""
    row = await tx.row(
        "SELECT id, wanted FROM compute.adoption WHERE cluster = %s"
        " AND finished IS NULL ORDER BY id LIMIT 1",
        (cluster,),
    )
    return Waiting(row[0], msgspec.convert(row[1], Wanted)) if row else None


async def numbers(
    tx: Transaction, ports: int, volumes: int
) -> tuple[int, list[int], list[int]]:
    """Numbers for a new server, and for so many ports and volumes of it."""
    row = await tx.row(
        "SELECT nextval('compute.server_id_seq'),"
        " ARRAY(SELECT nextval('compute.port_id_seq')"
        "  FROM generate_series(1, %s)),"
        " ARRAY(SELECT nextval('compute.volume_disk_number_seq')"
        "  FROM generate_series(1, %s))",
        (ports, volumes),
    )
    assert row is not None
    return row[0], list(row[1]), list(row[2])


async def note(tx: Transaction, ident: int, results: Sequence[Result]) -> None:
    """Add to what came of a request."""
    await tx.execute(
        "UPDATE compute.adoption SET results = results || %s WHERE id = %s",
        (Jsonb(msgspec.to_builtins(list(results))), ident),
    )


async def finish(tx: Transaction, ident: int) -> None:
    """A request is done; old ones of its cluster are forgotten."""
    await tx.execute(
        "UPDATE compute.adoption SET finished = clock_timestamp() WHERE id = %s",
        (ident,),
    )
    await tx.execute(
        "DELETE FROM compute.adoption old USING compute.adoption this"
        " WHERE this.id = %s AND old.cluster = this.cluster"
        " AND old.finished < clock_timestamp() - interval '30 days'",
        (ident,),
    )
