"""SQL of all that is known of a person: for himself, to take with him."""

from __future__ import annotations

from snfd.db.port import Statement

MOST = 10_000
"""Rows of one kind at most; of what happened, the newest."""

LOGINS = Statement(
    "export_logins",
    """
    SELECT module, identifier, active, affiliation, info::text, created_at,
           last_login_at
      FROM identity.login_method WHERE user_id = $1 ORDER BY id
    """,
)
"""How he logs in: (uuid)."""

TOKENS = Statement(
    "export_tokens",
    f"""
    SELECT kind, label, project_id, created_at, expires_at, last_used_at
      FROM identity.api_token WHERE user_id = $1 ORDER BY created_at, hash LIMIT {MOST}
    """,
)
"""What programs and browsers act for him with, without what is secret: (uuid)."""

MEMBERSHIPS = Statement(
    "export_memberships",
    """
    SELECT p.uuid, p.name, m.role, m.state
      FROM identity.membership m JOIN identity.project p ON p.uuid = m.project_id
     WHERE m.user_id = $1 ORDER BY m.id
    """,
)
"""Where he is, was or wants to be a member: (uuid)."""

APPLICATIONS = Statement(
    "export_applications",
    f"""
    SELECT id, project_id, state, issued_at, comments, response
      FROM identity.application WHERE applicant = $1 ORDER BY id LIMIT {MOST}
    """,
)
"""What he applied for: (uuid)."""

HISTORY = Statement(
    "export_history",
    f"""
    SELECT at, action, coalesce(actor = $1, false), details::text
      FROM ops.audit WHERE target = 'user:' || $1::text ORDER BY id DESC LIMIT {MOST}
    """,
)
"""What became of his account, newest first, and whether by himself: (uuid)."""
