"""All that is known of a person, in one piece: he may take it with him."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.accounts.model import Account
from snfd.accounts.parts import Parts, whole
from snfd.accounts.profiles import Profiles
from snfd.accounts.store import belongings as store
from snfd.identity.model import Caller


@frozen
class LoginFact:
    """A way in which he logs in.

    :ivar info: what the method told of him, JSON text.
    """

    module: str
    identifier: str
    active: bool
    affiliation: str | None
    info: str
    created: datetime
    last_login: datetime | None


@frozen
class TokenFact:
    """What a program or a browser acts for him with."""

    kind: str
    label: str
    project: UUID | None
    created: datetime
    expires: datetime
    last_used: datetime | None


@frozen
class MembershipFact:
    """A project that he is, was or wants to be a member of."""

    project: UUID
    name: str
    role: str
    state: str


@frozen
class ApplicationFact:
    """A project, or a change of one, that he applied for."""

    id: int
    project: UUID
    state: str
    issued: datetime
    comments: str
    response: str


@frozen
class HistoryFact:
    """What became of his account; who else did it is not his to know.

    :ivar own: whether it was himself.
    :ivar details: JSON text.
    """

    at: datetime
    action: str
    own: bool
    details: str


@frozen(kw_only=True)
class Everything:
    """All of it, but for what he stores and runs: clients fetch that."""

    account: Account
    logins: Sequence[LoginFact]
    tokens: Sequence[TokenFact]
    memberships: Sequence[MembershipFact]
    applications: Sequence[ApplicationFact]
    history: Sequence[HistoryFact]


@frozen(eq=False)
class Exports:
    """Lets people see all that is known of them."""

    parts: Parts

    async def of(self, caller: Caller) -> Everything:
        """All about the caller.

        :raises Forbidden: the token is good for one project or one program only.
        """
        await self.parts.db.run(whole, caller)
        read, user = self.parts.db.read, (caller.user,)
        return Everything(
            account=await Profiles(self.parts).get(caller),
            logins=[LoginFact(*row) for row in await read(store.LOGINS, user)],
            tokens=[TokenFact(*row) for row in await read(store.TOKENS, user)],
            memberships=[
                MembershipFact(*row) for row in await read(store.MEMBERSHIPS, user)
            ],
            applications=[
                ApplicationFact(*row) for row in await read(store.APPLICATIONS, user)
            ],
            history=[HistoryFact(*row) for row in await read(store.HISTORY, user)],
        )
