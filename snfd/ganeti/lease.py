"""Who may talk to a cluster: one process at a time.

A tenure begins when the process gets the cluster's advisory lock on a
connection of its own, and ends when it gives that up or the connection breaks.
Then all its work for the cluster stops; what is under way nevertheless cannot
commit, because each of its transactions checks the epoch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred

from snfd.db.port import Database, Transaction
from snfd.errors import Unavailable
from snfd.ganeti import store

P = ParamSpec("P")
T = TypeVar("T")


class LeaseLost(Unavailable):
    """Another process may be working on the cluster by now."""


@define(eq=False)
class Tenure:
    """The right to work on a cluster, for as long as it lasts.

    :ivar epoch: number of this tenure among the cluster's.
    :ivar held: False from the moment at which the lock was lost.
    :ivar ended: called once, at that moment.
    """

    database: Database
    cluster: int
    epoch: int
    ended: Callable[[], None] = field(default=lambda: None)
    held: bool = field(init=False, default=True)

    def end(self) -> None:
        """Allow nothing more; twice does no harm."""
        if self.held:
            self.held = False
            self.ended()

    def check(self) -> None:
        """Raise unless the right lasts.

        :raises LeaseLost: it does not.
        """
        if not self.held:
            raise LeaseLost(f"the lease of cluster {self.cluster} is lost")

    def run(
        self,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[T]:
        """As `Database.run`, unless another tenure has begun.

        :raises LeaseLost: it has; nothing was done.
        """

        async def guarded(tx: Transaction) -> T:
            self.check()
            if not await store.holds(tx, self.cluster, self.epoch):
                self.end()
                self.check()
            return await work(tx, *args, **kwargs)

        return self.database.run(guarded)
