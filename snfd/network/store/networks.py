"""Networks and subnets, and where networks exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any
from uuid import UUID

from snfd.db.port import Database, Jsonb, Row, Transaction
from snfd.db.sql import changes_to, row_of
from snfd.network.model import Filter, Kind, Network, Subnet
from snfd.network.scope import Scope
from snfd.network.store.lists import Conditions, page

_NETWORK = """
    SELECT n.id, n.name, n.owner, n.project, n.shared, n.kind, n.mode, n.link,
        n.mac_prefix, n.tags, n.public, n.drained, n.floating_ip_pool, n.mtu,
        n.state, n.action, n.created, n.updated,
        coalesce((SELECT array_agg(u.id ORDER BY u.id) FROM compute.subnet u
                  WHERE u.network = n.id AND NOT u.deleted), '{}')
    FROM compute.network n
"""
_SUBNET = """
    SELECT u.id, u.network, u.owner, n.project, n.public, u.name, u.cidr::text,
        host(u.gateway), u.dhcp, u.dns::text[], u.routes, u.pools, u.created,
        u.updated, u.deleted
    FROM compute.subnet u JOIN compute.network n ON n.id = u.network
"""


def seen(scope: Scope, alias: str = "n") -> str:
    """An SQL condition: ``scope`` sees the network ``alias``."""
    return f"({alias}.public OR {scope.clause(alias)})"


async def listed(db: Database, scope: Scope, wanted: Filter) -> list[Network]:
    """One page of networks; one more than ``limit`` if there are more."""
    tests = Conditions(scope, seen(scope))
    tests.add("n.id = ANY(%(ids)s::bigint[])", "ids", wanted.ids)
    tests.add("n.name = %(name)s", "name", wanted.name)
    tests.add("n.state = %(status)s", "status", wanted.status)
    tests.add("n.public = %(public)s", "public", wanted.public)
    tests.add("n.project = %(project)s", "project", wanted.project)
    tests.changed("n", wanted.since)
    tests.where.append("n.action IS NULL")
    return [_network(row) for row in await page(db, _NETWORK, "n", tests, wanted)]


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


async def public_ids(tx: Transaction) -> list[int]:
    """Public networks that new ports may join, by id."""
    rows = await tx.rows(
        "SELECT id FROM compute.network WHERE public AND state = 'ACTIVE' "
        "AND action IS NULL AND NOT drained ORDER BY id"
    )
    return [row[0] for row in rows]


def _network(row: Row) -> Network:
    head = (*row[:5], Kind(row[5]), *row[6:9], tuple(row[9]))
    return Network(*(*head, *row[10:18], tuple(row[18])))


async def insert(tx: Transaction, values: Mapping[str, object]) -> int:
    """Insert a network; its id."""
    row = await _insert(tx, values, "")
    assert row is not None
    return int(row[0])


async def insert_public(tx: Transaction, values: Mapping[str, object]) -> int | None:
    """Insert a public network; its id, or None if the name is taken."""
    row = await _insert(tx, values, "ON CONFLICT DO NOTHING")
    return int(row[0]) if row else None


async def _insert(
    tx: Transaction, values: Mapping[str, object], conflict: str
) -> Row | None:
    return await tx.row(
        f"INSERT INTO compute.network {row_of(values)} {conflict} RETURNING id",
        dict(values),
    )


async def rename(tx: Transaction, ident: int, name: str) -> None:
    """Give a locked network another name."""
    await tx.execute(
        "UPDATE compute.network SET name = %s WHERE id = %s", (name, ident)
    )


async def doom(tx: Transaction, ident: int, doomed: bool = True) -> None:
    """Note that a locked network is to go from its clusters, or not after all."""
    await tx.execute(
        "UPDATE compute.network SET action = %s WHERE id = %s",
        ("DESTROY" if doomed else None, ident),
    )


async def bury(tx: Transaction, ident: int) -> None:
    """Mark a network and its subnets deleted; its MAC prefix becomes free."""
    await tx.execute(
        "UPDATE compute.subnet SET deleted = true WHERE network = %s", (ident,)
    )
    await tx.execute(
        "DELETE FROM compute.ip_slot WHERE subnet IN "
        "(SELECT id FROM compute.subnet WHERE network = %s)",
        (ident,),
    )
    await tx.execute(
        "UPDATE compute.pool_slot SET state = 'free' WHERE value = (SELECT mac_prefix "
        "FROM compute.network WHERE id = %s AND kind = 'MAC_FILTERED')",
        (ident,),
    )
    await tx.execute("DELETE FROM compute.cluster_network WHERE network = %s", (ident,))
    await tx.execute(
        "UPDATE compute.network SET state = 'DELETED', action = NULL, drained = false, "
        "deleted_at = clock_timestamp() WHERE id = %s",
        (ident,),
    )


async def take_mac_prefix(tx: Transaction) -> str | None:
    """Take a free MAC prefix; None where all are used."""
    row = await tx.row(
        "UPDATE compute.pool_slot SET state = 'used' WHERE (pool, idx) = (SELECT "
        "s.pool, s.idx FROM compute.pool_slot s WHERE s.pool = (SELECT min(id) "
        "FROM compute.pool WHERE kind = 'mac-prefix') AND s.state = 'free' "
        "AND NOT s.reserved ORDER BY s.idx LIMIT 1 FOR UPDATE SKIP LOCKED) "
        "RETURNING value"
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


async def has_servers(tx: Transaction, ident: int) -> bool:
    """Whether servers have cards on a network."""
    row = await tx.row(
        "SELECT 1 FROM compute.port WHERE network = %s AND server IS NOT NULL LIMIT 1",
        (ident,),
    )
    return row is not None


# ------------------------------------------------------------------- subnets


async def subnets(db: Database, scope: Scope, wanted: Filter) -> list[Subnet]:
    """One page of subnets; one more than ``limit`` if there are more."""
    tests = Conditions(scope, seen(scope))
    tests.add("u.id = ANY(%(ids)s::bigint[])", "ids", wanted.ids)
    tests.add("u.name = %(name)s", "name", wanted.name)
    tests.add("u.network = %(network)s", "network", wanted.network)
    tests.add("n.project = %(project)s", "project", wanted.project)
    tests.changed("u", wanted.since)
    return [_subnet(row) for row in await page(db, _SUBNET, "u", tests, wanted)]


async def subnet(db: Database, scope: Scope, ident: int) -> Subnet | None:
    """One subnet; None if there is none that ``scope`` sees."""
    rows = await db.read(
        f"{_SUBNET} WHERE u.id = %(id)s AND NOT u.deleted AND {seen(scope)}",
        {"id": ident, **scope.params},
    )
    return _subnet(rows[0]) if rows else None


async def subnets_within(tx: Transaction, network: int) -> list[Subnet]:
    """The subnets of a network as ``tx`` has them by now."""
    rows = await tx.rows(
        f"{_SUBNET} WHERE u.network = %s AND NOT u.deleted ORDER BY u.id", (network,)
    )
    return [_subnet(row) for row in rows]


def _subnet(row: Row) -> Subnet:
    head, (text, gateway, dhcp, dns, routes, pools), tail = row[:6], row[6:12], row[12:]
    ranges = tuple((IPv4Address(a), IPv4Address(b)) for a, b in pools)
    gate = IPv4Address(gateway) if gateway else None
    names = tuple(server.split("/")[0] for server in dns)
    return Subnet(*(*head, IPv4Network(text), gate, dhcp, names, routes, ranges, *tail))


async def insert_subnet(tx: Transaction, values: Mapping[str, Any]) -> int:
    """Insert a subnet; its id.

    :param values: network, owner, name, cidr, gateway, dhcp, dns, routes and
        pools (pairs of addresses).
    """
    row = await tx.row(
        "INSERT INTO compute.subnet (network, owner, name, ip_version, cidr, gateway, "
        "dhcp, dns, routes, pools) VALUES (%(network)s, %(owner)s, %(name)s, 4, "
        "%(cidr)s::cidr, %(gateway)s::inet, %(dhcp)s, %(dns)s::inet[], %(routes)s, "
        "%(pools)s) RETURNING id",
        {
            **values,
            "routes": Jsonb(list(values["routes"])),
            "pools": Jsonb([[str(a), str(b)] for a, b in values["pools"]]),
        },
    )
    assert row is not None
    return int(row[0])


async def insert_slots(
    tx: Transaction, subnet_id: int, ranges: Sequence[tuple[IPv4Address, IPv4Address]]
) -> None:
    """Make every address of ``ranges`` available."""
    for first, last in ranges:
        await tx.execute(
            "INSERT INTO compute.ip_slot (subnet, addr) SELECT %s, %s::inet + i "
            "FROM generate_series(0, %s) AS i",
            (subnet_id, str(first), int(last) - int(first)),
        )


async def update_subnet(tx: Transaction, ident: int, **values: object) -> None:
    """Set columns of a subnet."""
    changes = changes_to(values, {"dns": "inet[]"})
    await tx.execute(
        f"UPDATE compute.subnet SET {changes} WHERE id = %(ident)s",
        {**values, "ident": ident},
    )


async def drop_subnet(tx: Transaction, ident: int) -> None:
    """Mark a subnet deleted and take its addresses away."""
    await tx.execute("DELETE FROM compute.ip_slot WHERE subnet = %s", (ident,))
    await update_subnet(tx, ident, deleted=True)


async def subnet_in_use(tx: Transaction, ident: int) -> bool:
    """Whether addresses of a subnet are taken."""
    row = await tx.row(
        "SELECT 1 FROM compute.ip WHERE subnet = %s AND NOT deleted LIMIT 1", (ident,)
    )
    return row is not None


async def owner_of(tx: Transaction, network: int) -> tuple[UUID, UUID] | None:
    """Owner and project of a network that is charged for; None if public."""
    row = await tx.row(
        "SELECT owner, project FROM compute.network WHERE id = %s AND NOT public",
        (network,),
    )
    return (row[0], row[1]) if row else None
