"""What administrators see of ports, floating IPs and who had them; no SQL here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from snfd.admin.model import Ask, Fact, RowId, Text


class PortAsk(Ask, frozen=True):
    """Which ports; None: whatever.

    :ivar address: only the one that has this address.
    """

    server: RowId | None = None
    network: RowId | None = None
    user: Text | None = None
    project: Text | None = None
    state: Literal["DOWN", "BUILD", "ACTIVE", "ERROR"] | None = None
    mac: Text | None = None
    address: Text | None = None


class PortRow(Fact, frozen=True):
    """A port.

    :ivar addresses: of either version.
    :ivar firewall: ``ENABLED``, ``DISABLED`` or ``PROTECTED``.
    """

    id: int
    name: str
    state: str
    server: int | None
    network: int
    public: bool
    owner: str | None
    project: str | None
    mac: str | None
    addresses: list[str]
    firewall: str


class PortFacts(PortRow, frozen=True):
    """All about a port.

    :ivar index: its place among the cards of its server.
    """

    shared: bool
    index: int | None
    created: datetime
    updated: datetime


class FloatingAsk(Ask, frozen=True):
    """Which floating IPs; None: whatever.

    :ivar free: whether no server has it.
    """

    network: RowId | None = None
    server: RowId | None = None
    user: Text | None = None
    project: Text | None = None
    address: Text | None = None
    free: bool | None = None


class FloatingRow(Fact, frozen=True):
    """A floating IP."""

    id: int
    address: str
    network: int
    owner: str | None
    project: str | None
    shared: bool
    port: int | None
    server: int | None
    created: datetime


class EventAsk(Ask, frozen=True):
    """Which comings and goings of public addresses; None: whatever.

    :ivar user: only those of this user's servers.
    """

    address: Text | None = None
    server: RowId | None = None
    user: Text | None = None
    since: datetime | None = None
    until: datetime | None = None


class EventRow(Fact, frozen=True):
    """An address came to a server (``associate``) or left it (``disassociate``).

    :ivar owner: of the server then; ``owner_id`` stays, whoever that was.
    """

    id: int
    at: datetime
    action: str
    address: str
    network: int
    server: int
    port: int
    owner: str | None
    owner_id: str
    project: str | None
    floating: bool
    reason: str


class HolderAsk(Ask, frozen=True):
    """Who had an address at a time; None: now."""

    at: datetime | None = None
