"""Writing to users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import frozen

from snfd.accounts.service import find
from snfd.accounts.states import State
from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Invalid, NotFound
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post

MAX_PEOPLE = 1000
MAX_SUBJECT = 200
MAX_TEXT = 20_000


@frozen(eq=False)
class Contact:
    """Sends users what somebody of the staff writes."""

    db: Database
    post: Post
    new_id: Callable[[], UUID]

    async def write(
        self, actor: Actor, users: Sequence[UUID], subject: str, text: str
    ) -> None:
        """Send everybody among ``users`` a letter of his own, or nobody any.

        :raises Invalid: nobody, too many, or nothing to say.
        :raises NotFound: one of them is not there, or was closed.
        """
        if not 1 <= len(users) <= MAX_PEOPLE:
            raise Invalid(f"a letter goes to 1 to {MAX_PEOPLE} users")
        if not 1 <= len(subject) <= MAX_SUBJECT or not subject.isprintable():
            raise Invalid(f"a subject has 1 to {MAX_SUBJECT} printable characters")
        if not 1 <= len(text) <= MAX_TEXT:
            raise Invalid(f"a letter has 1 to {MAX_TEXT} characters")
        event = f"contact:{self.new_id()}"
        await self.db.run(self._written, actor, users, event, subject, text)

    async def _written(
        self,
        tx: Transaction,
        actor: Actor,
        users: Sequence[UUID],
        event: str,
        subject: str,
        text: str,
    ) -> None:
        for user in dict.fromkeys(users):
            account = await find(tx, user)
            if account.state is State.CLOSED:
                raise NotFound(f"there is no user {user}")
            values = {"subject": subject, "text": text}
            await self.post.put(tx, Letter(event, account.email, Kind.CONTACT, values))
            await record(tx, actor, "user.contact", f"user:{user}", subject=subject)
