"""What network v2.0 says of itself, of limits, and of what there is not."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from msgspec import Struct

from api.links import Link
from api.operations import Reply, operation
from snfd.errors import Forbidden, NotFound, NotImplementedHere
from snfd.identity.model import Caller
from snfd.quota.model import UNLIMITED, Usage
from snfd.quota.service import Quota


class VersionView(Reply):
    """A version of the API."""

    id: str
    status: str
    links: list[Link]


class VersionsReply(Reply):
    """All versions."""

    versions: list[VersionView]


class ResourceView(Reply):
    """A collection of the API."""

    name: str
    collection: str
    links: list[Link]


class ResourcesReply(Reply):
    """All collections."""

    resources: list[ResourceView]


_COLLECTIONS = {
    "network": "networks",
    "subnet": "subnets",
    "port": "ports",
    "floatingip": "floatingips",
}


@frozen(eq=False)
class VersionsApi:
    """``/os/network``: which versions there are.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def versions(self) -> VersionsReply:
        """List the versions of the API."""
        link = Link("self", self.base + "/")
        return VersionsReply([VersionView("v2.0", "CURRENT", [link])])


class ExtensionView(Reply):
    """An extension of the API."""

    alias: str
    name: str
    description: str
    updated: str
    links: list[Link]


class ExtensionsReply(Reply):
    """Everything that is served beside networks, subnets and ports."""

    extensions: list[ExtensionView]


class ExtensionReply(Reply):
    """One extension."""

    extension: ExtensionView


_EXTENSIONS = {
    "external-net": "Networks that lead outside",
    "net-mtu": "The MTU of networks",
    "pagination": "Lists in pages",
    "project-id": "Owners as project_id",
    "quotas": "Limits of projects",
    "router": "Floating IPs",
    "standard-attr-timestamp": "When things were made and changed",
}


def extension(alias: str) -> ExtensionView:
    """The description of an extension."""
    text = _EXTENSIONS[alias]
    return ExtensionView(alias, text, text, "2016-01-01T00:00:00-00:00", [])


class QuotaView(Reply):
    """Limits in neutron's names; -1 for no limit."""

    network: int
    subnet: int
    port: int
    floatingip: int
    router: int
    security_group: int
    security_group_rule: int
    rbac_policy: int
    subnetpool: int


class QuotaReply(Reply):
    """Answer of ``GET /quotas/{project}``."""

    quota: QuotaView


class QuotaDetail(Reply):
    """A limit with its use."""

    limit: int
    used: int
    reserved: int


class QuotaDetailsReply(Reply):
    """Answer of ``GET /quotas/{project}/details.json``."""

    quota: dict[str, QuotaDetail]


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


class RoutersReply(Reply):
    """Routers: none."""

    routers: list[RuleView]


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
class AboutApi:
    """What there is, and what there is not.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def resources(self) -> ResourcesReply:
        """List the collections of the API."""
        return ResourcesReply(
            [
                ResourceView(name, many, [Link("self", f"{self.base}/{many}")])
                for name, many in _COLLECTIONS.items()
            ]
        )

    @operation("GET", "/extensions")
    async def extensions(self, caller: Caller) -> ExtensionsReply:
        """List extensions."""
        return ExtensionsReply([extension(alias) for alias in _EXTENSIONS])

    @operation("GET", "/extensions/<alias>")
    async def extension(self, caller: Caller, alias: str) -> ExtensionReply:
        """Show an extension."""
        if alias not in _EXTENSIONS:
            raise NotFound(f"there is no extension {alias!r}")
        return ExtensionReply(extension(alias))

    @operation("GET", "/routers")
    async def routers(self, caller: Caller) -> RoutersReply:
        """List routers: none."""
        return RoutersReply([])

    @operation("POST", "/routers")
    async def no_router(self, caller: Caller) -> RoutersReply:
        """There are no routers."""
        raise NotImplementedHere("there are no routers in this cloud")


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


@frozen(eq=False)
class QuotasApi:
    """How much room there is."""

    quota: Quota

    @operation("GET", "/quotas/<project>")
    async def show(self, caller: Caller, project: UUID) -> QuotaReply:
        """Show limits in a project."""
        details = await self._details(caller, project)
        limits = {name: one.limit for name, one in details.items()}
        return QuotaReply(QuotaView(**limits))

    @operation("GET", "/quotas/<project>/default")
    async def default(self, caller: Caller, project: UUID) -> QuotaReply:
        """Show limits in a project; each project has its own."""
        return await self.show(caller, project)

    @operation("GET", "/quotas/<project>/details")
    @operation("GET", "/quotas/<project>/details.json")
    async def details(self, caller: Caller, project: UUID) -> QuotaDetailsReply:
        """Show limits and use in a project."""
        return QuotaDetailsReply(await self._details(caller, project))

    async def _details(self, caller: Caller, project: UUID) -> dict[str, QuotaDetail]:
        if project != caller.project and project not in caller.projects:
            raise Forbidden("you are no member of that project")
        usages = await self.quota.usage_in(caller, project)
        fixed = {"router": 0, "security_group": 1, "security_group_rule": 0}
        free = dict.fromkeys(("subnet", "port"), -1)
        none = dict.fromkeys(("rbac_policy", "subnetpool"), 0)
        return {
            "network": _detail(usages.get("cyclades.network.private")),
            "floatingip": _detail(usages.get("cyclades.floating_ip")),
            **{
                name: QuotaDetail(limit, 0, 0)
                for name, limit in {**fixed, **free, **none}.items()
            },
        }


def _detail(usage: Usage | None) -> QuotaDetail:
    if usage is None:
        return QuotaDetail(0, 0, 0)
    limit = -1 if usage.limit >= UNLIMITED else usage.limit
    return QuotaDetail(limit, usage.usage, usage.pending)
