"""A cluster in memory, which passes the contract and can be told to misbehave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from snfd.clock import now
from snfd.ganeti.fake_world import OpFailed, World
from snfd.ganeti.model import (
    Description,
    Instance,
    Job,
    JobStatus,
    Kind,
    Network,
    Op,
    Sighting,
    Status,
)
from snfd.ganeti.port import Away, Refused
from snfd.ganeti.requests import Request
from snfd.probe import DURING_SUBMIT, Probe, nothing

_MODIFIABLE = frozenset(
    {
        "nics",
        "disks",
        "beparams",
        "hvparams",
        "osparams",
        "depends",
        "hotplug_if_possible",
        "wait_for_sync",
    }
)


@define(eq=False)
class Queue:
    """The job queue of the fake.

    :ivar work: whether a job runs by itself: it is queued, then waits, then
        has ended, one step per look. Else `finish`, `fail` and `cancel` end it.
    :ivar last: the highest id so far.
    """

    clock: IReactorTime
    world: World
    work: bool = False
    last: int = 0
    _jobs: dict[int, Job] = field(init=False, factory=dict)
    _requests: dict[int, Request] = field(init=False, factory=dict)
    _archived: set[int] = field(init=False, factory=set)

    def add(self, request: Request, reason: str) -> int:
        """Queue a job."""
        self.last += 1
        given = {
            **request.body,
            "OP_ID": request.kind,
            ("network_name" if "NETWORK" in request.kind else "instance_name"): (
                request.name
            ),
        }
        op = Op(request.kind, Status.QUEUED, given, reasons=(reason,))
        self._jobs[self.last] = Job(self.last, Status.QUEUED, (op,), self._now())
        self._requests[self.last] = request
        return self.last

    def finish(self, ident: int) -> None:
        """Execute the job now."""
        job, request = self._jobs[ident], self._requests[ident]
        blocked = self._unmet(request)
        if blocked:
            self.fail(ident, blocked, "")
            return
        try:
            result = self.world.execute(request)
        except OpFailed as error:
            self.fail(ident, error.text, error.code)
            return
        self._ended(job, Status.SUCCESS, result)

    def fail(self, ident: int, text: str, code: str) -> None:
        """Let the job fail."""
        words = [text, code] if code else [text]
        kind = "OpPrereqError" if code else "OpExecError"
        self._ended(self._jobs[ident], Status.ERROR, [kind, words])

    def cancel(self, ident: int) -> None:
        """Cancel the job."""
        self._ended(self._jobs[ident], Status.CANCELED, None)

    def forget(self, ident: int, *, purge: bool = False) -> None:
        """Archive the job, or have it vanish altogether."""
        self._archived.add(ident)
        if purge:
            del self._jobs[ident]

    def known(self, ident: int) -> Job | None:
        """The job of that id, archived or not."""
        return self._jobs.get(ident)

    def listed(self) -> list[Job]:
        """The jobs that are not archived, by id."""
        return [job for job in self._jobs.values() if job.id not in self._archived]

    def step(self) -> None:
        """Let each job come one step further, if they run by themselves."""
        for job in list(self._jobs.values()) if self.work else ():
            if job.status is Status.QUEUED:
                waits = self._pending(self._requests[job.id])
                self._move(job, Status.WAITING if waits else Status.RUNNING)
            elif not job.status.final and not self._pending(self._requests[job.id]):
                self.finish(job.id)

    def _depends(self, request: Request) -> list[tuple[Job, list[str]]]:
        named = request.body.get("depends", ())
        return [
            (self._jobs[ident], states)
            for ident, states in named
            if ident in self._jobs
        ]

    def _pending(self, request: Request) -> bool:
        return any(not job.status.final for job, _ in self._depends(request))

    def _unmet(self, request: Request) -> str:
        for job, states in self._depends(request):
            if str(job.status) not in states:
                return f"Dependency job {job.id} finished with status '{job.status}'"
        return ""

    def _move(self, job: Job, status: Status) -> None:
        ops = tuple(evolve(op, status=status) for op in job.ops)
        self._jobs[job.id] = evolve(job, status=status, ops=ops, started=self._now())

    def _ended(self, job: Job, status: Status, result: Any) -> None:
        ops = tuple(evolve(op, status=status, result=result) for op in job.ops)
        self._jobs[job.id] = evolve(job, status=status, ops=ops, ended=self._now())

    def _now(self) -> datetime:
        return now(self.clock)


@define(eq=False)
class Trouble:
    """How the cluster misbehaves.

    :ivar down: connections are refused.
    :ivar hangs: no request is ever answered.
    :ivar refuses: words with which submits are refused.
    :ivar loses: submits are queued, but the answer is lost.
    :ivar code: an HTTP status such as 502 that answers everything.
    """

    down: bool = False
    hangs: bool = False
    refuses: str = ""
    loses: bool = False
    code: int = 0


@define(eq=False, slots=False)
class FakeGaneti:
    """A cluster in memory; implements `Ganeti`.

    :ivar calls: what was asked, in order; a test may count.
    """

    clock: IReactorTime
    probe: Probe = nothing
    world: World = field(factory=World)
    trouble: Trouble = field(factory=Trouble)
    calls: list[str] = field(factory=list)
    queue: Queue = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.queue = Queue(self.clock, self.world)

    async def _called(self, what: str) -> None:
        self.calls.append(what)
        trouble = self.trouble
        if trouble.down:
            raise Away("connection refused", queued=False)
        if trouble.hangs:
            await Deferred()
        if trouble.code:
            raise Away(
                f"HTTP {trouble.code}", queued=False if trouble.code == 503 else None
            )

    async def submit(self, request: Request, reason: str) -> int:
        """See `Jobs.submit`."""
        await self._called("submit")
        if self.trouble.refuses:
            raise Refused(self.trouble.refuses)
        if request.kind == Kind.MODIFY and set(request.body) - _MODIFIABLE:
            raise Refused("Invalid body parameters")
        job = self.queue.add(request, reason)
        self.probe(DURING_SUBMIT)
        if self.trouble.loses:
            raise Away("the connection broke", queued=None)
        return job

    async def newest(self) -> int:
        """See `Jobs.newest`."""
        await self._called("newest")
        return max((job.id for job in self.queue.listed()), default=0)

    async def statuses(self, after: int, ids: Sequence[int]) -> list[JobStatus]:
        """See `Jobs.statuses`."""
        await self._called("statuses")
        self.queue.step()
        above = {job.id: job for job in self.queue.listed() if job.id > after}
        named = {job.id: job for job in map(self.queue.known, ids) if job}
        found = {**above, **named}
        return [JobStatus(ident, found[ident].status) for ident in sorted(found)]

    async def jobs(self, ids: Sequence[int]) -> list[Job]:
        """See `Jobs.jobs`."""
        await self._called("jobs")
        return [job for job in map(self.queue.known, sorted(set(ids))) if job]

    async def cancel(self, job: int) -> bool:
        """See `Jobs.cancel`."""
        await self._called("cancel")
        found = self.queue.known(job)
        if found is None:
            raise Refused(f"there is no job {job}", 404)
        if found.status in (Status.QUEUED, Status.WAITING):
            self.queue.cancel(job)
            return True
        return found.status.final

    async def sightings(self) -> list[Sighting]:
        """See `Views.sightings`."""
        await self._called("sightings")
        return [each.sighting() for each in self.world.instances.values()]

    async def instances(self, names: Sequence[str]) -> list[Instance]:
        """See `Views.instances`."""
        await self._called("instances")
        have = self.world.instances
        return [have[name] for name in sorted(set(names)) if name in have]

    async def networks(self) -> list[Network]:
        """See `Views.networks`."""
        await self._called("networks")
        return list(self.world.networks.values())

    async def describe(self) -> Description:
        """See `Views.describe`."""
        await self._called("describe")
        return self.world.description()
