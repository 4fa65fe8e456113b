"""Finds the cluster for a new server, in the transaction that records it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from attrs import evolve, field, frozen
from twisted.internet.defer import DeferredLock

from snfd.compute.placement import ClusterFacts, Score, Want, balanced, choose
from snfd.compute.store import clusters
from snfd.db.port import Transaction
from snfd.errors import Unavailable

T = TypeVar("T")


@frozen(eq=False)
class Allocator:
    """Places new servers, one after the other.

    :ivar judge: how bad a cluster is.
    :ivar retry_after: seconds after which a client may ask again.
    """

    judge: Score = balanced
    retry_after: int = 30
    _turn: DeferredLock = field(init=False, factory=DeferredLock)

    async def in_turn(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of ``work``, which places a server.

        Placements wait for each other in the database anyway; waiting here
        holds no connection.
        """
        await self._turn.acquire()
        try:
            return await work()
        finally:
            self._turn.release()

    async def place(
        self, tx: Transaction, person: UUID, project: UUID, want: Want
    ) -> ClusterFacts:
        """The cluster for a new server; others place none until ``tx`` ends.

        Lock order: before networks, servers and everything else.

        :param want: its size and hints; whom it is for is added here.
        :raises Unavailable: no cluster can take it.
        """
        facts = await clusters.lock(tx)
        whole = evolve(
            want,
            dedicated=await clusters.dedicated(tx, project),
            pinned=await clusters.pinned(tx, person),
        )
        found = choose(facts, whole, self.judge)
        if found is None:
            raise Unavailable(
                "no cluster can take a new server now", retry_after=self.retry_after
            )
        return found
