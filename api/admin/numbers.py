"""Changing quotas, commissions and resources; verifying all numbers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, structs

from api.admin.bodies import Short, Text
from api.admin.lists import Listing
from api.admin.projects import WantedLimit, limits
from api.operations import Reply, operation
from api.paging import RowId
from snfd.admin.model import Page
from snfd.admin.numbers import Numbers
from snfd.admin.project_model import ResourceRow
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Administration
from snfd.quota.admin import Changes
from snfd.quota.findings import Finding, Fixes
from snfd.quota.integrity import Integrity
from snfd.quota.model import Resource

Capacity = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[int, Meta(ge=0, le=2**31)]


class Verifying(Struct):
    """What to put right; nothing, unless it is named.

    ``force`` removes unexpected holdings though they are used.
    """

    limits: bool = False
    unexpected: bool = False
    usage: bool = False
    sums: bool = False
    force: bool = False
    actual: bool = False


class FindingRow(Reply):
    """Something wrong with a holding; ``user`` is null for a whole project's."""

    kind: str
    project: UUID
    user: UUID | None
    resource: str
    found: str
    wanted: str


class Verified(Reply):
    """What was wrong, and how many holdings were put right."""

    items: list[FindingRow]
    next: str | None
    fixed: int


class Reconciling(Struct):
    """Whether to charge the differences, and past the limits."""

    fix: bool = False
    force: bool = False


class DifferenceRow(Reply):
    """Somebody whose usage is not what is counted; ``skipped``: nothing can be told
    while something is pending.
    """

    user: UUID
    usage: int
    counted: int
    skipped: bool


class ResourceChanges(Struct):
    """What changes of a resource; null leaves it."""

    system_default: Capacity | None = None
    project_default: Capacity | None = None
    api_visible: bool | None = None
    ui_visible: bool | None = None


class Settling(Struct):
    """``force``: also a commission that a job waits for."""

    force: bool = False


class Overdue(Struct):
    """Commissions that components forgot: pending for so many seconds."""

    overdue: Seconds
    accept: bool = False
    issuer: Short | None = None


class Resolved(Reply):
    """Serials of commissions that were resolved."""

    accepted: list[int]
    rejected: list[int]


class Everybody(Struct):
    """Limits for all users' own projects, except of those named ``but``.

    ``marker``: ``next`` of the answer before; null to begin.
    """

    limits: Annotated[dict[Short, WantedLimit], Meta(min_length=1)]
    but: Annotated[list[Short], Meta(max_length=1000)] = []
    reason: Text = ""
    marker: UUID | None = None


class Changed(Reply):
    """How many projects were changed; ask again with ``next`` unless it is null."""

    changed: int
    next: UUID | None


class IntegrityApi:
    """Verifies what is counted, and puts it right."""

    def __init__(self, integrity: Integrity) -> None:
        self._integrity = integrity

    @operation("POST", "/quotas/verify", body=Verifying)
    async def verify(self, staff: Staff, body: Verifying) -> Verified:
        """Compare limits and usage with what they must be."""
        fixes = Fixes(**structs.asdict(body))
        report = await self._integrity.verify(staff.to(Right.QUOTAS), fixes)
        return Verified(list(map(finding, report.findings)), None, report.fixed)

    @operation("POST", "/quotas/reconcile", body=Reconciling)
    async def reconcile(
        self, staff: Staff, body: Reconciling
    ) -> Listing[DifferenceRow]:
        """Compare what is charged for applications with those that there are."""
        actor, reconcile = staff.to(Right.QUOTAS), self._integrity.reconcile
        found = await reconcile(actor, fix=body.fix, force=body.force)
        rows = [DifferenceRow(o.user, o.usage, o.counted, o.skipped) for o in found]
        return Listing.of(Page(rows, None))


class NumbersApi:
    """Changes resources, limits and commissions."""

    def __init__(self, admin: Administration, numbers: Numbers) -> None:
        self._admin = admin
        self._numbers = numbers
        self._quotas = numbers.quotas

    @operation("GET", "/resources/<resource>")
    async def resource(self, staff: Staff, resource: str) -> ResourceRow:
        """Show a resource."""
        return shown(await self._quotas.resource(resource))

    @operation("PATCH", "/resources/<resource>", body=ResourceChanges)
    async def modify(
        self, staff: Staff, resource: str, body: ResourceChanges
    ) -> ResourceRow:
        """Change the defaults that future users and projects get."""
        wanted = Changes(
            body.system_default, body.project_default, body.api_visible, body.ui_visible
        )
        return shown(
            await self._quotas.modify(staff.to(Right.QUOTAS), resource, wanted)
        )

    @operation("POST", "/commissions/<serial>/accept", body=Settling, status=204)
    async def accept(self, staff: Staff, serial: RowId, body: Settling) -> None:
        """Settle a pending commission."""
        actor, resolve = staff.to(Right.QUOTAS), self._numbers.resolve
        await resolve(actor, serial, accept=True, force=body.force)

    @operation("POST", "/commissions/<serial>/reject", body=Settling, status=204)
    async def reject(self, staff: Staff, serial: RowId, body: Settling) -> None:
        """Call a pending commission off."""
        actor, resolve = staff.to(Right.QUOTAS), self._numbers.resolve
        await resolve(actor, serial, accept=False, force=body.force)

    @operation("POST", "/commissions/resolve", body=Overdue)
    async def resolve(self, staff: Staff, body: Overdue) -> Resolved:
        """Resolve all commissions that were forgotten."""
        actor, overdue = staff.to(Right.QUOTAS), self._numbers.overdue
        done = await overdue(actor, body.overdue, body.issuer, accept=body.accept)
        return Resolved(list(done.accepted), list(done.rejected))

    @operation("PATCH", "/own-projects", body=Everybody)
    async def everybody(self, staff: Staff, body: Everybody) -> Changed:
        """Give users' own projects other limits, some with each call."""
        actor, find = staff.to(Right.QUOTAS), self._admin.find.user
        but = [await find(name) for name in body.but]
        grant, wanted = self._numbers.grant_everybody, limits(body.limits)
        done = await grant(actor, wanted, but, body.reason, body.marker)
        return Changed(done.changed, done.last)


def finding(one: Finding) -> FindingRow:
    """A finding as it is shown."""
    key = one.key
    return FindingRow(
        one.kind, key.project, key.user, key.resource, one.found, one.wanted
    )


def shown(one: Resource) -> ResourceRow:
    """A resource as it is shown."""
    return ResourceRow(
        one.name,
        one.description,
        one.unit,
        one.origin,
        one.system_default,
        one.project_default,
        one.api_visible,
        one.ui_visible,
    )
