"""What programs with special rights do with users, over identity v2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from snfd.accounts.editing import Added, Editing, Wanted
from snfd.accounts.emails import set_email
from snfd.accounts.held import HeldTokens, Made
from snfd.accounts.held import Wanted as WantedToken
from snfd.accounts.model import Account, Method, Names, check_address
from snfd.accounts.moderation import Moderation
from snfd.accounts.parts import How, Parts, set_password
from snfd.accounts.profiles import rename
from snfd.accounts.service import find
from snfd.accounts.store import methods
from snfd.accounts.store import people as store
from snfd.accounts.terms import Terms
from snfd.audit import Actor
from snfd.db.port import Transaction
from snfd.errors import Forbidden, Invalid, NotFound
from snfd.identity.model import ADMIN, Caller, require_free
from snfd.projects import memberships
from snfd.projects.context import Context
from snfd.projects.rules import Who

PERMITTED = frozenset({ADMIN, "admin-api"})
"""Groups whose members may."""

Known = tuple[Account, Sequence[Method]]


@frozen
class Change:
    """What changes of somebody; None leaves it.

    :ivar email: his address and, unless he chose another, his username.
    :ivar facts: what else is known of him.
    """

    names: Names
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    facts: Mapping[str, str] | None = None


@frozen(eq=False)
class Users:
    """Lists, makes and changes users, for callers in the right groups.

    Each method raises `Forbidden` for others, `NotFound` for unknown users. Only
    administrators change administrators: who has an administrator's password or
    token is one.
    """

    parts: Parts
    editing: Editing
    moderation: Moderation
    terms: Terms
    tokens: HeldTokens

    async def all(
        self, caller: Caller, marker: UUID | None, most: int
    ) -> Sequence[Known]:
        """Users after ``marker``, in the order in which they came.

        :raises Invalid: the marker is no user.
        """
        await self._permitted(caller)
        db, after = self.parts.db, 0
        if marker is not None:
            rows = await db.read(store.NUMBER, (marker,))
            if not rows:
                raise Invalid(f"marker {marker} names no user")
            after = rows[0][0]
        found = [store.account(row) for row in await db.read(store.LIST, (after, most))]
        ways = await db.read(methods.OF, ([one.uuid for one in found],))
        known = methods.methods(ways)
        return [(one, known.get(one.uuid, [])) for one in found]

    async def get(self, caller: Caller, user: UUID) -> Known:
        """One user."""
        await self._permitted(caller)
        return await self._known(user)

    async def create(
        self, caller: Caller, wanted: Wanted, facts: Mapping[str, str]
    ) -> tuple[Added, Made]:
        """Let somebody in, terms signed; and a token of his.

        :raises Invalid: a field of ``wanted``.
        :raises Conflict: a verified user has the address.
        """
        actor = await self._permitted(caller)
        added = await self.editing.add(wanted, actor)
        change = Change(Names(affiliation=wanted.affiliation), facts=facts)
        at = self.parts.now()
        await self.parts.db.run(self._changed, added.uuid, change, None, actor, at)
        return added, await self.tokens.create_for(added.uuid, WantedToken(), actor)

    async def change(self, caller: Caller, user: UUID, change: Change) -> Known:
        """Change a user, all or nothing; what he is then.

        :raises Invalid: a field of ``change``.
        :raises Conflict: somebody else has the address.
        """
        actor, hashed = await self._over(caller, user), None
        if change.password is not None:
            hashed = await self.parts.passwords.hash(change.password)
        at = self.parts.now()
        await self.parts.db.run(self._changed, user, change, hashed, actor, at)
        return await self._known(user)

    async def set_active(self, caller: Caller, user: UUID, why: str | None) -> None:
        """Let a user in again or, for the reason ``why``, keep him out.

        :raises Busy: he is that already, or was never in.
        """
        actor = await self._over(caller, user)
        if why is None:
            await self.moderation.activate(user, actor)
        else:
            await self.moderation.deactivate(user, why, actor)

    async def renew_token(self, caller: Caller, user: UUID) -> Made:
        """End all tokens of a user and make one.

        :raises Busy: he is not active.
        """
        actor = await self._over(caller, user)
        await self.tokens.end_all(user, actor)
        return await self.tokens.create_for(user, WantedToken(), actor)

    async def settle(self, caller: Caller, user: UUID, project: UUID | None) -> None:
        """Note that a user signed the terms or, with ``project``, set his default.

        :raises Forbidden: also where he is no member of the project.
        """
        actor = await self._over(caller, user)
        if project is None:
            await self.terms.sign_for(user, actor)
            return
        context = Context(Who.admin(actor), self.parts.now())
        await self.parts.db.run(_default, context, project, user)

    async def _permitted(self, caller: Caller) -> Actor:
        require_free(caller)
        account = await self.parts.db.run(find, caller.user)
        if not (caller.is_admin or PERMITTED & set(account.groups)):
            raise Forbidden("only members of admin-api may do that")
        return Actor.of(caller)

    async def _over(self, caller: Caller, user: UUID) -> Actor:
        actor = await self._permitted(caller)
        account = await self.parts.db.run(find, user)
        if ADMIN in account.groups and not caller.is_admin:
            raise Forbidden("only administrators change administrators")
        return actor

    async def _known(self, user: UUID) -> Known:
        for row in await self.parts.db.read(store.ONE, (user,)):
            ways = await self.parts.db.read(methods.OF, ([user],))
            return store.account(row), methods.methods(ways).get(user, [])
        raise NotFound(f"there is no user {user}")

    async def _changed(
        self,
        tx: Transaction,
        user: UUID,
        change: Change,
        hashed: str | None,
        actor: Actor,
        at: datetime,
    ) -> None:
        account = await find(tx, user, lock=True)
        email = account.email if change.email is None else check_address(change.email)
        if email != account.email:
            await set_email(tx, self.parts, account, email, actor, at)
        await rename(tx, user, change.names, actor, at)
        if hashed is not None:
            account = await find(tx, user)
            await set_password(tx, self.parts, account, hashed, actor, How.ADMIN)
        await methods.describe(tx, user, change.names.affiliation, change.facts)


async def _default(
    tx: Transaction, context: Context, project: UUID, user: UUID
) -> None:
    await find(tx, user)
    await memberships.set_default(tx, context, project, user)
