"""How clusters are judged when one is chosen for a new server."""

from __future__ import annotations

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.compute.placement import ClusterFacts, Score, Want
from snfd.compute.placement import balanced as as_full_as_others
from snfd.compute.placement import packed as the_fullest_first
from snfd.plugin import IAllocator


@implementer(IAllocator, IPlugin)
@frozen
class Allocator:
    """A judge under a name."""

    kind: str
    score: Score

    def judge(self, cluster: ClusterFacts, want: Want) -> float:
        """See `IAllocator.judge`."""
        return self.score(cluster, want)


balanced = Allocator("balanced", as_full_as_others)
packed = Allocator("packed", the_fullest_first)
