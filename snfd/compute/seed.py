"""Demo data: sizes and a public network; running it again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from snfd.compute.store import catalog
from snfd.db.port import Database, Transaction
from snfd.network import seed as network

SIZES: Sequence[tuple[int, int, int]] = (
    (1, 128, 1),
    (1, 256, 2),
    (1, 512, 5),
    (1, 1024, 10),
    (2, 1024, 10),
    (2, 2048, 20),
    (4, 4096, 40),
)
"""CPUs, MiB and GiB."""


@frozen
class Demo:
    """What there shall be.

    :ivar template: disk template that the first cluster offers, such as
        ``file``, ``plain`` or ``ext_<provider>``.
    :ivar volume_type: name of the volume type of that template.
    """

    template: str = "file"
    volume_type: str = "standard"
    network: network.PublicNetwork = field(factory=network.PublicNetwork)

    @property
    def smallest(self) -> str:
        """Name of the smallest flavor."""
        cpu, ram, disk = SIZES[0]
        return f"C{cpu}R{ram}D{disk}{self.template}"


async def seed(db: Database, demo: Demo) -> None:
    """Make what is missing: a volume type, flavors, the public network."""
    await db.run(_seed, demo)


async def _seed(tx: Transaction, demo: Demo) -> None:
    kind = await catalog.ensure_volume_type(tx, demo.volume_type, demo.template)
    for cpu, ram, disk in SIZES:
        size = {"cpu": cpu, "ram": ram, "disk": disk, "volume_type": kind}
        await catalog.ensure_flavor(tx, size)
    await network.ensure_public(tx, demo.network)
