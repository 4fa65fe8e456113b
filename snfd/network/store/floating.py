"""Floating IPs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.db.port import Database, Row, Transaction
from snfd.network.model import Filter
from snfd.network.scope import Scope
from snfd.network.store.lists import Conditions, page

_SELECT = """
    SELECT i.id, host(i.addr), i.network, i.owner, i.project, i.shared, i.port,
        (SELECT p.server FROM compute.port p WHERE p.id = i.port),
        coalesce(i.assoc_port, i.port),
        (SELECT host(a.addr) FROM compute.ip a WHERE a.port = i.assoc_port
         AND NOT a.deleted ORDER BY a.id LIMIT 1), i.created, i.updated
    FROM compute.ip i
"""


SORTED = {
    "id": "i.id",
    "floating_ip_address": "i.addr",
    "floating_network_id": "i.network",
    "project_id": "i.project",
    "tenant_id": "i.project",
    "created_at": "i.created",
    "updated_at": "i.updated",
}
_FIXED = (
    "EXISTS (SELECT 1 FROM compute.ip a WHERE a.port = coalesce(i.assoc_port, i.port) "
    "AND NOT a.deleted AND host(a.addr) = %(fixed)s)"
)
_STATUS = "CASE WHEN i.port IS NULL THEN 'DOWN' ELSE 'ACTIVE' END = %(status)s"


async def listed(db: Database, scope: Scope, wanted: Filter) -> list[Row]:
    """One page of floating IPs; one more than ``limit`` if there are more."""
    tests = Conditions(scope, f"i.floating AND {scope.clause('i')}")
    tests.add("i.id = ANY(%(ids)s::bigint[])", "ids", wanted.ids)
    tests.add("i.network = %(network)s", "network", wanted.network)
    tests.add("host(i.addr) = %(address)s", "address", wanted.address)
    tests.add("i.project = %(project)s", "project", wanted.project)
    tests.add("coalesce(i.assoc_port, i.port) = %(port)s", "port", wanted.port)
    tests.add(_FIXED, "fixed", wanted.fixed)
    tests.add(_STATUS, "status", wanted.status)
    tests.changed("i", wanted.since)
    return await page(db, _SELECT, "i", tests, wanted, SORTED)


async def find(db: Database, scope: Scope, ident: int) -> Row | None:
    """One floating IP; None if there is none that ``scope`` sees."""
    rows = await db.read(
        f"{_SELECT} WHERE i.id = %(id)s AND i.floating AND NOT i.deleted "
        f"AND {scope.clause('i')}",
        {"id": ident, **scope.params},
    )
    return rows[0] if rows else None


async def lock(tx: Transaction, scope: Scope, ident: int) -> Row | None:
    """Lock a floating IP; None if there is none that ``scope`` sees."""
    return await tx.row(
        f"{_SELECT} WHERE i.id = %(id)s AND i.floating AND NOT i.deleted "
        f"AND {scope.clause('i')} FOR UPDATE OF i",
        {"id": ident, **scope.params},
    )


async def release(tx: Transaction, ident: int) -> None:
    """Give a locked floating IP back to its pool."""
    await tx.execute(
        "WITH gone AS (UPDATE compute.ip SET deleted = true WHERE id = %s "
        "RETURNING subnet, addr) "
        "UPDATE compute.ip_slot s SET state = 'free', released_at = clock_timestamp() "
        "FROM gone WHERE s.subnet = gone.subnet AND s.addr = gone.addr",
        (ident,),
    )


async def peek(tx: Transaction, ident: int) -> tuple[int, str, int | None] | None:
    """Network, address and port of a floating IP, not locked; None without one."""
    row = await tx.row(
        "SELECT network, host(addr), port FROM compute.ip WHERE id = %s AND floating "
        "AND NOT deleted",
        (ident,),
    )
    return (row[0], row[1], row[2]) if row else None


async def held(
    tx: Transaction, scope: Scope, network: int, addr: str
) -> tuple[bool, int | None]:
    """Whether ``scope`` sees such a floating IP, and the port that has it."""
    row = await tx.row(
        "SELECT i.port FROM compute.ip i WHERE i.network = %(network)s AND i.floating "
        f"AND i.addr = %(addr)s::inet AND NOT i.deleted AND {scope.clause('i')}",
        {"network": network, "addr": addr, **scope.params},
    )
    return (False, None) if row is None else (True, row[0])


async def holder(tx: Transaction, ident: int) -> tuple[UUID, bool] | None:
    """Project and sharing of the server that has a floating IP; None without one."""
    row = await tx.row(
        "SELECT s.project, s.shared FROM compute.ip i JOIN compute.port p "
        "ON p.id = i.port JOIN compute.server s ON s.id = p.server WHERE i.id = %s",
        (ident,),
    )
    return (row[0], row[1]) if row else None


async def move(tx: Transaction, ident: int, project: UUID, shared: bool) -> None:
    """Give a locked floating IP to a project."""
    await tx.execute(
        "UPDATE compute.ip SET project = %s, shared = %s WHERE id = %s",
        (project, shared, ident),
    )


async def pools(tx: Transaction) -> list[int]:
    """Networks that floating IPs come from, by id."""
    rows = await tx.rows(
        "SELECT id FROM compute.network WHERE floating_ip_pool AND NOT drained "
        "AND state = 'ACTIVE' ORDER BY id"
    )
    return [row[0] for row in rows]


async def subnets(tx: Transaction, idents: Sequence[int]) -> dict[int, int]:
    """Subnets of those networks, each with its network."""
    rows = await tx.rows(
        "SELECT id, network FROM compute.subnet WHERE network = ANY(%s::bigint[]) "
        "AND NOT deleted ORDER BY network, id",
        (list(idents),),
    )
    return {row[0]: row[1] for row in rows}
