"""Changing users, and deciding about them."""

from __future__ import annotations

from api.admin.bodies import (
    Closing,
    MadePassword,
    MadeUser,
    NewEmail,
    NewGroups,
    NewNames,
    NewPassword,
    NewUser,
    Reason,
)
from api.operations import operation
from snfd.accounts.editing import Editing
from snfd.accounts.model import Names
from snfd.accounts.moderation import Moderation
from snfd.admin.model import (
    UserFacts,
)
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Administration
from snfd.identity.second_factor import SecondFactors


class UsersApi:
    """Makes and changes users."""

    def __init__(self, admin: Administration, editing: Editing) -> None:
        self._admin = admin
        self._editing = editing

    @operation("POST", "/users", body=NewUser, status=201)
    async def add(self, staff: Staff, body: NewUser) -> MadeUser:
        """Make a user, active at once unless he is to wait like others."""
        made = await self._editing.add(body.wanted(), staff.to(Right.USERS))
        return MadeUser(made.uuid, body.email, made.password)

    @operation("PATCH", "/users/<user>", body=NewNames)
    async def modify(self, staff: Staff, user: str, body: NewNames) -> UserFacts:
        """Change a user's names."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        names = Names(body.first_name, body.last_name, body.affiliation, body.username)
        await self._editing.rename(uuid, names, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("PUT", "/users/<user>/email", body=NewEmail)
    async def email(self, staff: Staff, user: str, body: NewEmail) -> UserFacts:
        """Give a user another e-mail address; he is told at the old one."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._editing.set_email(uuid, body.email, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("PUT", "/users/<user>/password", body=NewPassword)
    async def password(
        self, staff: Staff, user: str, body: NewPassword
    ) -> MadePassword:
        """Give a user another password; what went in with the old one ends."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        made = await self._editing.set_password(uuid, body.password, actor)
        return MadePassword(made)

    @operation("PUT", "/users/<user>/groups", body=NewGroups)
    async def groups(self, staff: Staff, user: str, body: NewGroups) -> UserFacts:
        """Put a user into groups, and take him out of others."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._editing.set_groups(uuid, body.add, body.remove, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("POST", "/users/<user>/close", body=Closing)
    async def close(self, staff: Staff, user: str, body: Closing) -> UserFacts:
        """Close an account for good and forget the person."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._editing.close(uuid, actor, force=body.force)
        return await self._admin.directory.user(str(uuid))


class ModerationApi:
    """Decides about users."""

    def __init__(self, admin: Administration, moderation: Moderation) -> None:
        self._admin = admin
        self._moderation = moderation

    @operation("POST", "/users/<user>/verify")
    async def verify(self, staff: Staff, user: str) -> UserFacts:
        """Vouch for a user's e-mail address."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._moderation.verify(uuid, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("POST", "/users/<user>/send-verification", status=202)
    async def send_verification(self, staff: Staff, user: str) -> None:
        """Send a user another letter that lets him verify his address."""
        actor, uuid = staff.to(Right.CONTACT), await self._admin.find.user(user)
        await self._moderation.send_verification(uuid, actor)

    @operation("POST", "/users/<user>/accept")
    async def accept(self, staff: Staff, user: str) -> UserFacts:
        """Let a user in who is verified and waits."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._moderation.accept(uuid, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("POST", "/users/<user>/reject", body=Reason)
    async def reject(self, staff: Staff, user: str, body: Reason) -> UserFacts:
        """Turn a user away who waits; he is told why."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._moderation.reject(uuid, body.reason, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("POST", "/users/<user>/activate")
    async def activate(self, staff: Staff, user: str) -> UserFacts:
        """Let a user in again, with all that his deactivation suspended."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._moderation.activate(uuid, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("POST", "/users/<user>/deactivate", body=Reason)
    async def deactivate(self, staff: Staff, user: str, body: Reason) -> UserFacts:
        """Keep a user out; his tokens end, what he owns is suspended."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._moderation.deactivate(uuid, body.reason, actor)
        return await self._admin.directory.user(str(uuid))

    @operation("DELETE", "/users/<user>", status=204)
    async def remove(self, staff: Staff, user: str) -> None:
        """Remove an account that was never accepted."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._moderation.remove(uuid, actor)


class FactorsApi:
    """Helps people who lost what makes their one-time codes."""

    def __init__(self, admin: Administration, factors: SecondFactors) -> None:
        self._admin = admin
        self._factors = factors

    @operation("DELETE", "/users/<user>/second-factor", status=204)
    async def remove(self, staff: Staff, user: str) -> None:
        """Ask a user for no one-time codes any more."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._factors.reset(uuid, actor)
