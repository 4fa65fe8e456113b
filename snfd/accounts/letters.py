"""Letters about accounts."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from attrs import frozen
from twisted.logger import Logger

from snfd.accounts.model import Account
from snfd.accounts.store import people
from snfd.db.port import Transaction
from snfd.errors import Invalid
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.tokens import digest

_log = Logger(namespace="accounts")

PAGES = {
    Kind.VERIFY: "activate?auth=",
    Kind.RESET: "password_reset?key=",
    Kind.EMAIL_CONFIRM: "email_change?key=",
}
"""Where the link of a letter leads, below ``/ui/``; the key stands behind it."""

TAKEN = (
    "Somebody, perhaps you, asked for a new account with this address. There is one "
    "already, so none was made. If you forgot its password, ask for a new one. If it "
    "was not you, nothing needs to be done."
)


@frozen(eq=False)
class Letters:
    """Posts what people must be told about their accounts.

    :ivar base: URL of the cloud's pages, without ``/ui``.
    :ivar staff: knows who accepts accounts.
    """

    post: Post
    base: str
    staff: Staff

    async def link(
        self, tx: Transaction, account: Account, kind: Kind, secret: str, to: str
    ) -> None:
        """Send a link that works once, with ``secret`` in it."""
        link = f"{self.base}/ui/{PAGES[kind]}{quote(secret, safe='')}"
        mark = digest(secret).hex()[:16]  # events are stored as they are
        await self._put(tx, kind, account.uuid, mark, to, account.name, link=link)

    async def tell(
        self, tx: Transaction, account: Account, kind: Kind, mark: str, **values: str
    ) -> None:
        """Tell the person something.

        :param mark: makes it another occurrence than the last one of ``kind``.
        """
        await self._put(
            tx, kind, account.uuid, mark, account.email, account.name, **values
        )

    async def changed(
        self, tx: Transaction, user: UUID, what: str, at: datetime
    ) -> None:
        """Tell somebody what opens his account now, or no longer does.

        See `snfd.identity.notices.Told`.
        """
        account = await people.find(tx, user)
        if account is not None:
            mark = f"{at.isoformat()}:{digest(what).hex()[:16]}"
            await self.tell(tx, account, Kind.CREDENTIALS_CHANGED, mark, what=what)

    async def taken(self, tx: Transaction, account: Account, mark: str) -> None:
        """Tell the owner of an address that somebody wants an account with it."""
        await self.tell(
            tx, account, Kind.CONTACT, mark, subject="You have an account", text=TAKEN
        )

    async def pending(self, tx: Transaction, account: Account, mark: str) -> None:
        """Tell the staff that an account waits to be accepted."""
        for address in await self.staff.moderators(tx):
            await self._put(
                tx,
                Kind.PENDING_MODERATION,
                account.uuid,
                mark,
                address,
                account.name,
                email=account.email,
                uuid=str(account.uuid),
                link=f"{self.base}/ui/admin/users/{account.uuid}",
            )

    async def _put(
        self,
        tx: Transaction,
        kind: Kind,
        user: UUID,
        mark: str,
        to: str,
        name: str,
        **values: str,
    ) -> None:
        event = f"{kind}:{user}:{mark}"
        try:
            await self.post.put(tx, Letter(event, to, kind, {"name": name, **values}))
        except Invalid:
            # an address that no letter reaches must not keep anybody in
            _log.warn("user {user} cannot be written to", user=str(user))
