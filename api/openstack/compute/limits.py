"""Limits and use, as compute v2.1 tells them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from attrs import frozen
from msgspec import Struct
from msgspec import field as named

from api.operations import Reply, operation
from snfd.compute import rules
from snfd.compute.keypairs import MAX_KEYS
from snfd.identity.model import Caller, require_member
from snfd.quota.model import MIB, UNLIMITED, Usage
from snfd.quota.service import Quota


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
    "ram": ("cyclades.ram", MIB),
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
        require_member(caller, project)
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
