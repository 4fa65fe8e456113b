"""Security groups of network v2.0: those that stand for firewall profiles."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from msgspec import Struct

from api.operations import Reply, operation
from snfd.errors import NotFound, NotImplementedHere
from snfd.identity.model import Caller
from snfd.network.groups import Group, groups


class RuleView(Reply):
    """A rule of a security group; none is told."""

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

    @classmethod
    def of(cls, one: Group, project: UUID) -> GroupView:
        """A group as a project sees it."""
        own = str(project)
        return cls(
            str(one.id), one.name, one.description, own, own, False, True, [], []
        )


class GroupsReply(Reply):
    """All security groups: one for each firewall profile, and the default one."""

    security_groups: list[GroupView]


class GroupReply(Reply):
    """One security group."""

    security_group: GroupView


class RulesReply(Reply):
    """Rules of security groups: none."""

    security_group_rules: list[RuleView]


class GroupsQuery(Struct):
    """How a list is narrowed."""

    id: list[str] = []
    name: str | None = None
    tenant_id: str | None = None
    project_id: str | None = None

    def takes(self, one: GroupView) -> bool:
        """Whether a group is in the list."""
        return (
            (not self.id or one.id in self.id)
            and self.name in (None, one.name)
            and self.tenant_id in (None, one.tenant_id)
            and self.project_id in (None, one.project_id)
        )


@frozen(eq=False)
class GroupsApi:
    """Security groups: always the same, nobody makes, changes or removes any."""

    @operation("GET", "/security-groups", query=GroupsQuery)
    async def index(self, caller: Caller, query: GroupsQuery) -> GroupsReply:
        """List security groups."""
        project = caller.project
        found = [GroupView.of(one, project) for one in groups(project)]
        return GroupsReply([one for one in found if query.takes(one)])

    @operation("GET", "/security-groups/<group>")
    async def show(self, caller: Caller, group: UUID) -> GroupReply:
        """Show a security group."""
        for one in groups(caller.project):
            if one.id == group:
                return GroupReply(GroupView.of(one, caller.project))
        raise NotFound(
            f"there is no security group {group}", kind="SecurityGroupNotFound"
        )

    @operation("POST", "/security-groups")
    async def create(self, caller: Caller) -> GroupReply:
        """There are no security groups to make."""
        raise NotImplementedHere("security groups cannot be made in this cloud")

    @operation("PUT", "/security-groups/<group>")
    async def update(self, caller: Caller, group: UUID) -> GroupReply:
        """Security groups are not changed."""
        raise NotImplementedHere("security groups cannot be changed in this cloud")

    @operation("DELETE", "/security-groups/<group>", status=204)
    async def delete(self, caller: Caller, group: UUID) -> None:
        """Security groups are not removed."""
        raise NotImplementedHere("security groups cannot be removed in this cloud")

    @operation("GET", "/security-group-rules")
    async def rules(self, caller: Caller) -> RulesReply:
        """List rules of security groups: none."""
        return RulesReply([])

    @operation("POST", "/security-group-rules")
    async def no_rule(self, caller: Caller) -> RulesReply:
        """There are no rules to make."""
        raise NotImplementedHere("choose a group that stands for a firewall profile")
