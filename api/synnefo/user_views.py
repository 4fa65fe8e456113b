"""Users as the admin user API of identity v2.0 shows them.

Source: ``spec/astakos.md`` §2.1.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from api.operations import Reply
from api.times import micros_offset
from snfd.accounts.model import Account, Method


class MethodView(Reply):
    """A way in which somebody logs in; ``metadata`` is what is known of it."""

    identifier: str
    active: bool
    affiliation: str | None
    backend: str
    metadata: dict[str, str]

    @classmethod
    def of(cls, one: Method) -> MethodView:
        """All of it."""
        facts = {name: str(value) for name, value in one.info.items()}
        return cls(one.identifier, one.active, one.affiliation, one.module, facts)


class UserView(Reply):
    """A user, as programs with special rights see him.

    The times are there but in the plain list.
    """

    id: UUID
    first_name: str
    last_name: str
    email: str
    is_active: bool
    is_rejected: bool
    deactivated_reason: str | None
    rejected_reason: str | None
    accepted_policy: str | None
    roles: list[str]
    authentication_methods: list[MethodView]
    date_joined: str | UnsetType = UNSET
    moderated_at: str | UnsetType | None = UNSET
    verified_at: str | UnsetType | None = UNSET
    auth_token_expires: str | UnsetType | None = UNSET

    @classmethod
    def plain(cls, account: Account, ways: Sequence[Method]) -> UserView:
        """Without times."""
        return cls(
            id=account.uuid,
            first_name=account.first_name,
            last_name=account.last_name,
            email=account.email,
            is_active=account.columns.is_active,
            is_rejected=account.columns.moderation == "rejected",
            deactivated_reason=account.deactivated_reason,
            rejected_reason=account.rejected_reason,
            accepted_policy=account.accepted_policy,
            roles=list(account.groups),
            authentication_methods=[MethodView.of(one) for one in ways],
        )

    @classmethod
    def whole(cls, account: Account, ways: Sequence[Method]) -> UserView:
        """With times; that of the token is of the one that ends last."""
        view = cls.plain(account, ways)
        view.date_joined = micros_offset(account.joined_at)
        view.moderated_at = _when(account.moderated_at)
        view.verified_at = _when(account.verified_at)
        view.auth_token_expires = _when(account.token_until)
        return view


class UserReply(Reply):
    """One user."""

    user: UserView


class UserList(Reply):
    """Users in the order in which they came."""

    users: list[UserView]


class MadeUser(Reply):
    """Who was let in; password and token are told only now.

    ``password`` is null where the request gave one.
    """

    id: UUID
    password: str | None
    auth_token: str


class MadeReply(Reply):
    """Answer of ``POST /users``."""

    user: MadeUser


class ActedUser(Reply):
    """Whom an action changed, and what it changed."""

    id: UUID
    is_active: bool | UnsetType = UNSET
    deactivated_reason: str | UnsetType | None = UNSET
    auth_token: str | UnsetType = UNSET
    has_signed_terms: bool | UnsetType = UNSET
    default_project: UUID | UnsetType = UNSET


class ActedReply(Reply):
    """Answer of ``POST /users/<uuid>/action``."""

    user: ActedUser


def _when(at: datetime | None) -> str | None:
    return None if at is None else micros_offset(at)
