"""Values and pure rules of identity."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen


@frozen
class Caller:
    """Who makes a request, resolved from one token in one statement.

    :ivar project: the project that the token is bound to, else the user's
        default project.
    :ivar roles: ``reader``; with it ``member`` unless the membership is
        read-only; with both ``admin`` for administrators.
    :ivar projects: every project with an accepted membership, the user's
        own system project included.
    :ivar token_hash: sha256 of the token's secret, 32 bytes.
    """

    user: UUID
    username: str
    project: UUID
    project_name: str
    roles: frozenset[str]
    projects: frozenset[UUID]
    token_hash: bytes
    expires: datetime

    @property
    def is_admin(self) -> bool:
        """Whether the caller may cross projects."""
        return "admin" in self.roles

    @property
    def may_write(self) -> bool:
        """Whether the caller may change anything in the token's project."""
        return "member" in self.roles or self.is_admin
