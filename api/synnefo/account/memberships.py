"""Memberships: joining projects, letting people in, leaving.

Source: ``spec/astakos.md`` §2.6.6, and §2.2 for the default project.
"""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.operations import EMPTY, Answer, operation
from api.paging import Limit, RowId, complete, wanted
from api.synnefo.account.project_bodies import Reason
from api.synnefo.account.project_views import (
    MembershipId,
    MembershipView,
    membership_json,
)
from snfd.errors import Invalid
from snfd.identity.allowance import Allowance
from snfd.identity.model import Caller
from snfd.projects.memberships import AskedMembers, Memberships, NoSuchPerson
from snfd.projects.rules import Action

Email = Annotated[str, Meta(min_length=1, max_length=254)]
MemberNumber = Annotated[int, Meta(ge=0)]


class MembershipQuery(Struct):
    """Which memberships; without ``limit`` all of them."""

    project: UUID | None = None
    limit: Limit | None = None
    marker: RowId = 0

    def asked(self) -> AskedMembers:
        """The same as a value, one more than the answer may have."""
        return AskedMembers(self.project, self.marker, wanted(self.limit) + 1)


class WantedJoin(Struct):
    """Which project the caller wants to be in."""

    project: UUID


class WantedEnrolment(Struct):
    """Whom to put into which project."""

    project: UUID
    user: Email


class NewMembership(Struct):
    """Body of ``POST /projects/memberships``: ``join`` or ``enroll``."""

    join: WantedJoin | UnsetType = UNSET
    enroll: WantedEnrolment | UnsetType = UNSET

    def one(self) -> WantedJoin | WantedEnrolment:
        """What was given.

        :raises Invalid: both, or none.
        """
        given = [one for one in (self.join, self.enroll) if one is not UNSET]
        if len(given) != 1:
            raise Invalid("the body must have either join or enroll")
        return given[0]


class MembershipAction(Struct):
    """Body of an action on a membership: one action, and the reason."""

    leave: Reason | UnsetType = UNSET
    cancel: Reason | UnsetType = UNSET
    accept: Reason | UnsetType = UNSET
    reject: Reason | UnsetType = UNSET
    remove: Reason | UnsetType = UNSET
    suspend: Reason | UnsetType = UNSET
    unsuspend: Reason | UnsetType = UNSET
    deny_leave: Reason | UnsetType = UNSET
    cancel_leave: Reason | UnsetType = UNSET

    def one(self) -> tuple[Action, str]:
        """The action and the reason.

        :raises Invalid: there are several actions, or none.
        """
        given = [
            (Action(name), reason)
            for name in self.__struct_fields__
            if isinstance(reason := getattr(self, name), str)
        ]
        if len(given) != 1:
            known = ", ".join(self.__struct_fields__)
            raise Invalid(f"the body must have one of {known}")
        return given[0]


class WantedDefault(Struct):
    """Body of ``/myaccount/default_project``."""

    project_id: UUID


class MembershipsApi:
    """The ``/projects/memberships`` resources, and the default project."""

    def __init__(self, memberships: Memberships, unknown: Allowance) -> None:
        """Take the service; ``unknown`` names are what a user may guess at."""
        self._memberships = memberships
        self._unknown = unknown

    @operation("GET", "/projects/memberships", query=MembershipQuery)
    async def all(self, caller: Caller, query: MembershipQuery) -> list[MembershipView]:
        """List memberships of the caller, and in projects that he owns."""
        found = await self._memberships.list(caller, query.asked(), membership_json)
        return cast(list[MembershipView], complete(found, query.limit))

    @operation("GET", "/projects/memberships/<membership>")
    async def one(self, caller: Caller, membership: MemberNumber) -> MembershipView:
        """Show one membership."""
        return MembershipView.of(await self._memberships.get(caller, membership))

    @operation("POST", "/projects/memberships", body=NewMembership)
    async def make(self, caller: Caller, body: NewMembership) -> MembershipId:
        """Ask to be a member of a project, or make somebody a member."""
        return MembershipId(await self._make(caller, body.one()))

    @operation(
        "POST", "/projects/memberships/<membership>/action", body=MembershipAction
    )
    async def act(
        self, caller: Caller, membership: MemberNumber, body: MembershipAction
    ) -> Answer[bytes]:
        """Accept, end or otherwise change a membership."""
        await self._memberships.act(caller, membership, *body.one())
        return EMPTY

    @operation("POST", "/myaccount/default_project", body=WantedDefault)
    @operation("PUT", "/myaccount/default_project", body=WantedDefault)
    async def set_default(self, caller: Caller, body: WantedDefault) -> Answer[bytes]:
        """Choose what the caller's unscoped tokens act in."""
        await self._memberships.set_default(caller, body.project_id)
        return EMPTY

    async def _make(self, caller: Caller, what: WantedJoin | WantedEnrolment) -> int:
        if isinstance(what, WantedJoin):
            return await self._memberships.join(caller, what.project)
        await self._unknown.spend(caller.user, 0)
        try:
            return await self._memberships.enroll(caller, what.project, what.user)
        except NoSuchPerson:
            await self._unknown.spend(caller.user)
            raise
