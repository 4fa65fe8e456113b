"""Takes the lease of each cluster when it is free and works while it lasts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from snfd.db.port import Database
from snfd.ganeti import store
from snfd.ganeti.lease import LeaseLost, Tenure
from snfd.ganeti.shift import Shifts, Work
from snfd.ganeti.store import Cluster
from snfd.loop import Loop

RETRY = 1.0
"""Seconds between attempts to take a lease that another process has."""

REREAD = 30.0
"""Seconds between looks at the clusters' rows when nothing was heard."""

_LOCKS = 0x534E4644 << 32
"""Advisory locks of clusters are this number and the cluster's id."""


class Hold(Protocol):
    """An advisory lock that is held; `snfd.db.session.Session`."""

    def lost(self) -> Deferred[str]:
        """Fires once it is held no longer."""
        ...

    def close(self, reason: str = "closed") -> None:
        """Give it back."""
        ...


TakeLock = Callable[[int], Awaitable[Hold | None]]
"""Takes the advisory lock of that key; None if another process has it."""


def lock_key(cluster: int) -> int:
    """Key of the advisory lock that a cluster's lease is."""
    return _LOCKS | cluster


@define(eq=False)
class Keeper(Service):
    """Waits for the lease of one cluster, then works on it.

    :ivar holder: names this process in the lease's row.
    """

    clock: IReactorTime
    database: Database
    take: TakeLock
    shifts: Shifts
    cluster: Cluster
    holder: str
    _hold: Hold | None = field(init=False, default=None)
    _tenure: Tenure | None = field(init=False, default=None)
    _work: Work | None = field(init=False, default=None)
    _ending: Deferred[None] = field(init=False, factory=lambda: succeed(None))
    _loop: Loop = field(init=False)
    _log: Logger = field(init=False, factory=Logger)

    def __attrs_post_init__(self) -> None:
        self._loop = Loop(
            self.clock, self._turn, f"lease of {self.cluster.name}", (LeaseLost,)
        )

    @property
    def works(self) -> bool:
        """Whether this process works on the cluster now."""
        return self._work is not None

    @property
    def answers(self) -> bool:
        """Whether the cluster answers; only who works on it knows."""
        return self._work is not None and self._work.follower.seen is not None

    def wake(self) -> None:
        """The outbox has something for the cluster."""
        if self._work is not None:
            self._work.wake()

    def refresh(self) -> None:
        """Somebody waits for new figures of the cluster."""
        if self._work is not None:
            self._work.refresh()

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._loop.stop()
        if self._work is not None:
            await self._end_work()
        await self._ending

    async def _turn(self) -> float:
        await self._ending
        if self._hold is not None:
            return RETRY
        hold = await self.take(lock_key(self.cluster.id))
        if hold is None:
            return RETRY
        self._hold = hold
        try:
            epoch = await self.database.run(store.begin, self.cluster.id, self.holder)
            tenure = Tenure(self.database, self.cluster.id, epoch, self._lost)
            self._work = self.shifts.make(self.cluster, tenure)
        except BaseException:
            self._hold = None
            hold.close()
            raise
        self._tenure = tenure
        self._log.info(
            "working on cluster {cluster}", cluster=self.cluster.name, epoch=epoch
        )
        self._work.startService()
        hold.lost().addCallback(lambda reason: tenure.end())
        return RETRY

    def _lost(self) -> None:
        """The lock is gone: everything stops at once."""
        if self._work is None:
            return
        self._log.warn("lost the lease of cluster {cluster}", cluster=self.cluster.name)
        # Not from within the very work that noticed it.
        self.clock.callLater(0, self._begin_end)

    def _begin_end(self) -> None:
        self._ending = Deferred.fromCoroutine(self._end_work())

    async def _end_work(self) -> None:
        work, self._work = self._work, None
        hold, self._hold = self._hold, None
        tenure, self._tenure = self._tenure, None
        if work is not None:
            await work.stopService()
        if tenure is not None:
            tenure.end()
        if hold is not None:
            hold.close()


@define(eq=False)
class Keepers(Service):
    """One `Keeper` for each cluster that is not offline, as rows come and go."""

    clock: IReactorTime
    database: Database
    take: TakeLock
    shifts: Shifts
    holder: str
    _keepers: dict[int, Keeper] = field(init=False, factory=dict)
    _loop: Loop = field(init=False)
    _log: Logger = field(init=False, factory=Logger)

    def __attrs_post_init__(self) -> None:
        self._loop = Loop(self.clock, self._turn, "keeping of clusters", (LeaseLost,))

    def heard_intent(self, cluster: str) -> None:
        """NOTIFY ``intent:<cluster>``."""
        if cluster.isdecimal() and int(cluster) in self._keepers:
            self._keepers[int(cluster)].wake()

    def heard_cluster(self, cluster: str) -> None:
        """NOTIFY ``cluster:<id>``: its row changed."""
        self._loop.wake()

    def reread(self) -> None:
        """Anything may have changed."""
        self._loop.wake()
        for keeper in self._keepers.values():
            keeper.wake()

    @property
    def works_on(self) -> frozenset[int]:
        """Clusters that this process works on now."""
        return frozenset(
            ident for ident, keeper in self._keepers.items() if keeper.works
        )

    @property
    def unanswering(self) -> frozenset[int]:
        """Those of `works_on` that do not answer."""
        return frozenset(
            ident for ident in self.works_on if not self._keepers[ident].answers
        )

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._loop.stop()
        keepers, self._keepers = self._keepers, {}
        await DeferredList([each.stopService() for each in keepers.values()])

    async def _turn(self) -> float:
        rows = await self.database.run(store.clusters)
        wanted = {row.id: row for row in rows if not row.offline and row.secret}
        for ident, keeper in list(self._keepers.items()):
            if ident not in wanted or _differs(keeper.cluster, wanted[ident]):
                del self._keepers[ident]
                await keeper.stopService()
        for ident, row in wanted.items():
            if ident not in self._keepers:
                self._keepers[ident] = keeper = Keeper(
                    self.clock,
                    self.database,
                    self.take,
                    self.shifts,
                    row,
                    self.holder,
                )
                keeper.startService()
            elif row.stale or row.removing:
                self._keepers[ident].refresh()
        return REREAD


def _differs(old: Cluster, new: Cluster) -> bool:
    """Whether the cluster must be connected to anew."""
    return (old.url, old.username, old.secret, old.tls_ca) != (
        new.url,
        new.username,
        new.secret,
        new.tls_ca,
    )
