"""The admin user API of identity v2.0; served only where it is switched on.

Source: ``spec/astakos.md`` §2.1.5, without its defects (W8).
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.operations import operation
from api.synnefo.account.signup import Address, Secret, Short
from api.synnefo.user_views import (
    ActedReply,
    ActedUser,
    MadeReply,
    MadeUser,
    UserList,
    UserReply,
    UserView,
)
from snfd.accounts.editing import Wanted
from snfd.accounts.model import Names
from snfd.accounts.users import Change, Users
from snfd.errors import Invalid
from snfd.identity.model import Caller

MOST = 1000
"""The most users of one answer."""

Facts = Annotated[dict[str, Annotated[str, Meta(max_length=1000)]], Meta(max_length=50)]


class UsersQuery(Struct):
    """A page of users: so many after the one with the uuid ``marker``."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    marker: UUID | None = None


class NewUser(Struct):
    """Somebody to be let in; ``username`` is his e-mail.

    Where ``password`` is missing one is generated.
    """

    username: Address
    first_name: Annotated[str, Meta(min_length=1, max_length=255)]
    last_name: Annotated[str, Meta(min_length=1, max_length=255)]
    password: Secret | None = None
    affiliation: Short | None = None
    metadata: Facts = {}

    def __repr__(self) -> str:
        return f"NewUser(username={self.username!r}, password=…)"

    def wanted(self) -> Wanted:
        """What the service takes."""
        return Wanted(
            email=self.username,
            first_name=self.first_name,
            last_name=self.last_name,
            password=self.password,
            affiliation=self.affiliation,
            signed=True,
        )


class ChangedUser(Struct):
    """What changes of somebody; what is not there stays."""

    username: Address | None = None
    first_name: Short | None = None
    last_name: Short | None = None
    password: Secret | None = None
    affiliation: Short | None = None
    metadata: Facts | None = None

    def __repr__(self) -> str:
        return f"ChangedUser(username={self.username!r}, password=…)"

    def change(self) -> Change:
        """What the service takes."""
        names = Names(self.first_name, self.last_name, self.affiliation)
        return Change(names, self.username, self.password, self.metadata)


class CreateUser(Struct):
    """Body of ``POST /users``."""

    user: NewUser


class UpdateUser(Struct):
    """Body of ``PUT /users/<uuid>``."""

    user: ChangedUser


class Deactivation(Struct):
    """Why somebody is kept out."""

    reason: Annotated[str, Meta(max_length=1000)] = ""


class NothingMore(Struct):
    """An action that needs no more words."""


class DefaultProject(Struct):
    """Which project unscoped tokens act in."""

    project_id: UUID


class UserAction(Struct, rename="camel"):
    """Body of ``POST /users/<uuid>/action``: exactly one of these."""

    activate: NothingMore | UnsetType = UNSET
    deactivate: Deactivation | UnsetType = UNSET
    renew_token: NothingMore | UnsetType = UNSET
    sign_terms: NothingMore | UnsetType = UNSET
    set_default_project: DefaultProject | UnsetType = UNSET

    def one(self) -> str:
        """The name of the action.

        :raises Invalid: there is none, or more than one.
        """
        given = [
            name for name in self.__struct_fields__ if getattr(self, name) is not UNSET
        ]
        if len(given) != 1:
            raise Invalid(
                "the body has exactly one of activate, deactivate, renewToken,"
                " signTerms, setDefaultProject"
            )
        return given[0]


class UsersApi:
    """The ``/users`` resources."""

    def __init__(self, users: Users) -> None:
        self._users = users

    @operation("GET", "/users", query=UsersQuery)
    async def all(self, caller: Caller, query: UsersQuery) -> UserList:
        """List users."""
        found = await self._users.all(caller, query.marker, query.limit)
        return UserList([UserView.plain(*one) for one in found])

    @operation("GET", "/users/detail", query=UsersQuery)
    async def details(self, caller: Caller, query: UsersQuery) -> UserList:
        """List users with times."""
        found = await self._users.all(caller, query.marker, query.limit)
        return UserList([UserView.whole(*one) for one in found])

    @operation("POST", "/users", body=CreateUser)
    async def create(self, caller: Caller, body: CreateUser) -> MadeReply:
        """Let somebody in, verified and accepted."""
        wanted, facts = body.user.wanted(), body.user.metadata
        added, made = await self._users.create(caller, wanted, facts)
        return MadeReply(MadeUser(added.uuid, added.password, made.secret))

    @operation("GET", "/users/<user>")
    async def get(self, caller: Caller, user: UUID) -> UserReply:
        """Show one user."""
        return UserReply(UserView.whole(*await self._users.get(caller, user)))

    @operation("PUT", "/users/<user>", body=UpdateUser)
    async def change(self, caller: Caller, user: UUID, body: UpdateUser) -> UserReply:
        """Change a user."""
        found = await self._users.change(caller, user, body.user.change())
        return UserReply(UserView.whole(*found))

    @operation("POST", "/users/<user>/action", body=UserAction)
    async def act(self, caller: Caller, user: UUID, body: UserAction) -> ActedReply:
        """Do something to a user."""
        acted = ActedUser(user)
        await getattr(self, f"_{body.one()}")(caller, acted, body)
        return ActedReply(acted)

    async def _activate(self, caller: Caller, acted: ActedUser, _: UserAction) -> None:
        await self._users.set_active(caller, acted.id, None)
        acted.is_active = True

    async def _deactivate(
        self, caller: Caller, acted: ActedUser, body: UserAction
    ) -> None:
        why = body.deactivate.reason if body.deactivate is not UNSET else ""
        await self._users.set_active(caller, acted.id, why)
        acted.is_active, acted.deactivated_reason = False, why

    async def _renew_token(
        self, caller: Caller, acted: ActedUser, _: UserAction
    ) -> None:
        acted.auth_token = (await self._users.renew_token(caller, acted.id)).secret

    async def _sign_terms(
        self, caller: Caller, acted: ActedUser, _: UserAction
    ) -> None:
        await self._users.settle(caller, acted.id, None)
        acted.has_signed_terms = True

    async def _set_default_project(
        self, caller: Caller, acted: ActedUser, body: UserAction
    ) -> None:
        assert body.set_default_project is not UNSET
        project = body.set_default_project.project_id
        await self._users.settle(caller, acted.id, project)
        acted.default_project = project
