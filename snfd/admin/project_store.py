"""SQL of projects, limits and holdings as administrators see them."""

from __future__ import annotations

from uuid import UUID

from snfd.admin import project_model as model
from snfd.admin.store import Listing

_MEMBERS = """
    (SELECT count(*) FROM identity.membership m WHERE m.project_id = p.uuid
        AND m.state IN ('accepted', 'leave_requested'))
"""

_WAITING = """
    (SELECT a.id FROM identity.application a
      WHERE a.project_id = p.uuid AND a.state = 'pending')
"""

PROJECTS = Listing(
    f"""
    SELECT p.uuid, p.name, o.username, p.state, p.is_system, {_MEMBERS},
           p.created_at, p.ends_at, {_WAITING}
      FROM identity.project p LEFT JOIN identity.app_user o ON o.uuid = p.owner_id
     WHERE (%(marker)s::uuid IS NULL OR p.uuid > %(marker)s)
       AND (p.is_system = %(system)s)
       AND (NOT %(pending)s OR {_WAITING} IS NOT NULL)
       AND (%(state)s::text IS NULL OR p.state = %(state)s)
       AND (%(owner)s::uuid IS NULL OR p.owner_id = %(owner)s)
       AND (%(search)s::text IS NULL
            OR strpos(lower(p.name), lower(%(search)s)) > 0)
     ORDER BY p.uuid LIMIT %(most)s
    """,
    model.ProjectRow,
    lambda row: row.uuid,
    UUID,
)

PROJECT = f"""
    SELECT p.uuid, p.name, o.username, p.state, p.is_system, p.private, p.homepage,
           p.description, p.join_policy, p.leave_policy, p.max_members, {_MEMBERS},
           p.created_at, p.ends_at, p.deactivated_at
      FROM identity.project p LEFT JOIN identity.app_user o ON o.uuid = p.owner_id
     WHERE p.uuid = %(wanted)s
"""

PROJECT_UUID = """
    SELECT uuid FROM identity.project
     WHERE uuid::text = lower(%(wanted)s) OR (lower(name) = lower(%(wanted)s)
       AND state <> 'deleted')
     ORDER BY (uuid::text = lower(%(wanted)s)) DESC,
              (state IN ('active', 'suspended')) DESC, created_at DESC
     LIMIT 1
"""
"""Which is meant by a uuid or a name; of namesakes the live one."""

APPLICATION = """
    SELECT a.id, u.username, a.state, a.issued_at, a.comments, a.changes::text,
           a.response
      FROM identity.project p JOIN identity.application a ON a.id = p.last_application
      JOIN identity.app_user u ON u.uuid = a.applicant
     WHERE p.uuid = %(wanted)s
"""

HISTORY = """
    SELECT at, from_state, to_state, actor_name, reason FROM identity.project_log
     WHERE project_id = %(wanted)s ORDER BY id DESC LIMIT 100
"""

LIMITS = """
    SELECT r.name, r.unit, l.member_cap, l.project_cap,
           coalesce((SELECT h.usage_max FROM quota.holding h
                      WHERE h.project_id = l.project_id AND h.user_id IS NULL
                        AND h.resource = l.resource), 0)
      FROM quota.project_limit l JOIN quota.resource r ON r.name = l.resource
     WHERE l.project_id = %(wanted)s ORDER BY r.name
"""

MEMBERS = Listing(
    """
    SELECT u.uuid, u.username, u.email, m.role, m.state
      FROM identity.membership m JOIN identity.app_user u ON u.uuid = m.user_id
     WHERE m.project_id = %(project)s
       AND (%(marker)s::uuid IS NULL OR u.uuid > %(marker)s)
       AND (%(state)s::text IS NULL OR m.state = %(state)s)
     ORDER BY u.uuid LIMIT %(most)s
    """,
    model.MemberRow,
    lambda row: row.uuid,
    UUID,
)

QUOTAS = Listing(
    """
    SELECT u.username, p.name, h.resource, r.unit, h.cap, h.usage_max,
           h.usage_max - h.usage_min, p.uuid, u.uuid
      FROM quota.holding h
      JOIN identity.project p ON p.uuid = h.project_id
      JOIN quota.resource r ON r.name = h.resource
      LEFT JOIN identity.app_user u ON u.uuid = h.user_id
     WHERE (%(marker)s::text IS NULL
            OR (h.project_id, h.member, h.resource) > (
                split_part(%(marker)s, '/', 1)::uuid,
                split_part(%(marker)s, '/', 2)::uuid, split_part(%(marker)s, '/', 3)))
       AND (h.user_id IS NULL) = %(whole)s
       AND (%(user)s::uuid IS NULL OR h.user_id = %(user)s)
       AND (%(project)s::uuid IS NULL OR h.project_id = %(project)s)
       AND (%(resource)s::text IS NULL OR h.resource = %(resource)s)
       AND (NOT %(over)s OR h.usage_max > h.cap)
     ORDER BY h.project_id, h.member, h.resource LIMIT %(most)s
    """,
    model.QuotaRow,
    lambda row: f"{row.project_uuid}/{row.user_uuid or UUID(int=0)}/{row.resource}",
    model.HoldingMarker,
)

COMMISSIONS = Listing(
    """
    SELECT c.serial, c.clientkey, c.name, c.issued_at,
           extract(epoch FROM now() - c.issued_at)::bigint,
           (SELECT count(*) FROM quota.provision p WHERE p.serial = c.serial)
      FROM quota.commission c
     WHERE (%(marker)s::bigint IS NULL OR c.serial > %(marker)s)
       AND (%(issuer)s::text IS NULL OR c.clientkey = %(issuer)s)
       AND (%(overdue)s::bigint IS NULL
            OR c.issued_at < now() - %(overdue)s * interval '1 second')
     ORDER BY c.serial LIMIT %(most)s
    """,
    model.CommissionRow,
    lambda row: row.serial,
)

COMMISSION = """
    SELECT serial, clientkey, name, issued_at,
           extract(epoch FROM now() - issued_at)::bigint, ref
      FROM quota.commission WHERE serial = %(wanted)s
"""

PROVISIONS = """
    SELECT p.name, u.username, v.resource, v.quantity
      FROM quota.provision v JOIN identity.project p ON p.uuid = v.project_id
      LEFT JOIN identity.app_user u ON u.uuid = v.user_id
     WHERE v.serial = %(wanted)s ORDER BY v.project_id, v.member, v.resource
"""

RESOURCES = Listing(
    """
    SELECT name, description, unit, service_origin, system_default, project_default,
           api_visible, ui_visible
      FROM quota.resource
     WHERE (%(marker)s::text IS NULL OR name > %(marker)s)
     ORDER BY name LIMIT %(most)s
    """,
    model.ResourceRow,
    lambda row: row.name,
    str,
)

RESOURCE = """
    SELECT name, description, unit, service_origin, system_default, project_default,
           api_visible, ui_visible
      FROM quota.resource WHERE name = %(wanted)s
"""

OWN_PROJECTS = """
    SELECT uuid FROM identity.project
     WHERE is_system AND state IN ('active', 'suspended', 'terminated')
       AND (%(marker)s::uuid IS NULL OR uuid > %(marker)s)
     ORDER BY uuid LIMIT %(most)s
"""

FORGOTTEN = """
    SELECT serial FROM quota.commission
     WHERE ref IS NULL AND issued_at < now() - %(overdue)s * interval '1 second'
       AND (%(issuer)s::text IS NULL OR clientkey = %(issuer)s)
     ORDER BY serial LIMIT %(most)s
"""
