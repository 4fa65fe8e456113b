"""Whether pools and quota are what they must be, looked at now and then.

Nothing is put right unasked: what is wrong here is a bug of ours or came of a
restored backup, and somebody should know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from snfd.db.port import Database, Transaction
from snfd.ganeti import findings
from snfd.ganeti.reconcile import Finding, Kind
from snfd.network.store import balance
from snfd.quota.findings import MOST
from snfd.quota.integrity import Recount, miscounted
from snfd.rounds import Rounds

PERIOD = 60.0
"""Seconds between two looks."""


@define(eq=False)
class Books(Rounds):
    """Compares pools and quota with what uses them, and counts what is wrong.

    :ivar found: how much of each kind there is, of clusters as well.
    :ivar oldest: seconds since the cluster that was not looked at for longest was.
    """

    failure: ClassVar[str] = "pools and quota were not looked at"

    clock: IReactorTime
    db: Database
    recount: Recount | None
    period: float = PERIOD
    found: Mapping[str, int] = field(init=False, factory=dict)
    oldest: float = field(init=False, default=0.0)

    async def round(self) -> None:
        """Look once."""
        await self.db.run(look, self.recount)
        self.found, self.oldest = await self.db.run(_figures)


async def look(tx: Transaction, recount: Recount | None) -> Sequence[Finding]:
    """All that is wrong with pools and quota, noted as findings."""
    found = [
        Finding(f"address:{subnet}/{address}", Kind.ADDRESS, _wrong(state))
        for subnet, address, state in await balance.addresses(tx, MOST)
    ]
    found += [
        Finding(f"{kind}:{value}", Kind.POOL, _wrong(state))
        for kind, value, state in await balance.values(tx, MOST)
    ]
    for one in await miscounted(tx, recount):
        whose = f"{one.key.project}/{one.key.user or 'all'}/{one.key.resource}"
        told = f"{one.found}, but {one.wanted}"
        found.append(Finding(f"quota:{whose}", Kind.QUOTA, told))
    await findings.record(tx, None, found)
    return found


def _wrong(state: str) -> str:
    return "taken by nobody" if state == "used" else "free, but somebody has it"


async def _figures(tx: Transaction) -> tuple[Mapping[str, int], float]:
    rows = await tx.rows("SELECT kind, count(*) FROM ops.finding GROUP BY kind")
    row = await tx.row(
        "SELECT extract(epoch FROM now() - min(coalesce(l.at, 'epoch')))::float8"
        " FROM compute.cluster c LEFT JOIN ops.look l ON l.cluster = c.id"
        " WHERE NOT c.offline"
    )
    return dict(rows), row[0] if row and row[0] else 0.0
