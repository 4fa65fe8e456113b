"""Which cluster gets a new server; pure (``spec/cyclades.md`` §5.3)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

VCPU_RATIO = 4
"""Virtual machines that one physical CPU is thought to carry."""


@frozen
class ClusterFacts:
    """What placement knows of a cluster; sizes in MiB, None where unknown.

    :ivar idx: digit of its MAC addresses, 0 to 15.
    :ivar templates: Ganeti's disk templates that it offers.
    :ivar pinst: instances that it carries.
    :ivar ctotal: its CPUs.
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


@frozen
class Want:
    """What a new server needs; sizes in MiB.

    :ivar template: Ganeti's disk template.
    """

    ram: int
    disk: int
    template: str

    @property
    def space(self) -> int:
        """The disk space that it takes, copies included."""
        return self.disk * 2 if self.template == "drbd" else self.disk


def choose(clusters: Sequence[ClusterFacts], want: Want) -> ClusterFacts | None:
    """The best cluster for ``want``, or None if none may take it.

    Where all are too full the least full is taken: its own allocator has the
    last word.
    """
    usable = [cluster for cluster in clusters if _may_take(cluster, want)]
    fitting = [cluster for cluster in usable if _fits(cluster, want)]
    return min(fitting or usable, key=lambda c: (score(c), c.id), default=None)


def score(cluster: ClusterFacts) -> float:
    """How full a cluster is: 0 empty, about 1 full; what is unknown is half."""
    load = 1.0
    if cluster.ctotal:
        load = ((cluster.pinst or 0) + 1) * VCPU_RATIO / (3 * cluster.ctotal)
    memory = _used(cluster.mfree, cluster.mtotal)
    disk = _used(cluster.dfree, cluster.dtotal)
    return 0.5 * load + 0.5 * (memory + disk) / 2


def _may_take(cluster: ClusterFacts, want: Want) -> bool:
    return (
        cluster.public
        and cluster.reachable
        and not cluster.drained
        and not cluster.offline
        and want.template in cluster.templates
    )


def _fits(cluster: ClusterFacts, want: Want) -> bool:
    if cluster.dfree is not None and cluster.dfree <= want.space:
        return False
    if cluster.mfree is not None and cluster.mfree <= want.ram:
        return False
    if not cluster.ctotal:
        return True
    return ((cluster.pinst or 0) + 1) * VCPU_RATIO / cluster.ctotal < 3


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
