"""Roles, who has which, and giving and taking them.

A role in a project is a membership: ``member``, or ``reader`` for one that is
read-only. Administrators have ``admin`` wherever they are members; it is given
by the group ``admin``.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec import field as named
from twisted.web.iweb import IRequest

from api.openstack.identity.filters import Filter, Name, said
from api.openstack.identity.lists import RoleList, RoleReply, RoleView
from api.openstack.identity.rights import administrator
from api.openstack.identity.views import DOMAIN, Links, Ref
from api.operations import Reply, operation
from snfd.errors import Forbidden, NotFound
from snfd.identity.directory import Directory
from snfd.identity.directory_model import Assignment
from snfd.identity.model import ADMIN, ROLES, Caller
from snfd.identity.names import as_uuid
from snfd.projects.admin import ProjectAdmin
from snfd.projects.rules import Action

BY_GROUP = "administrators are the members of the group 'admin': add him to that"
GRANT = "/projects/<project>/users/<user>/roles/<role>"


class AssignmentFilter(Struct):
    """Filters of ``/role_assignments``."""

    user: Name | None = named(name="user.id", default=None)
    project: Name | None = named(name="scope.project.id", default=None)
    role: Name | None = named(name="role.id", default=None)
    group: Name | None = named(name="group.id", default=None)
    domain: Name | None = named(name="scope.domain.id", default=None)
    system: Name | None = named(name="scope.system", default=None)
    effective: str | None = None
    include_names: str | None = None

    @property
    def impossible(self) -> bool:
        """Whether it asks for what there is none of."""
        elsewhere = (self.group, self.domain, self.system)
        unknown = [
            given is not None and as_uuid(given) is None
            for given in (self.user, self.project)
        ]
        return any(given is not None for given in elsewhere) or any(unknown)


class NamedRef(Reply):
    """Something with an id; name and domain where they are asked for."""

    id: str
    name: str | UnsetType = UNSET
    domain: Ref | UnsetType = UNSET


class ProjectScope(Reply):
    """Where a role counts."""

    project: NamedRef


class AssignmentLinks(Reply):
    """Where the grant is."""

    assignment: str


class AssignmentView(Reply):
    """Somebody has a role in a project."""

    role: NamedRef
    user: NamedRef
    scope: ProjectScope
    links: AssignmentLinks

    @classmethod
    def of(cls, one: Assignment, role: str, base: str, names: bool) -> AssignmentView:
        """One role of an assignment."""
        project, user = one.project, one.user
        link = f"{base}/projects/{project.uuid}/users/{user}/roles/{role}"
        return cls(
            NamedRef(role, role) if names else NamedRef(role),
            _named(str(user), one.username, names),
            ProjectScope(_named(str(project.uuid), project.name, names)),
            AssignmentLinks(link),
        )


class AssignmentList(Reply):
    """Who has which role; ``truncated`` where there are more."""

    role_assignments: list[AssignmentView]
    links: Links
    truncated: bool | UnsetType = UNSET


class RolesApi:
    """The ``/roles`` and ``/role_assignments`` resources."""

    def __init__(self, directory: Directory, base: str) -> None:
        self._directory = directory
        self._base = base

    @operation("GET", "/roles", query=Filter)
    async def roles(self, caller: Caller, query: Filter) -> RoleList:
        """List the roles."""
        return _roles([r for r in ROLES if query.name in (None, r)], self._base)

    @operation("GET", "/roles/<role>")
    async def role(self, caller: Caller, role: str) -> RoleReply:
        """Show one role."""
        return RoleReply(RoleView.of(_known(role), self._base))

    @operation("GET", "/role_assignments", query=AssignmentFilter, raw=True)
    async def assignments(
        self, caller: Caller, query: AssignmentFilter, request: IRequest
    ) -> AssignmentList:
        """List who has which role where; for all but administrators, their own."""
        found: Sequence[Assignment] = []
        more = False
        if not query.impossible:
            who, where = as_uuid(query.user or ""), as_uuid(query.project or "")
            found, more = await self._directory.assignments(caller, who, where)
        whole = said(request, "effective", query.effective)
        names = said(request, "include_names", query.include_names)
        views = [
            AssignmentView.of(one, role, self._base, names)
            for one in found
            for role in (one.roles if whole else one.given)
            if query.role in (None, role)
        ]
        links = Links(f"{self._base}/role_assignments")
        return AssignmentList(views, links, more or UNSET)


class GrantsApi:
    """Roles of somebody in a project, for administrators."""

    def __init__(self, directory: Directory, admin: ProjectAdmin, base: str) -> None:
        self._directory = directory
        self._admin = admin
        self._base = base

    @operation("GET", "/projects/<project>/users/<user>/roles")
    async def all(self, caller: Caller, project: UUID, user: UUID) -> RoleList:
        """List the roles of somebody in a project."""
        administrator(caller)
        one = await self._one(caller, project, user)
        return _roles(one.given if one else [], self._base)

    @operation("HEAD", GRANT, status=204)
    async def check(self, caller: Caller, project: UUID, user: UUID, role: str) -> None:
        """Tell whether somebody has a role in a project."""
        administrator(caller)
        one = await self._one(caller, project, user)
        if one is None or role not in one.roles:
            raise NotFound(f"user {user} is no {role} there")

    @operation("PUT", GRANT, status=204)
    async def grant(self, caller: Caller, project: UUID, user: UUID, role: str) -> None:
        """Make somebody a member of a project; weaker roles change nothing."""
        actor, role = administrator(caller), _known(role)
        one = await self._one(caller, project, user)
        if one is not None and role in one.roles:
            return
        if role == ADMIN:
            raise Forbidden(BY_GROUP)
        await self._admin.add_member(actor, project, user, role)

    @operation("DELETE", GRANT, status=204)
    async def revoke(
        self, caller: Caller, project: UUID, user: UUID, role: str
    ) -> None:
        """End somebody's membership in a project."""
        actor = administrator(caller)
        one = await self._one(caller, project, user)
        if one is None or role not in one.given:
            raise NotFound(f"user {user} was not given the role {role} there")
        if role == ADMIN:
            raise Forbidden(BY_GROUP.replace("add him to", "remove him from"))
        await self._admin.member(actor, project, user, Action.REMOVE)

    async def _one(
        self, caller: Caller, project: UUID, user: UUID
    ) -> Assignment | None:
        found, _ = await self._directory.assignments(caller, user, project)
        return found[0] if found else None


def _known(role: str) -> str:
    if role not in ROLES:
        raise NotFound(f"there is no role {role}")
    return role


def _named(ident: str, name: str, names: bool) -> NamedRef:
    return NamedRef(ident, name, DOMAIN) if names else NamedRef(ident)


def _roles(names: Sequence[str], base: str) -> RoleList:
    return RoleList([RoleView.of(one, base) for one in names], Links(f"{base}/roles"))
