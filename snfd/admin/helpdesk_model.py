"""What the helpdesk sees of people and what is theirs; no SQL here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from snfd.admin.address_model import FloatingRow
from snfd.admin.model import Fact, FewAsk, MembershipOf, Text
from snfd.admin.network_model import NetworkRow
from snfd.admin.project_model import QuotaRow
from snfd.admin.server_model import ServerRow


class FindAsk(FewAsk, frozen=True, kw_only=True):
    """What to look for."""

    query: Text


class FoundRow(Fact, frozen=True):
    """Something that may be meant.

    :ivar kind: ``user``, ``project``, ``server``, ``network``, ``port``,
        ``address``, ``past address``, ``volume`` or ``job``.
    :ivar id: what to ask for it by.
    :ivar owner: whose it is, by username; None: the cloud's.
    :ivar server: the server that it belongs to, if any.
    :ivar detail: what else tells it from others.
    """

    kind: str
    id: str
    name: str
    owner: str | None
    owner_uuid: UUID | None
    server: int | None
    detail: str


class LoginOf(Fact, frozen=True):
    """One way in that a user has; never what he proves it with."""

    method: str
    active: bool
    last_login: datetime | None


class AccountFacts(Fact, frozen=True):
    """A user, and what is his; each table holds a thousand rows at most.

    :ivar addresses: floating IPs.
    """

    uuid: UUID
    username: str
    email: str
    name: str
    status: str
    groups: list[str]
    joined: datetime
    last_login: datetime | None
    logins: list[LoginOf]
    projects: list[MembershipOf]
    servers: list[ServerRow]
    networks: list[NetworkRow]
    addresses: list[FloatingRow]
    quotas: list[QuotaRow]
