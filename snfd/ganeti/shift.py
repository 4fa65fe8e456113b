"""All the work on one cluster, for as long as its lease is held."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from snfd.ganeti.adopter import Adopt, Adopter, nobody
from snfd.ganeti.dispatcher import Dispatcher, Enrich, as_it_is
from snfd.ganeti.follower import Follower
from snfd.ganeti.lease import Tenure
from snfd.ganeti.port import Ganeti, Settle
from snfd.ganeti.reconciling import Mend, leave
from snfd.ganeti.settling import Settling
from snfd.ganeti.store import Cluster
from snfd.ganeti.upkeep import Upkeep
from snfd.probe import Probe, nothing


@define(eq=False)
class Shifts:
    """Makes the work for a cluster.

    :ivar connect: to a cluster, with its password in the clear.
    :ivar settle: what the rest of the daemon makes of an outcome.
    :ivar adopt: makes servers of instances.
    :ivar enrich: adds to a request what must not be kept.
    :ivar mend: sees to a cluster's networks.
    """

    clock: IReactorTime
    connect: Callable[[Cluster], Ganeti]
    settle: Settle
    enrich: Enrich = as_it_is
    probe: Probe = nothing
    mend: Mend = leave
    adopt: Adopt = nobody

    def make(self, cluster: Cluster, tenure: Tenure) -> Work:
        """The work on ``cluster`` under ``tenure``; not yet started."""
        ganeti = self.connect(cluster)
        settling = Settling(self.clock, ganeti, tenure, self.settle, self.probe)
        follower = Follower(self.clock, ganeti, tenure, settling)
        dispatcher = Dispatcher(
            self.clock,
            ganeti,
            tenure,
            settling,
            lambda: follower.seen,
            follower.watch,
            self.enrich,
            self.probe,
        )
        follower.moved = dispatcher.wake
        upkeep = Upkeep(
            self.clock,
            ganeti,
            tenure,
            settling,
            lambda: follower.seen is not None,
            self.mend,
        )
        adopter = Adopter(
            self.clock, ganeti, tenure, self.adopt, lambda: follower.seen is not None
        )
        return Work(follower, dispatcher, upkeep, adopter)


@define(eq=False)
class Work(Service):
    """Follower, dispatcher and upkeep of one cluster."""

    follower: Follower
    dispatcher: Dispatcher
    upkeep: Upkeep
    adopter: Adopter

    def wake(self) -> None:
        """Look into the outbox now."""
        self.dispatcher.wake()

    def refresh(self) -> None:
        """Look at the cluster itself now."""
        self.upkeep.refresh()
        self.adopter.wake()

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        for part in (self.follower, self.dispatcher, self.upkeep, self.adopter):
            part.startService()

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        parts = (self.dispatcher, self.adopter, self.upkeep, self.follower)
        await DeferredList([part.stopService() for part in parts])
