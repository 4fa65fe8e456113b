"""All that is known of somebody, for himself.

Source: ``spec/astakos.md`` §10.1 (data export).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs

from api.operations import Answer, Reply, operation
from api.synnefo.account.profile import ProfileView
from api.times import micros_offset
from snfd.accounts.export import Everything, Exports
from snfd.identity.model import Caller

FILE = {"Content-Disposition": 'attachment; filename="account.json"'}


class LoginView(Reply):
    """A way in which he logs in; ``info`` is what the method told, as JSON."""

    module: str
    identifier: str
    active: bool
    affiliation: str | None
    info: str
    created: str
    last_login: str | None


class TokenFactView(Reply):
    """What a program or a browser acts for him with; never its secret."""

    kind: str
    label: str
    project: UUID | None
    created: str
    expires: str
    last_used: str | None


class MembershipFactView(Reply):
    """A project that he is, was or wants to be a member of."""

    project: UUID
    name: str
    role: str
    state: str


class ApplicationFactView(Reply):
    """A project, or a change of one, that he applied for."""

    id: int
    project: UUID
    state: str
    issued: str
    comments: str
    response: str


class HistoryView(Reply):
    """What became of the account; ``own``: he did it; ``details`` is JSON."""

    at: str
    action: str
    own: bool
    details: str


class ExportView(Reply):
    """All that is known, but for what he stores and runs; ``history`` newest first."""

    profile: ProfileView
    logins: list[LoginView]
    tokens: list[TokenFactView]
    memberships: list[MembershipFactView]
    applications: list[ApplicationFactView]
    history: list[HistoryView]

    @classmethod
    def of(cls, one: Everything) -> ExportView:
        """All of it."""
        return cls(
            profile=ProfileView.of(one.account),
            logins=[LoginView(**_told(each)) for each in one.logins],
            tokens=[TokenFactView(**_told(each)) for each in one.tokens],
            memberships=[MembershipFactView(**_told(each)) for each in one.memberships],
            applications=[
                ApplicationFactView(**_told(each)) for each in one.applications
            ],
            history=[HistoryView(**_told(each)) for each in one.history],
        )


class ExportApi:
    """The ``/account/export`` resource."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    @operation("GET", "/account/export")
    async def export(self, caller: Caller) -> Answer[ExportView]:
        """Tell everything that is known of the caller, as a file to be saved."""
        return Answer(ExportView.of(await self._exports.of(caller)), headers=FILE)


def _told(one: Any) -> dict[str, Any]:
    return {
        name: micros_offset(value) if hasattr(value, "isoformat") else value
        for name, value in attrs.asdict(one).items()
    }
