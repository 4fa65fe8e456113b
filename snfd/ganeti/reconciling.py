"""Looks at a cluster as a whole, notes what differs and has it settled.

Nothing follows from a look that failed, and little from one that is hard to
believe: see `snfd.ganeti.reconcile`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.ganeti import findings, names, reconcile
from snfd.ganeti.lease import Tenure
from snfd.ganeti.model import Network
from snfd.ganeti.port import Away, Ganeti, Refused
from snfd.ganeti.reconcile import Finding, Kind, Known, Looks, Told
from snfd.ganeti.settling import Settling

Seen = Mapping[tuple[str, str], Looks]


class Flaw(Protocol):
    """A network on which rows and a cluster disagree."""

    @property
    def network(self) -> int:
        """Its id."""
        ...

    @property
    def flaw(self) -> str:
        """In what way, as a `reconcile.Kind`."""
        ...

    @property
    def groups(self) -> Sequence[str]:
        """Node groups that cannot use it."""
        ...


Mend = Callable[[Transaction, int, Sequence[Network]], Awaitable[Sequence[Flaw]]]
"""Puts right what can be of a cluster's networks; all that it found."""


async def leave(
    tx: Transaction, cluster: int, told: Sequence[Network]
) -> Sequence[Flaw]:
    """The `Mend` that looks at nothing."""
    return ()


@define(eq=False)
class Reconciler:
    """Compares one cluster with its rows.

    :ivar mend: sees to networks.
    :ivar counts: how much of each kind the last look found.
    :ivar looked: when the last look that went well began, by our clock, or None.
    """

    clock: IReactorTime
    ganeti: Ganeti
    tenure: Tenure
    settling: Settling
    mend: Mend = leave
    counts: Mapping[str, int] = field(init=False, factory=dict)
    looked: float | None = field(init=False, default=None)
    _alarmed: bool = field(init=False, default=False)
    _networks: frozenset[str] | None = field(init=False, default=None)
    _flaws: Sequence[Finding] = field(init=False, default=())
    _log: Logger = field(init=False, factory=Logger)

    async def look(self) -> bool:
        """Look at everything once, and do what follows; whether it was possible."""
        began, cluster = self.clock.seconds(), self.tenure.cluster
        rows = await self.tenure.run(findings.known, cluster)
        try:
            seen = await self.ganeti.sightings()
            networks = await self.ganeti.networks()
        except (Away, Refused):
            return False  # the poller says so
        every = await self.tenure.run(findings.every, cluster)
        found = reconcile.findings(rows, every, seen)
        found += await self._see_to(networks)
        self._alarm(found)
        counts = len(seen), len(networks), len(found)
        took = self.clock.seconds() - began
        looks = await self.tenure.run(self._record, found, took, counts)
        await self._follow(found, looks, rows)
        self.counts = Counter(str(each.kind) for each in found)
        self.looked = began
        return True

    async def _see_to(self, networks: Sequence[Network]) -> Sequence[Finding]:
        """Put networks right, unless the cluster lacks one that it had just now."""
        before, self._networks = self._networks, frozenset(n.name for n in networks)
        if before is None or not before <= self._networks:
            return self._flaws
        flaws = await self.tenure.run(self.mend, self.tenure.cluster, networks)
        self._flaws = [
            Finding(
                names.network_subject(each.network),
                Kind(each.flaw),
                ", ".join(each.groups),
            )
            for each in flaws
        ]
        return self._flaws

    async def _record(
        self,
        tx: Transaction,
        found: Sequence[Finding],
        took: float,
        counts: Sequence[int],
    ) -> Seen:
        cluster = self.tenure.cluster
        looks = await findings.record(tx, cluster, found)
        await findings.looked(tx, cluster, took, counts)
        return looks

    async def _follow(
        self,
        found: Sequence[Finding],
        looks: Seen,
        rows: Sequence[Known],
    ) -> None:
        told = reconcile.events(found, looks)
        stuck = reconcile.stuck(found, looks)
        if told or stuck:
            await self._tell(told, stuck, {row.subject: row for row in rows})

    async def _tell(
        self, told: Sequence[Told], stuck: Sequence[str], rows: Mapping[str, Known]
    ) -> None:
        """Have events settled; each instance is looked at again right before."""
        wanted = reconcile.subjects(told) + [names.name_of_subject(s) for s in stuck]
        try:
            seen = await self.ganeti.instances(wanted) if wanted else []
        except (Away, Refused):
            return  # the next look finds it again
        instances = {each.name: each for each in seen}
        for each in told:
            instance = instances.get(names.name_of_subject(each.subject))
            if instance is not None or not each.look:
                saw = self.settling.saw(rows[each.subject], each, instance)
                await self._tried(each.subject, saw)
        for subject in stuck:
            instance = instances.get(names.name_of_subject(subject))
            await self._tried(subject, self.settling.unstuck(subject, instance))

    async def _tried(self, subject: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Unavailable as error:
            self.tenure.check()
            self._log.warn(
                "reconciliation of {subject} waits: {error}",
                subject=subject,
                error=error.message,
            )
        except Exception:
            self.tenure.check()
            self._log.failure("reconciliation of {subject} failed", subject=subject)

    def _alarm(self, found: Sequence[Finding]) -> None:
        """Tell the operator, once, of a list that cannot be right."""
        wrong = [each for each in found if each.kind is Kind.DISBELIEVED]
        if wrong and not self._alarmed:
            self._log.critical(
                "cluster {cluster}: {detail}; nothing is removed",
                cluster=self.tenure.cluster,
                detail=wrong[0].detail,
            )
        self._alarmed = bool(wrong)
