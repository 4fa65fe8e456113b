"""Policies of login methods, programs that hand users on, and writing to users."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.admin.lists import Listing
from api.operations import Reply, operation
from snfd.admin.contact import Contact
from snfd.admin.model import FewAsk, Page
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Administration
from snfd.logins.handoff import OAuth2
from snfd.logins.handoff_model import Client
from snfd.logins.policies import LoginPolicies, PolicyProfile

Short = Annotated[str, Meta(max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Url = Annotated[str, Meta(max_length=2000)]
Value = bool | Annotated[int, Meta(ge=0, le=2**31)] | list[Short]


class PolicyChanges(Struct):
    """All of a profile: what is not here, it has not.

    ``module`` is the login method that it is about; with ``exclusive``, the only
    one that it is not about.
    """

    module: Name
    policies: Annotated[dict[Short, Value], Meta(max_length=20)] = {}
    exclusive: bool = False
    inactive: bool = False
    priority: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] = 0
    users: Annotated[list[Short], Meta(max_length=1000)] = []
    groups: Annotated[list[Short], Meta(max_length=1000)] = []


class PolicyRow(Reply):
    """A profile: policies for some people only."""

    name: str
    module: str
    policies: dict[str, Value]
    exclusive: bool
    active: bool
    priority: int
    users: list[UUID]
    groups: list[str]


class NewClient(Struct):
    """A program; a ``public`` one can keep no secret, and uses PKCE."""

    id: Annotated[str, Meta(min_length=1, max_length=255)]
    name: Short | None = None
    redirects: Annotated[list[Url], Meta(min_length=1, max_length=20)] = []
    trusted: bool = False
    public: bool = False


class MadeClient(Reply):
    """A program, and its secret, told only now; empty for a public one."""

    id: str
    secret: str


class ClientRow(Reply):
    """A program that users may let act for them."""

    id: str
    name: str
    redirects: list[str]
    trusted: bool
    public: bool


class Message(Struct):
    """What to write, and to whom: uuids, usernames or e-mails."""

    users: Annotated[list[Short], Meta(min_length=1, max_length=1000)]
    subject: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]


class PoliciesApi:
    """Policies of login methods, for some people only."""

    def __init__(self, admin: Administration, policies: LoginPolicies) -> None:
        self._admin = admin
        self._policies = policies

    @operation("GET", "/login-policies", query=FewAsk)
    async def all(self, staff: Staff, query: FewAsk) -> Listing[PolicyRow]:
        """List profiles by name."""
        found = [policy(one) for one in await self._policies.all()]
        return Listing.of(Page(found[: query.limit], None))

    @operation("PUT", "/login-policies/<policy_name>", body=PolicyChanges, status=204)
    async def put(self, staff: Staff, policy_name: Name, body: PolicyChanges) -> None:
        """Make or replace a profile, and give it to users and groups."""
        actor, find = staff.to(Right.REGISTRY), self._admin.find.user
        users = [await find(name) for name in body.users]
        profile = PolicyProfile(
            policy_name,
            body.module,
            body.policies,
            body.exclusive,
            not body.inactive,
            body.priority,
            users,
            body.groups,
        )
        await self._policies.put(actor, profile)

    @operation("DELETE", "/login-policies/<policy_name>", status=204)
    async def remove(self, staff: Staff, policy_name: str) -> None:
        """Remove a profile."""
        await self._policies.remove(staff.to(Right.REGISTRY), policy_name)


class ClientsApi:
    """Programs that users may let act for them (OAuth2)."""

    def __init__(self, oauth2: OAuth2) -> None:
        self._oauth2 = oauth2

    @operation("GET", "/oauth2-clients", query=FewAsk)
    async def all(self, staff: Staff, query: FewAsk) -> Listing[ClientRow]:
        """List programs; never their secrets."""
        found = [client(one) for one in await self._oauth2.clients()]
        return Listing.of(Page(found[: query.limit], None))

    @operation("POST", "/oauth2-clients", body=NewClient, status=201)
    async def add(self, staff: Staff, body: NewClient) -> MadeClient:
        """Make a program known."""
        actor = staff.to(Right.REGISTRY)
        one = Client(body.id, body.name or body.id, body.redirects, body.trusted)
        secret = await self._oauth2.register(actor, one, public=body.public)
        return MadeClient(body.id, secret)

    @operation("DELETE", "/oauth2-clients/<client_id>", status=204)
    async def remove(self, staff: Staff, client_id: str) -> None:
        """Forget a program; what it was given ends."""
        await self._oauth2.remove(staff.to(Right.REGISTRY), client_id)


class ContactApi:
    """Writing to users."""

    def __init__(self, admin: Administration, contact: Contact) -> None:
        self._admin = admin
        self._contact = contact

    @operation("POST", "/contact", body=Message, status=202)
    async def write(self, staff: Staff, body: Message) -> None:
        """Send users a letter."""
        actor, find = staff.to(Right.CONTACT), self._admin.find.user
        users = [await find(name) for name in body.users]
        await self._contact.write(actor, users, body.subject, body.text)


def policy(one: PolicyProfile) -> PolicyRow:
    """A profile as it is shown."""
    return PolicyRow(
        one.name,
        one.module,
        dict(one.policies),
        one.exclusive,
        one.active,
        one.priority,
        list(one.users),
        list(one.groups),
    )


def client(one: Client) -> ClientRow:
    """A program as it is shown."""
    return ClientRow(
        one.id, one.name, list(one.redirects), one.trusted, one.secret_hash is None
    )
