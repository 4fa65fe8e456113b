"""Limits and use, as network v2.0 tells them."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from api.operations import Reply, operation
from snfd.identity.model import Caller, require_member
from snfd.quota.model import UNLIMITED, Usage
from snfd.quota.service import Quota


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
        require_member(caller, project)
        usages = await self.quota.usage_in(caller, project)
        fixed = {"router": 0, "security_group": 4, "security_group_rule": 0}
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
