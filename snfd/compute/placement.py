"""Which cluster gets a new server; pure (``spec/cyclades.md`` §5.3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from attrs import frozen

VCPU_RATIO = 4
"""Virtual machines that one physical CPU is thought to carry."""


@frozen
class ClusterFacts:
    """What placement knows of a cluster; sizes in MiB, None where unknown.

    What was placed there since the figures were read is taken off already.

    :ivar idx: digit of its MAC addresses, 0 to 15.
    :ivar templates: Ganeti's disk templates that it offers.
    :ivar public: takes servers of projects that no cluster is dedicated to.
    :ivar pinst: instances that it carries.
    :ivar ctotal: its CPUs.
    :ivar weight: how full it may be in comparison with others, above 0.
    """

    id: int
    name: str
    idx: int
    hypervisor: str
    os_name: str
    templates: tuple[str, ...]
    groups: tuple[str, ...]
    drained: bool = False
    offline: bool = False
    public: bool = True
    reachable: bool = True
    mfree: int | None = None
    mtotal: int | None = None
    dfree: int | None = None
    dtotal: int | None = None
    pinst: int | None = None
    ctotal: int | None = None
    weight: float = 1.0


@frozen
class Hints:
    """Clusters that other servers speak for or against, by id.

    :ivar strict: whether no cluster is better than one against the hints.
    """

    prefer: frozenset[int] = frozenset()
    avoid: frozenset[int] = frozenset()
    strict: bool = False


NO_HINTS = Hints()


@frozen
class Want:
    """What a new server needs; sizes in MiB.

    :ivar template: Ganeti's disk template.
    :ivar dedicated: ids of the clusters that its project is kept to; empty for
        all that are public.
    :ivar pinned: id of the cluster that its owner's servers go to, drained,
        public or neither; None for no such one.
    """

    ram: int
    disk: int
    template: str
    dedicated: frozenset[int] = frozenset()
    pinned: int | None = None
    hints: Hints = NO_HINTS

    @property
    def space(self) -> int:
        """The disk space that it takes, copies included."""
        return self.disk * 2 if self.template == "drbd" else self.disk


Score = Callable[[ClusterFacts, Want], float]
"""How bad a cluster is for what is wanted; the lowest gets it."""


def score(cluster: ClusterFacts) -> float:
    """How full a cluster is: 0 empty, about 1 full; what is unknown is half."""
    load = 1.0
    if cluster.ctotal:
        load = ((cluster.pinst or 0) + 1) * VCPU_RATIO / (3 * cluster.ctotal)
    memory = _used(cluster.mfree, cluster.mtotal)
    disk = _used(cluster.dfree, cluster.dtotal)
    return 0.5 * load + 0.5 * (memory + disk) / 2


def balanced(cluster: ClusterFacts, want: Want) -> float:
    """Every cluster as full as its weight says."""
    return score(cluster) / cluster.weight


def packed(cluster: ClusterFacts, want: Want) -> float:
    """The fullest first, so that others stay empty."""
    return -score(cluster) * cluster.weight


def choose(
    clusters: Sequence[ClusterFacts], want: Want, judge: Score = balanced
) -> ClusterFacts | None:
    """The best cluster for ``want``, or None if none may take it.

    One with room comes before one without, one that the hints speak for before
    others, then ``judge`` decides, then the number of instances. Where all are too
    full the best of them is taken: its own allocator has the last word.
    """
    usable = [cluster for cluster in clusters if may_take(cluster, want)]

    def rank(cluster: ClusterFacts) -> tuple[bool, int, float, float, int]:
        judged = judge(cluster, want)
        return (
            not fits(cluster, want),
            _against(cluster, want.hints),
            judged if math.isfinite(judged) else math.inf,
            (cluster.pinst or 0) / cluster.weight,
            cluster.id,
        )

    return min(usable, key=rank, default=None)


def may_take(cluster: ClusterFacts, want: Want) -> bool:
    """Whether the server may be there at all, be there room or not."""
    if cluster.offline or not cluster.reachable:
        return False
    if want.template not in cluster.templates:
        return False
    if want.hints.strict and _against(cluster, want.hints):
        return False
    if want.pinned is not None:
        return cluster.id == want.pinned
    if cluster.drained:
        return False
    return cluster.id in want.dedicated if want.dedicated else cluster.public


def fits(cluster: ClusterFacts, want: Want) -> bool:
    """Whether there is room, as far as is known."""
    if cluster.dfree is not None and cluster.dfree <= want.space:
        return False
    if cluster.mfree is not None and cluster.mfree <= want.ram:
        return False
    if not cluster.ctotal:
        return True
    return ((cluster.pinst or 0) + 1) * VCPU_RATIO / cluster.ctotal < 3


def _against(cluster: ClusterFacts, hints: Hints) -> int:
    """0: nothing speaks against it; 1: others are preferred; 2: to be avoided."""
    if cluster.id in hints.avoid:
        return 2
    return int(bool(hints.prefer) and cluster.id not in hints.prefer)


def _used(free: int | None, total: int | None) -> float:
    if free is None or not total:
        return 0.5
    return 1 - max(0, min(free, total)) / total


def ganeti_template(template: str) -> tuple[str, str | None]:
    """Ganeti's disk template and provider for a volume type's template.

    ``ext_archipelago`` is ``ext`` with the provider ``archipelago``.
    """
    kind, _, provider = template.partition("_")
    return kind, provider or None
