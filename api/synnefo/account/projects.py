"""Projects: which there are, applying for them, deciding.

Source: ``spec/astakos.md`` §2.6.1–§2.6.5.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from api.operations import EMPTY, Answer, operation
from api.paging import complete
from api.synnefo.account.project_bodies import (
    NewProject,
    ProjectAction,
    ProjectQuery,
    WantedChanges,
)
from api.synnefo.account.project_views import ProjectView, SubmittedReply, project_json
from snfd.identity.model import Caller
from snfd.projects.desk import ProjectDesk


class ProjectsApi:
    """The ``/projects`` resources."""

    def __init__(self, projects: ProjectDesk) -> None:
        self._projects = projects

    @operation("GET", "/projects", query=ProjectQuery)
    async def all(self, caller: Caller, query: ProjectQuery) -> list[ProjectView]:
        """List the projects that the caller may see, or some of them."""
        found = await self._projects.list(caller, query.asked(), project_json)
        return cast(list[ProjectView], complete(found, query.limit))

    @operation("GET", "/projects/<project>")
    async def one(self, caller: Caller, project: UUID) -> ProjectView:
        """Show one project."""
        return ProjectView.of(await self._projects.get(caller, project))

    @operation("POST", "/projects", body=NewProject, status=201)
    async def submit(self, caller: Caller, body: NewProject) -> SubmittedReply:
        """Apply for a new project."""
        done = await self._projects.submit(caller, body.changes(), body.said())
        return SubmittedReply.of(done)

    @operation("PUT", "/projects/<project>", body=WantedChanges, status=201)
    async def modify(
        self, caller: Caller, project: UUID, body: WantedChanges
    ) -> SubmittedReply:
        """Apply for changes to a project, or make them as administrator."""
        done = await self._projects.modify(
            caller, project, body.changes(), body.said(), at_once=body.apply
        )
        return SubmittedReply.of(done)

    @operation("POST", "/projects/<project>/action", body=ProjectAction)
    async def act(
        self, caller: Caller, project: UUID, body: ProjectAction
    ) -> Answer[bytes]:
        """Decide about a project or its application."""
        await self._projects.act(caller, project, body.order())
        return EMPTY
