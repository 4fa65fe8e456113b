"""How many users there are, and what they use (``spec/astakos.md`` §2.10)."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen
from msgspec import field

from snfd.admin.model import Fact
from snfd.clock import Seconds, now
from snfd.db.port import Database

_USERS = """
    SELECT count(*), count(*) FILTER (WHERE email_verified),
           count(*) FILTER (WHERE is_active)
      FROM identity.app_user WHERE closed_at IS NULL
"""

_METHODS = """
    SELECT l.module, count(*), count(*) FILTER (WHERE u.email_verified),
           count(*) FILTER (WHERE u.is_active), count(*) FILTER (WHERE NOT EXISTS (
               SELECT 1 FROM identity.login_method o
                WHERE o.user_id = u.uuid AND o.active AND o.module <> l.module))
      FROM (SELECT DISTINCT user_id, module FROM identity.login_method WHERE active) l
      JOIN identity.app_user u ON u.uuid = l.user_id AND u.closed_at IS NULL
     GROUP BY l.module ORDER BY l.module
"""

_ALL = """
    SELECT r.name, r.unit, r.description,
           least(coalesce(sum(h.usage_max), 0), 9223372036854775807)::bigint,
           least(coalesce(sum(h.cap) FILTER (WHERE h.cap < 9223372036854775807), 0),
                 9223372036854775807)::bigint
      FROM quota.resource r LEFT JOIN quota.holding h
        ON h.resource = r.name AND h.user_id IS NULL
     GROUP BY r.name ORDER BY r.name
"""

_BY_METHOD = """
    SELECT l.module, r.name, r.unit, r.description,
           least(coalesce(sum(h.usage_max), 0), 9223372036854775807)::bigint,
           least(coalesce(sum(h.cap) FILTER (WHERE h.cap < 9223372036854775807), 0),
                 9223372036854775807)::bigint
      FROM (SELECT DISTINCT user_id, module FROM identity.login_method WHERE active) l
      CROSS JOIN quota.resource r
      LEFT JOIN quota.holding h ON h.resource = r.name AND h.user_id = l.user_id
     GROUP BY l.module, r.name ORDER BY l.module, r.name
"""


class UserCount(Fact, frozen=True):
    """Users, but those who are gone."""

    total: int
    active: int


class Summary(Fact, frozen=True):
    """What everybody may know."""

    users: UserCount


class MethodCount(Fact, frozen=True, omit_defaults=True):
    """Users who have a login method.

    :ivar exclusive: those of them who have no other; None for all users.
    """

    total: int
    verified: int
    active: int
    exclusive: int | None = None


class ResourceUse(Fact, frozen=True):
    """What is used of a resource, and granted; unlimited grants are left out."""

    used: int
    allocated: int
    unit: str | None
    description: str


class Detail(Fact, frozen=True):
    """Users and usage, of all and by login method.

    :ivar at: the time of the figures.
    """

    at: datetime = field(name="datetime")
    providers: list[str]
    users: dict[str, MethodCount]
    resources: dict[str, dict[str, ResourceUse]]


@frozen(eq=False)
class Statistics:
    """Counts, by whole scans: nothing for hot paths."""

    db: Database
    clock: Seconds

    async def summary(self) -> Summary:
        """How many users there are."""
        ((total, _, active),) = await self.db.read(_USERS)
        return Summary(UserCount(total, active))

    async def detail(self) -> Detail:
        """Users and usage."""
        (everybody,) = await self.db.read(_USERS)
        methods = await self.db.read(_METHODS)
        resources: dict[str, dict[str, ResourceUse]] = {"all": {}}
        rows = [("all", *row) for row in await self.db.read(_ALL)]
        rows += await self.db.read(_BY_METHOD)
        for method, name, unit, description, used, granted in rows:
            use = ResourceUse(used, granted, unit, description)
            resources.setdefault(method, {})[name] = use
        users = {"all": MethodCount(*everybody)}
        users.update({name: MethodCount(*counts) for name, *counts in methods})
        return Detail(now(self.clock), [row[0] for row in methods], users, resources)
