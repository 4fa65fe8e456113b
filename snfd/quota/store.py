"""SQL of schema ``quota``.

Holdings are locked by `locked` only, in key order, whatever the caller
names; whoever locks nothing afterwards cannot deadlock with another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from snfd.db.port import Row, Statement, Transaction
from snfd.quota.model import Holding, Key, Limit, Resource

NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
"""Stands for the member in a whole project's holding, see `WHOLE_PROJECT`."""

_KEYS = """
    unnest(%(projects)s::uuid[], %(members)s::uuid[], %(resources)s::text[])
"""


WANTED = """
    SELECT l.project_id, NULL::uuid AS user_id, l.resource,
           CASE WHEN p.state = 'active' THEN l.project_cap ELSE 0 END AS cap
      FROM quota.project_limit l
      JOIN identity.project p ON p.uuid = l.project_id
    UNION ALL
    SELECT l.project_id, m.user_id, l.resource,
           CASE WHEN p.state = 'active' AND m.state IN ('accepted', 'leave_requested')
                THEN l.member_cap ELSE 0 END
      FROM quota.project_limit l
      JOIN identity.project p ON p.uuid = l.project_id
      JOIN identity.membership m ON m.project_id = l.project_id AND m.initialized
"""
"""The holdings that there must be: (project_id, user_id, resource, cap)."""


async def locked(tx: Transaction, keys: Iterable[Key]) -> dict[Key, Holding]:
    """Lock exactly the holdings ``keys``; those that do not exist are missing."""
    rows = await tx.rows(
        f"""
        SELECT h.project_id, h.member, h.resource, h.cap, h.usage_min, h.usage_max
          FROM quota.holding h
          JOIN {_KEYS} AS k (project, member, resource)
            ON h.project_id = k.project AND h.member = k.member
           AND h.resource = k.resource
         ORDER BY h.project_id, h.member, h.resource
           FOR NO KEY UPDATE OF h
        """,
        columns(keys),
    )
    holdings = map(_holding, rows)
    return {holding.key: holding for holding in holdings}


async def save(tx: Transaction, holdings: Sequence[Holding]) -> None:
    """Write the usage of ``holdings``, which are locked."""
    await tx.execute(
        """
        UPDATE quota.holding h SET usage_min = k.low, usage_max = k.high
          FROM unnest(%(projects)s::uuid[], %(members)s::uuid[],
                      %(resources)s::text[], %(low)s::bigint[], %(high)s::bigint[])
               AS k (project, member, resource, low, high)
         WHERE h.project_id = k.project AND h.member = k.member
           AND h.resource = k.resource
        """,
        {
            **columns(holding.key for holding in holdings),
            "low": [holding.usage_min for holding in holdings],
            "high": [holding.usage_max for holding in holdings],
        },
    )


async def unknown(
    tx: Transaction, resources: Sequence[str], *, hidden: bool = True
) -> list[str]:
    """Those of ``resources`` that are not registered.

    :param hidden: whether those that the API does not show count as registered.
    """
    rows = await tx.rows(
        "SELECT r FROM unnest(%s::text[]) r WHERE NOT EXISTS"
        " (SELECT 1 FROM quota.resource WHERE name = r AND (api_visible OR %s))",
        (list(resources), hidden),
    )
    return [row[0] for row in rows]


_RESOURCES_LOCK = 0x736E6652


async def lock_resources(tx: Transaction, *, exclusive: bool) -> None:
    """Keep the list of resources as it is until the transaction ends.

    Who gives projects or members their holdings does so; who adds a resource
    does it exclusively. Or a project could miss a resource that was added at
    the same time.
    """
    kind = "" if exclusive else "_shared"
    await tx.execute(f"SELECT pg_advisory_xact_lock{kind}(%s)", (_RESOURCES_LOCK,))


async def upsert_resources(tx: Transaction, resources: Sequence[Resource]) -> list[str]:
    """Add ``resources``; the names of those that are new.

    Of those that exist only the descriptions are refreshed.
    """
    new = []
    for one in sorted(resources, key=lambda resource: resource.name):
        row = await tx.row(
            """
            INSERT INTO quota.resource AS r (name, description, unit, service_type,
                service_origin, system_default, project_default, api_visible,
                ui_visible)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (name) DO UPDATE SET description = excluded.description,
                unit = excluded.unit, service_type = excluded.service_type,
                service_origin = excluded.service_origin
             WHERE (r.description, r.unit, r.service_type, r.service_origin)
                   IS DISTINCT FROM (excluded.description, excluded.unit,
                                     excluded.service_type, excluded.service_origin)
            RETURNING xmax = 0
            """,
            (
                one.name, one.description, one.unit, one.service_type, one.origin,
                one.system_default, one.project_default, one.api_visible,
                one.ui_visible,
            ),
        )  # fmt: skip
        if row is not None and row[0]:
            new.append(one.name)
    return new


async def default_limits(
    tx: Transaction, project: UUID | None, resources: Sequence[str] | None = None
) -> None:
    """Give ``project`` (None: every one) a limit for each resource it lacks.

    Only projects that were active once have limits.

    :param resources: only these; None for all.
    """
    await tx.execute(
        """
        INSERT INTO quota.project_limit (project_id, resource, project_cap, member_cap)
        SELECT p.uuid, r.name, l.cap, l.cap
          FROM identity.project p CROSS JOIN quota.resource r
          CROSS JOIN LATERAL (SELECT CASE WHEN p.is_system THEN r.system_default
                                          ELSE r.project_default END) AS l (cap)
         WHERE p.state IN ('active', 'suspended', 'terminated')
           AND (%(project)s::uuid IS NULL OR p.uuid = %(project)s)
           AND (%(resources)s::text[] IS NULL OR r.name = ANY(%(resources)s))
         ORDER BY p.uuid, r.name
        ON CONFLICT (project_id, resource) DO NOTHING
        """,
        {"project": project, "resources": _list(resources)},
    )


async def set_limits(
    tx: Transaction, project: UUID, limits: Mapping[str, Limit]
) -> None:
    """Write ``limits`` of ``project``; holdings are not touched."""
    names = sorted(limits)
    await tx.execute(
        """
        INSERT INTO quota.project_limit (project_id, resource, project_cap, member_cap)
        SELECT %s, k.* FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS k
        ON CONFLICT (project_id, resource) DO UPDATE
           SET project_cap = excluded.project_cap, member_cap = excluded.member_cap
        """,
        (
            project,
            names,
            [limits[name].project for name in names],
            [limits[name].member for name in names],
        ),
    )


async def refresh(
    tx: Transaction,
    project: UUID | None,
    user: UUID | None = None,
    resources: Sequence[str] | None = None,
) -> int:
    """Make holdings and their limits what projects and memberships say.

    How many were added or changed.
    Usage is never touched, no holding is removed, and locks are taken in key
    order (``spec/astakos.md`` §3.6, §3.9).

    :param project: whose holdings, or None for all.
    :param user: only this member's, or None for all and the project's own.
    :param resources: only holdings of these, or None for all.
    """
    return await tx.execute(
        f"""
        INSERT INTO quota.holding (project_id, user_id, resource, cap)
        SELECT project_id, user_id, resource, cap FROM ({WANTED}) AS wanted
         WHERE (%(project)s::uuid IS NULL OR project_id = %(project)s)
           AND (%(user)s::uuid IS NULL OR user_id = %(user)s)
           AND (%(resources)s::text[] IS NULL OR resource = ANY(%(resources)s))
         ORDER BY project_id, user_id NULLS FIRST, resource
        ON CONFLICT (project_id, member, resource) DO UPDATE
           SET cap = excluded.cap WHERE holding.cap <> excluded.cap
        """,
        {"project": project, "user": user, "resources": _list(resources)},
    )


USAGE = Statement(
    "quota_usage",
    f"""
    SELECT u.project_id, u.resource, u.cap, u.usage_min, u.usage_max,
           p.cap, p.usage_min, p.usage_max
      FROM quota.holding u
      JOIN quota.holding p ON p.project_id = u.project_id AND p.user_id IS NULL
       AND p.member = {NIL}
       AND p.resource = u.resource
      JOIN quota.resource r ON r.name = u.resource
     WHERE u.user_id = $1 AND ($2::uuid IS NULL OR u.project_id = $2)
       AND (r.api_visible OR $3)
       AND (u.usage_max > 0 OR EXISTS (
            SELECT 1 FROM identity.membership m
              JOIN identity.project q ON q.uuid = m.project_id
             WHERE m.user_id = u.user_id AND m.project_id = u.project_id
               AND m.state IN ('accepted', 'leave_requested')
               AND q.state <> 'deleted'))
     ORDER BY u.project_id, u.resource
    """,
)

_RESOURCE = """
    name, description, unit, service_type, service_origin, system_default,
    project_default, api_visible, ui_visible
"""

RESOURCES = Statement(
    "quota_resources",
    f"SELECT {_RESOURCE} FROM quota.resource WHERE api_visible ORDER BY name",
)
"""What the API shows: () → rows for `Resource`."""


async def lock_resource(tx: Transaction, name: str) -> Resource | None:
    """The resource called ``name``, kept from changing; None for none."""
    row = await tx.row(
        f"SELECT {_RESOURCE} FROM quota.resource WHERE name = %s FOR NO KEY UPDATE",
        (name,),
    )
    return None if row is None else Resource(*row)


async def save_resource(tx: Transaction, one: Resource) -> None:
    """Write a resource's defaults and visibility."""
    await tx.execute(
        "UPDATE quota.resource SET system_default = %s, project_default = %s,"
        " api_visible = %s, ui_visible = %s WHERE name = %s",
        (
            one.system_default,
            one.project_default,
            one.api_visible,
            one.ui_visible,
            one.name,
        ),
    )


async def resources_of(tx: Transaction, services: Sequence[str]) -> list[Resource]:
    """The resources that ``services`` account for, by name."""
    rows = await tx.rows(
        f"SELECT {_RESOURCE} FROM quota.resource"
        " WHERE service_origin = ANY(%s::text[]) ORDER BY name",
        (list(services),),
    )
    return [Resource(*row) for row in rows]


def columns(keys: Iterable[Key]) -> dict[str, object]:
    """``keys`` as three parameters: projects, members, resources."""
    listed = list(keys)
    return {
        "projects": [key.project for key in listed],
        "members": [key.member for key in listed],
        "resources": [key.resource for key in listed],
    }


def _list(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _holding(row: Row) -> Holding:
    return Holding(Key(*row[:3]), *row[3:])
