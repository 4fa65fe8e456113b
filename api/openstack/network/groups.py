"""Security groups of network v2.0: one, which forbids nothing."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from msgspec import Struct

from api.operations import Reply, operation
from snfd.errors import NotFound, NotImplementedHere
from snfd.identity.model import Caller


class RuleView(Reply):
    """A rule of a security group; there are none."""

    id: str


class GroupView(Reply):
    """A security group."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    shared: bool
    stateful: bool
    security_group_rules: list[RuleView]
    tags: list[str]


class GroupsReply(Reply):
    """All security groups: always one, which forbids nothing."""

    security_groups: list[GroupView]


class GroupReply(Reply):
    """One security group."""

    security_group: GroupView


class RulesReply(Reply):
    """Rules of security groups: none."""

    security_group_rules: list[RuleView]


class NameQuery(Struct):
    """How a list is narrowed by name."""

    name: str | None = None


def default_group(caller: Caller) -> GroupView:
    """The one group, which every project has under its own id."""
    project = str(caller.project)
    return GroupView(
        project, "default", "no filter", project, project, False, True, [], []
    )


@frozen(eq=False)
class GroupsApi:
    """Security groups: one, which is always there and forbids nothing."""

    @operation("GET", "/security-groups", query=NameQuery)
    async def index(self, caller: Caller, query: NameQuery) -> GroupsReply:
        """List security groups."""
        if query.name not in (None, "default"):
            return GroupsReply([])
        return GroupsReply([default_group(caller)])

    @operation("GET", "/security-groups/<group>")
    async def show(self, caller: Caller, group: UUID) -> GroupReply:
        """Show a security group."""
        if group != caller.project:
            raise NotFound(f"there is no security group {group}")
        return GroupReply(default_group(caller))

    @operation("POST", "/security-groups")
    async def create(self, caller: Caller) -> GroupReply:
        """There are no security groups to make."""
        raise NotImplementedHere("security groups cannot be made in this cloud")

    @operation("GET", "/security-group-rules")
    async def rules(self, caller: Caller) -> RulesReply:
        """List rules of security groups: none."""
        return RulesReply([])
