"""A database with many people in it: users, projects, holdings, tokens.

What there is depends on the numbers alone, so that two runs measure the same.
Every user has his own project and is a member of one of ten times fewer
others; each membership holds every resource, as the daemon would have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from io import StringIO
from typing import Any
from uuid import UUID, uuid5

import psycopg2
from attrs import frozen

from bench.rig import Cloud

SINCE, UNTIL = "2026-01-01 00:00:00+00", "2100-01-01 00:00:00+00"
CAP, USED = 1 << 40, 3
SHARE = 10
"""So many users are members of one project, besides their own."""

_SPACE = UUID("2f0c7c3e-9f57-4f34-8d43-0d1d51f7b4aa")
_NOBODY = r"\N"


@frozen
class Populace:
    """``count`` users of a cloud.

    :ivar holdings: how many rows of holdings the whole cloud has.
    """

    count: int
    holdings: int

    def user(self, number: int) -> UUID:
        """Who is the user of this number."""
        return _user(number % self.count)

    def token(self, number: int) -> str:
        """The secret of his token, bound to the project that is not his own."""
        return _secret(number % self.count)

    def spread(self, wanted: int) -> list[int]:
        """Numbers of ``wanted`` users, evenly from all of them."""
        return [number * self.count // wanted for number in range(wanted)]


def settle(ours: Cloud, count: int) -> Populace:
    """Have ``count`` users, ``count / 10`` projects and all their holdings."""
    link = psycopg2.connect(**ours.dsn)
    try:
        with link, link.cursor() as cursor:
            # every row is right by its making; checking each takes minutes
            cursor.execute("SET LOCAL session_replication_role = replica")
            _fill(cursor, count)
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("SELECT count(*) FROM quota.holding")
            return Populace(count, cursor.fetchone()[0])
    finally:
        link.close()


def _fill(cursor: Any, count: int) -> None:
    cursor.execute("SELECT name FROM quota.resource")
    resources = [name for (name,) in cursor.fetchall()]
    users = [_user(number) for number in range(count)]
    projects = [_project(number) for number in range(max(count // SHARE, 1))]
    members = [
        (user, project)
        for number, user in enumerate(users)
        for project in (user, projects[number % len(projects)])
    ]
    _copy(
        cursor,
        "identity.app_user (uuid, username, email, email_verified,"
        " moderation, is_active, joined_at, updated_at)",
        map(_person, users),
    )
    _copy(
        cursor,
        "identity.user_group_member (group_id, user_id)",
        ((1, user) for user in users),
    )
    _copy(
        cursor,
        "identity.project (uuid, name, owner_id, is_system, created_at,"
        " join_policy, leave_policy)",
        _projects(users, projects),
    )
    _copy(
        cursor,
        "identity.membership (user_id, project_id, state, initialized)",
        ((*member, "accepted", True) for member in members),
    )
    _copy(
        cursor,
        "identity.api_token (hash, user_id, project_id, kind, methods, created_at,"
        " expires_at)",
        map(_token, range(count), members[1::2]),
    )
    sources = [*users, *projects]
    _copy(
        cursor,
        "quota.project_limit (project_id, resource, project_cap, member_cap)",
        ((one, name, CAP, CAP) for one in sources for name in resources),
    )
    held = [
        *((project, user) for user, project in members),
        *((project, _NOBODY) for project in sources),
    ]
    _copy(cursor, "quota.holding (project_id, user_id, resource, cap, usage_min,"
          " usage_max)",
          ((*who, name, CAP, USED, USED) for who in held for name in resources)
          )  # fmt: skip


def _copy(cursor: Any, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    lines = StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
    cursor.copy_expert(f"COPY {table} FROM STDIN", lines)


def _user(number: int) -> UUID:
    return uuid5(_SPACE, f"user {number}")


def _project(number: int) -> UUID:
    return uuid5(_SPACE, f"project {number}")


def _secret(number: int) -> str:
    return f"bench-token-of-user-{number:021d}"


def _person(user: UUID) -> tuple[object, ...]:
    name = f"{user.hex}@example.org"
    return user, name, name, True, "accepted", True, SINCE, SINCE


def _projects(users: list[UUID], projects: list[UUID]) -> Iterator[tuple[object, ...]]:
    for user in users:
        yield user, f"system:{user}", user, True, SINCE, "closed", "closed"
    for number, project in enumerate(projects):
        name = f"bench-{number}.example.org"
        yield project, name, users[number], False, SINCE, "auto", "auto"


def _token(number: int, member: tuple[UUID, UUID]) -> tuple[object, ...]:
    hash_ = sha256(_secret(number).encode()).hexdigest()
    return rf"\\x{hash_}", *member, "login", "{password}", SINCE, UNTIL
