"""SQL of what administrators see; nothing is written here.

Every list is cut into pages by a key that each row has, never by a count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from attrs import frozen

from snfd.accounts.store import groups, methods
from snfd.admin import model
from snfd.admin.model import Ask, Page
from snfd.db.port import Database
from snfd.errors import Invalid, NotFound
from snfd.identity.token_store import ID

R = TypeVar("R")


@frozen
class Listing(Generic[R]):
    """How a list is read.

    :ivar sql: with the asked fields, ``marker`` and ``most``; its columns are
        those of ``row``, in order.
    :ivar key: what of a row is the marker of the page after it.
    :ivar marker: what markers are.
    """

    sql: str
    row: type[R]
    key: Callable[[R], object]
    marker: Any = model.RowId


async def page(
    db: Database,
    listing: Listing[R],
    ask: Ask,
    found: Mapping[str, UUID | None] | None = None,
) -> Page[R]:
    """One page of a list.

    :param found: what some of the names that ``ask`` holds mean.
    :raises Invalid: the marker is none of this list.
    """
    asked: dict[str, Any] = {**msgspec.structs.asdict(ask), **(found or {})}
    asked["marker"] = _marker(ask.marker, listing.marker)
    asked["most"] = ask.limit + 1
    rows = await db.read(listing.sql, asked)
    items = [listing.row(*row) for row in rows[: ask.limit]]
    more = len(rows) > ask.limit
    return Page(items, str(listing.key(items[-1])) if more else None)


async def one(db: Database, sql: str, wanted: object, what: str) -> tuple[Any, ...]:
    """The row of ``sql`` for ``%(wanted)s``.

    :param what: what it is, for the error.
    :raises NotFound: there is none.
    """
    for row in await db.read(sql, {"wanted": wanted}):
        return row
    raise NotFound(f"there is no {what} {wanted}")


def _marker(text: str | None, kind: Any) -> object:
    if text is None:
        return None
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        raise Invalid(f"marker {text!r} is none of this list's") from None


STATUS = """
    CASE WHEN u.closed_at IS NOT NULL THEN 'closed'
         WHEN u.is_active THEN 'active'
         WHEN u.moderation = 'rejected' THEN 'rejected'
         WHEN NOT u.email_verified THEN 'pending verification'
         WHEN u.moderation = 'pending' THEN 'pending moderation'
         ELSE 'inactive' END
"""

USERS = Listing(
    f"""
    SELECT u.uuid, u.username, u.email, trim(u.first_name || ' ' || u.last_name),
           {STATUS}, u.is_active, u.email_verified, u.moderation,
           {groups.NAMES}, {methods.NAMES},
           u.joined_at, u.last_login_at, u.number
      FROM identity.app_user u
     WHERE (%(marker)s::bigint IS NULL OR u.number > %(marker)s)
       AND (%(closed)s OR u.closed_at IS NULL)
       AND (%(active)s::boolean IS NULL OR u.is_active = %(active)s)
       AND (%(verified)s::boolean IS NULL OR u.email_verified = %(verified)s)
       AND (%(moderation)s::text IS NULL OR u.moderation = %(moderation)s)
       AND (%(search)s::text IS NULL
            OR strpos(u.username, lower(%(search)s)) > 0
            OR strpos(u.email, lower(%(search)s)) > 0
            OR strpos(lower(u.first_name || ' ' || u.last_name),
                      lower(%(search)s)) > 0)
       AND (%(group)s::text IS NULL OR EXISTS (
            SELECT 1 FROM identity.user_group_member m
              JOIN identity.user_group g ON g.id = m.group_id
             WHERE m.user_id = u.uuid AND g.name = %(group)s))
       AND (%(method)s::text IS NULL OR EXISTS (
            SELECT 1 FROM identity.login_method l
             WHERE l.user_id = u.uuid AND l.module = %(method)s))
     ORDER BY u.number LIMIT %(most)s
    """,
    model.UserRow,
    lambda row: row.number,
)

USER = f"""
    SELECT u.uuid, u.username, u.email, u.first_name, u.last_name, u.affiliation,
           {STATUS}, u.is_active, u.email_verified, u.moderation, u.accepted_policy,
           u.rejected_reason, u.deactivated_reason, {groups.NAMES}, {methods.NAMES},
           u.terms_id, coalesce(u.default_project, u.uuid),
           (SELECT count(*) FROM identity.api_token t
             WHERE t.user_id = u.uuid AND t.kind <> 'session'),
           (SELECT count(*) FROM identity.api_token t
             WHERE t.user_id = u.uuid AND t.kind = 'session'),
           u.joined_at, u.last_login_at
      FROM identity.app_user u WHERE u.uuid = %(wanted)s
"""

USER_UUID = """
    SELECT uuid FROM identity.app_user
     WHERE uuid::text = lower(%(wanted)s) OR username = lower(%(wanted)s)
        OR email = lower(%(wanted)s)
     ORDER BY (uuid::text = lower(%(wanted)s)) DESC, email_verified DESC, number DESC
     LIMIT 1
"""
"""Who is meant by a uuid, a username or an e-mail."""

PROJECTS_OF = """
    SELECT p.uuid, p.name, m.role, m.state
      FROM identity.membership m JOIN identity.project p ON p.uuid = m.project_id
     WHERE m.user_id = %(wanted)s ORDER BY p.is_system DESC, p.name LIMIT 1000
"""

GROUP_LIST = Listing(
    """
    SELECT g.name, (SELECT count(*) FROM identity.user_group_member m
                     WHERE m.group_id = g.id)
      FROM identity.user_group g
     WHERE (%(marker)s::text IS NULL OR g.name > %(marker)s)
     ORDER BY g.name LIMIT %(most)s
    """,
    model.GroupRow,
    lambda row: row.name,
    str,
)

TOKENS = Listing(
    f"""
    SELECT {ID}, u.username, t.kind, t.label, p.name, t.created_at, t.expires_at,
           t.last_used_at
      FROM identity.api_token t JOIN identity.app_user u ON u.uuid = t.user_id
      LEFT JOIN identity.project p ON p.uuid = t.project_id
     WHERE (%(marker)s::text IS NULL OR {ID} > %(marker)s)
       AND (%(user)s::uuid IS NULL OR t.user_id = %(user)s)
       AND t.expires_at > now() AND t.kind <> 'session'
     ORDER BY 1 LIMIT %(most)s
    """,
    model.TokenRow,
    lambda row: row.id,
    str,
)

SESSIONS = Listing(
    TOKENS.sql.replace("t.kind <> 'session'", "t.kind = 'session'"),
    model.TokenRow,
    lambda row: row.id,
    str,
)

MAILS = Listing(
    """
    SELECT id, kind, recipient, state, attempts, created, nullif(due, 'epoch'),
           finished, last_error, event
      FROM ops.mail
     WHERE (%(marker)s::bigint IS NULL OR id < %(marker)s)
       AND (%(state)s::text IS NULL OR state = %(state)s)
       AND (%(to)s::text IS NULL OR recipient = lower(%(to)s))
     ORDER BY id DESC LIMIT %(most)s
    """,
    model.MailRow,
    lambda row: row.id,
)
