"""What administrators change of accounts and groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve, field, frozen

from snfd.accounts.emails import set_email
from snfd.accounts.model import Names as NewNames
from snfd.accounts.model import (
    NewAccount,
    check_address,
    check_group,
    named,
)
from snfd.accounts.opening import open_account
from snfd.accounts.parts import How, Parts, set_password
from snfd.accounts.profiles import rename
from snfd.accounts.service import find, keep_admin, target
from snfd.accounts.states import State
from snfd.accounts.store import groups as group_store
from snfd.accounts.store import terms
from snfd.audit import Actor, record
from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, Invalid, NotFound
from snfd.identity.model import ADMIN
from snfd.identity.names import check_username

KEPT = ("default", "admin", "admin-api")
"""Groups that mean something to the daemon."""

STAFF = frozenset({ADMIN, "admin-api"})
"""Those of them that may change what is other people's."""

LET_IN = (State.ACTIVE, State.INACTIVE)


@frozen
class Wanted:
    """An account that an administrator wants.

    :ivar username: None for the e-mail.
    :ivar password: None generates one.
    :ivar active: verified and accepted at once; else it waits for both.
    :ivar signed: whether he agreed to the terms of service elsewhere.
    """

    email: str
    first_name: str = ""
    last_name: str = ""
    username: str | None = None
    affiliation: str | None = None
    password: str | None = field(default=None, repr=False)
    groups: Sequence[str] = ()
    active: bool = True
    signed: bool = False


@frozen
class Added:
    """An account that was made just now.

    :ivar password: if it was generated; it is told only now.
    """

    uuid: UUID
    password: str | None = field(repr=False)


@frozen(eq=False)
class Editing:
    """Makes and changes accounts, for administrators.

    Each method raises `NotFound` where there is no such user.
    """

    parts: Parts

    async def add(self, wanted: Wanted, actor: Actor) -> Added:
        """Make an account.

        :raises Invalid: e-mail, name, password or a group.
        :raises Conflict: e-mail or username are taken.
        """
        new = self._checked(wanted)
        chosen, made = self._password_of(wanted.password)
        hashed = await self.parts.passwords.hash(chosen)
        new, at = evolve(new, password_hash=hashed), self.parts.now()
        await self.parts.db.run(
            self._added, new, wanted.active, wanted.signed, actor, at
        )
        return Added(new.uuid, made)

    async def rename(self, user: UUID, names: NewNames, actor: Actor) -> None:
        """Change names.

        :raises Invalid: one of them.
        :raises Conflict: somebody else has the username.
        """
        await self.parts.db.run(rename, user, names, actor, self.parts.now())

    async def set_email(self, user: UUID, email: str, actor: Actor) -> None:
        """Give a person another address, which the administrator vouches for.

        :raises Invalid: it is no address.
        :raises Conflict: somebody else has it.
        """
        email, at = check_address(email), self.parts.now()
        await self.parts.db.run(self._email, user, email, actor, at)

    async def set_password(
        self, user: UUID, password: str | None, actor: Actor
    ) -> str | None:
        """Give a person another password; it, if it was generated.

        :param password: None generates one.
        :raises Invalid: it may not be one.
        """
        chosen, made = self._password_of(password)
        hashed = await self.parts.passwords.hash(chosen)
        await self.parts.db.run(self._password, user, hashed, actor)
        return made

    async def set_groups(
        self, user: UUID, add: Sequence[str], remove: Sequence[str], actor: Actor
    ) -> None:
        """Put a person into groups and take him out of others.

        :raises Invalid: there is no such group.
        :raises Busy: he shall look after the cloud, and was not let in.
        :raises Conflict: he is the last administrator, and would be none.
        """
        await self.parts.db.run(_grouped, user, add, remove, actor)

    async def close(self, user: UUID, actor: Actor, *, force: bool = False) -> None:
        """Close an account for good and forget the person; see `Lifecycle.close`.

        :raises Busy: he owns or uses something, or was never in.
        """
        close, at = self.parts.lifecycle.close, self.parts.now()
        await self.parts.db.run(close, user, actor, at, force=force)

    def _password_of(self, given: str | None) -> tuple[str, str | None]:
        """The password to set; and again if it was generated, else None."""
        if given is not None:
            return given, None
        made = self.parts.secret()[:20]
        return made, made

    def _checked(self, wanted: Wanted) -> NewAccount:
        email = check_address(wanted.email)
        return named(
            NewAccount(
                uuid=self.parts.new_id(),
                email=email,
                username=check_username(wanted.username or email, email),
                first_name=wanted.first_name,
                last_name=wanted.last_name,
                affiliation=wanted.affiliation,
                groups=("default", *wanted.groups),
            )
        )

    async def _added(
        self,
        tx: Transaction,
        new: NewAccount,
        active: bool,
        signed: bool,
        actor: Actor,
        at: datetime,
    ) -> None:
        newest = await terms.newest(tx) if signed else None
        await open_account(tx, evolve(new, terms=newest), at)
        await record(tx, actor, "user.add", target(new.uuid), groups=list(new.groups))
        if await group_store.join(tx, new.uuid, new.groups) < len(set(new.groups)):
            raise Invalid(_unknown(new.groups))
        if active:
            verified = self.parts.lifecycle.verified
            await verified(tx, new.uuid, "manual", at, "manual", actor)

    async def _email(
        self, tx: Transaction, user: UUID, email: str, actor: Actor, at: datetime
    ) -> None:
        account = await find(tx, user, lock=True)
        if account.state is State.CLOSED:
            raise Busy("the account is closed")
        if account.email != email:
            await set_email(tx, self.parts, account, email, actor, at)

    async def _password(
        self, tx: Transaction, user: UUID, hashed: str, actor: Actor
    ) -> None:
        account = await find(tx, user, lock=True)
        if account.state is State.CLOSED:
            raise Busy("the account is closed")
        await set_password(tx, self.parts, account, hashed, actor, How.ADMIN)


@frozen(eq=False)
class Groups:
    """Makes and removes groups, for administrators."""

    parts: Parts

    async def add(self, name: str, actor: Actor) -> None:
        """Make a group.

        :raises Invalid: the name.
        :raises Conflict: there is one of it.
        """
        await self.parts.db.run(_group_added, check_group(name), actor)

    async def remove(self, name: str, actor: Actor) -> None:
        """Remove a group; its members stay.

        :raises NotFound: there is none.
        :raises Invalid: the daemon needs it.
        """
        if name in KEPT:
            raise Invalid(f"the group {name} is needed")
        await self.parts.db.run(_group_removed, name, actor)


def _unknown(groups: Sequence[str]) -> str:
    return f"not all of these groups exist: {', '.join(groups)}"


async def _grouped(
    tx: Transaction,
    user: UUID,
    add: Sequence[str],
    remove: Sequence[str],
    actor: Actor,
) -> None:
    account = await find(tx, user, lock=True)
    if account.state is State.CLOSED:
        raise Busy("the account is closed")
    if await group_store.join(tx, user, add) < len(set(add)):
        raise Invalid(_unknown(add))
    if STAFF & set(add) and account.state not in LET_IN:
        raise Busy("only somebody who was let in can look after the cloud")
    if ADMIN in remove:
        await keep_admin(tx, user)
    await group_store.leave(tx, user, remove)
    await record(
        tx, actor, "user.groups", target(user), add=list(add), remove=list(remove)
    )


async def _group_added(tx: Transaction, name: str, actor: Actor) -> None:
    if not await group_store.insert(tx, name):
        raise Conflict(f"there is a group {name!r} already")
    await record(tx, actor, "group.add", f"group:{name}")


async def _group_removed(tx: Transaction, name: str, actor: Actor) -> None:
    if not await group_store.delete(tx, name):
        raise NotFound(f"there is no group {name!r}")
    await record(tx, actor, "group.remove", f"group:{name}")
