"""Flavors follow the size that a cluster says an instance has."""

from __future__ import annotations

from attrs import evolve

from snfd.compute.model import Locked
from snfd.compute.states import Footprint
from snfd.compute.store import catalog, rows
from snfd.db.port import Transaction
from snfd.ganeti.model import Instance


async def follow(tx: Transaction, server: Locked, instance: Instance) -> Footprint:
    """Give a locked server the flavor that its instance has; its size then.

    The flavor has the disk and the volume type of the one before; where there is
    none, one is made that nobody else sees.
    """
    size = evolve(server.footprint, cpu=instance.vcpus, ram=instance.memory)
    if size == server.footprint or min(size.cpu, size.ram) < 1:
        return server.footprint
    flavor = await catalog.like(tx, server.flavor, size.cpu, size.ram)
    await rows.update(tx, server.id, flavor=flavor)
    return size
