"""Tells the audit trail who looked at whose data."""

from __future__ import annotations

from attrs import frozen

from snfd.admin.rights import Right, Staff
from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction


@frozen(eq=False)
class Readings:
    """Entries of the audit trail for what was only looked at.

    Those who may change a thing are known for that; of the others it is told
    what they see of people.
    """

    db: Database

    async def told(
        self, staff: Staff, action: str, target: str, **details: object
    ) -> None:
        """Tell that somebody looks at something, whoever he is.

        :param action: ``helpdesk.account``; :param target: ``user:<uuid>``.
        """
        await self.db.run(_record, staff.looking(), action, target, details)

    async def told_of_helpers(self, staff: Staff, action: str, target: str) -> None:
        """Tell that somebody looks at something, unless he may change all servers."""
        if not staff.may(Right.SERVERS):
            await self.told(staff, action, target)


async def _record(
    tx: Transaction, actor: Actor, action: str, target: str, details: dict[str, object]
) -> None:
    await record(tx, actor, action, target, **details)
