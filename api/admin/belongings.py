"""Changing what belongs to users: groups, default projects, tokens, sessions."""

from __future__ import annotations

from api.admin.bodies import (
    Ended,
    MadeToken,
    NewDefault,
    NewGroup,
    NewToken,
    SignedTerms,
)
from api.operations import operation
from snfd.accounts.editing import Groups
from snfd.accounts.held import HeldTokens
from snfd.accounts.held import Wanted as WantedToken
from snfd.accounts.terms import Terms
from snfd.admin.model import (
    GroupRow,
    UserFacts,
)
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Administration
from snfd.projects.admin import ProjectAdmin


class BelongingsApi:
    """What else belongs to users: default project, groups, signed terms."""

    def __init__(
        self,
        admin: Administration,
        groups: Groups,
        terms: Terms,
        projects: ProjectAdmin,
    ) -> None:
        self._admin = admin
        self._projects = projects
        self._groups = groups
        self._terms = terms

    @operation("PUT", "/users/<user>/default-project", body=NewDefault)
    async def default(self, staff: Staff, user: str, body: NewDefault) -> UserFacts:
        """Let a user's unscoped tokens act in one of his projects."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        project = await self._admin.find.project(body.project)
        await self._projects.set_default(actor, uuid, project)
        return await self._admin.directory.user(str(uuid))

    @operation("POST", "/users/<user>/sign-terms")
    async def sign(self, staff: Staff, user: str) -> SignedTerms:
        """Note that a user agreed to the terms of service elsewhere."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        return SignedTerms(await self._terms.sign_for(uuid, actor))

    @operation("POST", "/groups", body=NewGroup, status=201)
    async def add_group(self, staff: Staff, body: NewGroup) -> GroupRow:
        """Make a group."""
        await self._groups.add(body.name, staff.to(Right.USERS))
        return GroupRow(body.name, 0)

    @operation("DELETE", "/groups/<group>", status=204)
    async def remove_group(self, staff: Staff, group: str) -> None:
        """Remove a group; its members stay."""
        await self._groups.remove(group, staff.to(Right.USERS))


class TokensApi:
    """Makes and ends tokens and sessions."""

    def __init__(self, admin: Administration, tokens: HeldTokens) -> None:
        self._admin = admin
        self._tokens = tokens

    @operation("POST", "/users/<user>/tokens", body=NewToken, status=201)
    async def create(self, staff: Staff, user: str, body: NewToken) -> MadeToken:
        """Make a token for a user; its secret is told only now."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        found = body.project and await self._admin.find.project(body.project)
        wanted = WantedToken(body.label, body.expires, found or None)
        made = await self._tokens.create_for(uuid, wanted, actor)
        return MadeToken(made.token.id, made.secret, uuid, made.token.expires)

    @operation("DELETE", "/users/<user>/tokens/<token>", status=204)
    async def revoke(self, staff: Staff, user: str, token: str) -> None:
        """End one token or session of a user."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._tokens.end_for(uuid, token, actor)

    @operation("DELETE", "/users/<user>/tokens")
    async def revoke_all(self, staff: Staff, user: str) -> Ended:
        """End all tokens and sessions of a user."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        return Ended(await self._tokens.end_all(uuid, actor))

    @operation("DELETE", "/users/<user>/sessions/<session>", status=204)
    async def end(self, staff: Staff, user: str, session: str) -> None:
        """End one session of a user's browser."""
        actor, uuid = staff.to(Right.USERS), await self._admin.find.user(user)
        await self._tokens.end_for(uuid, session, actor)
