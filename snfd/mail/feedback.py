"""What users tell the helpdesk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Unavailable
from snfd.identity.allowance import Allowance
from snfd.identity.model import Caller
from snfd.identity.people import People
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post


class NobodyListens(Unavailable):
    """There is no address for such a letter."""


@frozen(eq=False)
class Feedback:
    """Passes users' words on.

    :ivar recipients: addresses of the helpdesk.
    :ivar letters: how many one user may send.
    """

    db: Database
    people: People
    post: Post
    new_id: Callable[[], UUID]
    recipients: Sequence[str]
    letters: Allowance

    async def send(self, caller: Caller, message: str, data: str) -> None:
        """Have ``message`` sent to the helpdesk.

        :param data: facts that the sender's program adds; may be empty.
        :raises NobodyListens: no helpdesk is configured.
        :raises TooManyRequests: he sent several just now.
        """
        if not self.recipients:
            raise NobodyListens("nobody is configured to receive feedback")
        await self.letters.spend(caller.user)
        user = await self.people.get(caller, caller.user)
        words = {
            "name": user.name,
            "email": user.email,
            "message": message,
            "data": data,
        }
        event = f"feedback:{self.new_id()}"
        letters = [
            Letter(event, address, Kind.FEEDBACK, words) for address in self.recipients
        ]
        await self.db.run(self._put, letters)

    async def _put(self, tx: Transaction, letters: Sequence[Letter]) -> None:
        for letter in letters:
            await self.post.put(tx, letter)
