"""Whom clusters serve, and what they carry."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction


@frozen
class Load:
    """What of ours a cluster carries.

    :ivar volumes: that are on no server of it.
    """

    servers: int
    volumes: int
    networks: int


async def load(tx: Transaction, cluster: int) -> Load:
    """What of ours a locked cluster carries."""
    row = await tx.row(
        "SELECT (SELECT count(*) FROM compute.server WHERE cluster = %(id)s"
        " AND NOT deleted), (SELECT count(*) FROM compute.volume"
        " WHERE cluster = %(id)s AND NOT deleted AND server IS NULL),"
        " (SELECT count(*) FROM compute.cluster_network WHERE cluster = %(id)s)",
        {"id": cluster},
    )
    assert row is not None
    return Load(*row)


async def networks(tx: Transaction, cluster: int) -> list[int]:
    """The networks that a cluster knows, in order."""
    rows = await tx.rows(
        "SELECT network FROM compute.cluster_network WHERE cluster = %s"
        " AND state <> 'DELETED' ORDER BY network",
        (cluster,),
    )
    return [row[0] for row in rows]


async def dedicate(tx: Transaction, cluster: int, project: UUID) -> bool:
    """Keep a project to a cluster; False if it was already."""
    return bool(
        await tx.execute(
            "INSERT INTO compute.project_cluster (project, cluster) VALUES (%s, %s)"
            " ON CONFLICT DO NOTHING",
            (project, cluster),
        )
    )


async def release(tx: Transaction, cluster: int, project: UUID) -> bool:
    """Keep a project to a cluster no longer; False if it was not."""
    return bool(
        await tx.execute(
            "DELETE FROM compute.project_cluster WHERE project = %s AND cluster = %s",
            (project, cluster),
        )
    )


async def pin(tx: Transaction, cluster: int, person: UUID) -> None:
    """Send a person's new servers to a cluster."""
    await tx.execute(
        "INSERT INTO compute.user_cluster (person, cluster) VALUES (%s, %s)"
        " ON CONFLICT (person) DO UPDATE SET cluster = excluded.cluster",
        (person, cluster),
    )


async def unpin(tx: Transaction, cluster: int, person: UUID) -> bool:
    """Send a person's new servers there no longer; False if they did not go."""
    return bool(
        await tx.execute(
            "DELETE FROM compute.user_cluster WHERE person = %s AND cluster = %s",
            (person, cluster),
        )
    )
