"""What administrators see of servers, and how they ask for it; no SQL here."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address
from typing import Literal
from uuid import UUID

from attrs import frozen

from snfd.admin.model import Ask, Fact, RowId, Text
from snfd.admin.upkeep import JobRow
from snfd.errors import Invalid

ServerState = Literal["BUILD", "ERROR", "STOPPED", "STARTED", "DESTROYED"]


class ServerAsk(Ask, frozen=True):
    """Which servers; None: whatever.

    :ivar backend: a cluster's name or number.
    :ivar busy: whether it has a task under way.
    :ivar name: a part of it.
    :ivar search: a number (also as snf-42), an address, a MAC address, or else a
        part of the name.
    :ivar deleted: those that are gone, and no others.
    """

    owner: Text | None = None
    project: Text | None = None
    backend: Text | None = None
    node: Text | None = None
    state: ServerState | None = None
    suspended: bool | None = None
    busy: bool | None = None
    flavor: RowId | None = None
    image: UUID | None = None
    network: RowId | None = None
    name: Text | None = None
    address: Text | None = None
    mac: Text | None = None
    search: Text | None = None
    deleted: bool = False


class ServerRow(Fact, frozen=True):
    """A server in a list.

    :ivar state: what its cluster last confirmed; ``task``: what is under way.
    :ivar addresses: of either version, public and private.
    """

    id: int
    name: str
    owner: str | None
    project: str | None
    backend: str
    node: str | None
    state: str
    task: str | None
    suspended: bool
    flavor: str
    addresses: list[str]
    created: datetime


class NicFacts(Fact, frozen=True):
    """A network card of a server, working or not."""

    port: int
    index: int
    network: int
    network_name: str
    public: bool
    mac: str | None
    state: str
    firewall: str
    addresses: list[str]
    floating: bool


class DiskFacts(Fact, frozen=True):
    """A disk of a server; ``size`` in GiB."""

    volume: UUID
    index: int
    size: int
    status: str
    ganeti_name: str


class DiagnosticFacts(Fact, frozen=True):
    """Something that a server's owner was told about it."""

    at: datetime
    level: str
    source: str
    message: str


class ServerFacts(Fact, frozen=True):
    """All about a server but its secrets.

    :ivar crashed: down although it is meant to run.
    :ivar rescue: whether it starts from a rescue image.
    :ivar fault: why it is in error.
    :ivar jobs: the latest that its cluster was asked for, newest first.
    """

    id: int
    name: str
    owner: str | None
    owner_uuid: UUID
    project: str | None
    project_uuid: UUID
    shared: bool
    backend: str
    node: str | None
    state: str
    task: str | None
    task_job: UUID | None
    progress: int
    fault: str | None
    suspended: bool
    crashed: bool
    rescue: bool
    flavor: str
    flavor_id: int
    cpu: int
    ram: int
    image: UUID | None
    os: str | None
    commission: int | None
    created: datetime
    updated: datetime
    launched: datetime | None
    deleted: datetime | None
    nics: list[NicFacts]
    disks: list[DiskFacts]
    jobs: list[JobRow]
    diagnostics: list[DiagnosticFacts]


@frozen
class Hint:
    """What a few typed characters may mean; None: not that.

    :ivar number: of a server.
    :ivar name: always; the text itself.
    """

    name: str
    number: int | None = None
    address: str | None = None
    mac: str | None = None
    uuid: UUID | None = None


_NUMBER = re.compile(r"(?:(?:vm|snf|server)[-:]?)?([0-9]{1,18})", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}", re.IGNORECASE)


def hint(text: str) -> Hint:
    """What ``text`` may mean: a number, an address, a MAC, a uuid, a name.

    Source: ``spec/cyclades.md`` §9, the helpdesk's search box.
    """
    bare = text.strip()
    if _MAC.fullmatch(bare):
        return Hint(bare, mac=bare.lower().replace("-", ":"))
    if found := _NUMBER.fullmatch(bare):
        return Hint(bare, number=int(found[1]))
    try:
        return Hint(bare, address=str(ip_address(bare)))
    except ValueError:
        pass
    try:
        return Hint(bare, uuid=UUID(bare))
    except ValueError:
        return Hint(bare)


def address_of(text: str | None) -> str | None:
    """``text`` if it is an address.

    :raises Invalid: it is none.
    """
    if text is None:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        raise Invalid(f"{text!r} is no IP address") from None


def mac_of(text: str | None) -> str | None:
    """``text`` if it is a MAC address.

    :raises Invalid: it is none.
    """
    if text is not None and not _MAC.fullmatch(text):
        raise Invalid(f"{text!r} is no MAC address")
    return None if text is None else text.lower().replace("-", ":")
