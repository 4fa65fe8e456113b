"""SQL of what components ask about use and limits (schema ``quota``).

PostgreSQL makes the JSON text: there may be tens of thousands of numbers, and
making them here would hold everybody else up.
"""

from __future__ import annotations

from snfd.db.port import Statement
from snfd.quota.store import NIL

_HELD = f"""
    SELECT u.user_id, u.project_id, u.resource, json_build_object(
               'usage', u.usage_max, 'limit', u.cap,
               'pending', u.usage_max - u.usage_min,
               'project_usage', p.usage_max, 'project_limit', p.cap,
               'project_pending', p.usage_max - p.usage_min) AS told
      FROM identity.service s
      JOIN quota.resource r ON r.service_origin = s.name
      JOIN quota.holding u ON u.resource = r.name
      JOIN quota.holding p ON p.project_id = u.project_id AND p.resource = u.resource
       AND p.member = {NIL}
     WHERE s.component_id = $1
       AND (u.usage_max > 0 OR EXISTS (
            SELECT 1 FROM identity.membership m
              JOIN identity.project q ON q.uuid = m.project_id
             WHERE m.user_id = u.user_id AND m.project_id = u.project_id
               AND m.state IN ('accepted', 'leave_requested')
               AND q.state <> 'deleted'))
"""

_NESTED = """
    projects AS (
        SELECT user_id, project_id, json_object_agg(resource, told ORDER BY resource)
               AS told
          FROM held GROUP BY user_id, project_id),
    users AS (
        SELECT user_id, json_object_agg(project_id, told ORDER BY project_id) AS told
          FROM projects GROUP BY user_id)
    SELECT count(*), json_object_agg(user_id, told ORDER BY user_id)::text FROM users
"""

OF_USER = Statement(
    "quota_of_user",
    f"""
    WITH held AS ({_HELD}
       AND u.user_id = $2 AND ($3::uuid IS NULL OR u.project_id = $3)
       AND EXISTS (SELECT 1 FROM identity.app_user a
                    WHERE a.uuid = $2 AND a.email_verified)),
    {_NESTED}
    """,
)
"""One user's use of a component's resources: (component, user, project or None)
→ how many users (1 or 0), and user → project → resource → numbers, or None."""

OF_USERS = Statement(
    "quota_of_users",
    f"""
    WITH page AS (
        SELECT a.uuid FROM identity.app_user a
         WHERE a.email_verified AND ($2::uuid[] IS NULL OR a.uuid = ANY($2))
           AND ($4::uuid IS NULL OR a.uuid > $4)
           AND EXISTS (SELECT 1 FROM quota.holding h WHERE h.user_id = a.uuid)
         ORDER BY a.uuid LIMIT $5),
    held AS ({_HELD}
       AND u.user_id IN (SELECT uuid FROM page)
       AND ($3::uuid[] IS NULL OR u.project_id = ANY($3))),
    {_NESTED}
    """,
)
"""Many users': (component, users or None, projects or None, user before the
first, most users) → as `OF_USER`."""

OF_PROJECTS = Statement(
    "quota_of_projects",
    f"""
    WITH page AS (
        SELECT q.uuid FROM identity.project q
         WHERE ($2::uuid[] IS NULL OR q.uuid = ANY($2))
           AND ($3::uuid IS NULL OR q.uuid > $3)
           AND q.state IN ('active', 'suspended', 'terminated')
         ORDER BY q.uuid LIMIT $4),
    projects AS (
        SELECT p.project_id, json_object_agg(p.resource, json_build_object(
                   'project_limit', p.cap, 'project_usage', p.usage_max,
                   'project_pending', p.usage_max - p.usage_min)
                   ORDER BY p.resource) AS told
          FROM identity.service s
          JOIN quota.resource r ON r.service_origin = s.name
          JOIN quota.holding p ON p.resource = r.name AND p.member = {NIL}
          JOIN page ON page.uuid = p.project_id
         WHERE s.component_id = $1 GROUP BY p.project_id)
    SELECT count(*), json_object_agg(project_id, told ORDER BY project_id)::text
      FROM projects
    """,
)
"""Projects' own numbers: (component, projects or None, project before the first,
most projects) → how many, and project → resource → numbers, or None."""
