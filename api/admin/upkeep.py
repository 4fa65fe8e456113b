"""Reconciliation, and the jobs of clusters."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.operations import Reply, operation
from api.paging import RowId
from snfd.admin.rights import Right, Staff
from snfd.admin.upkeep import (
    FindingAsk,
    FindingRow,
    JobAsk,
    JobFacts,
    JobRow,
    UpkeepViews,
)
from snfd.compute.mends import Fix, Mends
from snfd.errors import NotFound
from snfd.identity.names import as_uuid


class Running(Struct):
    """What to look at, and what of the findings to put right; nothing if ``fix`` is
    empty.

    ``backend``: the only cluster; null for all of them, pools and quota.
    """

    backend: Short | None = None
    fix: Annotated[list[Fix], Meta(max_length=20)] = []


class Ran(Reply):
    """What there is now; and how much of what there was is being put right."""

    items: list[FindingRow]
    next: str | None
    fixed: int


class FindingsApi:
    """What reconciliation found."""

    def __init__(self, views: UpkeepViews, mends: Mends) -> None:
        self._views = views
        self._mends = mends

    @operation("GET", "/findings", query=FindingAsk)
    async def all(self, staff: Staff, query: FindingAsk) -> Listing[FindingRow]:
        """List where rows disagree with clusters, pools or quota."""
        return Listing.of(await self._views.findings(query))

    @operation("GET", "/findings/<finding>")
    async def show(self, staff: Staff, finding: RowId) -> FindingRow:
        """Show one finding."""
        return await self._views.finding(finding)

    @operation("POST", "/findings/run", body=Running)
    async def run(self, staff: Staff, body: Running) -> Ran:
        """Look at everything now, and put right what is named."""
        actor = staff.to(Right.OPERATIONS) if body.fix else staff.looking()
        await self._mends.look(body.backend)
        shown = await self._views.findings(FindingAsk(backend=body.backend))
        done = await self._mends.fix(actor, body.backend, body.fix)
        return _ran(shown.items, {one.id for one in done}, shown.next)


class JobsApi:
    """What clusters shall do, and did."""

    def __init__(self, views: UpkeepViews, mends: Mends) -> None:
        self._views = views
        self._mends = mends

    @operation("GET", "/jobs", query=JobAsk)
    async def all(self, staff: Staff, query: JobAsk) -> Listing[JobRow]:
        """List jobs, newest first."""
        return Listing.of(await self._views.jobs(query))

    @operation("GET", "/jobs/<job>")
    async def show(self, staff: Staff, job: str) -> JobFacts:
        """Show one job."""
        return await self._views.job(_uuid(job))

    @operation("POST", "/jobs/<job>/cancel", status=202)
    async def cancel(self, staff: Staff, job: str) -> None:
        """Have a job that has not begun canceled."""
        await self._mends.give_up(staff.to(Right.OPERATIONS), _uuid(job))


def _uuid(text: str) -> UUID:
    found = as_uuid(text)
    if found is None:
        raise NotFound(f"there is no job {text}")
    return found


def _ran(shown: list[FindingRow], done: set[int], following: str | None) -> Ran:
    """Put what was put right first, as the commands expect."""
    items = sorted(shown, key=lambda one: one.id not in done)
    return Ran(items, following, sum(one.id in done for one in shown))
