"""Takes instances of one cluster over, as administrators asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from snfd.clock import now
from snfd.db.port import Transaction
from snfd.errors import CloudError, Conflict, NotImplementedHere, Unavailable
from snfd.ganeti import adoption_store as store
from snfd.ganeti import findings, names, renaming
from snfd.ganeti.adoption import Adoptee, adoptee, chosen, obstacles
from snfd.ganeti.adoption_store import Result, Waiting, Wanted
from snfd.ganeti.jobs import error as error_of
from snfd.ganeti.lease import LeaseLost, Tenure
from snfd.ganeti.model import Instance, Network, Status
from snfd.ganeti.port import Away, Ganeti, Refused
from snfd.ganeti.rapi import pieces
from snfd.ganeti.requests import Request
from snfd.loop import Loop

EVERY = 15.0
"""Seconds between looks for requests; whoever asks wakes it."""

SOON = 1.0
BATCH = 50
"""Instances that one query asks for."""


@frozen
class Terms:
    """How an instance is taken over.

    :ivar networks: those of the cluster, by name.
    :ivar at: time of the look.
    """

    cluster: int
    wanted: Wanted
    networks: Mapping[str, Network]
    at: datetime


Adopt = Callable[[Transaction, Adoptee, Terms], Awaitable[str]]
"""Makes rows of an instance; tells what else is worth knowing, or why not.

:raises CloudError: it cannot be; nothing was recorded.
"""


async def nobody(tx: Transaction, one: Adoptee, terms: Terms) -> str:
    """Takes nothing over."""
    raise NotImplementedHere("nothing is taken over here")


PATIENCE = 600.0
"""Seconds that a job may take."""


async def run_job(
    clock: IReactorTime, ganeti: Ganeti, request: Request, reason: str
) -> None:
    """Have a job done that no intent asks for, and wait for its end.

    :raises Conflict: it was refused, failed, or took too long.
    """
    try:
        ident = await ganeti.submit(request, reason)
    except Refused as refused:
        raise Conflict(f"{request.kind}: {refused.message}") from None
    deadline = clock.seconds() + PATIENCE
    while clock.seconds() < deadline:
        for job in await ganeti.jobs([ident]):
            if job.status is Status.SUCCESS:
                return
            if job.status.final:
                raise Conflict(f"{request.kind}: {error_of(job)[0]}")
        await deferLater(clock, SOON, lambda: None)
    raise Conflict(f"{request.kind}: job {ident} does not end")


class _Rehearsed(Exception):
    """All went well, and nothing of it shall stay."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@define(eq=False)
class Adopter(Service):
    """Works through what was asked to be taken over.

    :ivar reachable: whether the cluster answers; nothing is asked otherwise.
    """

    clock: IReactorTime
    ganeti: Ganeti
    tenure: Tenure
    adopt: Adopt
    reachable: Callable[[], bool]
    _loop: Loop = field(init=False)
    _log: Logger = field(init=False, factory=Logger)

    def __attrs_post_init__(self) -> None:
        what = f"adoption at cluster {self.tenure.cluster}"
        self._loop = Loop(self.clock, self._turn, what, (LeaseLost,))

    def wake(self) -> None:
        """Somebody may have asked."""
        self._loop.wake()

    def startService(self) -> None:  # noqa: D102
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:  # noqa: D102
        Service.stopService(self)
        return self._loop.stop() if self.tenure.held else self._loop.abort()

    async def _turn(self) -> float:
        if not self.reachable():
            return SOON
        waiting = await self.tenure.run(store.first, self.tenure.cluster)
        if waiting is None:
            return EVERY
        try:
            await self._work(waiting)
        except (Away, Refused):
            return SOON  # the poller says so; what was done stays done
        return 0.0

    async def _work(self, waiting: Waiting) -> None:
        at = now(self.clock)
        seen = await self.ganeti.sightings()
        cluster = self.tenure.cluster
        known = await self.tenure.run(findings.every, cluster)
        wanted = waiting.wanted
        found = chosen(wanted.instances, seen, known, rename=wanted.rename)
        vain = [Result(name, "refused", None, why) for name, why in found.vain.items()]
        listed = {each.name: each for each in await self.ganeti.networks()}
        terms = Terms(cluster, wanted, listed, at)
        for part in pieces(found.names, BATCH):
            there = {one.name: one for one in await self.ganeti.instances(part)}
            for name in part:
                told = await self._one(there.get(name), name, terms, waiting.id)
                await self._note(waiting, told)
        for name in found.foreign:
            await self._note(waiting, await self._foreign(name, terms, waiting.id))
        await self.tenure.run(store.note, waiting.id, vain)
        await self.tenure.run(store.finish, waiting.id)
        self._log.info(
            "cluster {cluster}: looked at {number} instances to take over",
            cluster=cluster,
            number=len(found.names),
        )

    async def _note(self, waiting: Waiting, told: Result | None) -> None:
        if told is not None:
            await self.tenure.run(store.note, waiting.id, [told])

    async def _foreign(self, name: str, terms: Terms, request: int) -> Result | None:
        """Rename an instance and take it over; as `_one`."""
        wanted = terms.wanted
        for one in await self.ganeti.instances([name]):
            if why := renaming.refusal(one, strip=wanted.strip_nics):
                return Result(name, "refused", None, why)
            if wanted.dry_run:
                return Result(name, "would be adopted", None, "as a new server")
            counts = renaming.unnamed(one)
            server, *numbers = await self.tenure.run(store.numbers, *counts)
            label = renaming.relabel(one, *numbers)
            steps = [label] if label is not None else []
            try:
                for step in (*steps, renaming.rename(name, server)):
                    await run_job(self.clock, self.ganeti, step, f"adoption {request}")
            except Conflict as error:
                return Result(name, "refused", None, error.message)
            [renamed] = await self.ganeti.instances([names.instance(server)])
            return await self._one(renamed, name, terms, request)
        return Result(name, "refused", None, "it is gone")

    async def _one(
        self, instance: Instance | None, name: str, terms: Terms, request: int
    ) -> Result | None:
        """Take one over; what is to be noted if nothing was done."""
        one = None if instance is None else adoptee(instance)
        if one is None:
            return Result(name, "refused", None, "it is gone")
        if why := obstacles(one):
            return Result(name, "refused", one.server, "; ".join(why))
        try:
            await self.tenure.run(self._recorded, one, terms, request)
        except _Rehearsed as fine:
            return Result(name, "would be adopted", one.server, fine.detail)
        except Unavailable:
            raise
        except CloudError as error:
            return Result(name, "refused", one.server, error.message)
        return None

    async def _recorded(
        self, tx: Transaction, one: Adoptee, terms: Terms, request: int
    ) -> None:
        detail = await self.adopt(tx, one, terms)
        if terms.wanted.dry_run:
            raise _Rehearsed(detail)
        result = Result(one.name, "adopted", one.server, detail)
        await store.note(tx, request, [result])
