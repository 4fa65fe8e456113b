"""Whom servers, and what goes with them, belong to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.db.port import Database, Transaction


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


async def project_of(db: Database, server: int) -> UUID | None:
    """The project of a server, gone or not; None if there is none."""
    found = await db.read("SELECT project FROM compute.server WHERE id = %s", (server,))
    return found[0][0] if found else None


async def one_of(tx: Transaction, server: int, groups: Sequence[str]) -> bool:
    """Whether a server's owner is in one of these groups; the server is locked."""
    row = await tx.row(
        "SELECT owner FROM compute.server WHERE id = %s FOR UPDATE", (server,)
    )
    if row is None:
        return False
    found = await tx.row(
        "SELECT EXISTS (SELECT FROM identity.user_group_member m "
        "JOIN identity.user_group g ON g.id = m.group_id "
        "WHERE m.user_id = %s AND g.name = ANY(%s))",
        (row[0], list(groups)),
    )
    return found is not None and bool(found[0])


async def belongs(tx: Transaction, user: UUID, project: UUID) -> bool:
    """Whether a user is a member, who may write, of an active project."""
    row = await tx.row(
        "SELECT EXISTS (SELECT FROM identity.membership m "
        "JOIN identity.project p ON p.uuid = m.project_id "
        "WHERE m.user_id = %s AND p.uuid = %s AND p.state = 'active' "
        "AND m.role <> 'reader' AND m.state IN ('accepted', 'leave_requested'))",
        (user, project),
    )
    return row is not None and bool(row[0])


async def floating(tx: Transaction, server: int) -> list[tuple[UUID, UUID]]:
    """Owner and project of each floating IP on a locked server's cards."""
    found = await tx.rows(
        "SELECT i.owner, i.project FROM compute.ip i "
        "JOIN compute.port p ON p.id = i.port "
        "WHERE p.server = %s AND i.floating AND NOT i.deleted ORDER BY i.id",
        (server,),
    )
    return [(row[0], row[1]) for row in found]


async def give(tx: Transaction, server: int, owner: UUID, project: UUID) -> None:
    """Give a locked server, its volumes, cards and addresses to somebody."""
    values = {"id": server, "owner": owner, "project": project}
    changes = "owner = %(owner)s, project = %(project)s, shared = false"
    await tx.execute(
        f"UPDATE compute.server SET {changes}, new_password = NULL WHERE id = %(id)s",
        values,
    )
    await tx.execute(
        f"UPDATE compute.volume SET {changes} WHERE server = %(id)s AND NOT deleted",
        values,
    )
    await tx.execute(f"UPDATE compute.port SET {changes} WHERE server = %(id)s", values)
    await tx.execute(
        f"UPDATE compute.ip SET {changes} WHERE NOT deleted AND port IN "
        "(SELECT id FROM compute.port WHERE server = %(id)s)",
        values,
    )
