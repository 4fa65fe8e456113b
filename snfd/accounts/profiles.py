"""What people see and change of themselves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.accounts.model import MAX_AFFILIATION, Account, Names, check_person
from snfd.accounts.parts import Parts, whole
from snfd.accounts.service import find, target
from snfd.accounts.store import people as store
from snfd.accounts.store import tokens
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound
from snfd.identity.model import Caller
from snfd.identity.names import check_username


@frozen(eq=False)
class Profiles:
    """Lets people look at their accounts, change names, and leave."""

    parts: Parts

    async def get(self, caller: Caller) -> Account:
        """The caller's account.

        :raises NotFound: it is gone.
        """
        for row in await self.parts.db.read(store.ONE, (caller.user,)):
            return store.account(row)
        raise NotFound("the account is gone")

    async def since(self, caller: Caller) -> datetime:
        """When the token that the caller presents was made.

        :raises NotFound: it ended meanwhile.
        """
        for row in await self.parts.db.read(tokens.SINCE, (caller.token_hash,)):
            at: datetime = row[0]
            return at
        raise NotFound("the token has ended")

    async def change(self, caller: Caller, names: Names) -> Account:
        """Change names; the account then.

        :raises Invalid: one of them.
        :raises Conflict: somebody else has the username.
        :raises Forbidden: the token is not good for that.
        """
        at = self.parts.now()
        account: Account = await self.parts.db.run(self._changed, caller, names, at)
        return account

    async def close(self, caller: Caller, password: str | None) -> None:
        """Close the caller's account for good; see `Lifecycle.close`.

        :param password: his own; None if he has none.
        :raises Forbidden: it is wrong, or the token not good for that.
        :raises Busy: he still owns or uses something.
        :raises TooManyRequests: too many passwords were wrong lately.
        """
        await self.parts.db.run(whole, caller)
        await self.parts.prove(caller, password)
        close, actor = self.parts.lifecycle.close, Actor.of(caller)
        await self.parts.db.run(close, caller.user, actor, self.parts.now())

    async def _changed(
        self, tx: Transaction, caller: Caller, names: Names, at: datetime
    ) -> Account:
        await whole(tx, caller)
        await rename(tx, caller.user, names, Actor.of(caller), at)
        return await find(tx, caller.user)


async def rename(
    tx: Transaction, user: UUID, names: Names, actor: Actor, at: datetime
) -> None:
    """Change what is given of a person's names.

    :raises NotFound: there is no such person.
    :raises Invalid: one of the names.
    :raises Conflict: somebody else has the username.
    """
    account = await find(tx, user, lock=True)
    changes: dict[str, object] = {}
    if names.first_name is not None:
        changes["first_name"] = check_person(names.first_name, "a first name")
    if names.last_name is not None:
        changes["last_name"] = check_person(names.last_name, "a last name")
    if names.affiliation is not None:
        text = check_person(names.affiliation, "an affiliation", MAX_AFFILIATION)
        changes["affiliation"] = text or None
    if names.username is not None:
        username = check_username(names.username or account.email, account.email)
        if await store.name_taken(tx, username, user):
            raise Conflict(f"there is a user {username!r} already")
        changes["username"] = username
    if changes:
        await store.update(tx, user, at, changes)
        await record(tx, actor, "user.modify", target(user), fields=sorted(changes))
