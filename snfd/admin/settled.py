"""What became of commissions: accepted or rejected, and what was held then.

Source: ``spec/astakos.md`` §3.4, §10.1 (provision log).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from attrs import frozen

from snfd.admin import store
from snfd.admin.model import Ask, Fact, Page, RowId, Text
from snfd.admin.service import Finder
from snfd.db.port import Database

Outcome = Literal["accepted", "rejected"]


class SettledAsk(Ask, frozen=True):
    """Which provisions of commissions that were resolved.

    :ivar whole: those of what members have together, not of a member.
    """

    user: Text | None = None
    project: Text | None = None
    resource: Text | None = None
    issuer: Text | None = None
    serial: RowId | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    whole: bool = False


class SettledRow(Fact, frozen=True):
    """One quantity of a commission that was resolved.

    :ivar at: when it was resolved.
    :ivar user: whose it was; None where it was the whole project's.
    :ivar limit: with ``usage`` and ``pending``: as they were afterwards.
    """

    id: int
    at: datetime
    serial: int
    issuer: str
    name: str
    outcome: Outcome
    project: str
    user: str | None
    resource: str
    unit: str | None
    delta: int
    limit: int
    usage: int
    pending: int
    issued: datetime
    project_uuid: UUID
    user_uuid: UUID | None


SETTLED = store.Listing(
    """
    SELECT l.id, l.logged_at, l.serial, l.clientkey, l.name,
           CASE split_part(l.reason, ':', 1) WHEN 'ACCEPT' THEN 'accepted'
                                             ELSE 'rejected' END,
           coalesce(p.name, l.project_id::text), u.username, l.resource, r.unit,
           l.delta, l.cap, l.usage_max, l.usage_max - l.usage_min, l.issued_at,
           l.project_id, l.user_id
      FROM quota.provision_log l
      LEFT JOIN identity.project p ON p.uuid = l.project_id
      LEFT JOIN identity.app_user u ON u.uuid = l.user_id
      LEFT JOIN quota.resource r ON r.name = l.resource
     WHERE (%(marker)s::bigint IS NULL OR l.id < %(marker)s)
       AND (l.user_id IS NULL) = %(whole)s
       AND (%(user)s::uuid IS NULL OR l.user_id = %(user)s)
       AND (%(project)s::uuid IS NULL OR l.project_id = %(project)s)
       AND (%(resource)s::text IS NULL OR l.resource = %(resource)s)
       AND (%(issuer)s::text IS NULL OR l.clientkey = %(issuer)s)
       AND (%(serial)s::bigint IS NULL OR l.serial = %(serial)s)
       AND (%(outcome)s::text IS NULL
            OR (%(outcome)s = 'accepted') = (l.reason LIKE 'ACCEPT:%%'))
       AND (%(since)s::timestamptz IS NULL OR l.logged_at >= %(since)s)
       AND (%(until)s::timestamptz IS NULL OR l.logged_at < %(until)s)
     ORDER BY l.id DESC LIMIT %(most)s
    """,
    SettledRow,
    lambda row: row.id,
)


@frozen(eq=False)
class Settled:
    """The log of what was charged and released."""

    db: Database
    find: Finder

    async def page(self, ask: SettledAsk) -> Page[SettledRow]:
        """Provisions that were resolved, newest first.

        :raises NotFound: there is no such user or project.
        """
        asked = await self.find.resolved(ask)
        return await store.page(self.db, SETTLED, ask, asked)
