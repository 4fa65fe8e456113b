"""Groups of people; those in ``admin`` are administrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.openstack.identity.filters import Filter
from api.openstack.identity.lists import UserList, users
from api.openstack.identity.rights import administrator
from api.openstack.identity.views import Links, SelfLink
from api.operations import Reply, operation
from snfd.accounts.editing import Editing, Groups
from snfd.errors import NotFound
from snfd.identity.directory import Directory
from snfd.identity.model import DOMAIN_ID, Caller, Group

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class NewGroup(Struct):
    """A group to be made."""

    name: Name


class CreateGroup(Struct):
    """Body of ``POST /groups``."""

    group: NewGroup


class GroupView(Reply):
    """A group."""

    id: str
    name: str
    links: SelfLink
    description: str = ""
    domain_id: str = DOMAIN_ID

    @classmethod
    def of(cls, one: Group, base: str) -> GroupView:
        """A group."""
        return cls(str(one.id), one.name, SelfLink(f"{base}/groups/{one.id}"))


class GroupReply(Reply):
    """One group."""

    group: GroupView


class GroupList(Reply):
    """Some groups; ``truncated`` where there are more."""

    groups: list[GroupView]
    links: Links
    truncated: bool | UnsetType = UNSET


class GroupsApi:
    """The ``/groups`` resources."""

    def __init__(self, directory: Directory, groups: Groups, base: str) -> None:
        self._directory = directory
        self._groups = groups
        self._base = base

    @operation("GET", "/groups", query=Filter)
    async def all(self, caller: Caller, query: Filter) -> GroupList:
        """List the groups, for administrators."""
        found, more = await self._directory.groups(caller, query.name)
        return self._list(found if query.here else [], more, "/groups")

    @operation("GET", "/users/<user>/groups", query=Filter)
    async def of_user(self, caller: Caller, user: UUID, query: Filter) -> GroupList:
        """List the groups that somebody is in."""
        found, more = await self._directory.groups_of(caller, user)
        return self._list(found, more, f"/users/{user}/groups")

    @operation("POST", "/groups", body=CreateGroup, status=201)
    async def create(self, caller: Caller, body: CreateGroup) -> GroupReply:
        """Make a group."""
        await self._groups.add(body.group.name, administrator(caller))
        (made,), _ = await self._directory.groups(caller, body.group.name)
        return GroupReply(GroupView.of(made, self._base))

    @operation("GET", "/groups/<group>")
    async def one(self, caller: Caller, group: int) -> GroupReply:
        """Show one group."""
        found = await self._directory.group(caller, group)
        return GroupReply(GroupView.of(found, self._base))

    @operation("DELETE", "/groups/<group>", status=204)
    async def delete(self, caller: Caller, group: int) -> None:
        """Remove a group; its members stay."""
        found = await self._directory.group(caller, group)
        await self._groups.remove(found.name, administrator(caller))

    @operation("GET", "/groups/<group>/users")
    async def members(self, caller: Caller, group: int) -> UserList:
        """List the members of a group."""
        found, more = await self._directory.members(caller, group)
        return users(found, more, self._base, f"/groups/{group}/users")

    def _list(self, found: Sequence[Group], more: bool, path: str) -> GroupList:
        views = [GroupView.of(one, self._base) for one in found]
        return GroupList(views, Links(self._base + path), more or UNSET)


class GroupMembersApi:
    """Who is in a group."""

    def __init__(self, directory: Directory, editing: Editing) -> None:
        self._directory = directory
        self._editing = editing

    @operation("PUT", "/groups/<group>/users/<user>", status=204)
    async def add(self, caller: Caller, group: int, user: UUID) -> None:
        """Put somebody into a group."""
        found = await self._directory.group(caller, group)
        await self._editing.set_groups(user, [found.name], [], administrator(caller))

    @operation("DELETE", "/groups/<group>/users/<user>", status=204)
    async def remove(self, caller: Caller, group: int, user: UUID) -> None:
        """Take somebody out of a group."""
        found = await self._directory.group(caller, group)
        await self._editing.set_groups(user, [], [found.name], administrator(caller))

    @operation("HEAD", "/groups/<group>/users/<user>", status=204)
    async def check(self, caller: Caller, group: int, user: UUID) -> None:
        """Tell whether somebody is in a group."""
        if not await self._directory.is_member(caller, group, user):
            raise NotFound(f"user {user} is not in that group")
