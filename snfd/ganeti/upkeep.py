"""What is done for a cluster now and then, besides its jobs."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from snfd.ganeti import queue, store
from snfd.ganeti.lease import LeaseLost, Tenure
from snfd.ganeti.port import Away, Ganeti, Refused
from snfd.ganeti.reconciling import Mend, Reconciler, leave
from snfd.ganeti.settling import Settling
from snfd.intent import State
from snfd.loop import Loop

RECONCILE_EVERY = 30.0
STATISTICS_EVERY = 60.0
REMOVAL_EVERY = 10.0
PRUNE_EVERY = 3600.0
GIVE_UP_EVERY = 3.0
KEEP_DAYS = 30
"""How long intents that have ended are kept."""

SOON = 1.0


@define(eq=False)
class Upkeep(Service):
    """Reconciles, reads statistics and forgets what is old, for one cluster.

    :ivar reachable: whether the cluster answers; nothing is asked otherwise.
    :ivar mend: sees to networks.
    :ivar reconciler: compares the cluster with its rows.
    """

    clock: IReactorTime
    ganeti: Ganeti
    tenure: Tenure
    settling: Settling
    reachable: Callable[[], bool]
    mend: Mend = leave
    reconciler: Reconciler = field(init=False)
    _loops: list[Loop] = field(init=False)

    def __attrs_post_init__(self) -> None:
        cluster = self.tenure.cluster
        self.reconciler = Reconciler(
            self.clock, self.ganeti, self.tenure, self.settling, self.mend
        )
        self._loops = [
            Loop(self.clock, work, f"{what} of cluster {cluster}", (LeaseLost,))
            for what, work in (
                ("reconciliation", self._reconcile),
                ("statistics", self._statistics),
                ("removal", self._removal),
                ("pruning", self._prune),
                ("giving up", self._give_up),
            )
        ]

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        for loop in self._loops:
            loop.start()

    def refresh(self) -> None:
        """Reconcile and read statistics now."""
        for loop in self._loops[:3]:
            loop.wake()

    async def stop(self) -> None:
        """Stop all, at once if the lease is lost."""
        held = self.tenure.held
        ended = [loop.stop() if held else loop.abort() for loop in self._loops]
        for each in ended:
            await each

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return Deferred.fromCoroutine(self.stop())

    async def _statistics(self) -> float:
        if not self.reachable():
            return SOON
        try:
            told = await self.ganeti.describe()
        except (Away, Refused):
            return SOON  # the poller says so
        await self.tenure.run(store.record_statistics, self.tenure.cluster, told)
        return STATISTICS_EVERY

    async def _removal(self) -> float:
        await self.tenure.run(store.leave_if_done, self.tenure.cluster)
        return REMOVAL_EVERY

    async def _prune(self) -> float:
        cluster = self.tenure.cluster
        gone = await self.tenure.run(queue.prune, cluster, KEEP_DAYS)
        return SOON if gone else PRUNE_EVERY

    async def _give_up(self) -> float:
        """Cancel the jobs that somebody wants no more."""
        unwanted = await self.tenure.run(queue.unwanted, self.tenure.cluster)
        for entry in unwanted if self.reachable() else ():
            if entry.state is State.NEW:
                await self.settling.given_up(entry)
            elif entry.job is not None:
                try:
                    await self.ganeti.cancel(entry.job)
                except Away:
                    return SOON
                except Refused:
                    pass  # it is lost, or is running
                await self.tenure.run(queue.told, entry.intent.id)
        return GIVE_UP_EVERY

    async def _reconcile(self) -> float:
        if self.reachable() and await self.reconciler.look():
            return RECONCILE_EVERY
        return SOON
