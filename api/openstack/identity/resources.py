"""Versions, projects, people, domains and roles of identity v3."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.openstack.identity.lists import (
    DomainList,
    DomainReply,
    DomainView,
    ProjectList,
    ProjectReply,
    ProjectView,
    RoleList,
    RoleReply,
    RoleView,
    UserList,
    UserReply,
    UserView,
    users,
)
from api.openstack.identity.views import (
    ORDER,
    Links,
    SelfLink,
    Version,
    VersionDocument,
    VersionList,
    VersionValues,
)
from api.operations import operation
from snfd.catalog import Catalog
from snfd.errors import NotFound
from snfd.identity.model import DOMAIN_ID, DOMAIN_NAME, Caller
from snfd.identity.people import People
from snfd.projects.service import Listed, Projects

Name = Annotated[str, Meta(max_length=255)]


class Filter(Struct):
    """Filters of a list; things of another domain do not exist."""

    name: Name | None = None
    domain_id: Name = DOMAIN_ID


class VersionsApi:
    """Lists the versions: v3 alone, so that clients do not choose v2.0."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @operation("GET", "", status=300, auth=False)
    async def versions(self) -> VersionList:
        """List the versions."""
        return VersionList(VersionValues([Version.v3(self._catalog)]))


class VersionApi:
    """The root of v3."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @operation("GET", "", auth=False)
    async def version(self) -> VersionDocument:
        """Describe this version."""
        return VersionDocument(Version.v3(self._catalog))


class ProjectsApi:
    """The ``/projects`` resources."""

    def __init__(self, projects: Projects, base: str) -> None:
        self._projects = projects
        self._base = base

    @operation("GET", "/projects", query=Filter)
    async def all(self, caller: Caller, query: Filter) -> ProjectList:
        """List all projects for administrators, else the caller's own."""
        listed = Listed([], False)
        if query.domain_id == DOMAIN_ID:
            listed = await self._projects.visible(caller, query.name)
        return ProjectList.of(listed, self._base, "/projects")

    @operation("GET", "/projects/<project>")
    async def one(self, caller: Caller, project: UUID) -> ProjectReply:
        """Show one project."""
        found = await self._projects.get(caller, project)
        return ProjectReply(ProjectView.of(found, self._base))

    @operation("GET", "/users/<user>/projects", query=Filter)
    async def of_user(self, caller: Caller, user: UUID, query: Filter) -> ProjectList:
        """List the projects that a user is a member of."""
        listed = await self._projects.of_user(caller, user, query.name)
        return ProjectList.of(listed, self._base, f"/users/{user}/projects")


class UsersApi:
    """The ``/users`` resources."""

    def __init__(self, people: People, base: str) -> None:
        self._people = people
        self._base = base

    @operation("GET", "/users", query=Filter)
    async def all(self, caller: Caller, query: Filter) -> UserList:
        """List all people for administrators, else the caller alone."""
        found, more = await self._people.visible(caller, query.name)
        listed = found if query.domain_id == DOMAIN_ID else []
        return users(listed, more, self._base, "/users")

    @operation("GET", "/users/<user>")
    async def one(self, caller: Caller, user: UUID) -> UserReply:
        """Show one person."""
        found = await self._people.get(caller, user)
        return UserReply(UserView.of(found, self._base))


class DomainsApi:
    """The one domain, and the roles that there are."""

    def __init__(self, base: str) -> None:
        self._base = base

    @operation("GET", "/domains", query=Filter)
    async def domains(self, caller: Caller, query: Filter) -> DomainList:
        """List the one domain."""
        found = [self._domain()] if query.name in (None, DOMAIN_NAME) else []
        return DomainList(found, Links(f"{self._base}/domains"))

    @operation("GET", "/domains/<domain>")
    async def domain(self, caller: Caller, domain: str) -> DomainReply:
        """Show the one domain."""
        if domain != DOMAIN_ID:
            raise NotFound(f"there is no domain {domain}")
        return DomainReply(self._domain())

    @operation("GET", "/roles", query=Filter)
    async def roles(self, caller: Caller, query: Filter) -> RoleList:
        """List the roles."""
        found = [RoleView.of(r, self._base) for r in ORDER if query.name in (None, r)]
        return RoleList(found, Links(f"{self._base}/roles"))

    @operation("GET", "/roles/<role>")
    async def role(self, caller: Caller, role: str) -> RoleReply:
        """Show one role."""
        if role not in ORDER:
            raise NotFound(f"there is no role {role}")
        return RoleReply(RoleView.of(role, self._base))

    def _domain(self) -> DomainView:
        return DomainView(SelfLink(f"{self._base}/domains/{DOMAIN_ID}"))
