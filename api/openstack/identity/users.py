"""People of identity v3; administrators make, change and close accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.openstack.identity.filters import PageFilter, next_page
from api.openstack.identity.lists import UserList, UserReply, UserView, users
from api.openstack.identity.rights import administrator
from api.operations import operation
from api.paging import size
from snfd.accounts.editing import Wanted
from snfd.accounts.model import Names
from snfd.accounts.wired import Accounts
from snfd.errors import Forbidden, Invalid
from snfd.identity.model import DOMAIN_ID, Caller
from snfd.identity.names import MAX_NAME, MAX_PASSWORD
from snfd.identity.people import People

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Secret = Annotated[str, Meta(max_length=MAX_PASSWORD)]
Short = Annotated[str, Meta(max_length=255)]


class UserFilter(PageFilter):
    """Filters of ``/users``."""

    enabled: bool | None = None


class UserPart(Struct):
    """What a person's account shall be.

    Without an ``email`` it is the name, if that can be one, else the name
    ``@localhost``.
    """

    name: Name | None = None
    email: Name | None = None
    password: Secret | None = None
    enabled: bool | None = None
    domain_id: Short | None = None

    def __repr__(self) -> str:
        return f"UserPart(name={self.name!r}, email={self.email!r}, password=…)"

    def wanted(self) -> Wanted:
        """A new account.

        :raises Invalid: it has no name, or is of another domain.
        """
        if self.name is None:
            raise Invalid("a user needs a name - at $.user")
        if self.domain_id not in (None, DOMAIN_ID):
            raise Invalid(f"there is no domain {self.domain_id}")
        guessed = self.name if "@" in self.name else f"{self.name}@localhost"
        return Wanted(
            email=self.email or guessed,
            username=self.name,
            password=self.password or None,
        )


class UserBody(Struct):
    """Body of ``POST /users`` and of ``PATCH /users/<user>``."""

    user: UserPart


class PasswordPart(Struct):
    """A new password, and the old one."""

    password: Secret
    original_password: Secret

    def __repr__(self) -> str:
        return "PasswordPart(…)"


class PasswordBody(Struct):
    """Body of ``POST /users/<user>/password``."""

    user: PasswordPart


class UsersApi:
    """The ``/users`` resources."""

    def __init__(self, people: People, accounts: Accounts, base: str) -> None:
        self._people = people
        self._accounts = accounts
        self._base = base

    @operation("GET", "/users", query=UserFilter)
    async def all(self, caller: Caller, query: UserFilter) -> UserList:
        """List all people for administrators, else the caller alone."""
        found, more = await self._people.visible(
            caller, query.name, query.marker, size(query.limit)
        )
        last = found[-1].uuid if more and query.here else None
        listed = [one for one in found if query.enabled in (None, one.active)]
        made = users(listed if query.here else [], more, self._base, "/users")
        made.links.next = next_page(made.links.self, query, last)
        return made

    @operation("GET", "/users/<user>")
    async def one(self, caller: Caller, user: UUID) -> UserReply:
        """Show one person."""
        return await self._shown(caller, user)

    @operation("POST", "/users", body=UserBody, status=201)
    async def create(self, caller: Caller, body: UserBody) -> UserReply:
        """Make an account, verified and accepted."""
        actor = administrator(caller)
        made = await self._accounts.editing.add(body.user.wanted(), actor)
        if body.user.enabled is False:
            await self._accounts.moderation.deactivate(made.uuid, "", actor)
        return await self._shown(caller, made.uuid)

    @operation("PATCH", "/users/<user>", body=UserBody)
    async def change(self, caller: Caller, user: UUID, body: UserBody) -> UserReply:
        """Change an account; one that is not enabled is deactivated."""
        await self._change(caller, user, body.user)
        return await self._shown(caller, user)

    @operation("DELETE", "/users/<user>", status=204)
    async def delete(self, caller: Caller, user: UUID) -> None:
        """Close an account for good, unless it owns or uses something."""
        actor = administrator(caller)
        await self._people.get(caller, user)
        await self._accounts.editing.close(user, actor)

    @operation("POST", "/users/<user>/password", body=PasswordBody, status=204)
    async def password(self, caller: Caller, user: UUID, body: PasswordBody) -> None:
        """Change one's own password."""
        if user != caller.user:
            raise Forbidden("people change their own passwords")
        change = self._accounts.credentials.change
        await change(caller, body.user.original_password, body.user.password)

    async def _change(self, caller: Caller, user: UUID, part: UserPart) -> None:
        actor, accounts = administrator(caller), self._accounts
        found = await self._people.get(caller, user)
        if part.email is not None and part.email != found.email:
            await accounts.editing.set_email(user, part.email, actor)
        if part.name is not None and part.name != found.username:
            await accounts.editing.rename(user, Names(username=part.name), actor)
        if part.password is not None:
            await accounts.editing.set_password(user, part.password, actor)
        if part.enabled is True and not found.active:
            await accounts.moderation.activate(user, actor)
        if part.enabled is False and found.active:
            await accounts.moderation.deactivate(user, "", actor)

    async def _shown(self, caller: Caller, user: UUID) -> UserReply:
        found = await self._people.get(caller, user)
        return UserReply(UserView.of(found, self._base))
