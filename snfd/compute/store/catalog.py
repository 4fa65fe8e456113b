"""Flavors and volume types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from snfd.compute.model import Flavor
from snfd.db.port import Database, Row, Transaction

_FLAVORS = """
    SELECT f.id, f.cpu, f.ram, f.disk, f.volume_type, t.disk_template,
        f.allow_create, f.public, f.specs, f.deleted,
        coalesce((SELECT array_agg(a.project ORDER BY a.project)
                  FROM compute.flavor_access a WHERE a.flavor = f.id), '{}'::uuid[])
    FROM compute.flavor f JOIN compute.volume_type t ON t.id = f.volume_type
"""
_SEEN = """(f.public OR EXISTS (SELECT 1 FROM compute.flavor_access a
    WHERE a.flavor = f.id AND a.project = ANY(%(projects)s::uuid[])))"""


async def listed(
    db: Database,
    projects: Sequence[UUID],
    public: bool | None,
    marker: int | None,
    limit: int,
) -> list[Flavor]:
    """Flavors that members of ``projects`` may see, by id.

    :param public: only public ones, only others, or both (None).
    """
    rows = await db.read(
        f"{_FLAVORS} WHERE NOT f.deleted AND {_SEEN} "
        "AND (%(public)s::boolean IS NULL OR f.public = %(public)s) "
        "AND f.id > %(marker)s ORDER BY f.id LIMIT %(limit)s",
        {
            "projects": [str(project) for project in projects],
            "public": public,
            "marker": marker or 0,
            "limit": limit,
        },
    )
    return [_flavor(row) for row in rows]


async def find(
    db: Database, ident: int, projects: Sequence[UUID], user: UUID | None
) -> Flavor | None:
    """One flavor, deleted or closed ones too if there are servers of it.

    :param user: whose servers; None for nobody's.
    """
    rows = await db.read(
        f"{_FLAVORS} WHERE f.id = %(id)s AND ({_SEEN} OR EXISTS (SELECT 1 "
        "FROM compute.server s WHERE s.flavor = f.id AND s.owner = %(user)s::uuid))",
        {"id": ident, "projects": [str(project) for project in projects], "user": user},
    )
    return _flavor(rows[0]) if rows else None


def _flavor(row: Row) -> Flavor:
    return Flavor(*(*row[:10], tuple(row[10])))


async def ensure_volume_type(tx: Transaction, name: str, template: str) -> int:
    """The volume type called ``name``, made where there is none; its id."""
    await tx.execute(
        "INSERT INTO compute.volume_type (name, disk_template) VALUES (%s, %s) "
        "ON CONFLICT (name) DO NOTHING",
        (name, template),
    )
    row = await tx.row("SELECT id FROM compute.volume_type WHERE name = %s", (name,))
    assert row is not None
    return int(row[0])


async def ensure_flavor(tx: Transaction, size: Mapping[str, int]) -> None:
    """Make a flavor of ``cpu``, ``ram``, ``disk``, ``volume_type`` if missing."""
    await tx.execute(
        "INSERT INTO compute.flavor (cpu, ram, disk, volume_type) VALUES "
        "(%(cpu)s, %(ram)s, %(disk)s, %(volume_type)s) "
        "ON CONFLICT (cpu, ram, disk, volume_type) DO NOTHING",
        dict(size),
    )


async def like(tx: Transaction, flavor: int, cpu: int, ram: int) -> int:
    """A flavor with the disk and volume type of another; made if there is none.

    One that is made is open to nobody: servers have it, and their owners see it.
    """
    values = {"flavor": flavor, "cpu": cpu, "ram": ram}
    await tx.execute(
        "INSERT INTO compute.flavor (cpu, ram, disk, volume_type, public, allow_create)"
        " SELECT %(cpu)s, %(ram)s, f.disk, f.volume_type, false, false"
        " FROM compute.flavor f WHERE f.id = %(flavor)s"
        " ON CONFLICT (cpu, ram, disk, volume_type) DO NOTHING",
        values,
    )
    row = await tx.row(
        "SELECT f.id FROM compute.flavor f JOIN compute.flavor o ON o.id = %(flavor)s"
        " WHERE (f.cpu, f.ram, f.disk, f.volume_type)"
        " = (%(cpu)s, %(ram)s, o.disk, o.volume_type)",
        values,
    )
    assert row is not None
    return int(row[0])


async def shape(tx: Transaction, flavor: int) -> tuple[int, int]:
    """GiB of disk, and the volume type, of a flavor that exists."""
    row = await tx.row(
        "SELECT disk, volume_type FROM compute.flavor WHERE id = %s", (flavor,)
    )
    assert row is not None
    return int(row[0]), int(row[1])
