"""The ends of projects: warnings before, termination then (W30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from attrs import define, frozen
from twisted.internet.interfaces import IReactorTime

from snfd.audit import DAEMON, Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.mail.model import Kind
from snfd.projects import lifecycle, store, view_store
from snfd.projects.context import Context
from snfd.projects.letters import Letters
from snfd.projects.rules import Who
from snfd.projects.states import ALIVE
from snfd.rounds import Rounds

WARNINGS = (1, 7, 30)
"""How many days before the end people are warned."""

MAX_ROUND = 100
"""How many projects of each kind one round looks after."""

MAX_EXPIRED = 1000
"""How many of them administrators see."""

REASON = "its end date has passed"


@define(eq=False)
class Expiry(Rounds):
    """Warns of the ends of projects, and terminates those that are past.

    Several processes may do it at once: each project is locked, and looked at
    again.

    :ivar letters: None where nobody is told.
    :ivar period: time between two rounds, in seconds.
    """

    clock: IReactorTime
    db: Database
    letters: Letters | None = None
    period: float = 300.0
    failure: ClassVar[str] = "ends of projects are not looked after"

    async def round(self) -> None:
        """Terminate what is past its end, and warn of what soon is."""
        at = now(self.clock)
        for row in await self.db.read(view_store.EXPIRED, (at, MAX_ROUND)):
            await self.db.run(terminate, row[0], at, self.letters)
        for days in WARNINGS:
            args = (at, days, MAX_ROUND)
            for (uuid,) in await self.db.read(view_store.TO_WARN, args):
                await self.db.run(warn, uuid, days, at, self.letters)


@frozen
class Expired:
    """A live project whose end has passed."""

    uuid: UUID
    name: str
    ends: datetime


@frozen(eq=False)
class Ends:
    """What administrators do with projects past their end.

    :ivar letters: None where nobody is told.
    """

    db: Database
    clock: Seconds
    letters: Letters | None = None

    async def expired(self) -> Sequence[Expired]:
        """The projects that the next rounds of the timer terminate."""
        args = (now(self.clock), MAX_EXPIRED)
        return [Expired(*row) for row in await self.db.read(view_store.EXPIRED, args)]

    async def expire(self, actor: Actor) -> list[UUID]:
        """Terminate some of them now; which these are."""
        at = now(self.clock)
        found = await self.db.read(view_store.EXPIRED, (at, MAX_ROUND))
        for uuid, *_ in found:
            await self.db.run(_expired, uuid, at, self.letters, actor)
        return [uuid for uuid, *_ in found]


async def _expired(
    tx: Transaction, uuid: UUID, at: datetime, letters: Letters | None, actor: Actor
) -> None:
    await terminate(tx, uuid, at, letters)
    await record(tx, actor, "project.expire", f"project:{uuid}")


async def terminate(
    tx: Transaction, uuid: UUID, at: datetime, letters: Letters | None
) -> None:
    """Terminate a project, if it still lives past its end."""
    project = await store.take(tx, uuid)
    if project is None or project.state not in ALIVE:
        return
    if project.ends is not None and project.ends <= at:
        context = Context(Who.admin(DAEMON), at, REASON, letters)
        await lifecycle.change_state(tx, context, project, "terminate")


async def warn(
    tx: Transaction, uuid: UUID, days: int, at: datetime, letters: Letters | None
) -> None:
    """Warn of a project's end, unless its people know or it moved away."""
    project = await store.take(tx, uuid)
    if project is None or project.state not in ALIVE or project.ends is None:
        return
    if not at < project.ends <= at + timedelta(days=days):
        return
    if await store.warned(tx, uuid, days) and letters is not None:
        await letters.everybody(
            tx,
            project,
            f"expiry:{uuid}:{project.ends.isoformat()}:{days}",
            Kind.PROJECT_EXPIRES,
            date=project.ends.date().isoformat(),
            days=str(days),
        )
