"""What placement knows of clusters, locked until the new server is recorded."""

from __future__ import annotations

from uuid import UUID

from snfd.compute.placement import ClusterFacts
from snfd.db.port import Row, Transaction

_FACTS = """
    SELECT c.id, c.name, c.idx, c.hypervisor, c.os_name, c.disk_templates,
        c.node_groups, c.drained, c.offline, c.public, c.reachable,
        c.mfree - w.ram, c.mtotal, c.dfree - w.disk, c.dtotal,
        coalesce(c.pinst_cnt, 0) + w.number, c.ctotal, c.weight
    FROM compute.cluster c LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE s.created > c.stats_at
            OR s.state = 'BUILD' OR c.stats_at IS NULL) AS number,
            coalesce(sum(f.ram), 0)::bigint AS ram,
            coalesce(sum((
                SELECT sum(v.size * CASE WHEN t.disk_template = 'drbd' THEN 2048
                                         ELSE 1024 END)
                FROM compute.volume v
                JOIN compute.volume_type t ON t.id = v.volume_type
                WHERE v.server = s.id AND NOT v.deleted)), 0)::bigint AS disk
        FROM compute.server s JOIN compute.flavor f ON f.id = s.flavor
        WHERE s.cluster = c.id AND NOT s.deleted
            -- as the index server_uncounted has it
            AND CASE WHEN s.state = 'BUILD' THEN timestamptz 'infinity'
                     ELSE greatest(s.created, s.launched) END
                > coalesce(c.stats_at, timestamptz '-infinity')
    ) w ON true
    ORDER BY c.id
"""


async def lock(tx: Transaction) -> list[ClusterFacts]:
    """Every cluster, less what is being made there or began after its figures.

    Nobody else places a server until ``tx`` ends, so each sees what all before
    it took; what may have been counted twice is taken off twice.
    """
    await tx.rows("SELECT id FROM compute.cluster ORDER BY id FOR NO KEY UPDATE")
    # a statement of its own: it sees what was committed while the first waited
    return [_facts(row) for row in await tx.rows(_FACTS)]


def _facts(row: Row) -> ClusterFacts:
    templates, groups = tuple(row[5]), tuple(row[6])
    return ClusterFacts(*(*row[:5], templates, groups, *row[7:]))


async def dedicated(tx: Transaction, project: UUID) -> frozenset[int]:
    """The clusters that a project is kept to; empty for all that are public."""
    rows = await tx.rows(
        "SELECT cluster FROM compute.project_cluster WHERE project = %s", (project,)
    )
    return frozenset(row[0] for row in rows)


async def pinned(tx: Transaction, person: UUID) -> int | None:
    """The cluster that a person's servers go to, or None."""
    row = await tx.row(
        "SELECT cluster FROM compute.user_cluster WHERE person = %s", (person,)
    )
    return row[0] if row else None
