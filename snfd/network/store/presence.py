"""Where networks exist."""

from __future__ import annotations

from attrs import frozen

from snfd.db.port import Row, Transaction
from snfd.network.model import Cluster

_SELECT = (
    "SELECT network, cluster, mac_prefix, state, added FROM compute.cluster_network"
)


@frozen
class Presence:
    """A network at a cluster.

    :ivar mac_prefix: three octets.
    :ivar added: the cluster knows it, but perhaps not every node group.
    """

    network: int
    cluster: int
    mac_prefix: str
    state: str
    added: bool


async def appear(
    tx: Transaction, network: int, cluster: int, mac_prefix: str
) -> tuple[Presence, bool]:
    """A network's row at a cluster, made where there is none.

    It is locked unless the network works there already.

    :returns: the row, and whether the cluster must be told to make it.
    """
    this = f"{_SELECT} WHERE network = %s AND cluster = %s"
    row = await tx.row(this, (network, cluster))
    if row is not None and row[3] == "ACTIVE":
        return Presence(*row), False
    made = await tx.execute(
        "INSERT INTO compute.cluster_network (network, cluster, mac_prefix) "
        "VALUES (%s, %s, %s) ON CONFLICT (network, cluster) DO NOTHING",
        (network, cluster, mac_prefix),
    )
    row = await tx.row(f"{this} FOR UPDATE", (network, cluster))
    assert row is not None
    there = Presence(*row)
    return there, bool(made) or there.state in ("ERROR", "DELETED")


async def presences(tx: Transaction, network: int) -> list[Presence]:
    """Where a network exists or is being made, locked, by cluster."""
    rows = await tx.rows(
        f"{_SELECT} WHERE network = %s ORDER BY cluster FOR UPDATE",
        (network,),
    )
    return [Presence(*row) for row in rows]


async def set_presence(
    tx: Transaction, network: int, cluster: int, state: str, added: bool
) -> None:
    """Note how far a network has come at a cluster."""
    await tx.execute(
        "UPDATE compute.cluster_network SET state = %s, added = %s "
        "WHERE network = %s AND cluster = %s",
        (state, added, network, cluster),
    )


async def vanish(tx: Transaction, network: int, cluster: int) -> None:
    """Note that a cluster knows a network no more."""
    await tx.execute(
        "DELETE FROM compute.cluster_network WHERE network = %s AND cluster = %s",
        (network, cluster),
    )


async def groups(tx: Transaction, cluster: int) -> list[str]:
    """Names of a cluster's node groups."""
    row = await tx.row(
        "SELECT node_groups FROM compute.cluster WHERE id = %s", (cluster,)
    )
    return list(row[0]) if row else []


_CLUSTER = "SELECT id, idx, node_groups FROM compute.cluster"


def _cluster(row: Row) -> Cluster:
    return Cluster(row[0], row[1], tuple(row[2]))


async def online(tx: Transaction) -> list[Cluster]:
    """The clusters that can be told something now, by id."""
    rows = await tx.rows(f"{_CLUSTER} WHERE NOT offline ORDER BY id")
    return [_cluster(row) for row in rows]


async def cluster(tx: Transaction, which: int | str) -> Cluster | None:
    """One cluster, by its id or name."""
    row = await tx.row(
        f"{_CLUSTER} WHERE name = %(which)s OR id::text = %(which)s "
        "ORDER BY name = %(which)s DESC LIMIT 1",
        {"which": str(which)},
    )
    return _cluster(row) if row else None


async def waits(tx: Transaction, network: int) -> bool:
    """Whether a cluster that answers has yet to say what it thinks of a network."""
    row = await tx.row(
        "SELECT 1 FROM compute.cluster_network p JOIN compute.cluster c "
        "ON c.id = p.cluster WHERE p.network = %s AND p.state = 'PENDING' "
        "AND NOT p.added AND NOT c.offline AND c.reachable LIMIT 1",
        (network,),
    )
    return row is not None


async def has_servers(tx: Transaction, network: int, at: int) -> bool:
    """Whether servers of a cluster have cards on a network."""
    row = await tx.row(
        "SELECT 1 FROM compute.port p JOIN compute.server s ON s.id = p.server "
        "WHERE p.network = %s AND s.cluster = %s LIMIT 1",
        (network, at),
    )
    return row is not None


async def busy(tx: Transaction, where: int) -> frozenset[int]:
    """Networks to which something is being done at a cluster."""
    rows = await tx.rows(
        "SELECT split_part(subject, ':', 2)::bigint FROM ops.outbox "
        "WHERE cluster = %s AND subject LIKE 'network:%%' AND finished IS NULL",
        (where,),
    )
    return frozenset(row[0] for row in rows)


async def at(tx: Transaction, where: int) -> list[Presence]:
    """The networks of a cluster that nothing is being done to there, by id."""
    rows = await tx.rows(
        f"{_SELECT} p WHERE p.cluster = %(at)s AND NOT EXISTS (SELECT "
        "FROM ops.outbox o WHERE o.subject = 'network:' || p.network "
        "AND o.finished IS NULL AND o.cluster = %(at)s) ORDER BY p.network",
        {"at": where},
    )
    return [Presence(*row) for row in rows]


async def absent(tx: Transaction, where: int) -> list[int]:
    """Networks that are to be everywhere, and are not at a cluster, by id."""
    rows = await tx.rows(
        "SELECT n.id FROM compute.network n WHERE n.everywhere AND NOT n.deleted "
        "AND n.action IS NULL AND NOT EXISTS (SELECT FROM compute.cluster_network p "
        "WHERE p.network = n.id AND p.cluster = %s) ORDER BY n.id",
        (where,),
    )
    return [row[0] for row in rows]
