"""Polls the jobs of one cluster and has their ends settled, in job order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from snfd.ganeti import queue, store
from snfd.ganeti.jobs import subject
from snfd.ganeti.lease import LeaseLost, Tenure
from snfd.ganeti.model import Job, Status
from snfd.ganeti.port import Away, Ganeti, Refused
from snfd.ganeti.reach import Reach
from snfd.ganeti.settling import Settling
from snfd.ganeti.watchlist import News, Watch, Watchlist
from snfd.intent import State
from snfd.loop import Loop

PERIOD = 0.3
"""Seconds between polls while something is outstanding."""

IDLE = 5.0
"""Seconds between polls otherwise."""

RECORD_EVERY = 10.0
"""Seconds after which a successful poll is noted anew."""

_STATES = {
    Status.QUEUED: State.QUEUED,
    Status.WAITING: State.WAITING,
    Status.RUNNING: State.RUNNING,
    Status.CANCELING: State.RUNNING,
}

_REASON = re.compile(r"snfd:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")


@define(eq=False)
class Follower(Service):
    """Follows the jobs of one cluster, ours and others'.

    :ivar moved: called when a job ended, an intent became due again, or the
        cluster can be reached again: the dispatcher may have work.
    """

    clock: IReactorTime
    ganeti: Ganeti
    tenure: Tenure
    settling: Settling
    moved: Callable[[], None] = field(default=lambda: None)
    watchlist: Watchlist = field(factory=Watchlist)
    _reach: Reach = field(init=False, factory=Reach)
    _recorded: bool | None = field(init=False, default=None)
    _recorded_at: float = field(init=False, default=0.0)
    _error: str | None = field(init=False, default=None)
    _loaded: bool = field(init=False, default=False)
    _recheck: bool = field(init=False, default=False)
    _loop: Loop = field(init=False)
    _log: Logger = field(init=False, factory=Logger)

    def __attrs_post_init__(self) -> None:
        what = f"following of cluster {self.tenure.cluster}"
        self._loop = Loop(self.clock, self._turn, what, (LeaseLost,))

    @property
    def seen(self) -> int | None:
        """The highest job id seen; None while the cluster does not answer."""
        return self.watchlist.seen if self._reach.reachable else None

    def watch(self, intent: UUID, job: int) -> None:
        """Follow the job of an intent from now on."""
        idle = not len(self.watchlist)
        self.watchlist.own(job, intent)
        if idle:
            self._loop.wake()

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return self._loop.stop() if self.tenure.held else self._loop.abort()

    async def _turn(self) -> float:
        self.tenure.check()
        if not self._loaded:
            for entry in await self.tenure.run(queue.followed, self.tenure.cluster):
                if entry.job is not None:
                    self.watchlist.own(entry.job, entry.intent.id)
            self._loaded = True
        started = self.clock.seconds()
        try:
            news = await self._look()
        except (Away, Refused) as error:
            self._unanswered(started, error)
            await self._record()
            return self._reach.pause
        self._answered()
        await self._record()
        await self._digest(news)
        if news.more:
            return 0.0
        return PERIOD if len(self.watchlist) else IDLE

    async def _look(self) -> News:
        """What a poll says."""
        if self.watchlist.seen is None or self._recheck:
            # After an outage ids may have gone back: a restored cluster.
            newest = await self.ganeti.newest()
            seen = self.watchlist.seen
            self.watchlist.seen = newest if seen is None else min(seen, newest)
        rows = await self.ganeti.statuses(self.watchlist.seen, self.watchlist.ids)
        self._recheck = False
        return self.watchlist.digest(rows, self.clock.seconds())

    def _answered(self) -> None:
        if self._reach.failures:
            self._log.info(
                "cluster {cluster} answers again", cluster=self.tenure.cluster
            )
        recovered = not self._reach.reachable or self._recorded is None
        self._reach = self._reach.succeeded()
        if recovered:
            self.moved()

    def _unanswered(self, started: float, error: Away | Refused) -> None:
        before = self._reach
        self._error = error.message[:500]
        self._reach = before.failed(started, self.clock.seconds())
        self._recheck = True
        if not before.failures or before.reachable != self._reach.reachable:
            self._log.warn(
                "cluster {cluster} does not answer: {error}",
                cluster=self.tenure.cluster,
                error=self._error,
                reachable=self._reach.reachable,
            )

    async def _record(self) -> None:
        """Note reachability where others read it, when it changed or is old."""
        reachable, now = self._reach.reachable, self.clock.seconds()
        old = now - self._recorded_at >= RECORD_EVERY and not self._reach.failures
        if reachable == self._recorded and not old:
            return
        error = None if reachable else self._error
        await self.tenure.run(store.record_reach, self.tenure.cluster, reachable, error)
        self._recorded, self._recorded_at = reachable, now

    async def _digest(self, news: News) -> None:
        await self._progress(news)
        due = [watch.job for watch in news.ended]
        found = {job.id: job for job in await self._details([*news.fresh, *due])}
        for ident in news.fresh:
            if ident in found:
                await self._meet(found[ident])
        self.watchlist.seen = news.seen
        await self._conclude(news, found)

    async def _details(self, ids: Sequence[int]) -> list[Job]:
        return await self.ganeti.jobs(ids) if ids else []

    async def _progress(self, news: News) -> None:
        states = {
            watch.intent: _STATES[status]
            for watch, status in news.moved
            if watch.intent is not None
        }
        if states:
            await self.tenure.run(queue.progress, states)
        for watch, status in news.moved:
            watch.status = status

    async def _meet(self, job: Job) -> None:
        """Deal with a job that was never seen before."""
        for reason in (reason for op in job.ops for reason in op.reasons):
            told = _REASON.match(reason)
            if told and await self._adopt(UUID(told[1]), job):
                return
        if not any(subject(op) for op in job.ops):
            return
        if job.status.final:
            await self.settling.foreign(job)
        else:
            self.watchlist.foreign(job.id, job.status)

    async def _adopt(self, intent: UUID, job: Job) -> bool:
        """Follow a job of ours whose id the dispatcher has not noted yet."""
        if not await self.tenure.run(queue.assign, intent, job.id):
            return False
        self.watchlist.own(job.id, intent)
        return True

    async def _conclude(self, news: News, found: dict[int, Job]) -> None:
        own: list[tuple[Watch, UUID, Job | None]] = []
        for watch in [*news.ended, *news.lost]:
            if watch.intent is not None:
                own.append((watch, watch.intent, found.get(watch.job)))
            elif await self._tell(found.get(watch.job)):
                self.watchlist.drop(watch.job)
            else:
                watch.failed(self.clock.seconds())
        if not own:
            return
        done = await self.settling.ended([(intent, job) for _, intent, job in own])
        for watch, intent, _ in own:
            if intent in done:
                self.watchlist.drop(watch.job)
            else:
                watch.failed(self.clock.seconds())
        self.moved()

    async def _tell(self, job: Job | None) -> bool:
        return job is None or await self.settling.foreign(job)
