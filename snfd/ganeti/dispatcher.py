"""Submits the due intents of one cluster, each exactly once.

Before it submits, an intent notes the highest job id seen. If nobody noted
the answer, its job, if there is one, has a higher id and names the intent in
its reason trail: only after two looks without it, one request's time limit
apart, is the intent submitted anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any
from uuid import UUID

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from snfd.errors import CloudError, Unavailable
from snfd.ganeti import names, queue
from snfd.ganeti.jobs import carries
from snfd.ganeti.lease import LeaseLost, Tenure
from snfd.ganeti.model import Job, Kind
from snfd.ganeti.port import Away, Ganeti, Refused
from snfd.ganeti.queue import Claim
from snfd.ganeti.requests import Request
from snfd.ganeti.settling import Settling
from snfd.intent import Entry, Intent
from snfd.loop import Loop
from snfd.probe import AFTER_SUBMIT, Probe, nothing

PERIOD = 1.0
"""Seconds between looks into the outbox when nothing wakes us."""

WIDTH = 3
"""Requests under way at a time; leaves a connection for the poller."""

PATIENCE = 5.0
"""Seconds between the two looks for a job: a request's time limit."""

_HOLD_MAX = 10.0

Enrich = Callable[[Request, Intent], Awaitable[Request]]
"""Adds what must not be kept in the outbox, such as one-time URLs."""


async def as_it_is(request: Request, intent: Intent) -> Request:
    """The `Enrich` that adds nothing."""
    return request


@define(eq=False)
class Dispatcher(Service):
    """Submits the due intents of one cluster.

    :ivar seen: the highest job id seen; None while nothing may be submitted.
    :ivar watch: told of each intent's job.
    """

    clock: IReactorTime
    ganeti: Ganeti
    tenure: Tenure
    settling: Settling
    seen: Callable[[], int | None]
    watch: Callable[[UUID, int], None]
    enrich: Enrich = as_it_is
    probe: Probe = nothing
    _unsure: dict[UUID, float | None] | None = field(init=False, default=None)
    _held_until: float = field(init=False, default=0.0)
    _hold: float = field(init=False, default=0.5)
    _loop: Loop = field(init=False)
    _log: Logger = field(init=False, factory=Logger)

    def __attrs_post_init__(self) -> None:
        what = f"dispatching to cluster {self.tenure.cluster}"
        self._loop = Loop(self.clock, self._turn, what, (LeaseLost,))

    def wake(self) -> None:
        """Look into the outbox now."""
        self._loop.wake()

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return self._loop.stop() if self.tenure.held else self._loop.abort()

    async def _turn(self) -> float:
        self.tenure.check()
        if self._unsure is None:
            left = await self.tenure.run(queue.unsure, self.tenure.cluster)
            self._unsure = {each.intent.id: None for each in left}
        if self._unsure and self._may_submit() is not None:
            await self._recover()
        while (seen := self._may_submit()) is not None:
            cluster = self.tenure.cluster
            claims = await self.tenure.run(queue.claim, cluster, seen, WIDTH)
            if not claims:
                break
            await _all(self._submit(claim) for claim in claims)
        return PERIOD

    def _may_submit(self) -> int | None:
        """The highest job id seen, unless nothing may be submitted now."""
        self.tenure.check()
        return self.seen() if self.clock.seconds() >= self._held_until else None

    async def _submit(self, claim: Claim) -> None:
        intent = claim.entry.intent
        try:
            request = await self._request(claim)
            job = await self.ganeti.submit(request, names.reason(intent.id))
        except Refused as error:
            await self._settled_as_refused(claim.entry, error.message)
        except Unavailable as error:
            await self._unanswered(intent, error)
        except CloudError as error:
            await self._settled_as_refused(claim.entry, error.message)
        except BaseException:
            self._doubt(intent.id)
            raise
        else:
            self._hold = 0.5
            self.probe(AFTER_SUBMIT)
            await self._assign(intent.id, job)

    async def _request(self, claim: Claim) -> Request:
        intent = claim.entry.intent
        request = Request.of(intent).after(claim.jobs, claim.named)
        if intent.kind in (Kind.CREATE, Kind.NETWORK_ADD):
            tags = [*request.body.get("tags", ()), names.tag(intent.id)]
            request = request.with_body(tags=tags)
        return await self.enrich(request, intent)

    async def _assign(self, intent: UUID, job: int) -> None:
        try:
            self.tenure.check()
            good = await self.tenure.run(queue.assign, intent, job)
        except BaseException:
            self._doubt(intent)
            raise
        if good:
            self.watch(intent, job)
        else:
            self._log.error(
                "intent {intent} has another job than {job}", intent=intent, job=job
            )

    async def _settled_as_refused(self, entry: Entry, text: str) -> None:
        try:
            await self.settling.refused(entry, text)
        except Exception:
            self.tenure.check()
            # It was surely not queued; the next attempt will be refused too.
            self._log.failure("refusal of {intent} not settled", intent=entry.intent.id)
            await self._back(entry.intent.id, tried=False)

    async def _unanswered(self, intent: Intent, error: Unavailable) -> None:
        self._log.warn(
            "{kind} of {subject} was not submitted: {error}",
            kind=intent.kind,
            subject=intent.subject,
            error=error.message,
        )
        if isinstance(error, Away) and error.queued is None:
            self._doubt(intent.id)
        else:
            await self._back(intent.id, tried=False)

    async def _back(self, intent: UUID, tried: bool) -> None:
        """Make an intent due again, a little later."""
        self._hold = min(_HOLD_MAX, self._hold * 2)
        self._held_until = self.clock.seconds() + self._hold
        try:
            await self.tenure.run(queue.release, intent, tried)
        except BaseException:
            self._doubt(intent)
            raise

    def _doubt(self, intent: UUID) -> None:
        if self._unsure is not None:
            self._unsure.setdefault(intent, None)

    async def _recover(self) -> None:
        """Find the jobs of intents that nobody knows to have any."""
        assert self._unsure is not None
        left = await self.tenure.run(queue.unsure, self.tenure.cluster)
        entries = [each for each in left if each.intent.id in self._unsure]
        self._unsure = {
            each.intent.id: self._unsure[each.intent.id] for each in entries
        }
        if not entries:
            return
        try:
            found = await self._jobs_of(entries)
        except (Away, Refused):
            return  # the poller says so; we look again
        now = self.clock.seconds()
        for entry in entries:
            ident, first = entry.intent.id, self._unsure[entry.intent.id]
            if ident in found:
                await self._assign(ident, found[ident])
                del self._unsure[ident]
            elif first is None:
                self._unsure[ident] = now
            elif now - first >= PATIENCE:
                await self.tenure.run(queue.release, ident, True)
                del self._unsure[ident]

    async def _jobs_of(self, entries: Sequence[Entry]) -> dict[UUID, int]:
        """The jobs of those intents that have one."""
        after = min(entry.submit_after or 0 for entry in entries)
        if await self.ganeti.newest() < after:
            after = 0  # ids have gone back: the cluster was restored
        ids = [each.id for each in await self.ganeti.statuses(after, ())]
        return matches(entries, await self.ganeti.jobs(ids))


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all at once; when the last has ended, raise what the first raised."""
    running = [Deferred.fromCoroutine(work) for work in works]
    ended: list[tuple[bool, Any]] = await DeferredList(running, consumeErrors=True)
    for good, result in ended:
        if not good:
            result.raiseException()


def matches(entries: Sequence[Entry], jobs: Sequence[Job]) -> dict[UUID, int]:
    """Which intent each job was submitted for: the first, if it were two."""
    found: dict[UUID, int] = {}
    for entry in entries:
        reason = names.reason(entry.intent.id)
        mine = [job.id for job in jobs if carries(job, reason)]
        if mine:
            found[entry.intent.id] = min(mine)
    return found
