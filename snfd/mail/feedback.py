"""What users tell the helpdesk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Unavailable
from snfd.identity.allowance import Allowance
from snfd.identity.model import Caller
from snfd.identity.people import People
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post
from snfd.mail.staff import Staff


class NobodyListens(Unavailable):
    """There is no address for such a letter."""


@frozen(eq=False)
class Feedback:
    """Passes users' words on.

    :ivar staff: knows who listens.
    :ivar letters: how many one user may send.
    """

    db: Database
    people: People
    post: Post
    new_id: Callable[[], UUID]
    staff: Staff
    letters: Allowance

    async def send(self, caller: Caller, message: str, data: str) -> None:
        """Have ``message`` sent to the helpdesk.

        :param data: facts that the sender's program adds; may be empty.
        :raises NobodyListens: there is neither a helpdesk nor an administrator.
        :raises TooManyRequests: he sent several just now.
        """
        await self.letters.spend(caller.user)
        user = await self.people.get(caller, caller.user)
        words = {
            "name": user.name,
            "email": user.email,
            "message": message,
            "data": data,
        }
        await self.db.run(self._put, f"feedback:{self.new_id()}", words)

    async def _put(self, tx: Transaction, event: str, words: Mapping[str, str]) -> None:
        to = await self.staff.listeners(tx)
        if not to:
            raise NobodyListens("nobody is configured to receive feedback")
        for address in to:
            await self.post.put(tx, Letter(event, address, Kind.FEEDBACK, words))
