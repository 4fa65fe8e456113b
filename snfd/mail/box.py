"""What administrators do with letters that wait."""

from __future__ import annotations

from attrs import frozen

from snfd.audit import Actor, record
from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Busy
from snfd.mail import store


@frozen(eq=False)
class Outbox:
    """Letters that are neither sent nor given up, and not under way.

    What was sent or given up cannot be sent again: its words are forgotten.
    """

    db: Database
    clock: Seconds

    async def hurry(self, actor: Actor, ident: int) -> None:
        """Have a letter tried at once.

        :raises Busy: it does not wait.
        """
        await self.db.run(self._hurry, actor, ident)

    async def give_up(self, actor: Actor, ident: int, reason: str) -> None:
        """Have a letter tried no more, and its words forgotten.

        :raises Busy: it does not wait.
        """
        await self.db.run(self._give_up, actor, ident, reason)

    async def _hurry(self, tx: Transaction, actor: Actor, ident: int) -> None:
        _must(await store.hurry(tx, ident))
        await record(tx, actor, "mail.retry", f"mail:{ident}")

    async def _give_up(
        self, tx: Transaction, actor: Actor, ident: int, reason: str
    ) -> None:
        _must(await store.withdraw(tx, ident, reason, now(self.clock)))
        await record(tx, actor, "mail.give_up", f"mail:{ident}", reason=reason)


def _must(done: bool) -> None:
    if not done:
        raise Busy("there is no such letter that waits")
