"""What compute v2.1 says of itself and of the caller's room in it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from attrs import frozen
from msgspec import Struct
from msgspec import field as named

from api.links import Link
from api.openstack.compute.versions import UPDATED
from api.openstack.compute.views import ZONE
from api.operations import Reply, operation
from snfd.compute import rules
from snfd.compute.keypairs import MAX_KEYS
from snfd.errors import Forbidden, NotFound
from snfd.identity.model import Caller
from snfd.quota.model import UNLIMITED, Usage
from snfd.quota.service import Quota

_MIB = 1 << 20


class Absolute(Reply, rename="camel"):
    """Limits and use, in nova's names; -1 for no limit, memory in MiB."""

    max_total_instances: int
    max_total_cores: int
    max_total_ram_size: int = named(name="maxTotalRAMSize")
    max_total_keypairs: int
    max_server_meta: int
    max_image_meta: int
    max_personality: int
    max_personality_size: int
    max_server_groups: int
    max_server_group_members: int
    max_total_floating_ips: int = named(name="maxTotalFloatingIps")
    max_security_groups: int
    max_security_group_rules: int
    total_instances_used: int
    total_cores_used: int
    total_ram_used: int = named(name="totalRAMUsed")
    total_floating_ips_used: int = named(name="totalFloatingIpsUsed")
    total_security_groups_used: int
    total_server_groups_used: int


class LimitsView(Reply):
    """Limits of the token's project; rates are not limited."""

    rate: list[str]
    absolute: Absolute


class LimitsReply(Reply):
    """Answer of ``GET /limits``."""

    limits: LimitsView


class QuotaSet(Reply):
    """Limits in nova's names; -1 for no limit, memory in MiB."""

    id: str
    instances: int
    cores: int
    ram: int
    key_pairs: int
    metadata_items: int
    floating_ips: int
    fixed_ips: int
    injected_files: int
    injected_file_content_bytes: int
    injected_file_path_bytes: int
    security_groups: int
    security_group_rules: int
    server_groups: int
    server_group_members: int


class QuotaSetReply(Reply):
    """Answer of ``GET /os-quota-sets/{project}``."""

    quota_set: QuotaSet


class Detail(Reply):
    """A limit with its use."""

    limit: int
    in_use: int
    reserved: int


class DetailReply(Reply):
    """Answer of ``GET /os-quota-sets/{project}/detail``."""

    quota_set: dict[str, Detail | str]


_RESOURCES = {
    "instances": ("cyclades.vm", 1),
    "cores": ("cyclades.cpu", 1),
    "ram": ("cyclades.ram", _MIB),
    "floating_ips": ("cyclades.floating_ip", 1),
}
_FIXED = {
    "key_pairs": MAX_KEYS,
    "metadata_items": rules.MAX_METADATA,
    "fixed_ips": -1,
    "injected_files": rules.MAX_FILES,
    "injected_file_content_bytes": rules.MAX_FILE,
    "injected_file_path_bytes": 255,
    "security_groups": 1,
    "security_group_rules": 0,
    "server_groups": 0,
    "server_group_members": 0,
}

Usages = Mapping[str, Usage]


def limit(usages: Usages, name: str) -> int:
    """The limit that nova calls ``name``; -1 for none."""
    resource, unit = _RESOURCES[name]
    if resource not in usages:
        return 0
    most = usages[resource].limit
    return -1 if most >= UNLIMITED else most // unit


def used(usages: Usages, name: str) -> int:
    """The use of what nova calls ``name``."""
    resource, unit = _RESOURCES[name]
    return usages[resource].usage // unit if resource in usages else 0


class ReservedQuery(Struct):
    """What ``limits`` takes; nothing is reserved here."""

    reserved: str | None = None


@frozen(eq=False)
class LimitsApi:
    """How much room there is."""

    quota: Quota

    @operation("GET", "/limits", query=ReservedQuery)
    async def limits(self, caller: Caller, query: ReservedQuery) -> LimitsReply:
        """Show limits and use in the token's project."""
        usages = await self.quota.usage_in(caller, caller.project)
        return LimitsReply(LimitsView([], absolute(usages)))

    @operation("GET", "/os-quota-sets/<project>")
    async def quota_set(self, caller: Caller, project: UUID) -> QuotaSetReply:
        """Show limits in a project."""
        usages = await self._usages(caller, project)
        limits = {name: limit(usages, name) for name in _RESOURCES}
        return QuotaSetReply(QuotaSet(id=str(project), **limits, **_FIXED))

    @operation("GET", "/os-quota-sets/<project>/defaults")
    async def defaults(self, caller: Caller, project: UUID) -> QuotaSetReply:
        """Show limits in a project; each project has its own."""
        return await self.quota_set(caller, project)

    @operation("GET", "/os-quota-sets/<project>/detail")
    async def detail(self, caller: Caller, project: UUID) -> DetailReply:
        """Show limits and use in a project."""
        usages = await self._usages(caller, project)
        found: dict[str, Detail | str] = {"id": str(project)}
        for name in _RESOURCES:
            found[name] = Detail(limit(usages, name), used(usages, name), 0)
        for name, most in _FIXED.items():
            found[name] = Detail(most, 0, 0)
        return DetailReply(found)

    async def _usages(self, caller: Caller, project: UUID) -> Usages:
        if project != caller.project and project not in caller.projects:
            raise Forbidden("you are no member of that project")
        return await self.quota.usage_in(caller, project)


def absolute(usages: Usages) -> Absolute:
    """Limits and use in nova's names."""
    return Absolute(
        max_total_instances=limit(usages, "instances"),
        max_total_cores=limit(usages, "cores"),
        max_total_ram_size=limit(usages, "ram"),
        max_total_keypairs=MAX_KEYS,
        max_server_meta=rules.MAX_METADATA,
        max_image_meta=128,
        max_personality=rules.MAX_FILES,
        max_personality_size=rules.MAX_FILE,
        max_server_groups=0,
        max_server_group_members=0,
        max_total_floating_ips=limit(usages, "floating_ips"),
        max_security_groups=1,
        max_security_group_rules=0,
        total_instances_used=used(usages, "instances"),
        total_cores_used=used(usages, "cores"),
        total_ram_used=used(usages, "ram"),
        total_floating_ips_used=used(usages, "floating_ips"),
        total_security_groups_used=1,
        total_server_groups_used=0,
    )


class ZoneState(Reply):
    """Whether a zone can be used."""

    available: bool


class ZoneView(Reply):
    """An availability zone."""

    name: str = named(name="zoneName")
    state: ZoneState = named(name="zoneState")
    hosts: dict[str, str] | None


class ZonesReply(Reply, rename={"zones": "availabilityZoneInfo"}):
    """All availability zones."""

    zones: list[ZoneView]


class ServerGroupsReply(Reply):
    """Server groups; there are none."""

    server_groups: list[str]


class ExtensionView(Reply):
    """An extension of the API."""

    alias: str
    name: str
    namespace: str
    description: str
    updated: str
    links: list[Link]


class ExtensionsReply(Reply):
    """Extensions that are served beside the core of v2.1."""

    extensions: list[ExtensionView]


class ExtensionReply(Reply):
    """One extension."""

    extension: ExtensionView


_EXTENSIONS = {
    "os-keypairs": "Key pairs",
    "os-attach-interfaces": "Network cards of servers",
    "os-availability-zone": "Availability zones",
    "os-extended-volumes": "Volumes of servers",
    "os-quota-sets": "Limits of projects",
}


def extension(alias: str) -> ExtensionView:
    """The description of an extension."""
    text_ = _EXTENSIONS[alias]
    return ExtensionView(alias, text_, "", text_, UPDATED, [])


@frozen(eq=False)
class AboutApi:
    """What there is, and what there is not."""

    @operation("GET", "/os-availability-zone")
    async def zones(self, caller: Caller) -> ZonesReply:
        """List availability zones."""
        return ZonesReply([ZoneView(ZONE, ZoneState(available=True), None)])

    @operation("GET", "/os-availability-zone/detail")
    async def zones_detail(self, caller: Caller) -> ZonesReply:
        """List availability zones with their hosts; administrators only."""
        if not caller.is_admin:
            raise Forbidden("only administrators see hosts")
        return ZonesReply([ZoneView(ZONE, ZoneState(available=True), {})])

    @operation("GET", "/os-server-groups")
    async def server_groups(self, caller: Caller) -> ServerGroupsReply:
        """List server groups: none."""
        return ServerGroupsReply([])

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

    @operation("GET", "/os-hypervisors")
    async def hypervisors(self, caller: Caller) -> ServerGroupsReply:
        """Nobody sees hypervisors here."""
        raise Forbidden("hypervisors are not shown")

    @operation("GET", "/os-services")
    async def services(self, caller: Caller) -> ServerGroupsReply:
        """Nobody sees services here."""
        raise Forbidden("services are not shown")

    @operation("GET", "/os-aggregates")
    async def aggregates(self, caller: Caller) -> ServerGroupsReply:
        """Nobody sees aggregates here."""
        raise Forbidden("aggregates are not shown")
