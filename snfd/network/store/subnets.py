"""Subnets and the addresses that can be taken from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from attrs import frozen

from snfd.db.port import Database, Jsonb, Row, Transaction
from snfd.db.sql import changes_to
from snfd.network.model import Filter, Subnet
from snfd.network.scope import Scope
from snfd.network.store.lists import Conditions, page
from snfd.network.store.networks import seen

_SUBNET = """
    SELECT u.id, u.network, u.owner, n.project, n.public, u.name, u.cidr::text,
        host(u.gateway), u.dhcp, u.dns::text[], u.routes, u.pools, u.created,
        u.updated, u.deleted, u.slaac, u.quarantine
    FROM compute.subnet u JOIN compute.network n ON n.id = u.network
"""
SORTED = {
    "id": "u.id",
    "name": "u.name",
    "network_id": "u.network",
    "cidr": "u.cidr",
    "gateway_ip": "u.gateway",
    "ip_version": "u.ip_version",
    "enable_dhcp": "u.dhcp",
    "tenant_id": "n.project",
    "project_id": "n.project",
    "created_at": "u.created",
    "updated_at": "u.updated",
}
"""What lists of subnets can be sorted by."""


async def listed(db: Database, scope: Scope, wanted: Filter) -> list[Subnet]:
    """One page of subnets; one more than ``limit`` if there are more."""
    tests = Conditions(scope, seen(scope))
    tests.add("u.id = ANY(%(ids)s::bigint[])", "ids", wanted.ids)
    tests.add("u.name = %(name)s", "name", wanted.name)
    tests.add("u.network = %(network)s", "network", wanted.network)
    tests.add("n.project = %(project)s", "project", wanted.project)
    tests.add("n.public = %(public)s", "public", wanted.public)
    tests.add("u.ip_version = %(version)s", "version", wanted.version)
    tests.add("u.cidr::text = %(cidr)s", "cidr", wanted.cidr)
    tests.add("host(u.gateway) = %(gateway)s", "gateway", wanted.gateway)
    tests.add("u.dhcp = %(dhcp)s", "dhcp", wanted.dhcp)
    tests.changed("u", wanted.since)
    return [_subnet(row) for row in await page(db, _SUBNET, "u", tests, wanted, SORTED)]


async def find(db: Database, scope: Scope, ident: int) -> Subnet | None:
    """One subnet; None if there is none that ``scope`` sees."""
    rows = await db.read(
        f"{_SUBNET} WHERE u.id = %(id)s AND NOT u.deleted AND {seen(scope)}",
        {"id": ident, **scope.params},
    )
    return _subnet(rows[0]) if rows else None


async def network_of(tx: Transaction, ident: int) -> int | None:
    """The network of a subnet; None if there is no such one."""
    row = await tx.row(
        "SELECT network FROM compute.subnet WHERE id = %s AND NOT deleted", (ident,)
    )
    return int(row[0]) if row else None


async def within(tx: Transaction, network: int) -> list[Subnet]:
    """The subnets of a network as ``tx`` has them by now, IPv4 first."""
    rows = await tx.rows(
        f"{_SUBNET} WHERE u.network = %s AND NOT u.deleted ORDER BY u.ip_version",
        (network,),
    )
    return [_subnet(row) for row in rows]


def _subnet(row: Row) -> Subnet:
    head, (text, gateway, dhcp, dns, routes, pools), tail = row[:6], row[6:12], row[12:]
    ranges = tuple((IPv4Address(a), IPv4Address(b)) for a, b in pools)
    gate = ip_address(gateway) if gateway else None
    names = tuple(server.split("/")[0] for server in dns)
    return Subnet(*(*head, ip_network(text), gate, dhcp, names, routes, ranges, *tail))


async def insert(tx: Transaction, values: Mapping[str, Any]) -> int:
    """Insert a subnet with its addresses; its id.

    :param values: network, owner, name, version, cidr, gateway, dhcp, slaac, dns,
        routes, pools (pairs of addresses) and quarantine.
    """
    row = await tx.row(
        "INSERT INTO compute.subnet (network, owner, name, ip_version, cidr, gateway, "
        "dhcp, slaac, dns, routes, pools, quarantine) VALUES (%(network)s, %(owner)s, "
        "%(name)s, %(version)s, %(cidr)s::cidr, %(gateway)s::inet, %(dhcp)s, "
        "%(slaac)s, %(dns)s::inet[], %(routes)s, %(pools)s, %(quarantine)s) "
        "RETURNING id",
        {
            **values,
            "routes": Jsonb([list(one) for one in values["routes"]]),
            "pools": _stored(values["pools"]),
        },
    )
    assert row is not None
    ident = int(row[0])
    await insert_slots(tx, ident, values["pools"])
    return ident


def _stored(ranges: Sequence[tuple[IPv4Address, IPv4Address]]) -> Jsonb:
    return Jsonb([[str(a), str(b)] for a, b in ranges])


async def insert_slots(
    tx: Transaction, ident: int, ranges: Sequence[tuple[IPv4Address, IPv4Address]]
) -> None:
    """Make every address of ``ranges`` available, but for those that are reserved."""
    for first, last in ranges:
        await tx.execute(
            "INSERT INTO compute.ip_slot (subnet, addr, reserved) SELECT %(subnet)s, "
            "one.addr, EXISTS (SELECT FROM compute.reserved_ip r "
            "WHERE r.subnet = %(subnet)s AND r.addr = one.addr) "
            "FROM (SELECT %(first)s::inet + i AS addr "
            "FROM generate_series(0, %(more)s) AS i) AS one",
            {
                "subnet": ident,
                "first": str(first),
                "more": int(last) - int(first),
            },
        )


async def update(tx: Transaction, ident: int, **values: Any) -> None:
    """Set columns of a subnet; ``routes`` and ``pools`` as `insert` takes them."""
    given = dict(values)
    if "routes" in given:
        given["routes"] = Jsonb([list(one) for one in given["routes"]])
    if "pools" in given:
        given["pools"] = _stored(given["pools"])
    await tx.execute(
        f"UPDATE compute.subnet SET {changes_to(given, {'dns': 'inet[]'})} "
        "WHERE id = %(ident)s",
        {**given, "ident": ident},
    )


async def drop(tx: Transaction, ident: int) -> None:
    """Mark a subnet deleted and take its addresses away."""
    await tx.execute("DELETE FROM compute.ip_slot WHERE subnet = %s", (ident,))
    await tx.execute("DELETE FROM compute.reserved_ip WHERE subnet = %s", (ident,))
    await update(tx, ident, deleted=True)


async def in_use(tx: Transaction, ident: int) -> bool:
    """Whether addresses of a subnet are taken."""
    row = await tx.row(
        "SELECT 1 FROM compute.ip WHERE subnet = %s AND NOT deleted LIMIT 1", (ident,)
    )
    return row is not None


async def reserve(
    tx: Transaction, ident: int, addresses: Sequence[str], cluster: int | None
) -> None:
    """Give none of ``addresses`` out.

    :param cluster: the one that has them for itself; None for an administrator.
    """
    await tx.execute(
        "INSERT INTO compute.reserved_ip (subnet, addr, cluster) SELECT u.id, one, %s "
        "FROM compute.subnet u, unnest(%s::inet[]) AS one WHERE u.id = %s "
        "AND one << u.cidr ON CONFLICT DO NOTHING",
        (cluster, list(addresses), ident),
    )


async def release(
    tx: Transaction, ident: int, addresses: Sequence[str], cluster: int | None
) -> None:
    """Take back what `reserve` said; who has another reason keeps it."""
    await tx.execute(
        "DELETE FROM compute.reserved_ip WHERE subnet = %s "
        "AND addr = ANY(%s::inet[]) AND cluster IS NOT DISTINCT FROM %s::int",
        (ident, list(addresses), cluster),
    )


@frozen
class Held:
    """Addresses of an IPv4 subnet that a cluster has for itself.

    :ivar never: those that nobody gets anyway: both ends, and the gateway.
    """

    network: int
    subnet: int
    never: frozenset[str]
    addresses: frozenset[str]


async def held_by(
    tx: Transaction, cluster: int, network: int | None = None
) -> list[Held]:
    """The IPv4 subnets of a cluster's networks.

    :param network: only that of this one.
    """
    rows = await tx.rows(
        "SELECT u.network, u.id, ARRAY[host(network(u.cidr)), host(broadcast(u.cidr)), "
        "host(u.gateway)], ARRAY(SELECT host(r.addr) FROM compute.reserved_ip r "
        "WHERE r.subnet = u.id AND r.cluster = p.cluster) FROM compute.subnet u "
        "JOIN compute.cluster_network p ON p.network = u.network "
        "WHERE p.cluster = %(cluster)s AND u.ip_version = 4 AND NOT u.deleted "
        "AND (%(network)s::bigint IS NULL OR u.network = %(network)s)",
        {"cluster": cluster, "network": network},
    )
    return [Held(row[0], row[1], frozenset(row[2]), frozenset(row[3])) for row in rows]
