"""Projects of identity v3; administrators make and change them at once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.openstack.identity.filters import PageFilter
from api.openstack.identity.lists import ProjectList, ProjectReply, ProjectView
from api.openstack.identity.rights import administrator
from api.operations import operation
from api.paging import size
from snfd.errors import Invalid
from snfd.identity.model import DOMAIN_ID, Caller
from snfd.projects.acting import Order
from snfd.projects.admin import ProjectAdmin
from snfd.projects.changes import Changes
from snfd.projects.service import Listed, Projects, Slice

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Text = Annotated[str, Meta(max_length=4096)]
Short = Annotated[str, Meta(max_length=255)]


class ProjectFilter(PageFilter):
    """Filters of ``/projects``."""

    enabled: bool | None = None
    is_domain: bool = False
    parent_id: Short = DOMAIN_ID


class ProjectPart(Struct):
    """What a project shall be; there are no domains or trees of projects."""

    name: Name | None = None
    description: Text | None = None
    enabled: bool | None = None
    domain_id: Short | None = None
    parent_id: Short | None = None
    is_domain: bool = False

    def changes(self) -> Changes:
        """What of it a project has here.

        :raises Invalid: it asks for a domain or a tree.
        """
        if self.is_domain:
            raise Invalid("there is one domain, and nobody makes others")
        for part in (self.domain_id, self.parent_id):
            if part not in (None, DOMAIN_ID):
                raise Invalid("every project stands in the domain 'default' itself")
        return Changes(name=self.name, description=self.description)


class ProjectBody(Struct):
    """Body of ``POST /projects`` and of ``PATCH /projects/<project>``."""

    project: ProjectPart


def page(query: PageFilter) -> Slice:
    """Which part of a list is asked for."""
    return Slice(query.marker, size(query.limit))


class ProjectsApi:
    """The ``/projects`` resources."""

    def __init__(self, projects: Projects, admin: ProjectAdmin, base: str) -> None:
        self._projects = projects
        self._admin = admin
        self._base = base

    @operation("GET", "/projects", query=ProjectFilter)
    async def all(self, caller: Caller, query: ProjectFilter) -> ProjectList:
        """List all projects for administrators, else the caller's own."""
        listed = Listed([], False)
        if query.here and query.parent_id == DOMAIN_ID and not query.is_domain:
            listed = await self._projects.visible(caller, query.name, page(query))
        return ProjectList.of(listed, self._base, "/projects", query, query.enabled)

    @operation("GET", "/projects/<project>")
    async def one(self, caller: Caller, project: UUID) -> ProjectReply:
        """Show one project."""
        return await self._shown(caller, project)

    @operation("GET", "/users/<user>/projects", query=PageFilter)
    async def of_user(
        self, caller: Caller, user: UUID, query: PageFilter
    ) -> ProjectList:
        """List the projects that a user is a member of."""
        listed = await self._projects.of_user(caller, user, query.name, page(query))
        return ProjectList.of(listed, self._base, f"/users/{user}/projects", query)

    @operation("POST", "/projects", body=ProjectBody, status=201)
    async def create(self, caller: Caller, body: ProjectBody) -> ProjectReply:
        """Make a project, without application, with the default limits."""
        actor = administrator(caller)
        made = await self._admin.create(actor, body.project.changes())
        if body.project.enabled is False:
            await self._admin.act(actor, made, Order("suspend"))
        return await self._shown(caller, made)

    @operation("PATCH", "/projects/<project>", body=ProjectBody)
    async def change(
        self, caller: Caller, project: UUID, body: ProjectBody
    ) -> ProjectReply:
        """Change a project; one that is not enabled is suspended."""
        await self._change(caller, project, body.project)
        return await self._shown(caller, project)

    @operation("DELETE", "/projects/<project>", status=204)
    async def delete(self, caller: Caller, project: UUID) -> None:
        """Terminate a project: it grants nothing, and its name is free again."""
        await self._admin.act(administrator(caller), project, Order("terminate"))

    async def _change(self, caller: Caller, project: UUID, part: ProjectPart) -> None:
        actor, wanted = administrator(caller), part.changes()
        found = await self._projects.get(caller, project)
        if not wanted.empty:
            await self._admin.modify(actor, project, wanted)
        if part.enabled is not None and part.enabled != found.active:
            word = "unsuspend" if part.enabled else "suspend"
            await self._admin.act(actor, project, Order(word))

    async def _shown(self, caller: Caller, project: UUID) -> ProjectReply:
        found = await self._projects.get(caller, project)
        return ProjectReply(ProjectView.of(found, self._base))
