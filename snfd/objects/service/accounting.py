"""Counters of containers and charges for bytes: contended rows, so locked last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.errors import OverQuota
from snfd.objects.model import Container, Versioning
from snfd.objects.store import containers

DISKSPACE = "pithos.diskspace"

Charge = Callable[[Transaction, UUID, UUID, Mapping[str, int]], Awaitable[None]]
"""Add signed amounts to what a user holds in a project (quota's ``charge``)."""


@frozen
class Change:
    """What became of one name in a container.

    :ivar old: bytes of the current version before, None if there was none.
    :ivar new: bytes of the current version now, None if there is none.
    :ivar payer: whose holding carries the name.
    """

    container: Container
    old: int | None
    new: int | None
    payer: UUID

    @property
    def keeps(self) -> bool:
        """Whether the old version stays in the history."""
        return self.container.policy.versioning is Versioning.AUTO

    @property
    def current(self) -> tuple[int, int]:
        """Current objects and bytes to add to the container's counters."""
        count = (self.new is not None) - (self.old is not None)
        return count, (self.new or 0) - (self.old or 0)

    @property
    def history(self) -> tuple[int, int]:
        """Old versions and bytes to add to the container's counters."""
        return (1, self.old) if self.old is not None and self.keeps else (0, 0)

    @property
    def cost(self) -> int:
        """Bytes to charge, negative to give back; history is free."""
        return (self.new or 0) - (self.old or 0)


async def settle(
    tx: Transaction, charge: Charge, changes: Sequence[Change], moment: datetime
) -> None:
    """Count and charge ``changes``; containers in the order of their ids.

    :raises OverQuota: of a container or a project.
    """
    for ident in sorted({change.container.id for change in changes}):
        await _count(tx, [one for one in changes if one.container.id == ident], moment)
    costs: Counter[tuple[UUID, UUID]] = Counter()
    for change in changes:
        costs[change.container.policy.project, change.payer] += change.cost
    for (project, payer), cost in sorted(costs.items()):
        if cost:
            await charge(tx, payer, project, {DISKSPACE: cost})


async def _count(tx: Transaction, changes: Sequence[Change], moment: datetime) -> None:
    container = changes[0].container
    current, history = (
        (sum(one[0] for one in pairs), sum(one[1] for one in pairs))
        for pairs in (
            [change.current for change in changes],
            [change.history for change in changes],
        )
    )
    total = await containers.count(
        tx, container.id, current=current, history=history, now=moment
    )
    growth, quota = current[1], container.policy.quota
    if growth > 0 and 0 < quota < total:
        raise OverQuota(
            "the container's quota does not allow it",
            resource="container",
            limit=quota,
            usage=total - growth,
            requested=growth,
        )
