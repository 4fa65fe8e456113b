"""``/admin/stats``: figures for monitoring, as Synnefo told them.

Source: ``spec/astakos.md`` §2.10.
"""

from __future__ import annotations

from typing import Any

from api.dispatch import Served, build
from api.operations import operation
from api.synnefo.faults import DIALECT
from snfd.admin.service import Administration
from snfd.admin.statistics import Detail, Statistics, Summary
from snfd.identity.model import Caller


class StatsApi:
    """How many users there are, and what they use."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    @operation("GET", "", auth=False)
    async def summary(self) -> Summary:
        """Tell everybody how many users there are."""
        return await self._statistics.summary()

    @operation("GET", "/detail")
    async def detail(self, caller: Caller) -> Detail:
        """Tell members of some groups what users use."""
        return await self._statistics.detail()


def resource(admin: Administration) -> Served:
    """All of it."""
    viewer: Any = admin.viewer
    return build(DIALECT, viewer, StatsApi(admin.statistics))
