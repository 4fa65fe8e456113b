"""Servers as their users see them: one statement for a list or a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from snfd.compute.model import (
    Attachment,
    Diagnostic,
    Flavor,
    Page,
    Server,
    ServerFilter,
    Volume,
)
from snfd.compute.states import State, Task
from snfd.db.port import Database, Row, Transaction
from snfd.errors import Invalid
from snfd.network.model import Address
from snfd.network.scope import Scope

_COLUMNS = """
    s.id, s.name, s.owner, s.project, s.shared, s.cluster, s.image, s.os,
    s.key_names, s.metadata, s.state, s.task, s.task_hard, s.fault, s.progress,
    s.suspended, s.crashed, s.node, s.launched, s.created, s.updated, s.deleted_at,
    s.rescue,
    f.id AS f_id, f.cpu, f.ram, f.disk, f.volume_type, t.disk_template,
    f.allow_create, f.public, f.specs, f.deleted AS f_deleted,
    d.level, d.source, d.source_date, d.message, d.details, d.created AS d_created,
    (SELECT jsonb_agg(jsonb_build_array(p.id, p.network, n.name, p.mac, p.firewall,
        (SELECT jsonb_agg(jsonb_build_array(i.subnet, host(i.addr), i.floating)
                          ORDER BY i.id)
         FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted)) ORDER BY p.id)
     FROM compute.port p JOIN compute.network n ON n.id = p.network
     WHERE p.server = s.id AND p.state = 'ACTIVE') AS ports,
    (SELECT jsonb_agg(jsonb_build_array(v.id, v.disk_number, v.idx, v.size, v.status)
                      ORDER BY v.idx)
     FROM compute.volume v WHERE v.server = s.id AND NOT v.deleted) AS volumes,
    ARRAY(SELECT g.name FROM compute.server_tag g
          WHERE g.server = s.id AND g.state = 'ACTIVE' ORDER BY g.name) AS tags
"""
_FROM = """
    FROM compute.server s
    JOIN compute.flavor f ON f.id = s.flavor
    JOIN compute.volume_type t ON t.id = f.volume_type
    LEFT JOIN LATERAL (SELECT * FROM compute.diagnostic
        WHERE server = s.id ORDER BY id DESC LIMIT 1) d ON true
"""
_SORTS = {
    "id": "s.id",
    "created": "s.created",
    "updated": "s.updated",
    "name": "s.name",
}


async def find(db: Database, scope: Scope, ident: int) -> Server | None:
    """The server ``ident``, gone ones included; None if ``scope`` lacks it."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE s.id = %(id)s AND {scope.clause('s')}"
    rows = await db.read(sql, {"id": ident, **scope.params})
    return _server(rows[0]) if rows else None


async def within(tx: Transaction, ident: int) -> Server:
    """The server ``ident`` as ``tx`` has it by now."""
    row = await tx.row(f"SELECT {_COLUMNS} {_FROM} WHERE s.id = %s", (ident,))
    assert row is not None
    return _server(row)


async def listed(db: Database, scope: Scope, wanted: ServerFilter) -> Page:
    """One page of the servers that ``scope`` sees, with the database's clock.

    :raises Invalid: the marker names no server of the scope.
    """
    where, params = _conditions(scope, wanted)
    order = _SORTS[wanted.sort]
    way, than = ("DESC", "<") if wanted.descending else ("ASC", ">")
    if wanted.marker is not None:
        await _check_marker(db, scope, wanted.marker)
        where.append(
            f"({order}, s.id) {than} (SELECT {order}, s.id FROM compute.server s "
            "WHERE s.id = %(marker)s)"
        )
    sql = (
        "SELECT c.at, q.* FROM (SELECT statement_timestamp() AS at) c LEFT JOIN "
        f"(SELECT {_COLUMNS} {_FROM} WHERE {' AND '.join(where)} "
        f"ORDER BY {order} {way}, s.id {way} LIMIT %(most)s) q ON true"
    )
    rows = await db.read(sql, params)
    found = [_server(row[1:]) for row in rows if row[1] is not None]
    more = len(found) > wanted.limit
    return Page(found[: wanted.limit], rows[0][0], more)


async def _check_marker(db: Database, scope: Scope, marker: int) -> None:
    sql = f"SELECT 1 FROM compute.server s WHERE id = %(id)s AND {scope.clause('s')}"
    if not await db.read(sql, {"id": marker, **scope.params}):
        raise Invalid(f"marker {marker} names no server")


def _conditions(
    scope: Scope, wanted: ServerFilter
) -> tuple[list[str], dict[str, object]]:
    tests: list[tuple[str, str, object]] = [
        ("s.state = ANY(%(states)s)", "states", _values(wanted.states)),
        ("s.flavor = %(flavor)s", "flavor", wanted.flavor),
        ("s.image = %(image)s", "image", wanted.image),
        ("s.id = ANY(%(ids)s::bigint[])", "ids", _list(wanted.ids)),
        ("s.project = %(project)s", "project", wanted.project),
        ("s.owner = %(owner)s", "owner", wanted.owner),
        ("s.updated >= %(since)s", "since", wanted.since),
        ("s.updated <= %(before)s", "before", wanted.before),
        (_HAS_ADDRESS, "ip", _pattern(wanted.ip)),
        ("s.name ILIKE %(name)s", "name", _pattern(wanted.name)),
    ]
    where = [scope.clause("s")]
    where += [sql for sql, _, value in tests if value is not None]
    if wanted.since is None or wanted.deleted:
        where.append("s.deleted" if wanted.deleted else "NOT s.deleted")
    params = {name: value for _, name, value in tests if value is not None}
    more = {"marker": wanted.marker, "most": wanted.limit + 1}
    return where, {**scope.params, **params, **more}


_HAS_ADDRESS = (
    "EXISTS (SELECT 1 FROM compute.ip i JOIN compute.port p ON p.id = i.port "
    "WHERE p.server = s.id AND NOT i.deleted AND host(i.addr) LIKE %(ip)s)"
)


def _pattern(text: str | None) -> str | None:
    """A LIKE pattern for "contains", with ``^`` and ``$`` as anchors."""
    if text is None:
        return None
    start, end = text.startswith("^"), text.endswith("$")
    bare = text.removeprefix("^").removesuffix("$")
    for special in "\\%_":
        bare = bare.replace(special, "\\" + special)
    return ("" if start else "%") + bare + ("" if end else "%")


def _values(states: Sequence[State] | None) -> list[str] | None:
    return None if states is None else [state.value for state in states]


def _list(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)


_HEAD = (
    *("id", "name", "owner", "project", "shared", "cluster", "image", "os"),
    *("key_names", "metadata", "state", "task", "task_hard", "fault", "progress"),
    *("suspended", "crashed", "node", "launched", "created", "updated", "deleted_at"),
    "rescue",
)


def _server(row: Row) -> Server:
    head = dict(zip(_HEAD, row, strict=False))
    flavor, diagnostic, ports, volumes = row[23:33], row[33:39], row[39], row[40]
    head["key_names"] = tuple(head["key_names"])
    head["state"] = State(head["state"])
    head["task"] = Task(head["task"]) if head["task"] else None
    return Server(
        **head,
        flavor=Flavor(*flavor),
        attachments=tuple(_attachment(port) for port in ports or ()),
        volumes=tuple(_volume(volume) for volume in volumes or ()),
        diagnostic=Diagnostic(*diagnostic) if diagnostic[0] else None,
        tags=tuple(row[41]),
    )


def _attachment(given: Sequence[Any]) -> Attachment:
    port, network, name, mac, firewall, addresses = given
    held = tuple(Address(*address) for address in addresses or ())
    return Attachment(port, network, name, mac or "", firewall, held)


def _volume(given: Sequence[Any]) -> Volume:
    return Volume(UUID(given[0]), *given[1:])


def diagnostics(rows: Sequence[Row]) -> Sequence[Diagnostic]:
    """What rows of `DIAGNOSTICS` hold."""
    return [Diagnostic(*row) for row in rows]


DIAGNOSTICS = (
    "SELECT level, source, source_date, message, details, created "
    "FROM compute.diagnostic WHERE server = %s ORDER BY id DESC LIMIT 100"
)
