"""What is counted, what is used, and what may be.

Source: ``spec/astakos.md`` §2.3, §2.4.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast
from uuid import UUID

from msgspec import Meta, Raw, Struct

from api.operations import SERVICE, Reply, operation
from api.synnefo.views import QuotasView, ResourceView, UsageView, quotas
from snfd.errors import Invalid
from snfd.identity.model import Caller
from snfd.identity.names import as_uuid
from snfd.quota.reports import Reports, Wanted
from snfd.quota.service import Quota
from snfd.registry.model import Component

NAMED = 400
"""Users, or projects, that one request names at most: more fit in no URL."""

Uuids = str
"""Uuids with commas between them, at most `NAMED`."""

UsersView = dict[str, QuotasView]
"""User → project → resource → numbers."""


class ProjectUsageView(Reply):
    """A whole project's use and limit of one resource."""

    project_limit: int
    project_usage: int
    project_pending: int


ProjectsView = dict[str, dict[str, ProjectUsageView]]
"""Project → resource → numbers."""


class Mode(Struct):
    """Which numbers are wanted: the member's and the projects', or only these."""

    mode: Literal["projects"] | None = None


class Asked(Struct):
    """Of whom numbers are wanted; pages are of users, or else of projects."""

    user: Uuids | None = None
    project: Uuids | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None
    marker: UUID | None = None

    def wanted(self) -> Wanted:
        """The same, understood; what is no uuid is nobody's.

        :raises Invalid: too many are named.
        """
        return Wanted(_uuids(self.user), _uuids(self.project), self.limit, self.marker)


class QuotasApi:
    """Resources and quotas, for users and for components."""

    def __init__(self, quota: Quota, reports: Reports) -> None:
        self._quota = quota
        self._reports = reports

    @operation("GET", "/resources", auth=False)
    async def resources(self) -> dict[str, ResourceView]:
        """Name what is counted."""
        found = await self._quota.resources()
        return {one.name: ResourceView.of(one) for one in found}

    @operation("GET", "/quotas", query=Mode)
    async def quotas(self, caller: Caller, query: Mode) -> QuotasView:
        """Tell use and limits in each of the caller's projects."""
        view = UsageView.of_project if query.mode else UsageView.of
        return quotas(await self._quota.usage(caller), view)

    @operation("GET", "/service_quotas", query=Asked, auth=SERVICE)
    async def service_quotas(self, component: Component, query: Asked) -> UsersView:
        """Tell users' use and limits of the component's resources."""
        text = await self._reports.of_users(component, query.wanted())
        return cast(UsersView, Raw(text))

    @operation("GET", "/service_project_quotas", query=Asked, auth=SERVICE)
    async def service_project_quotas(
        self, component: Component, query: Asked
    ) -> ProjectsView:
        """Tell projects' use and limits of the component's resources."""
        text = await self._reports.of_projects(component, query.wanted())
        return cast(ProjectsView, Raw(text))


def _uuids(text: str | None) -> list[UUID] | None:
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) > NAMED:
        raise Invalid(f"at most {NAMED} can be named")
    return sorted({found for part in parts if (found := as_uuid(part.strip()))})
