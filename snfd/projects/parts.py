"""What the use cases of projects share."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from attrs import field, frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database
from snfd.errors import Invalid
from snfd.projects import acting
from snfd.projects.acting import Order
from snfd.projects.context import MAX_REASON, Context
from snfd.projects.letters import Letters
from snfd.projects.rules import Who


@frozen(eq=False)
class Parts:
    """What use cases of projects need.

    :ivar letters: None where nobody is told.
    :ivar enroll_owner: whether an approved project's owner is its first member.
    """

    db: Database
    clock: Seconds
    letters: Letters | None = None
    new_id: Callable[[], UUID] = uuid4
    enroll_owner: bool = field(default=True, kw_only=True)

    def context(self, who: Who, reason: str = "") -> Context:
        """What goes along with all that ``who`` does now.

        :raises Invalid: the reason is too long.
        """
        if len(reason) > MAX_REASON:
            raise Invalid(f"a reason has at most {MAX_REASON} characters")
        at = now(self.clock)
        return Context(who, at, reason, self.letters, enroll_owner=self.enroll_owner)

    async def act(self, who: Who, uuid: UUID, order: Order) -> None:
        """Do what ``order`` says to a project.

        :raises CloudError: as `ProjectDesk.act`.
        """
        acting.check_order(order)
        await self.db.run(acting.act, self.context(who, order.reason), uuid, order)
