"""SQL that compares holdings with what they follow from (schema ``quota``)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.db.port import Row, Transaction
from snfd.quota.model import Key
from snfd.quota.store import NIL, WANTED, columns

_PENDING = """
    SELECT project_id, member, resource,
           coalesce(sum(quantity) FILTER (WHERE quantity > 0), 0)::bigint AS imports,
           coalesce(-sum(quantity) FILTER (WHERE quantity < 0), 0)::bigint AS releases
      FROM quota.provision GROUP BY project_id, member, resource
"""

_USAGE = f"""
    SELECT h.project_id, h.member, h.resource, h.usage_min, h.usage_max,
           coalesce(p.imports, 0) AS imports, coalesce(p.releases, 0) AS releases
      FROM quota.holding h
      LEFT JOIN ({_PENDING}) AS p USING (project_id, member, resource)
"""


async def limits(tx: Transaction, most: int) -> list[Row]:
    """Holdings whose limit is not what projects and memberships say.

    Rows: project, member, resource, limit wanted (None: there must be no such
    holding), limit found (None: it is missing), usage found.
    """
    return await tx.rows(
        f"""
        SELECT coalesce(w.project_id, h.project_id),
               coalesce(w.member, h.member), coalesce(w.resource, h.resource),
               w.cap, h.cap, coalesce(h.usage_max, 0)
          FROM (SELECT project_id, coalesce(user_id, {NIL}) AS member, resource, cap
                  FROM ({WANTED}) AS every) AS w
          FULL JOIN quota.holding h
            ON h.project_id = w.project_id AND h.member = w.member
           AND h.resource = w.resource
         WHERE w.cap IS DISTINCT FROM h.cap
         ORDER BY 1, 2, 3 LIMIT %s
        """,
        (most,),
    )


async def usage(tx: Transaction, most: int) -> list[Row]:
    """Holdings whose usage does not fit what is pending.

    Rows: project, member, resource, usage_min, usage_max, pending imports,
    pending releases.
    """
    return await tx.rows(
        f"""
        SELECT * FROM ({_USAGE}) AS u
         WHERE usage_max - imports <> usage_min + releases OR usage_max < imports
         ORDER BY 1, 2, 3 LIMIT %s
        """,
        (most,),
    )


async def sums(tx: Transaction, most: int) -> list[Row]:
    """Projects that use something else than their members do together.

    What is pending is left out of both: it may be a half of something.

    Rows: project, nil, resource, usage of the project, usage of all members
    together, pending imports and releases of the project.
    """
    return await tx.rows(
        f"""
        WITH settled AS MATERIALIZED (
            SELECT project_id, member, resource, usage_max - imports AS usage,
                   imports, releases FROM ({_USAGE}) AS u)
        SELECT p.project_id, p.member, p.resource, p.usage,
               coalesce(m.usage, 0)::bigint, p.imports, p.releases
          FROM settled p
          LEFT JOIN (SELECT project_id, resource, sum(usage) AS usage
                       FROM settled WHERE member <> {NIL}
                      GROUP BY project_id, resource) AS m
                 USING (project_id, resource)
         WHERE p.member = {NIL} AND p.usage <> coalesce(m.usage, 0)
         ORDER BY 1, 2, 3 LIMIT %s
        """,
        (most,),
    )


async def actual(
    tx: Transaction, counted: str, resources: Sequence[str], most: int
) -> list[Row]:
    """Holdings whose settled usage is not what there is, counted anew.

    One statement, so that both are of one moment.

    :param counted: SQL for rows of project, user, resource and amount.
    :param resources: all that it counts.
    :returns: project, member, resource, usage, count, pending imports and releases.
    """
    return await tx.rows(
        f"""
        WITH part (project_id, member, resource, amount) AS ({counted}),
        counted AS (
            SELECT project_id, coalesce(member, {NIL}) AS member, resource,
                   sum(amount)::bigint AS amount
              FROM part
             GROUP BY GROUPING SETS ((project_id, member, resource),
                                     (project_id, resource)))
        SELECT u.project_id, u.member, u.resource, u.usage_max - u.imports,
               coalesce(c.amount, 0), u.imports, u.releases
          FROM ({_USAGE}) AS u
          LEFT JOIN counted c USING (project_id, member, resource)
         WHERE u.resource = ANY (%s)
           AND u.usage_max - u.imports <> coalesce(c.amount, 0)
         ORDER BY 1, 2, 3 LIMIT %s
        """,
        (list(resources), most),
    )


async def of_members(
    tx: Transaction, projects: Sequence[UUID], resources: Sequence[str]
) -> list[Key]:
    """The keys of all holdings of these projects and resources, pairwise."""
    rows = await tx.rows(
        """
        SELECT h.project_id, h.member, h.resource
          FROM quota.holding h
          JOIN unnest(%s::uuid[], %s::text[]) AS k (project, resource)
            ON h.project_id = k.project AND h.resource = k.resource
         ORDER BY 1, 2, 3
        """,
        (list(projects), list(resources)),
    )
    return [Key(*row) for row in rows]


async def remove(tx: Transaction, keys: Sequence[Key], *, used: bool) -> int:
    """Remove holdings for which nothing is pending; how many it were.

    :param used: also those of which something is used.
    """
    return await tx.execute(
        """
        DELETE FROM quota.holding h
         USING unnest(%(projects)s::uuid[], %(members)s::uuid[],
                      %(resources)s::text[]) AS k (project, member, resource)
         WHERE h.project_id = k.project AND h.member = k.member
           AND h.resource = k.resource AND (%(used)s OR h.usage_max = 0)
           AND NOT EXISTS (
               SELECT 1 FROM quota.provision p
                WHERE p.project_id = h.project_id AND p.member = h.member
                  AND p.resource = h.resource)
        """,
        {**columns(keys), "used": used},
    )


async def own_usage(tx: Transaction, resource: str) -> list[Row]:
    """Users' own use of ``resource`` in their own projects: user, min, max."""
    return await tx.rows(
        "SELECT user_id, usage_min, usage_max FROM quota.holding"
        " WHERE resource = %s AND user_id = project_id ORDER BY user_id",
        (resource,),
    )
