"""SQL of what components ask about use and limits (schema ``quota``)."""

from __future__ import annotations

from snfd.db.port import Statement

_NUMBERS = """
    u.cap, u.usage_min, u.usage_max, p.cap, p.usage_min, p.usage_max
"""

_HOLDINGS = """
      FROM identity.service s
      JOIN quota.resource r ON r.service_origin = s.name
      JOIN quota.holding u ON u.resource = r.name
      JOIN quota.holding p ON p.project_id = u.project_id AND p.resource = u.resource
       AND p.member = '00000000-0000-0000-0000-000000000000'::uuid
"""

_SHOWN = """
       (u.usage_max > 0 OR EXISTS (
            SELECT 1 FROM identity.membership m
              JOIN identity.project q ON q.uuid = m.project_id
             WHERE m.user_id = u.user_id AND m.project_id = u.project_id
               AND m.state IN ('accepted', 'leave_requested')
               AND q.state <> 'deleted'))
"""

OF_USER = Statement(
    "quota_of_user",
    f"""
    SELECT u.user_id, u.project_id, u.resource, {_NUMBERS}
    {_HOLDINGS}
     WHERE s.component_id = $1 AND u.user_id = $2
       AND ($3::uuid IS NULL OR u.project_id = $3) AND {_SHOWN}
       AND EXISTS (SELECT 1 FROM identity.app_user a
                    WHERE a.uuid = $2 AND a.email_verified)
     ORDER BY u.project_id, u.resource
    """,
)
"""One user's use of a component's resources: (component, user, project or None)."""

OF_USERS = Statement(
    "quota_of_users",
    f"""
    WITH page AS (
        SELECT a.uuid FROM identity.app_user a
         WHERE a.email_verified AND ($2::uuid[] IS NULL OR a.uuid = ANY($2))
           AND ($4::uuid IS NULL OR a.uuid > $4)
           AND EXISTS (SELECT 1 FROM quota.holding h WHERE h.user_id = a.uuid)
         ORDER BY a.uuid LIMIT $5)
    SELECT u.user_id, u.project_id, u.resource, {_NUMBERS}
    {_HOLDINGS}
      JOIN page ON page.uuid = u.user_id
     WHERE s.component_id = $1
       AND ($3::uuid[] IS NULL OR u.project_id = ANY($3)) AND {_SHOWN}
     ORDER BY u.user_id, u.project_id, u.resource
    """,
)
"""Many users': (component, users or None, projects or None, user before the
first, most users)."""

OF_PROJECTS = Statement(
    "quota_of_projects",
    """
    WITH page AS (
        SELECT q.uuid FROM identity.project q
         WHERE ($2::uuid[] IS NULL OR q.uuid = ANY($2))
           AND ($3::uuid IS NULL OR q.uuid > $3)
           AND q.state IN ('active', 'suspended', 'terminated')
         ORDER BY q.uuid LIMIT $4)
    SELECT p.project_id, p.resource, p.cap, p.usage_min, p.usage_max
      FROM identity.service s
      JOIN quota.resource r ON r.service_origin = s.name
      JOIN quota.holding p ON p.resource = r.name
       AND p.member = '00000000-0000-0000-0000-000000000000'::uuid
      JOIN page ON page.uuid = p.project_id
     WHERE s.component_id = $1
     ORDER BY p.project_id, p.resource
    """,
)
"""Projects' own numbers: (component, projects or None, project before the first,
most projects)."""
