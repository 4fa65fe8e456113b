"""Settling commissions by hand, and giving limits to everybody at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import frozen

from snfd.admin import project_store
from snfd.audit import Actor
from snfd.db.port import Database
from snfd.errors import Busy, NotFound
from snfd.projects.admin import ProjectAdmin
from snfd.projects.changes import Changes
from snfd.quota.admin import MOST, QuotaAdmin
from snfd.quota.model import Limit
from snfd.quota.resolving import Resolved

BATCH = 100
"""Own projects that one call changes: a request must not take for ever."""


@frozen
class Granted:
    """How far a call came.

    :ivar changed: how many projects it changed.
    :ivar last: where the next call goes on; None if all is done.
    """

    changed: int
    last: UUID | None


@frozen(eq=False)
class Numbers:
    """What administrators do when commissions hang, or limits are to change."""

    db: Database
    projects: ProjectAdmin
    quotas: QuotaAdmin

    async def resolve(
        self, actor: Actor, serial: int, *, accept: bool, force: bool = False
    ) -> None:
        """Settle a pending commission, or call it off.

        :param force: also one that a job of this daemon waits for.
        :raises NotFound: it is not pending.
        :raises Busy: a job waits for it, and not ``force``.
        """
        rows = await self.db.read(project_store.COMMISSION, {"wanted": serial})
        job = rows[0][-1] if rows else None
        if job is not None and not force:
            raise Busy(
                f"job {job} waits for commission {serial} and will resolve it",
                hint="--force does it all the same; the job's outcome is not counted"
                " then",
            )
        chosen = [serial]
        done = await self.quotas.resolve(
            actor, chosen if accept else [], [] if accept else chosen
        )
        if done.missing:
            raise NotFound(f"there is no pending commission {serial}")

    async def overdue(
        self, actor: Actor, seconds: int, issuer: str | None, *, accept: bool
    ) -> Resolved:
        """Resolve what components forgot; what a job waits for is left.

        At most `MOST` at once.

        :param seconds: how long they must have been pending.
        :param issuer: only this component's.
        """
        asked = {"overdue": seconds, "issuer": issuer, "most": MOST}
        rows = await self.db.read(project_store.FORGOTTEN, asked)
        serials = [serial for (serial,) in rows]
        return await self.quotas.resolve(
            actor, serials if accept else [], [] if accept else serials
        )

    async def grant_everybody(
        self,
        actor: Actor,
        limits: Mapping[str, Limit],
        but: Sequence[UUID],
        reason: str = "",
        after: UUID | None = None,
    ) -> Granted:
        """Give some more users' own projects these limits.

        Each project is a transaction of its own; doing it again is harmless.

        :param but: users who keep what they have.
        :param after: where the last call ended; None to begin.
        :raises Invalid: a resource or a limit.
        """
        asked = {"marker": after, "most": BATCH}
        rows = await self.db.read(project_store.OWN_PROJECTS, asked)
        spared = frozenset(but)
        chosen = [uuid for (uuid,) in rows if uuid not in spared]
        for uuid in chosen:
            await self.projects.modify(actor, uuid, Changes(resources=limits), reason)
        return Granted(len(chosen), rows[-1][0] if len(rows) == BATCH else None)
