"""Whom servers, and what goes with them, belong to."""

from __future__ import annotations

from uuid import UUID

from snfd.db.port import Transaction


async def serves(tx: Transaction, cluster: int, project: UUID) -> bool:
    """Whether a cluster is for everybody, or for that project."""
    row = await tx.row(
        "SELECT c.public OR EXISTS (SELECT 1 FROM compute.project_cluster p "
        "WHERE p.cluster = c.id AND p.project = %s) "
        "FROM compute.cluster c WHERE c.id = %s",
        (project, cluster),
    )
    return row is not None and bool(row[0])


async def sold_to(tx: Transaction, flavor: int, project: UUID) -> bool:
    """Whether a flavor is for everybody, or for that project."""
    row = await tx.row(
        "SELECT f.public OR EXISTS (SELECT 1 FROM compute.flavor_access a "
        "WHERE a.flavor = f.id AND a.project = %s) "
        "FROM compute.flavor f WHERE f.id = %s",
        (project, flavor),
    )
    return row is not None and bool(row[0])


async def strangers_parts(tx: Transaction, server: int, owner: UUID) -> bool:
    """Whether a server has a port or volume that is not its owner's."""
    row = await tx.row(
        "SELECT EXISTS (SELECT 1 FROM compute.port WHERE server = %(id)s "
        "AND owner <> %(owner)s) OR EXISTS (SELECT 1 FROM compute.volume "
        "WHERE server = %(id)s AND owner <> %(owner)s AND NOT deleted)",
        {"id": server, "owner": owner},
    )
    return row is not None and bool(row[0])


async def move(tx: Transaction, server: int, project: UUID, shared: bool) -> None:
    """Give a locked server, its volumes and cards to a project.

    Floating IPs, and the cards that carry them, stay where they are.
    """
    values = {"id": server, "project": project, "shared": shared}
    await tx.execute(
        "UPDATE compute.server SET project = %(project)s, shared = %(shared)s "
        "WHERE id = %(id)s",
        values,
    )
    await tx.execute(
        "UPDATE compute.volume SET project = %(project)s, shared = %(shared)s "
        "WHERE server = %(id)s AND NOT deleted",
        values,
    )
    moved = await tx.rows(
        "UPDATE compute.port p SET project = %(project)s, shared = %(shared)s "
        "WHERE p.server = %(id)s AND NOT EXISTS (SELECT 1 FROM compute.ip i "
        "WHERE i.port = p.id AND i.floating AND NOT i.deleted) RETURNING p.id",
        values,
    )
    await tx.execute(
        "UPDATE compute.ip SET project = %s, shared = %s "
        "WHERE port = ANY(%s::bigint[]) AND NOT deleted",
        (project, shared, [row[0] for row in moved]),
    )
