"""Ports and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from snfd.db.port import Database, Row, Transaction
from snfd.db.sql import changes_to, row_of
from snfd.network.model import Address, Filter, Port, PortState
from snfd.network.scope import Scope
from snfd.network.store.lists import Conditions, page

_PORT = """
    SELECT p.id, p.name, p.owner, p.project, p.shared, p.server, p.network, n.name,
        n.public, p.idx, p.mac::text, p.firewall, p.state, p.created, p.updated,
        (SELECT jsonb_agg(jsonb_build_array(i.subnet, host(i.addr), i.floating)
                          ORDER BY i.id)
         FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted),
        EXISTS (SELECT 1 FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted
                AND i.assoc_port <> p.id)
    FROM compute.port p JOIN compute.network n ON n.id = p.network
"""


def seen(scope: Scope) -> str:
    """An SQL condition: ``scope`` sees the port ``p`` on the network ``n``."""
    return (
        f"({scope.clause('p')} OR (NOT n.public AND {scope.clause('n')}) OR EXISTS "
        "(SELECT 1 FROM compute.server s WHERE s.id = p.server "
        f"AND {scope.clause('s')}))"
    )


SORTED = {
    "id": "p.id",
    "name": "p.name",
    "status": "p.state",
    "network_id": "p.network",
    "device_id": "p.server",
    "mac_address": "p.mac",
    "project_id": "p.project",
    "tenant_id": "p.project",
    "created_at": "p.created",
    "updated_at": "p.updated",
}
_CARRIES = (
    "EXISTS (SELECT 1 FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted "
    "AND i.assoc_port <> p.id)"
)
_DEVICE = (
    f"CASE WHEN p.server IS NULL THEN '' WHEN {_CARRIES} THEN 'network:floatingip' "
    "ELSE 'compute:nova' END = %(device)s"
)


async def listed(db: Database, scope: Scope, wanted: Filter) -> list[Port]:
    """One page of ports; one more than ``limit`` if there are more."""
    tests = Conditions(scope, seen(scope))
    tests.add("p.id = ANY(%(ids)s::bigint[])", "ids", wanted.ids)
    tests.add("p.name = %(name)s", "name", wanted.name)
    tests.add("p.network = %(network)s", "network", wanted.network)
    tests.add("p.server = %(server)s", "server", wanted.server)
    tests.add("p.state = %(status)s", "status", wanted.status)
    tests.add("p.project = %(project)s", "project", wanted.project)
    tests.add("p.mac::text = lower(%(mac)s)", "mac", wanted.mac)
    tests.add(_DEVICE, "device", wanted.device)
    tests.add(
        "EXISTS (SELECT 1 FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted "
        "AND i.subnet = %(subnet)s)",
        "subnet",
        wanted.subnet,
    )
    tests.add(
        "EXISTS (SELECT 1 FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted "
        "AND host(i.addr) = %(address)s)",
        "address",
        wanted.address,
    )
    return [_port(row) for row in await page(db, _PORT, "p", tests, wanted, SORTED)]


async def find(db: Database, scope: Scope, ident: int) -> Port | None:
    """One port; None if there is none that ``scope`` sees."""
    rows = await db.read(
        f"{_PORT} WHERE p.id = %(id)s AND {seen(scope)}",
        {"id": ident, **scope.params},
    )
    return _port(rows[0]) if rows else None


async def lock(tx: Transaction, scope: Scope | None, ident: int) -> Port | None:
    """Lock a port; None if there is none that ``scope`` sees."""
    visible = seen(scope) if scope else "true"
    row = await tx.row(
        f"{_PORT} WHERE p.id = %(id)s AND {visible} FOR UPDATE OF p",
        {"id": ident, **(scope.params if scope else {})},
    )
    return _port(row) if row else None


async def peek(tx: Transaction, ident: int) -> Port | None:
    """A port, not locked; None if there is none."""
    row = await tx.row(f"{_PORT} WHERE p.id = %s", (ident,))
    return _port(row) if row else None


async def server_of(tx: Transaction, scope: Scope, ident: int) -> int | None:
    """The server of a port that ``scope`` sees, not locked; None without one."""
    row = await tx.row(
        "SELECT p.server FROM compute.port p JOIN compute.network n "
        f"ON n.id = p.network WHERE p.id = %(id)s AND {seen(scope)}",
        {"id": ident, **scope.params},
    )
    return None if row is None else row[0]


async def of_server(tx: Transaction, server: int) -> list[Port]:
    """A server's ports, locked, in order."""
    rows = await tx.rows(
        f"{_PORT} WHERE p.server = %s ORDER BY p.id FOR UPDATE OF p", (server,)
    )
    return [_port(row) for row in rows]


def _port(row: Row) -> Port:
    addresses = tuple(Address(*one) for one in row[15] or ())
    return Port(*(*row[:12], PortState(row[12]), *row[13:15], addresses, row[16]))


async def insert(tx: Transaction, values: Mapping[str, object]) -> int:
    """Insert a port, which has no MAC address yet; its id."""
    row = await tx.row(
        f"INSERT INTO compute.port {row_of(values)} RETURNING id", dict(values)
    )
    assert row is not None
    return int(row[0])


async def loose(tx: Transaction, project: UUID) -> int:
    """How many ports of a project no server has."""
    row = await tx.row(
        "SELECT count(*) FROM compute.port WHERE project = %s AND server IS NULL",
        (project,),
    )
    return int(row[0]) if row else 0


async def mac_is_free(tx: Transaction, mac: str) -> bool:
    """Whether no port has that MAC address."""
    row = await tx.row("SELECT 1 FROM compute.port WHERE mac = %s::macaddr", (mac,))
    return row is None


async def update(tx: Transaction, ident: int, **values: object) -> None:
    """Set columns of a locked port."""
    await tx.execute(
        f"UPDATE compute.port SET {changes_to(values)} WHERE id = %(ident)s",
        {**values, "ident": ident},
    )


async def set_states(tx: Transaction, server: int, old: str, new: str) -> None:
    """Move a server's ports from one state to another."""
    await tx.execute(
        "UPDATE compute.port SET state = %s WHERE server = %s AND state = %s",
        (new, server, old),
    )


async def delete(tx: Transaction, ident: int) -> None:
    """Remove a port; its address is freed unless it is a floating IP."""
    await drop_address(tx, ident)
    await tx.execute("DELETE FROM compute.port WHERE id = %s", (ident,))


# ------------------------------------------------------------------ addresses

_RESTED = (
    "(s.released_at IS NULL OR s.released_at <= "
    "clock_timestamp() - make_interval(secs => u.quarantine))"
)
_TAKE = """
    UPDATE compute.ip_slot SET state = 'used' WHERE (subnet, addr) = (
        SELECT s.subnet, s.addr FROM compute.ip_slot s
        JOIN compute.subnet u ON u.id = s.subnet
        WHERE s.subnet = ANY(%s::bigint[]) AND s.state = 'free' AND NOT s.reserved
            AND {rested}
        ORDER BY s.released_at NULLS FIRST, s.addr LIMIT 1 FOR UPDATE OF s {wait})
    RETURNING subnet, host(addr)
"""


async def take_any(tx: Transaction, subnets: Sequence[int]) -> tuple[int, str] | None:
    """Take the address that was released longest ago; None if none is free.

    :returns: subnet and address.
    """
    which = (list(subnets),)
    row = await tx.row(_TAKE.format(wait="SKIP LOCKED", rested=_RESTED), which)
    for _ in range(_WAITS):
        if row is not None or not await _any_free(tx, subnets):
            break
        # All that is free is locked by others, who may yet roll back.
        row = await tx.row(_TAKE.format(wait="", rested=_RESTED), which)
    return (row[0], row[1]) if row else None


_WAITS = 10
"""How often an address that others may give up is waited for."""


async def _any_free(tx: Transaction, subnets: Sequence[int]) -> bool:
    row = await tx.row(
        "SELECT EXISTS (SELECT 1 FROM compute.ip_slot s JOIN compute.subnet u "
        "ON u.id = s.subnet WHERE s.subnet = ANY(%s::bigint[]) "
        f"AND s.state = 'free' AND NOT s.reserved AND {_RESTED})",
        (list(subnets),),
    )
    return bool(row and row[0])


async def take(tx: Transaction, subnets: Sequence[int], addr: str) -> int | None:
    """Take one certain address; its subnet, or None where it is not free."""
    row = await tx.row(
        "UPDATE compute.ip_slot s SET state = 'used' FROM compute.subnet u "
        "WHERE u.id = s.subnet AND s.subnet = ANY(%s::bigint[]) AND s.addr = %s::inet "
        f"AND s.state = 'free' AND NOT s.reserved AND {_RESTED} RETURNING s.subnet",
        (list(subnets), addr),
    )
    return int(row[0]) if row else None


async def plain(tx: Transaction, project: UUID) -> tuple[int, int]:
    """How many public addresses a project has that are no floating IPs, and servers."""
    row = await tx.row(
        "SELECT (SELECT count(*) FROM compute.ip i JOIN compute.network n "
        "ON n.id = i.network WHERE i.project = %(project)s AND NOT i.deleted "
        "AND NOT i.floating AND n.public AND family(i.addr) = 4), "
        "(SELECT count(*) FROM compute.server s WHERE s.project = %(project)s "
        "AND NOT s.deleted)",
        {"project": project},
    )
    assert row is not None
    return row[0], row[1]


async def slot_exists(tx: Transaction, subnets: Sequence[int], addr: str) -> bool:
    """Whether an address could ever be taken from ``subnets``."""
    row = await tx.row(
        "SELECT 1 FROM compute.ip_slot WHERE subnet = ANY(%s::bigint[]) "
        "AND addr = %s::inet",
        (list(subnets), addr),
    )
    return row is not None


async def insert_ip(tx: Transaction, values: Mapping[str, object]) -> int:
    """Record who holds an address; the record's id."""
    row = await tx.row(
        f"INSERT INTO compute.ip {row_of(values)} RETURNING id", dict(values)
    )
    assert row is not None
    return int(row[0])


async def free_floating(
    tx: Transaction,
    scope: Scope,
    network: int,
    addr: str | None,
    sharing: tuple[UUID, bool],
) -> tuple[int, str] | None:
    """Lock a floating IP that is not on a port; id and address, or None.

    :param addr: a certain one, or None for any.
    :param sharing: project of what shall have it, and whether that is shared.
    """
    row = await tx.row(
        "SELECT i.id, host(i.addr) FROM compute.ip i WHERE i.network = %(network)s "
        "AND i.floating AND NOT i.deleted AND i.port IS NULL "
        "AND (%(addr)s::inet IS NULL OR i.addr = %(addr)s::inet) "
        f"AND {scope.clause('i')} AND i.project <> ALL(%(scope_reads)s::uuid[]) "
        "AND (i.project = %(project)s OR NOT (i.shared OR %(shared)s)) "
        "ORDER BY i.id LIMIT 1 FOR UPDATE SKIP LOCKED",
        {
            "network": network, "addr": addr, "project": sharing[0],
            "shared": sharing[1], **scope.params,
        },
    )  # fmt: skip
    return (row[0], row[1]) if row else None


async def put_on_port(tx: Transaction, ip: int, port: int, shown: int | None) -> None:
    """Give a locked floating IP to a port.

    :param shown: the port that users see it with, if that is another.
    """
    await tx.execute(
        "UPDATE compute.ip SET port = %s, assoc_port = %s WHERE id = %s",
        (port, shown, ip),
    )


async def drop_address(tx: Transaction, port: int) -> None:
    """Give a port's addresses back; floating IPs become free of it."""
    await tx.execute(
        "WITH gone AS (UPDATE compute.ip SET deleted = true, port = NULL "
        "WHERE port = %(id)s AND NOT floating AND NOT deleted RETURNING subnet, addr) "
        "UPDATE compute.ip_slot s SET state = 'free', released_at = clock_timestamp() "
        "FROM gone WHERE s.subnet = gone.subnet AND s.addr = gone.addr",
        {"id": port},
    )
    await tx.execute(
        "UPDATE compute.ip SET port = NULL, assoc_port = NULL "
        "WHERE port = %s AND floating",
        (port,),
    )
