"""Ends intents: looks at what they were about, judges, has it written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from snfd import outbox
from snfd.clock import now
from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.ganeti import findings, jobs, names, queue
from snfd.ganeti.lease import Tenure
from snfd.ganeti.model import Event, Instance, Job, Kind, Network, Outcome
from snfd.ganeti.port import Away, Ganeti, Settle
from snfd.ganeti.reconcile import Known, Told
from snfd.ganeti.verdict import (
    Verdict,
    again,
    judge,
    needs_instance,
    needs_network,
    refused,
    shortened,
)
from snfd.intent import Entry, Intent, State
from snfd.probe import WHILE_SETTLING, Probe, nothing

Ended = tuple[UUID, Job | None]
"""An intent and its job, final; None if that is lost."""


TASKS = {
    "BUILD": Kind.CREATE,
    "DESTROY": Kind.REMOVE,
    "START": Kind.START,
    "STOP": Kind.STOP,
    "REBOOT": Kind.REBOOT,
}
"""What shows how a server's task ended; all else shows only in the instance."""

Looked = tuple[Mapping[str, Instance], frozenset[str]]


@define(eq=False)
class Settling:
    """Ends intents, each in a transaction of its own.

    :ivar settle: what the rest of the daemon makes of an outcome.
    """

    clock: IReactorTime
    ganeti: Ganeti
    tenure: Tenure
    settle: Settle
    probe: Probe = nothing
    _log: Logger = field(init=False, factory=Logger)

    async def ended(self, pairs: Sequence[Ended]) -> set[UUID]:
        """End the intents whose jobs have ended; those that now have ended.

        A failure to settle one is logged and leaves the others alone.

        :raises Away: the cluster would not show its networks.
        """
        wanted = [ident for ident, _ in pairs]
        known = {
            each.intent.id: each
            for each in await self.tenure.run(queue.entries, wanted)
        }
        mine = [(known[ident], _own(known[ident], job)) for ident, job in pairs
                if ident in known]  # fmt: skip
        instances, hidden = await self._instances(mine)
        networks = await self._networks(mine)
        done = {ident for ident in wanted if ident not in known}
        for entry, job in mine:
            name = entry.intent.request["name"]
            work = self._end, entry, job, instances.get(name), networks.get(name)
            if name not in hidden and await self._tried(entry.intent.subject, *work):
                done.add(entry.intent.id)
        return done

    async def refused(self, entry: Entry, text: str) -> None:
        """End an intent that the cluster refused for good."""
        verdict = refused(entry.intent, text)
        await self.tenure.run(self._write, entry, None, verdict, None, None)

    async def given_up(self, entry: Entry) -> None:
        """End an intent that the cluster has not heard of, if that is still so."""
        await self.tenure.run(self._given_up, entry)

    async def _given_up(self, tx: Transaction, seen: Entry) -> None:
        entry = await queue.lock(tx, seen.intent.id)
        if entry is None or entry.state is not State.NEW:
            return
        event = jobs.EVENTS[entry.intent.kind][1]
        verdict = Verdict(event, State.CANCELED, "it was given up")
        await self._write(tx, entry, None, verdict, None, None)

    async def foreign(self, job: Job) -> bool:
        """Tell of what somebody else's job changed; whether that succeeded."""
        found = list(jobs.changes(job))
        looked = [names.name_of_subject(subject) for subject, event in found
                  if event in jobs.LOOKS_AT_INSTANCE]  # fmt: skip
        instances, hidden = await self._looked(looked)
        good = not hidden
        for subject, event in found:
            instance = instances.get(names.name_of_subject(subject))
            work = self._report, subject, event, job, instance
            good = await self._tried(subject, *work) and good
        return good

    async def report(
        self, subject: str, event: Event, instance: Instance | None, detail: str = ""
    ) -> None:
        """Tell of something that was seen without a job."""
        await self.tenure.run(self._report, subject, event, None, instance, detail)

    async def saw(self, row: Known, told: Told, instance: Instance | None) -> None:
        """Tell of what a look at a quiet server found.

        Nothing follows if its row is no more what it was at the look. What was
        settled last may have happened later by the cluster's clock than this by ours.
        """
        await self.tenure.run(self._saw, row, told, instance)

    async def _saw(
        self, tx: Transaction, row: Known, told: Told, instance: Instance | None
    ) -> None:
        if not await findings.is_quiet(tx, row.subject, row.settled):
            return
        at = now(self.clock)
        if row.settled is not None:
            at = max(at, row.settled + timedelta(microseconds=1))
        cluster = self.tenure.cluster
        outcome = Outcome(
            None, told.subject, told.event, None, at, told.detail, instance,
            cluster=cluster,
        )  # fmt: skip
        await self.settle(tx, outcome)

    async def unstuck(self, subject: str, instance: Instance | None) -> None:
        """End a server's task that nothing works on: its instance shows how."""
        await self.tenure.run(self._unstuck, subject, instance)

    async def _unstuck(
        self, tx: Transaction, subject: str, instance: Instance | None
    ) -> None:
        found = await findings.task(tx, subject)
        if found is None or await outbox.open_entries(tx, subject):
            return
        task, ident = found
        kind, cluster = TASKS.get(task, Kind.MODIFY), self.tenure.cluster
        intent = Intent(ident, cluster, kind, subject, {"name": ""})
        verdict = judge(intent, None, instance, None)
        at, error = now(self.clock), verdict.error or "nothing was done about it"
        await self.settle(
            tx,
            Outcome(
                intent, subject, verdict.event, None, at, error, instance,
                cluster=cluster,
            ),
        )  # fmt: skip

    async def _tried(self, subject: str, work: Any, *args: Any) -> bool:
        try:
            await self.tenure.run(work, *args)
        except Unavailable as error:
            self.tenure.check()
            self._log.warn(
                "settling of {subject} waits: {error}",
                subject=subject,
                error=error.message,
            )
            return False
        except Exception:
            self.tenure.check()
            self._log.failure("settling of {subject} failed", subject=subject)
            return False
        return True

    async def _instances(self, pairs: Iterable[tuple[Entry, Job | None]]) -> Looked:
        return await self._looked(
            entry.intent.request["name"]
            for entry, job in pairs
            if needs_instance(entry.intent.kind, job)
        )

    async def _looked(self, wanted: Iterable[str]) -> Looked:
        """The named instances, and the names that could not be looked at.

        A node that is down may hold up the answer; so that it holds up the
        others' no longer than once, each is then asked about alone.
        """
        asked = sorted(set(wanted))
        if not asked:
            return {}, frozenset()
        try:
            found = await self.ganeti.instances(asked)
        except Away as error:
            if len(asked) == 1:
                self._log.warn(
                    "{name} cannot be looked at: {error}",
                    name=asked[0],
                    error=error.message,
                )
                return {}, frozenset(asked)
            alone = [Deferred.fromCoroutine(self._looked([name])) for name in asked]
            each = await gatherResults(alone, consumeErrors=True)
            hidden = frozenset[str]().union(*(part[1] for part in each))
            return {k: v for part in each for k, v in part[0].items()}, hidden
        return {each.name: each for each in found}, frozenset()

    async def _networks(
        self, pairs: Iterable[tuple[Entry, Job | None]]
    ) -> Mapping[str, Network]:
        needed = any(needs_network(each.intent.kind, job) for each, job in pairs)
        found = await self.ganeti.networks() if needed else []
        return {each.name: each for each in found}

    async def _end(
        self,
        tx: Transaction,
        seen: Entry,
        job: Job | None,
        instance: Instance | None,
        network: Network | None,
    ) -> None:
        entry = await queue.lock(tx, seen.intent.id)
        if entry is None or entry.job != seen.job:
            return
        if job is not None and (request := again(entry, job)) is not None:
            await queue.requeue(tx, self.tenure.cluster, entry.intent.id, request)
            return
        verdict = shortened(judge(entry.intent, job, instance, network))
        await self._write(tx, entry, job, verdict, instance, network)

    async def _write(
        self,
        tx: Transaction,
        entry: Entry,
        job: Job | None,
        verdict: Verdict,
        instance: Instance | None,
        network: Network | None,
    ) -> None:
        results = [op.result for op in job.ops] if job else None
        await queue.finish(tx, entry.intent.id, verdict, results)
        if entry.intent.subject.startswith(names.ORPHAN):
            return  # it is nobody's
        outcome = Outcome(
            entry.intent,
            entry.intent.subject,
            verdict.event,
            job,
            job.ended if job and job.ended else now(self.clock),
            verdict.error,
            instance,
            network,
            self.tenure.cluster,
        )
        await self.settle(tx, outcome)
        self.probe(WHILE_SETTLING)

    async def _report(
        self,
        tx: Transaction,
        subject: str,
        event: Event,
        job: Job | None,
        instance: Instance | None,
        detail: str = "",
    ) -> None:
        at = job.ended if job and job.ended else now(self.clock)
        cluster = self.tenure.cluster
        outcome = Outcome(
            None, subject, event, job, at, detail, instance, cluster=cluster
        )
        await self.settle(tx, outcome)


def _own(entry: Entry, job: Job | None) -> Job | None:
    """The job, unless its id is by now another's: then ours is lost."""
    if job is not None and jobs.carries(job, names.reason(entry.intent.id)):
        return job
    return None
