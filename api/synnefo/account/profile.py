"""What people see and change of their own accounts.

Source: ``spec/astakos.md`` §2.2 (``/authenticate``), §5.2, W29.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from twisted.web.iweb import IRequest

from api.operations import Reply, operation
from api.synnefo.account.signup import Secret, Short
from api.times import micros_offset
from snfd.accounts.model import Account, Names
from snfd.accounts.profiles import Profiles
from snfd.identity.model import Caller


class NameChange(Struct):
    """Body of ``PUT /profile``; what is not there, or null, stays."""

    first_name: Short | None = None
    last_name: Short | None = None
    affiliation: Short | None = None
    username: Short | None = None

    def names(self) -> Names:
        """What the service takes."""
        return Names(self.first_name, self.last_name, self.affiliation, self.username)


class Closing(Struct):
    """Body of ``POST /close``; ``password`` is null for who has none."""

    password: Secret | None = None

    def __repr__(self) -> str:
        return "Closing(password=…)"


class ProfileView(Reply):
    """An account as its owner sees it.

    :ivar methods: how he may log in, ``local`` for a password.
    :ivar terms: the newest terms of service that he signed.
    """

    uuid: UUID
    username: str
    email: str
    first_name: str
    last_name: str
    affiliation: str | None
    groups: list[str]
    methods: list[str]
    default_project: UUID
    terms: int | None
    joined: str
    last_login: str | None

    @classmethod
    def of(cls, one: Account) -> ProfileView:
        """All of it."""
        seen = one.last_login_at
        return cls(
            uuid=one.uuid,
            username=one.username,
            email=one.email,
            first_name=one.first_name,
            last_name=one.last_name,
            affiliation=one.affiliation,
            groups=list(one.groups),
            methods=list(one.methods),
            default_project=one.default_project or one.uuid,
            terms=one.terms,
            joined=micros_offset(one.joined_at),
            last_login=None if seen is None else micros_offset(seen),
        )


class Authenticated(Reply):
    """Answer of ``GET /authenticate``; times in milliseconds since 1970."""

    id: int
    username: str
    uuid: UUID
    email: list[str]
    name: str
    groups: list[str]
    auth_token: str
    auth_token_created: int
    auth_token_expires: int

    @classmethod
    def of(
        cls, one: Account, token: str, since: datetime, until: datetime
    ) -> Authenticated:
        """Who presents ``token``; empty where it is a browser's session."""
        return cls(
            id=one.number,
            username=one.email,
            uuid=one.uuid,
            email=[one.email],
            name=one.name,
            groups=list(one.groups),
            auth_token=token,
            auth_token_created=_millis(since),
            auth_token_expires=_millis(until),
        )


class ProfileApi:
    """The ``/profile`` and ``/authenticate`` resources."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    @operation("GET", "/profile")
    async def get(self, caller: Caller) -> ProfileView:
        """Show the caller's account."""
        return ProfileView.of(await self._profiles.get(caller))

    @operation("PUT", "/profile", body=NameChange)
    async def change(self, caller: Caller, body: NameChange) -> ProfileView:
        """Change the caller's names."""
        return ProfileView.of(await self._profiles.change(caller, body.names()))

    @operation("POST", "/account/close", body=Closing, status=204)
    async def close(self, caller: Caller, body: Closing) -> None:
        """Close the caller's account for good; only its uuid stays."""
        await self._profiles.close(caller, body.password)

    @operation("GET", "/authenticate", raw=True)
    async def authenticate(self, caller: Caller, request: IRequest) -> Authenticated:
        """Tell whose token it is, as clients of 0.14 want it."""
        # never the secret of a session: scripts must not read it
        shown = request.getHeader("x-auth-token") or ""
        account = await self._profiles.get(caller)
        since = await self._profiles.since(caller)
        return Authenticated.of(account, shown, since, caller.expires)


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
