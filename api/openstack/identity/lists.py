"""Projects, people, domains and roles as identity v3 shows them.

``base`` is the URL of identity v3 everywhere, ``path`` what stands below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET, UnsetType

from api.openstack.identity.filters import PageFilter, next_page
from api.openstack.identity.views import Links, SelfLink
from api.operations import Reply
from snfd.identity.model import DOMAIN_ID, DOMAIN_NAME, User
from snfd.projects.model import Project
from snfd.projects.service import Listed


class ProjectView(Reply):
    """A project."""

    id: UUID
    name: str
    description: str
    enabled: bool
    links: SelfLink
    domain_id: str = DOMAIN_ID
    parent_id: str = DOMAIN_ID
    is_domain: bool = False
    tags: list[str] = []
    options: dict[str, str] = {}

    @classmethod
    def of(cls, one: Project, base: str) -> ProjectView:
        """A project."""
        link = SelfLink(f"{base}/projects/{one.uuid}")
        return cls(one.uuid, one.name, one.description, one.active, link)


class ProjectReply(Reply):
    """One project."""

    project: ProjectView


class ProjectList(Reply):
    """Some projects; ``truncated`` where there are more."""

    projects: list[ProjectView]
    links: Links
    truncated: bool | UnsetType = UNSET

    @classmethod
    def of(
        cls,
        listed: Listed,
        base: str,
        path: str,
        query: PageFilter | None = None,
        enabled: bool | None = None,
    ) -> ProjectList:
        """A list.

        :param query: what was asked for, where the list has pages.
        :param enabled: only those that are so; None for all.
        """
        last = listed.projects[-1].uuid if listed.truncated else None
        links = Links(base + path)
        if query is not None:
            links.next = next_page(base + path, query, last)
        return cls(
            [
                ProjectView.of(one, base)
                for one in listed.projects
                if enabled in (None, one.active)
            ],
            links,
            listed.truncated or UNSET,
        )


class UserView(Reply):
    """A person."""

    id: UUID
    name: str
    email: str
    enabled: bool
    links: SelfLink
    domain_id: str = DOMAIN_ID
    password_expires_at: None = None
    options: dict[str, str] = {}

    @classmethod
    def of(cls, one: User, base: str) -> UserView:
        """A person."""
        link = SelfLink(f"{base}/users/{one.uuid}")
        return cls(one.uuid, one.username, one.email, one.active, link)


class UserReply(Reply):
    """One person."""

    user: UserView


class UserList(Reply):
    """Some people; ``truncated`` where there are more."""

    users: list[UserView]
    links: Links
    truncated: bool | UnsetType = UNSET


class DomainView(Reply):
    """The one domain."""

    links: SelfLink
    id: str = DOMAIN_ID
    name: str = DOMAIN_NAME
    description: str = ""
    enabled: bool = True
    tags: list[str] = []
    options: dict[str, str] = {}


class DomainReply(Reply):
    """One domain."""

    domain: DomainView


class DomainList(Reply):
    """All domains."""

    domains: list[DomainView]
    links: Links


class SystemScopes(Reply):
    """The systems that a token may be scoped to."""

    system: list[dict[str, bool]]
    links: Links


class RoleView(Reply):
    """A role."""

    id: str
    name: str
    links: SelfLink
    description: str = ""
    domain_id: None = None
    options: dict[str, str] = {}

    @classmethod
    def of(cls, name: str, base: str) -> RoleView:
        """A role."""
        return cls(name, name, SelfLink(f"{base}/roles/{name}"))


class RoleReply(Reply):
    """One role."""

    role: RoleView


class RoleList(Reply):
    """All roles."""

    roles: list[RoleView]
    links: Links


def users(found: Sequence[User], truncated: bool, base: str, path: str) -> UserList:
    """A list of people."""
    views = [UserView.of(one, base) for one in found]
    return UserList(views, Links(base + path), truncated or UNSET)
