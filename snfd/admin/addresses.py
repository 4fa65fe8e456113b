"""Ports, floating IPs and their history as administrators see them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TypeVar
from uuid import UUID

import msgspec
from attrs import frozen

from snfd.admin import store
from snfd.admin.address_model import (
    EventAsk,
    EventRow,
    FloatingAsk,
    FloatingRow,
    HolderAsk,
    PortAsk,
    PortFacts,
    PortRow,
)
from snfd.admin.model import Page
from snfd.admin.service import Finder
from snfd.db.port import Database
from snfd.errors import Invalid

A = TypeVar("A", PortAsk, FloatingAsk, EventAsk)


def _names(alias: str) -> str:
    return (
        f"(SELECT username FROM identity.app_user a WHERE a.uuid = {alias}.owner),"
        f" (SELECT name FROM identity.project j WHERE j.uuid = {alias}.project)"
    )


_PORT = f"""
    p.id, p.name, p.state, p.server, p.network, n.public, {_names("p")}, p.mac::text,
    ARRAY(SELECT host(i.addr) FROM compute.ip i WHERE i.port = p.id AND NOT i.deleted
          ORDER BY i.id), p.firewall
"""
_PORTS = "FROM compute.port p JOIN compute.network n ON n.id = p.network"
PORTS = store.Listing(
    f"""
    SELECT {_PORT} {_PORTS}
     WHERE (%(marker)s::bigint IS NULL OR p.id > %(marker)s)
       AND (%(server)s::bigint IS NULL OR p.server = %(server)s)
       AND (%(network)s::bigint IS NULL OR p.network = %(network)s)
       AND (%(user)s::uuid IS NULL OR p.owner = %(user)s)
       AND (%(project)s::uuid IS NULL OR p.project = %(project)s)
       AND (%(state)s::text IS NULL OR p.state = %(state)s)
       AND (%(mac)s::text IS NULL OR p.mac::text = lower(%(mac)s))
       AND (%(address)s::inet IS NULL OR EXISTS (SELECT FROM compute.ip i
            WHERE i.port = p.id AND NOT i.deleted AND i.addr = %(address)s::inet))
     ORDER BY p.id LIMIT %(most)s
    """,
    PortRow,
    lambda row: row.id,
)
_PORT_FACTS = f"""
    SELECT {_PORT}, p.shared, p.idx, p.created, p.updated {_PORTS}
     WHERE p.id = %(wanted)s
"""
_FLOATING = f"""
    SELECT i.id, host(i.addr), i.network, {_names("i")}, i.shared, i.port, p.server,
           i.created
      FROM compute.ip i LEFT JOIN compute.port p ON p.id = i.port
     WHERE i.floating AND NOT i.deleted
"""
FLOATING = store.Listing(
    f"""
    {_FLOATING}
       AND (%(marker)s::bigint IS NULL OR i.id > %(marker)s)
       AND (%(network)s::bigint IS NULL OR i.network = %(network)s)
       AND (%(server)s::bigint IS NULL OR p.server = %(server)s)
       AND (%(user)s::uuid IS NULL OR i.owner = %(user)s)
       AND (%(project)s::uuid IS NULL OR i.project = %(project)s)
       AND (%(address)s::inet IS NULL OR i.addr = %(address)s::inet)
       AND (%(free)s::boolean IS NULL OR (i.port IS NULL) = %(free)s)
     ORDER BY i.id LIMIT %(most)s
    """,
    FloatingRow,
    lambda row: row.id,
)
_EVENT = """
    e.id, e.at, e.action, host(e.addr), e.network, e.server, e.port,
    (SELECT username FROM identity.app_user a WHERE a.uuid = e.owner), e.owner::text,
    (SELECT name FROM identity.project j WHERE j.uuid = e.project), e.floating, e.reason
"""
EVENTS = store.Listing(
    f"""
    SELECT {_EVENT} FROM compute.ip_event e
     WHERE (%(marker)s::bigint IS NULL OR e.id < %(marker)s)
       AND (%(address)s::inet IS NULL OR e.addr = %(address)s::inet)
       AND (%(server)s::bigint IS NULL OR e.server = %(server)s)
       AND (%(user)s::uuid IS NULL OR e.owner = %(user)s)
       AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
       AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)
     ORDER BY e.id DESC LIMIT %(most)s
    """,
    EventRow,
    lambda row: row.id,
)
_HOLDERS = f"""
    SELECT {_EVENT} FROM (
        SELECT DISTINCT ON (network) * FROM compute.ip_event
         WHERE addr = %(address)s::inet AND at <= coalesce(%(at)s, clock_timestamp())
         ORDER BY network, id DESC) AS e
     WHERE e.action = 'associate' ORDER BY e.network LIMIT 1000
"""


@frozen(eq=False)
class AddressViews:
    """Looks at ports, floating IPs and who had them."""

    db: Database
    find: Finder

    async def ports(self, ask: PortAsk) -> Page[PortRow]:
        """Ports by id.

        :raises NotFound: there is no such user or project.
        :raises Invalid: the address is none.
        """
        return await store.page(self.db, PORTS, *await self._asked(ask))

    async def port(self, ident: int) -> PortFacts:
        """One port.

        :raises NotFound: there is none.
        """
        return PortFacts(*await store.one(self.db, _PORT_FACTS, ident, "port"))

    async def floating(self, ask: FloatingAsk) -> Page[FloatingRow]:
        """Floating IPs by id.

        :raises NotFound: there is no such user or project.
        :raises Invalid: the address is none.
        """
        return await store.page(self.db, FLOATING, *await self._asked(ask))

    async def floating_ip(self, ident: int) -> FloatingRow:
        """One floating IP.

        :raises NotFound: there is none.
        """
        sql = f"{_FLOATING} AND i.id = %(wanted)s"
        return FloatingRow(*await store.one(self.db, sql, ident, "floating IP"))

    async def history(self, ask: EventAsk) -> Page[EventRow]:
        """Comings and goings of public addresses, latest first.

        :raises NotFound: there is no such user.
        :raises Invalid: the address is none.
        """
        return await store.page(self.db, EVENTS, *await self._asked(ask))

    async def holders(self, address: str, ask: HolderAsk) -> Page[EventRow]:
        """What gave an address to whoever had it; one of each public network.

        :raises Invalid: the address is none.
        """
        asked = {"address": _address(address), "at": ask.at}
        rows = await self.db.read(_HOLDERS, asked)
        return Page([EventRow(*row) for row in rows], None)

    async def _asked(self, ask: A) -> tuple[A, dict[str, UUID | None]]:
        if ask.address is not None:
            ask = msgspec.structs.replace(ask, address=_address(ask.address))
        return ask, await self.find.resolved(ask)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise Invalid(f"{text!r} is no IP address") from None
