"""Settling commissions by hand, and giving limits to everybody at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import field, frozen

from snfd.admin import grants
from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Busy, NotFound
from snfd.projects.admin import ProjectAdmin
from snfd.projects.changes import Changes
from snfd.quota.model import Limit
from snfd.quota.resolving import resolve

BATCH = 100
"""Own projects that are looked up at once."""


@frozen(eq=False)
class Numbers:
    """What administrators do when commissions hang, or limits are to change."""

    db: Database
    projects: ProjectAdmin = field(kw_only=True)

    async def resolve(
        self, actor: Actor, serial: int, *, accept: bool, force: bool = False
    ) -> None:
        """Settle a pending commission, or call it off.

        :param force: also one that a job of this daemon waits for.
        :raises NotFound: it is not pending.
        :raises Busy: a job waits for it, and not ``force``.
        """
        await self.db.run(_resolve, actor, serial, accept, force)

    async def grant_everybody(
        self,
        actor: Actor,
        limits: Mapping[str, Limit],
        but: Sequence[UUID],
        reason: str = "",
    ) -> int:
        """Give all users' own projects these limits; how many it were.

        Each project is a transaction of its own; doing it again is harmless.

        :param but: users who keep what they have.
        :raises Invalid: a resource or a limit.
        """
        spared, done = frozenset(but), 0
        after: UUID | None = None
        wanted = Changes(resources=limits)
        while True:
            rows = await self.db.read(
                grants.OWN_PROJECTS, {"marker": after, "most": BATCH}
            )
            for (uuid,) in rows:
                if uuid not in spared:
                    await self.projects.modify(actor, uuid, wanted, reason)
                    done += 1
                after = uuid
            if len(rows) < BATCH:
                return done


async def _resolve(
    tx: Transaction, actor: Actor, serial: int, accept: bool, force: bool
) -> None:
    row = await tx.row(
        "SELECT clientkey, ref FROM quota.commission WHERE serial = %s FOR UPDATE",
        (serial,),
    )
    if row is None:
        raise NotFound(f"there is no pending commission {serial}")
    if row[1] is not None and not force:
        raise Busy(
            f"job {row[1]} waits for commission {serial} and will resolve it",
            hint="--force does it all the same; the job's outcome is then not counted",
        )
    chosen = [serial]
    await resolve(tx, chosen if accept else [], [] if accept else chosen)
    await record(
        tx,
        actor,
        "commission.accept" if accept else "commission.reject",
        f"commission:{serial}",
        issuer=row[0],
        forced=force,
    )
