"""The judge of clusters that the configuration names."""

from __future__ import annotations

from typing import Any

from twisted.plugin import getPlugins

import snfd.plugins
from snfd.compute.placement import Score
from snfd.errors import Invalid
from snfd.plugin import IAllocator


def judge(kind: str) -> Score:
    """How clusters are judged.

    :raises Invalid: no plugin is called so, or two are.
    """
    known: dict[str, Any] = {}
    for plugin in getPlugins(IAllocator, snfd.plugins):
        if plugin.kind in known:
            raise Invalid(f"two allocators call themselves {plugin.kind}")
        known[plugin.kind] = plugin
    if kind not in known:
        there = ", ".join(sorted(known))
        raise Invalid(f"compute.allocator: no plugin {kind}; there are: {there}")
    found: Score = known[kind].judge
    return found
