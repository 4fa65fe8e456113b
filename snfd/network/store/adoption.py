"""Rows of networks that were made elsewhere, with the numbers that they have."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from snfd.db.port import Transaction
from snfd.db.sql import row_of

_LOCK = 0x736E6661
"""Advisory lock under which sequences are moved on."""

SEQUENCES = {
    "server": "compute.server_id_seq",
    "port": "compute.port_id_seq",
    "volume": "compute.volume_disk_number_seq",
    "network": "compute.network_id_seq",
}


async def skip(tx: Transaction, what: str, number: int) -> None:
    """Have no new thing get a number up to ``number``; stays if ``tx`` fails."""
    name = SEQUENCES[what]
    await tx.row("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    await tx.row(
        f"SELECT setval('{name}', %(number)s) FROM {name}"
        " WHERE last_value < %(number)s",
        {"number": number},
    )


async def insert(tx: Transaction, table: str, values: Mapping[str, object]) -> bool:
    """Insert a row; False where its number, or something unique, is taken."""
    return bool(
        await tx.execute(
            f"INSERT INTO compute.{table} {row_of(values)} ON CONFLICT DO NOTHING",
            dict(values),
        )
    )


async def there(tx: Transaction, network: int, cluster: int, prefix: str) -> None:
    """Note that a cluster knows a network already."""
    await tx.execute(
        "INSERT INTO compute.cluster_network (network, cluster, mac_prefix, state,"
        " added) VALUES (%s, %s, %s, 'ACTIVE', true)"
        " ON CONFLICT (network, cluster) DO NOTHING",
        (network, cluster, prefix),
    )


async def use_prefix(tx: Transaction, prefix: str) -> None:
    """Have no new network get a MAC prefix."""
    await tx.execute(
        "UPDATE compute.pool_slot s SET state = 'used' FROM compute.pool p"
        " WHERE p.id = s.pool AND p.kind = 'mac-prefix' AND s.value = %s",
        (prefix,),
    )


async def subnet(
    tx: Transaction, network: int, owner: UUID | None, facts: Mapping[str, object]
) -> None:
    """Make an IPv4 subnet; all but its gateway can be given out.

    :param facts: ``cidr``, ``gateway`` and ``dhcp``.
    """
    await tx.execute(
        "WITH made AS (INSERT INTO compute.subnet (network, owner, ip_version, cidr,"
        " gateway, dhcp, pools) VALUES (%(network)s, %(owner)s, 4, %(cidr)s::cidr,"
        " %(gateway)s::inet, %(dhcp)s, (SELECT jsonb_agg(jsonb_build_array("
        "  host(r.low), host(r.high)) ORDER BY r.low) FROM (VALUES"
        "  (network(%(cidr)s::cidr)::inet + 1, coalesce(%(gateway)s::inet,"
        "   broadcast(%(cidr)s::cidr)) - 1),"
        "  (%(gateway)s::inet + 1, broadcast(%(cidr)s::cidr) - 1)) AS r(low, high)"
        "  WHERE set_masklen(r.low, 32) <= set_masklen(r.high, 32)))"
        " RETURNING id, pools)"
        " INSERT INTO compute.ip_slot (subnet, addr) SELECT made.id,"
        " (p->>0)::inet + i FROM made, jsonb_array_elements(made.pools) AS p,"
        " generate_series(0, (p->>1)::inet - (p->>0)::inet) AS i",
        {"network": network, "owner": owner, **facts},
    )


async def address(tx: Transaction, network: int, addr: str) -> tuple[int, bool] | None:
    """Take an address that is in use.

    :returns: its subnet, and whether nobody had it; None where no subnet holds it.
    """
    row = await tx.row(
        "SELECT id FROM compute.subnet WHERE network = %s AND NOT deleted"
        " AND cidr >> %s::inet",
        (network, addr),
    )
    if row is None:
        return None
    taken = await tx.row(
        "SELECT state FROM compute.ip_slot WHERE subnet = %s AND addr = %s::inet"
        " FOR UPDATE",
        (row[0], addr),
    )
    await tx.execute(
        "UPDATE compute.ip_slot SET state = 'used' WHERE subnet = %s"
        " AND addr = %s::inet",
        (row[0], addr),
    )
    return row[0], taken is None or taken[0] == "free"
