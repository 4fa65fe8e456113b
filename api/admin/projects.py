"""Changing projects, deciding about applications, moving members."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from api.admin.bodies import Reason, Short, Text
from api.admin.lists import Listing
from api.operations import Reply, operation
from api.paging import RowId
from snfd.admin.model import (
    Page,
)
from snfd.admin.project_model import (
    ExpiredAsk,
    ExpiredRow,
    ProjectFacts,
)
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Administration
from snfd.projects.acting import Order
from snfd.projects.admin import ProjectAdmin
from snfd.projects.changes import Changes
from snfd.projects.expiry import Ends
from snfd.projects.rules import Action
from snfd.quota.model import Limit

Policy = Literal["auto", "moderated", "closed"]
Capacity = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class WantedLimit(Struct):
    """What a project grants of a resource: to each member, and to all."""

    member: Capacity
    project: Capacity


class ProjectChanges(Struct):
    """Properties of a project; null leaves one as it is, or takes the default."""

    name: Short | None = None
    owner: Short | None = None
    description: Text | None = None
    homepage: Short | None = None
    ends: datetime | None = None
    join_policy: Policy | None = None
    leave_policy: Policy | None = None
    max_members: Capacity | None = None
    private: bool | None = None
    limits: dict[Short, WantedLimit] = {}
    reason: Text = ""

    def changes(self, owner: UUID | None) -> Changes:
        """The same, with the owner's uuid."""
        return Changes(
            name=self.name,
            owner=owner,
            homepage=self.homepage,
            description=self.description,
            ends=self.ends,
            join_policy=self.join_policy,
            leave_policy=self.leave_policy,
            max_members=self.max_members,
            private=self.private,
            resources=limits(self.limits),
        )


def limits(wanted: Mapping[str, WantedLimit]) -> Mapping[str, Limit]:
    """Limits as projects take them."""
    return {name: Limit(one.project, one.member) for name, one in wanted.items()}


class Decision(Struct):
    """A decision about an application; null means the project's last one."""

    application: RowId | None = None
    reason: Text = ""

    def order(self, word: str, number: int) -> Order:
        """What shall become of the project.

        :param number: of the application.
        """
        return Order(word, self.reason, number)


class Approval(Decision):
    """An application that is granted.

    ``reactivate``: a change also makes a suspended or terminated project active.
    """

    reactivate: bool = False

    def order(self, word: str, number: int) -> Order:
        """See `Decision.order`."""
        return Order(word, self.reason, number, self.reactivate)


class Role(Struct):
    """A member's role."""

    role: Literal["member", "reader"] = "member"


class Terminated(Reply):
    """What was terminated."""

    terminated: list[UUID]


class ProjectsApi:
    """Makes and changes projects, and decides about applications."""

    def __init__(self, admin: Administration, projects: ProjectAdmin) -> None:
        self._admin = admin
        self._projects = projects

    @operation("POST", "/projects", body=ProjectChanges, status=201)
    async def create(self, staff: Staff, body: ProjectChanges) -> ProjectFacts:
        """Make an active project, without application."""
        actor, wanted = staff.to(Right.PROJECTS), await self._changes(body)
        uuid = await self._projects.create(actor, wanted, body.reason)
        return await self._admin.ledger.project(str(uuid))

    @operation("PATCH", "/projects/<project>", body=ProjectChanges)
    async def modify(
        self, staff: Staff, project: str, body: ProjectChanges
    ) -> ProjectFacts:
        """Change a project, its limits and its owner, at once."""
        actor, wanted = staff.to(Right.PROJECTS), await self._changes(body)
        uuid = await self._admin.find.project(project)
        await self._projects.modify(actor, uuid, wanted, body.reason)
        return await self._admin.ledger.project(str(uuid))

    @operation("POST", "/projects/<project>/approve", body=Approval)
    async def approve(self, staff: Staff, project: str, body: Approval) -> ProjectFacts:
        """Grant the application for a project."""
        return await self._decided(staff, project, "approve", body)

    @operation("POST", "/projects/<project>/deny", body=Decision)
    async def deny(self, staff: Staff, project: str, body: Decision) -> ProjectFacts:
        """Refuse the application for a project."""
        return await self._decided(staff, project, "deny", body)

    async def _changes(self, body: ProjectChanges) -> Changes:
        owner = body.owner and await self._admin.find.user(body.owner)
        return body.changes(owner or None)

    async def _decided(
        self, staff: Staff, project: str, word: str, body: Decision
    ) -> ProjectFacts:
        actor, uuid = staff.to(Right.PROJECTS), await self._admin.find.project(project)
        number = body.application
        if number is None:
            number = await self._admin.ledger.application(uuid)
        await self._projects.act(actor, uuid, body.order(word, number))
        return await self._admin.ledger.project(str(uuid))


class ProjectLivesApi:
    """Suspends and terminates projects, and undoes it."""

    def __init__(self, admin: Administration, projects: ProjectAdmin) -> None:
        self._admin = admin
        self._projects = projects

    @operation("POST", "/projects/<project>/suspend", body=Reason)
    async def suspend(self, staff: Staff, project: str, body: Reason) -> ProjectFacts:
        """Have a project grant nothing until it is unsuspended."""
        return await self._done(staff, project, "suspend", body)

    @operation("POST", "/projects/<project>/unsuspend", body=Reason)
    async def unsuspend(self, staff: Staff, project: str, body: Reason) -> ProjectFacts:
        """Have a suspended project grant what it did."""
        return await self._done(staff, project, "unsuspend", body)

    @operation("POST", "/projects/<project>/terminate", body=Reason)
    async def terminate(self, staff: Staff, project: str, body: Reason) -> ProjectFacts:
        """End a project; its name is free for others."""
        return await self._done(staff, project, "terminate", body)

    @operation("POST", "/projects/<project>/reinstate", body=Reason)
    async def reinstate(self, staff: Staff, project: str, body: Reason) -> ProjectFacts:
        """Bring a terminated project back."""
        return await self._done(staff, project, "reinstate", body)

    async def _done(
        self, staff: Staff, project: str, word: str, body: Reason
    ) -> ProjectFacts:
        actor, uuid = staff.to(Right.PROJECTS), await self._admin.find.project(project)
        await self._projects.act(actor, uuid, Order(word, body.reason))
        return await self._admin.ledger.project(str(uuid))


class ExpiredApi:
    """Projects that are past their end."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    @operation("GET", "/expired-projects", query=ExpiredAsk)
    async def expired(self, staff: Staff, query: ExpiredAsk) -> Listing[ExpiredRow]:
        """List live projects whose end has passed."""
        found = await self._ends.expired()
        rows = [ExpiredRow(one.uuid, one.name, one.ends) for one in found]
        return Listing.of(Page(rows[: query.limit], None))

    @operation("POST", "/expired-projects/terminate")
    async def expire(self, staff: Staff) -> Terminated:
        """Terminate the projects whose end has passed, now."""
        actor = staff.to(Right.PROJECTS)
        return Terminated(await self._ends.expire(actor))


class MembersApi:
    """Adds and moves members of projects."""

    def __init__(self, admin: Administration, projects: ProjectAdmin) -> None:
        self._admin = admin
        self._projects = projects

    @operation("PUT", "/projects/<project>/members/<user>", body=Role, status=204)
    async def add(self, staff: Staff, project: str, user: str, body: Role) -> None:
        """Make a user a member, whatever the policies; or change his role."""
        actor, found = staff.to(Right.PROJECTS), self._admin.find
        uuid, who = await found.project(project), await found.user(user)
        await self._projects.add_member(actor, uuid, who, body.role)

    @operation(
        "POST", "/projects/<project>/members/<user>/accept", body=Reason, status=204
    )
    async def accept(self, staff: Staff, project: str, user: str, body: Reason) -> None:
        """Grant a request to join."""
        await self._moved(staff, project, user, Action.ACCEPT, body)

    @operation(
        "POST", "/projects/<project>/members/<user>/reject", body=Reason, status=204
    )
    async def reject(self, staff: Staff, project: str, user: str, body: Reason) -> None:
        """Refuse a request to join."""
        await self._moved(staff, project, user, Action.REJECT, body)

    @operation(
        "POST", "/projects/<project>/members/<user>/remove", body=Reason, status=204
    )
    async def remove(self, staff: Staff, project: str, user: str, body: Reason) -> None:
        """End a membership."""
        await self._moved(staff, project, user, Action.REMOVE, body)

    @operation(
        "POST", "/projects/<project>/members/<user>/suspend", body=Reason, status=204
    )
    async def suspend(
        self, staff: Staff, project: str, user: str, body: Reason
    ) -> None:
        """Grant a member nothing until he is unsuspended."""
        await self._moved(staff, project, user, Action.SUSPEND, body)

    @operation(
        "POST", "/projects/<project>/members/<user>/unsuspend", body=Reason, status=204
    )
    async def unsuspend(
        self, staff: Staff, project: str, user: str, body: Reason
    ) -> None:
        """Grant a suspended member what he had."""
        await self._moved(staff, project, user, Action.UNSUSPEND, body)

    async def _moved(
        self, staff: Staff, project: str, user: str, action: Action, body: Reason
    ) -> None:
        actor, found = staff.to(Right.PROJECTS), self._admin.find
        uuid, who = await found.project(project), await found.user(user)
        await self._projects.member(actor, uuid, who, action, body.reason)
