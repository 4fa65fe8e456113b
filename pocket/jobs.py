"""Ganeti's job queue: states, order, dependencies, locks, cancelling.

A job here has one opcode, as every job that snfd submits by RAPI. States are
Ganeti's: a job is *queued* until a slot is free and what it depends on has
ended; then *waiting* for its locks, *running*, and at last *success*, *error*
or *canceled*.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pocket.errors import OpError, OpExecError, Refusal
from pocket.params import FINAL, Op
from pocket.record import Job, Timestamp, split
from pocket.store import Store

Log = Callable[[str], None]
Execute = Callable[[Op, Log], Awaitable[Any]]
_KIND = "job"
_DIED = "Unclean master daemon shutdown"
_FULL = 20_000
_ARCHIVED = 20_000


@define(eq=False)
class JobQueue:
    """Takes jobs, runs them and remembers them.

    :ivar execute: carries an opcode out; its result is the job's.
    :ivar locks: the names an opcode needs for itself alone.
    :ivar latency: how long every operation takes at least, in seconds.
    :ivar slots: how many jobs are waiting or running at a time.
    :ivar drained: whether new jobs are refused, as after ``queue drain``.
    """

    clock: IReactorTime
    store: Store
    execute: Execute
    locks: Callable[[Op], frozenset[str]]
    latency: float = 0.0
    slots: int = 20
    drained: bool = False
    _jobs: dict[int, Job] = field(init=False, factory=dict)
    _last: int = field(init=False, default=0)
    _ready: list[int] = field(init=False, factory=list)
    _held: dict[int, set[int]] = field(init=False, factory=dict)
    _dependents: dict[int, list[int]] = field(init=False, factory=dict)
    _admitted: dict[int, frozenset[str]] = field(init=False, factory=dict)
    _running: dict[int, Deferred[None]] = field(init=False, factory=dict)
    _locked: set[str] = field(init=False, factory=set)
    _turn: IDelayedCall | None = field(init=False, default=None)
    _stopped: bool = field(init=False, default=False)
    _closed: bool = field(init=False, default=False)
    _log = Logger()

    def submit(self, op: Op) -> int:
        """Take a job; its number is the answer, its life goes on by itself.

        :raises Refusal: 503; the queue is drained or full.
        """
        if self.drained or self._stopped:
            raise Refusal(503, "Job queue is drained, cannot submit")
        if len(self._ready) + len(self._held) >= _FULL:
            raise Refusal(503, "Job queue is full, needs archiving")
        self._last += 1
        job = Job.submitted(self._last, op, self.clock.seconds())
        self._jobs[job.id] = job
        self._keep(job)
        self._enqueue(job)
        return job.id

    def get(self, ident: int) -> Job | None:
        """The job of that number, archived or not."""
        return self._jobs.get(ident)

    def all(self, archived: bool = False) -> Iterator[Job]:
        """The jobs in the order of their numbers."""
        return (job for job in self._jobs.values() if archived or not job.archived)

    def cancel(self, ident: int) -> tuple[bool, str]:
        """Cancel a job that has not begun; says what came of it.

        As in Ganeti, true also means that the job had ended already.

        :raises Refusal: 500; there is no such job.
        """
        job = self._jobs.get(ident)
        if job is None:
            raise Refusal(500, f"Can't load job file for job {ident}")
        if job.status in FINAL:
            return True, f"Job {ident} has been already dead"
        if job.status == "running":
            return False, "Job no longer waiting, can't cancel (informed it anyway)"
        text = "Dequeued job" if job.status == "queued" else "Canceled job"
        self._end(job, "canceled", "Job canceled by request")
        return True, f"{text} {ident}"

    def archive(self, age: float) -> int:
        """Archive what ended ``age`` seconds ago or earlier; says how many."""
        limit = self.clock.seconds() - age
        found = [
            job
            for job in self.all()
            if job.status in FINAL and job.end is not None and job.end <= limit
        ]
        for job in found:
            job.archived = True
            self._keep(job)
        self._forget()
        return len(found)

    def rewind(self, last: int) -> None:
        """Know no job any more, and count on after ``last``.

        So it is after a cluster was restored from an old copy; what is running is
        cut off.
        """
        for task in list(self._running.values()):
            task.cancel()
        for ident in self._jobs:
            self.store.drop(_KIND, str(ident))
        for part in (self._jobs, self._held, self._dependents, self._admitted):
            part.clear()
        self._ready.clear()
        self._locked.clear()
        self._last = last

    def _forget(self) -> None:
        """Let go of the oldest archived jobs when there are too many."""
        archived = [job.id for job in self._jobs.values() if job.archived]
        for ident in archived[:-_ARCHIVED]:
            del self._jobs[ident]
            self.store.drop(_KIND, str(ident))

    def start(self) -> None:
        """Read what an earlier process left, and go on.

        What was running then is an error now, as after a crash of Ganeti.
        """
        records = sorted((int(name), body) for name, body in self.store.load(_KIND))
        for ident, record in records:
            job = self._jobs[ident] = Job.restored(record)
            self._last = max(self._last, ident)
            if job.status == "running":
                self._end(job, "error", OpExecError(_DIED).result())
        for job in list(self._jobs.values()):
            if job.status not in FINAL:
                job.status, job.start = "queued", None
                self._enqueue(job)

    def stop(self) -> Deferred[Any]:
        """Run nothing more; what was running begins anew with the next `start`.

        :return: fires when what was running has put away its things.
        """
        self._stopped = True
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        return DeferredList(tasks, consumeErrors=True).addBoth(self._close)

    def _close(self, result: Any) -> Any:
        self._closed = True
        return result

    # -- the scheduler -----------------------------------------------------

    def _keep(self, job: Job) -> None:
        if not self._closed:
            self.store.put(_KIND, str(job.id), job.record())

    def _enqueue(self, job: Job) -> None:
        missing = {
            other.id
            for other in map(self._jobs.get, job.depends())
            if other is not None and other.status not in FINAL
        } - {job.id}
        if missing:
            self._held[job.id] = missing
            for ident in missing:
                self._dependents.setdefault(ident, []).append(job.id)
        else:
            heapq.heappush(self._ready, job.id)
            self._later()

    def _later(self) -> None:
        if self._turn is None and not self._stopped:
            self._turn = self.clock.callLater(0, self._schedule)

    def _schedule(self) -> None:
        """Admit jobs while slots are free; run those whose locks are free."""
        self._turn = None
        while self._ready and len(self._admitted) < self.slots:
            self._admit(self._jobs[heapq.heappop(self._ready)])
        taken = set(self._locked)
        for ident in sorted(self._admitted):
            if ident in self._running:
                continue
            wanted = self._admitted[ident]
            if taken.isdisjoint(wanted):
                self._begin(self._jobs[ident], wanted)
            taken |= wanted

    def _admit(self, job: Job) -> None:
        if job.status != "queued":
            return
        broken = self._dependency(job)
        if broken is not None:
            self._end(job, *broken)
            return
        job.status, job.start = "waiting", self.clock.seconds()
        self._admitted[job.id] = self.locks(job.op)

    def _dependency(self, job: Job) -> tuple[str, Any] | None:
        """How ``job`` ends because of what it depends on; None if it may run."""
        for ident, wanted in job.depends().items():
            other = self._jobs.get(ident)
            if ident == job.id or other is None:
                why = f"Dependency error: Job {ident} lost"
                return "error", OpExecError(why).result()
            if wanted and other.status not in wanted:
                if other.status == "canceled":
                    return "canceled", "Job canceled by request"
                why = (
                    f"Dependency job {ident} finished with status"
                    f" '{other.status}', not one of '{', '.join(wanted)}'"
                    " as required"
                )
                return "error", OpExecError(why).result()
        return None

    def _begin(self, job: Job, wanted: frozenset[str]) -> None:
        self._locked |= wanted
        job.status, job.exec = "running", self.clock.seconds()
        self._keep(job)
        task = Deferred.fromCoroutine(self._run(job))
        if not task.called:
            self._running[job.id] = task

    async def _run(self, job: Job) -> None:
        try:
            if self.latency > 0:
                await deferLater(self.clock, self.latency)
            result = await self.execute(job.op, lambda text: self._say(job, text))
        except OpError as error:
            self._failed(job, error)
        except (CancelledError, ConnectingCancelledError):
            self._failed(job, OpExecError("interrupted"))
        except Exception as error:
            self._log.failure("job {job} failed", job=job.id)
            self._failed(job, OpExecError(f"internal error: {error}"))
        else:
            self._end(job, "success", result)

    def _failed(self, job: Job, error: OpError) -> None:
        """The end of a job, unless it only failed because we stop."""
        if self._stopped:
            job.status, job.exec, job.log = "queued", None, []
            self._keep(job)
        else:
            self._end(job, "error", error.result())

    def _say(self, job: Job, text: str) -> None:
        job.log.append((len(job.log) + 1, split(self.clock.seconds()), text))

    def _end(self, job: Job, status: str, result: Any) -> None:
        job.finish(status, result, self.clock.seconds())
        self._keep(job)
        self._running.pop(job.id, None)
        wanted = self._admitted.pop(job.id, None)
        if wanted and job.exec is not None:
            self._locked -= wanted
        self._held.pop(job.id, None)
        for ident in self._dependents.pop(job.id, ()):
            missing = self._held.get(ident)
            if missing is None:
                continue
            missing.discard(job.id)
            if not missing:
                del self._held[ident]
                heapq.heappush(self._ready, ident)
        self._later()


__all__ = ["Execute", "Job", "JobQueue", "Log", "Timestamp"]
