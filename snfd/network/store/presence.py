"""Where networks exist."""

from __future__ import annotations

from attrs import frozen

from snfd.db.port import Transaction

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
