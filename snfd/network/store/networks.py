"""Networks."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from snfd.db.port import Database, Row, Transaction
from snfd.db.sql import changes_to, row_of
from snfd.network.model import Filter, Kind, Network
from snfd.network.scope import Scope
from snfd.network.store.lists import Conditions, page

_NETWORK = """
    SELECT n.id, n.name, n.owner, n.project, n.shared, n.kind, n.mode, n.link,
        n.mac_prefix, n.tags, n.public, n.drained, n.floating_ip_pool, n.mtu,
        n.state, n.action, n.created, n.updated,
        coalesce((SELECT array_agg(u.id ORDER BY u.id) FROM compute.subnet u
                  WHERE u.network = n.id AND NOT u.deleted), '{}'),
        coalesce((SELECT array_agg(u.id) FROM compute.subnet u
                  WHERE u.network = n.id AND NOT u.deleted AND u.ip_version = 4), '{}'),
        n.everywhere
    FROM compute.network n
"""
_STATUS = (
    "(CASE WHEN n.state = 'ACTIVE' AND NOT n.drained THEN 'ACTIVE' "
    "WHEN n.state IN ('PENDING', 'ERROR') THEN n.state ELSE 'DOWN' END)"
)
SORTED = {
    "id": "n.id",
    "name": "n.name",
    "status": _STATUS,
    "admin_state_up": "(NOT n.drained)",
    "mtu": "n.mtu",
    "shared": "n.public",
    "router:external": "n.public",
    "tenant_id": "n.project",
    "project_id": "n.project",
    "created_at": "n.created",
    "updated_at": "n.updated",
}
"""What lists of networks can be sorted by."""


def seen(scope: Scope, alias: str = "n") -> str:
    """An SQL condition: ``scope`` sees the network ``alias``."""
    return f"({alias}.public OR {scope.clause(alias)})"


async def listed(db: Database, scope: Scope, wanted: Filter) -> list[Network]:
    """One page of networks; one more than ``limit`` if there are more."""
    tests = Conditions(scope, seen(scope))
    tests.add("n.id = ANY(%(ids)s::bigint[])", "ids", wanted.ids)
    tests.add("n.name = %(name)s", "name", wanted.name)
    tests.add(f"{_STATUS} = %(status)s", "status", wanted.status)
    tests.add("n.drained <> %(up)s", "up", wanted.up)
    tests.add("n.mtu = %(mtu)s", "mtu", wanted.mtu)
    tests.add("n.kind = %(kind)s", "kind", wanted.kind)
    tests.add("n.public = %(public)s", "public", wanted.public)
    tests.add("n.project = %(project)s", "project", wanted.project)
    tests.changed("n", wanted.since)
    tests.where.append("n.action IS NULL")
    return [
        _network(row) for row in await page(db, _NETWORK, "n", tests, wanted, SORTED)
    ]


async def find(db: Database, scope: Scope, ident: int) -> Network | None:
    """One network; None if there is none that ``scope`` sees."""
    rows = await db.read(
        f"{_NETWORK} WHERE n.id = %(id)s AND NOT n.deleted "
        f"AND n.action IS NULL AND {seen(scope)}",
        {"id": ident, **scope.params},
    )
    return _network(rows[0]) if rows else None


async def lock(
    tx: Transaction, scope: Scope | None, ident: int, how: str = "UPDATE"
) -> Network | None:
    """Lock a network; None if there is none that ``scope`` sees.

    :param how: ``UPDATE``, or ``SHARE`` to keep it from going only.
    """
    visible = seen(scope) if scope else "true"
    row = await tx.row(
        f"{_NETWORK} WHERE n.id = %(id)s AND NOT n.deleted AND {visible} "
        f"FOR {how} OF n",
        {"id": ident, **(scope.params if scope else {})},
    )
    return _network(row) if row else None


async def public_ids(tx: Transaction, version: int | None = None) -> list[int]:
    """Public networks that new ports may join, by id.

    :param version: of IP that they must have, 4 or 6; None for whichever.
    """
    rows = await tx.rows(
        "SELECT n.id FROM compute.network n WHERE n.public AND n.state = 'ACTIVE' "
        "AND n.action IS NULL AND NOT n.drained "
        "AND (%(version)s::int IS NULL OR EXISTS (SELECT FROM compute.subnet u "
        "WHERE u.network = n.id AND NOT u.deleted AND u.ip_version = %(version)s)) "
        "ORDER BY n.id",
        {"version": version},
    )
    return [row[0] for row in rows]


async def takes_ports(tx: Transaction, scope: Scope, ident: int) -> bool:
    """Whether ``scope`` sees a network that new ports may join."""
    row = await tx.row(
        "SELECT 1 FROM compute.network n WHERE n.id = %(id)s AND n.state = 'ACTIVE' "
        f"AND n.action IS NULL AND NOT n.drained AND {seen(scope)}",
        {"id": ident, **scope.params},
    )
    return row is not None


def _network(row: Row) -> Network:
    head = (*row[:5], Kind(row[5]), *row[6:9], tuple(row[9]))
    return Network(*(*head, *row[10:18], tuple(row[18]), tuple(row[19]), row[20]))


async def insert(tx: Transaction, values: Mapping[str, object]) -> int | None:
    """Insert a network; its id, or None if another has its name or link.

    Only names of public networks, and links of routed or pooled ones, are unique.
    """
    row = await tx.row(
        f"INSERT INTO compute.network {row_of(values)} ON CONFLICT DO NOTHING "
        "RETURNING id",
        dict(values),
    )
    return int(row[0]) if row else None


async def update(tx: Transaction, ident: int, **values: object) -> None:
    """Set columns of a locked network."""
    changes = changes_to(values, {"tags": "text[]"})
    await tx.execute(
        f"UPDATE compute.network SET {changes} WHERE id = %(ident)s",
        {**values, "ident": ident},
    )


async def next_id(tx: Transaction) -> int:
    """The id of a network that is to be inserted with it."""
    row = await tx.row(
        "SELECT nextval(pg_get_serial_sequence('compute.network', 'id'))"
    )
    assert row is not None
    return int(row[0])


async def doom(tx: Transaction, ident: int, doomed: bool = True) -> None:
    """Note that a locked network is to go from its clusters, or not after all."""
    await tx.execute(
        "UPDATE compute.network SET action = %s WHERE id = %s",
        ("DESTROY" if doomed else None, ident),
    )


async def bury(tx: Transaction, ident: int) -> None:
    """Mark a network and its subnets deleted; what it had of a pool becomes free."""
    await tx.execute(
        "UPDATE compute.subnet SET deleted = true WHERE network = %s", (ident,)
    )
    await tx.execute(
        "DELETE FROM compute.ip_slot WHERE subnet IN "
        "(SELECT id FROM compute.subnet WHERE network = %s)",
        (ident,),
    )
    await tx.execute(
        "UPDATE compute.pool_slot SET state = 'free' WHERE value = (SELECT CASE kind "
        "WHEN 'MAC_FILTERED' THEN mac_prefix WHEN 'PHYSICAL_VLAN' THEN link END "
        "FROM compute.network WHERE id = %s)",
        (ident,),
    )
    await tx.execute("DELETE FROM compute.cluster_network WHERE network = %s", (ident,))
    await tx.execute(
        "UPDATE compute.network SET state = 'DELETED', action = NULL, drained = false, "
        "deleted_at = clock_timestamp() WHERE id = %s",
        (ident,),
    )


async def take_slot(tx: Transaction, kind: str) -> str | None:
    """Take what is free from the pools of a kind; None where all is used.

    :param kind: ``mac-prefix`` or ``bridge``.
    """
    row = await tx.row(
        "UPDATE compute.pool_slot SET state = 'used' WHERE (pool, idx) = (SELECT "
        "s.pool, s.idx FROM compute.pool_slot s WHERE s.pool = ANY(ARRAY(SELECT id "
        "FROM compute.pool WHERE kind = %s)) AND s.state = 'free' "
        "AND NOT s.reserved ORDER BY s.pool, s.idx LIMIT 1 FOR UPDATE SKIP LOCKED) "
        "RETURNING value",
        (kind,),
    )
    return row[0] if row else None


async def in_use(tx: Transaction, ident: int) -> bool:
    """Whether ports or floating IPs hold a network."""
    row = await tx.row(
        "SELECT EXISTS (SELECT 1 FROM compute.port WHERE network = %(id)s) OR EXISTS "
        "(SELECT 1 FROM compute.ip WHERE network = %(id)s AND NOT deleted)",
        {"id": ident},
    )
    return bool(row and row[0])


async def has_floating(tx: Transaction, ident: int) -> bool:
    """Whether floating IPs of a network are reserved."""
    row = await tx.row(
        "SELECT 1 FROM compute.ip WHERE network = %s AND floating AND NOT deleted "
        "LIMIT 1",
        (ident,),
    )
    return row is not None


async def has_servers(tx: Transaction, ident: int) -> bool:
    """Whether servers have cards on a network."""
    row = await tx.row(
        "SELECT 1 FROM compute.port WHERE network = %s AND server IS NOT NULL LIMIT 1",
        (ident,),
    )
    return row is not None


async def owner_of(tx: Transaction, network: int) -> tuple[UUID, UUID] | None:
    """Owner and project of a network that is charged for; None if public."""
    row = await tx.row(
        "SELECT owner, project FROM compute.network WHERE id = %s AND NOT public",
        (network,),
    )
    return (row[0], row[1]) if row else None
