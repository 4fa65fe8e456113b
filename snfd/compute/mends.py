"""What administrators have put right that reconciliation found but leaves alone.

What takes something from somebody must have been seen twice, a minute apart, and
is bounded: a wrong answer of a cluster must not cost more than a few servers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from attrs import frozen
from twisted.internet.task import deferLater

from snfd import outbox
from snfd.audit import Actor, record
from snfd.clock import now
from snfd.compute import books
from snfd.compute.settle import settle
from snfd.compute.store import mends as store
from snfd.compute.store.mends import Found
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, NotFound
from snfd.ganeti import findings, names, requests
from snfd.ganeti import network_requests as networks
from snfd.ganeti import store as clusters
from snfd.ganeti.model import Event, Outcome
from snfd.ganeti.reconcile import AGE_MIN, Kind
from snfd.ganeti.requests import Request
from snfd.network.store import balance, presence
from snfd.quota.findings import Fixes
from snfd.quota.integrity import Integrity

MOST = 20
"""Servers, instances or networks that one run takes away at most."""

PATIENCE = 20.0
"""Seconds that a run waits for clusters to be looked at."""

_PAUSE = 0.25


class Fix(StrEnum):
    """What may be put right when somebody says so."""

    STALE = "stale"
    """Servers without an instance are deleted."""
    ORPHAN = "orphan"
    """Instances that nobody knows are removed."""
    NETWORK_ORPHAN = "network-orphan"
    """Networks of clusters that nobody knows are removed."""
    POOL = "pool"
    """Addresses, prefixes and bridges are free, or not, as they are used."""
    QUOTA = "quota"
    """Usage is counted anew."""


_KINDS = {
    Fix.STALE: (Kind.STALE,),
    Fix.ORPHAN: (Kind.ORPHAN,),
    Fix.NETWORK_ORPHAN: (Kind.NETWORK_ORPHAN,),
    Fix.POOL: (Kind.ADDRESS, Kind.POOL),
    Fix.QUOTA: (Kind.QUOTA,),
}


@frozen(eq=False)
class Mends:
    """Looks when asked, and puts right what it is told to.

    :ivar clock: the reactor.
    """

    db: Database
    clock: Any
    integrity: Integrity
    new_id: Callable[[], UUID]

    async def look(self, backend: str | None) -> None:
        """Have clusters, pools and quota looked at now, and wait for that a while.

        :param backend: name or id of the only cluster to look at; None for all.
        :raises NotFound: there is no such cluster.
        """
        asked, wanted = await self.db.run(self._ask, backend)
        ends = self.clock.seconds() + PATIENCE
        while self.clock.seconds() < ends:
            if await self.db.run(store.were_looked_at, wanted, asked):
                break
            await deferLater(self.clock, _PAUSE)
        await self.db.run(books.look, self.integrity.recount)

    async def fix(
        self, actor: Actor, backend: str | None, fixes: Sequence[Fix]
    ) -> Sequence[Found]:
        """Put right what was found of these kinds; what it was.

        :raises NotFound: there is no such cluster.
        """
        done: list[Found] = []
        for one in dict.fromkeys(fixes):
            kinds = _KINDS[one]
            found = await self.db.run(self._due, backend, kinds, one)
            if one in (Fix.POOL, Fix.QUOTA):
                await self._recount(actor, one, found)
            else:
                for each in found:
                    await self.db.run(self._one, actor, each)
            done += found
        return done

    async def give_up(self, actor: Actor, ident: UUID) -> None:
        """Have a job canceled by whoever works on its cluster.

        :raises NotFound: there is none.
        :raises Conflict: it has ended.
        """
        await self.db.run(self._give_up, actor, ident)

    async def _give_up(self, tx: Transaction, actor: Actor, ident: UUID) -> None:
        state = await store.give_up(tx, ident)
        if state is None:
            raise NotFound(f"there is no job {ident}")
        if state:
            raise Conflict(f"job {ident} has ended: {state}")
        await record(tx, actor, "job.cancel", f"job:{ident}")

    async def _ask(
        self, tx: Transaction, backend: str | None
    ) -> tuple[datetime, Sequence[int]]:
        wanted = await store.clusters(tx, backend)
        if backend is not None and not wanted:
            raise NotFound(f"there is no cluster {backend}")
        for cluster in wanted:
            await clusters.refresh(tx, cluster)
        row = await tx.row("SELECT clock_timestamp()")
        assert row is not None
        return row[0], wanted

    async def _due(
        self, tx: Transaction, backend: str | None, kinds: Sequence[Kind], fix: Fix
    ) -> Sequence[Found]:
        wanted = await store.clusters(tx, backend)
        if backend is not None and not wanted:
            raise NotFound(f"there is no cluster {backend}")
        if fix in (Fix.POOL, Fix.QUOTA):
            return await store.found(tx, None, kinds, 0, 10 * MOST)
        return await store.found(tx, wanted, kinds, AGE_MIN, MOST)

    async def _recount(self, actor: Actor, fix: Fix, found: Sequence[Found]) -> None:
        if found and fix is Fix.QUOTA:
            await self.integrity.verify(actor, Fixes(actual=True))
        elif found:
            await self.db.run(self._pools, actor)
        await self.db.run(books.look, self.integrity.recount)

    async def _pools(self, tx: Transaction, actor: Actor) -> None:
        fixed = await balance.right(tx)
        await record(tx, actor, "reconcile.pool", "pools", fixed=fixed)

    async def _one(self, tx: Transaction, actor: Actor, found: Found) -> None:
        assert found.cluster is not None
        await record(tx, actor, f"reconcile.{found.kind}", found.subject)
        number = int(found.subject.partition(":")[2])
        if found.kind == Kind.STALE:
            await self._stale(tx, found, number)
        elif found.kind == Kind.ORPHAN:
            subject = f"{names.ORPHAN}:{names.instance(number)}"
            await self._put(tx, actor, found, subject, [requests.remove(number)])
        else:
            groups = await presence.groups(tx, found.cluster)
            leaving = [networks.network_disconnect(number, group) for group in groups]
            leaving.append(networks.network_remove(number))
            subject = f"{names.ORPHAN}:{names.network(number)}"
            await self._put(tx, actor, found, subject, leaving)

    async def _put(
        self,
        tx: Transaction,
        actor: Actor,
        found: Found,
        subject: str,
        wanted: Sequence[Request],
    ) -> None:
        """Have the cluster do ``wanted``, unless it is doing so."""
        assert found.cluster is not None
        for request in wanted if not await outbox.open_entries(tx, subject) else ():
            made = requests.intent(
                self.new_id(), found.cluster, subject, request, actor=actor.uuid
            )
            await outbox.put(tx, made)

    async def _stale(self, tx: Transaction, found: Found, server: int) -> None:
        assert found.cluster is not None
        settled, state = await store.settled(tx, server)
        if not await findings.is_quiet(tx, found.subject, settled):
            return
        event = Event.CREATE_FAILED if state == "BUILD" else Event.REMOVED
        at = max(now(self.clock), settled) if settled else now(self.clock)
        told = "an administrator says that there is no instance"
        outcome = Outcome(
            None, found.subject, event, None, store.after(at), told,
            cluster=found.cluster,
        )  # fmt: skip
        await settle(tx, outcome)
