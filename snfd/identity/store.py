"""SQL of logins, and of what tokens stand for (schema ``identity``)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Row, Statement, Transaction
from snfd.identity import people_store
from snfd.identity.model import (
    FREE,
    READER,
    By,
    Group,
    ProjectRef,
    Scope,
    Scoping,
    Token,
    capped,
    roles,
)
from snfd.identity.names import as_uuid

_BY_HASH = """
    SELECT t.hash, u.uuid, u.username, u.email, u.first_name, u.last_name, u.is_active,
           t.project_id, u.default_project, t.created_at, t.expires_at, t.kind,
           t.methods, t.audit_ids, t.role,
           m.projects, m.names, m.roles, g.ids, g.names,
           (SELECT min(c.enforced_at) FROM identity.terms c
             WHERE c.id > coalesce(u.terms_id, 0)),
           EXISTS (SELECT 1 FROM identity.service WHERE NOT builtin)
      FROM (VALUES {hashes}) AS k (hash)
      JOIN identity.api_token t ON t.hash = k.hash
      JOIN identity.app_user u ON u.uuid = t.user_id
     CROSS JOIN LATERAL (
           SELECT array_agg(o.uuid), array_agg(o.name), array_agg(o.role)
             FROM (SELECT q.uuid, q.name, m.role
                     FROM identity.membership m
                     JOIN identity.project q ON q.uuid = m.project_id
                    WHERE m.user_id = u.uuid AND q.state = 'active'
                      AND m.state IN ('accepted', 'leave_requested')
                    ORDER BY m.id) o) m (projects, names, roles)
     CROSS JOIN LATERAL (
           SELECT array_agg(o.id), array_agg(o.name)
             FROM (SELECT n.id, n.name
                     FROM identity.user_group_member g
                     JOIN identity.user_group n ON n.id = g.group_id
                    WHERE g.user_id = u.uuid ORDER BY n.id) o) g (ids, names)
"""

TOKEN = Statement("identity_token", _BY_HASH.format(hashes="($1::bytea)"))
"""Everything about one token: (hash) → a row for `token`."""

TWO_TOKENS = Statement(
    "identity_two_tokens",
    # hash = ANY($1) would be planned anew each time
    _BY_HASH.format(hashes="($1::bytea), ($2::bytea)"),
)
"""The same about two: (hash, hash) → a row for `token` of each that there is."""

_INSIDE = _BY_HASH.format(hashes="(%s::bytea)")

LOGIN = Statement(
    "identity_login",
    """
    SELECT u.uuid, u.is_active, l.password_hash,
           EXISTS (SELECT 1 FROM identity.totp f
                    WHERE f.user_id = u.uuid AND f.confirmed_at IS NOT NULL)
      FROM identity.app_user u
      LEFT JOIN identity.login_method l
        ON l.user_id = u.uuid AND l.module = 'local' AND l.active
     WHERE u.uuid = $1 OR u.username = $2 OR (u.email = $2 AND u.email_verified)
     ORDER BY u.email_verified DESC LIMIT 1
    """,
)
"""Who wants to log in: (uuid or None, name or None) → a row for `Candidate`."""


@frozen
class Candidate:
    """The user whom a login names.

    :ivar password_hash: None where he has no password.
    :ivar second_factor: whether his account asks for a one-time code.
    """

    uuid: UUID
    active: bool
    password_hash: str | None = field(repr=False)
    second_factor: bool


def token(row: Row) -> Token | None:
    """The token in a row of `TOKEN`; None where it can act nowhere.

    Its user is inactive, or lost the project that it is bound to.
    """
    (hash_, uuid, username, email, first, last, active, bound, default, issued,
     expires, kind, methods, audit_ids, cap, projects, project_names, memberships,
     group_ids, group_names, terms_due, others) = row  # fmt: skip
    # an unscoped one acts in the default project while its user is in that
    wanted = (bound,) if bound is not None else (default, uuid)
    project = next((one for one in wanted if one in (projects or ())), None)
    if not active or project is None:
        return None
    at = projects.index(project)
    groups = tuple(map(Group, group_ids or (), group_names or ()))
    reads = [one for one, role in zip(projects, memberships, strict=True)
             if READER in (role, cap)]  # fmt: skip
    return Token(
        hash=hash_,
        user=people_store.user((uuid, username, email, first, last, active)),
        project=ProjectRef(project, project_names[at]),
        bound=bound,
        roles=capped(roles(memberships[at], [one.name for one in groups]), cap),
        groups=groups,
        projects=tuple(projects) if bound is None or kind in FREE else (project,),
        reads=tuple(reads),
        issued=issued,
        expires=expires,
        kind=kind,
        methods=tuple(methods),
        audit_ids=tuple(audit_ids),
        terms_due=terms_due,
        others=others,
    )


async def token_inside(tx: Transaction, hash_: bytes) -> Token | None:
    """The token in this transaction; None as `token`, or where there is none."""
    row = await tx.row(_INSIDE, (hash_,))
    return None if row is None else token(row)


async def project_in_scope(tx: Transaction, user: UUID, scope: Scope) -> UUID | None:
    """The project that ``scope`` means for ``user``; None where he has none such.

    ``system`` names his own.
    """
    wanted = None if scope.by is By.NAME else as_uuid(scope.project)
    name = None if scope.by is By.ID else scope.project
    if scope.kind is Scoping.DEFAULT:
        wanted, name = None, None
    elif name is not None and name.lower() == "system":
        wanted = user
    row = await tx.row(
        """
        SELECT p.uuid
          FROM identity.app_user u
          JOIN identity.membership m ON m.user_id = u.uuid
          JOIN identity.project p ON p.uuid = m.project_id
         WHERE u.uuid = %(user)s AND p.state = 'active'
           AND m.state IN ('accepted', 'leave_requested')
           AND (p.uuid = %(wanted)s OR lower(p.name) = lower(%(name)s)
                OR (%(default)s AND p.uuid IN (u.default_project, u.uuid)))
         ORDER BY (p.uuid = %(wanted)s) DESC NULLS LAST,
                  (p.uuid = u.default_project) DESC NULLS LAST
         LIMIT 1
        """,
        {
            "user": user,
            "wanted": wanted,
            "name": name,
            "default": scope.kind is Scoping.DEFAULT,
        },
    )
    return None if row is None else row[0]


async def logged_in(tx: Transaction, user: UUID, now: datetime) -> bool:
    """Note that ``user`` logged in; False where he is not active.

    The time is written at most once a minute.
    """
    row = await tx.row(
        "SELECT is_active, last_login_at IS NULL"
        " OR last_login_at < %s - interval '1 minute'"
        " FROM identity.app_user WHERE uuid = %s",
        (now, user),
    )
    if row is None or not row[0]:
        return False
    if row[1]:
        await tx.execute(
            "UPDATE identity.app_user SET last_login_at = %s WHERE uuid = %s",
            (now, user),
        )
    return True
