"""Servers as administrators see them."""

from __future__ import annotations

import msgspec
from attrs import frozen

from snfd.admin import store
from snfd.admin.model import Page
from snfd.admin.server_model import (
    DiagnosticFacts,
    DiskFacts,
    NicFacts,
    ServerAsk,
    ServerFacts,
    ServerRow,
    address_of,
    hint,
    mac_of,
)
from snfd.admin.service import Finder
from snfd.admin.upkeep import JobAsk, UpkeepViews
from snfd.db.port import Database

JOBS = 20
"""Of those that `ServerViews.server` tells."""


class Sought(ServerAsk, frozen=True):
    """Which servers, with what ``search`` may mean."""

    search_number: int | None = None
    search_address: str | None = None
    search_mac: str | None = None
    search_name: str | None = None

    @classmethod
    def of(cls, ask: ServerAsk) -> Sought:
        """What ``ask`` means.

        :raises Invalid: an address, or a MAC address, is none.
        """
        asked = {**msgspec.structs.asdict(ask)}
        asked["address"], asked["mac"] = address_of(ask.address), mac_of(ask.mac)
        if ask.search is None:
            return cls(**asked)
        meant = hint(ask.search)
        other = meant.number is None and meant.address is None and meant.mac is None
        return cls(
            **asked,
            search_number=meant.number,
            search_address=meant.address,
            search_mac=meant.mac,
            search_name=meant.name if other else None,
        )


_FLAVOR = "'C' || f.cpu || 'R' || f.ram || 'D' || f.disk || t.disk_template"
_FROM = """
    FROM compute.server s JOIN compute.flavor f ON f.id = s.flavor
    JOIN compute.volume_type t ON t.id = f.volume_type
    JOIN compute.cluster c ON c.id = s.cluster
    LEFT JOIN identity.app_user u ON u.uuid = s.owner
    LEFT JOIN identity.project j ON j.uuid = s.project
"""
_ADDRESSES = """
    ARRAY(SELECT host(i.addr) FROM compute.ip i JOIN compute.port p ON p.id = i.port
           WHERE p.server = s.id AND NOT i.deleted ORDER BY p.idx, i.id)
"""
_HAS_ADDRESS = """EXISTS (
    SELECT FROM compute.ip i JOIN compute.port p ON p.id = i.port
     WHERE p.server = s.id AND NOT i.deleted AND i.addr = {0}::inet)"""
_HAS_MAC = """EXISTS (
    SELECT FROM compute.port p WHERE p.server = s.id AND p.mac = {0}::macaddr)"""

SERVERS = store.Listing(
    f"""
    SELECT s.id, s.name, u.username, j.name, c.name, s.node, s.state, s.task,
           s.suspended, {_FLAVOR}, {_ADDRESSES}, s.created
    {_FROM}
     WHERE (%(marker)s::bigint IS NULL OR s.id > %(marker)s)
       AND s.deleted = (%(deleted)s
                        OR coalesce(%(state)s::text, '') = 'DESTROYED')
       AND (%(owner)s::uuid IS NULL OR s.owner = %(owner)s)
       AND (%(project)s::uuid IS NULL OR s.project = %(project)s)
       AND (%(backend)s::text IS NULL OR c.name = %(backend)s
            OR c.id::text = %(backend)s)
       AND (%(node)s::text IS NULL OR s.node = %(node)s)
       AND (%(state)s::text IS NULL OR s.state = %(state)s)
       AND (%(suspended)s::boolean IS NULL OR s.suspended = %(suspended)s)
       AND (%(busy)s::boolean IS NULL OR (s.task IS NOT NULL) = %(busy)s)
       AND (%(flavor)s::bigint IS NULL OR s.flavor = %(flavor)s)
       AND (%(image)s::uuid IS NULL OR s.image = %(image)s)
       AND (%(network)s::bigint IS NULL OR EXISTS (SELECT FROM compute.port p
            WHERE p.server = s.id AND p.network = %(network)s))
       AND (%(name)s::text IS NULL OR strpos(lower(s.name), lower(%(name)s)) > 0)
       AND (%(address)s::text IS NULL OR {_HAS_ADDRESS.format("%(address)s")})
       AND (%(mac)s::text IS NULL OR {_HAS_MAC.format("%(mac)s")})
       AND (%(search_number)s::bigint IS NULL OR s.id = %(search_number)s)
       AND (%(search_address)s::text IS NULL
            OR {_HAS_ADDRESS.format("%(search_address)s")})
       AND (%(search_mac)s::text IS NULL OR {_HAS_MAC.format("%(search_mac)s")})
       AND (%(search_name)s::text IS NULL
            OR strpos(lower(s.name), lower(%(search_name)s)) > 0)
     ORDER BY s.id LIMIT %(most)s
    """,
    ServerRow,
    lambda row: row.id,
)
_FACTS = f"""
    SELECT s.id, s.name, u.username, s.owner, j.name, s.project, s.shared, c.name,
           s.node, s.state, s.task, s.task_intent, s.progress, s.fault, s.suspended,
           s.crashed, s.rescue, {_FLAVOR}, f.id, f.cpu, f.ram, s.image, s.os,
           s.commission, s.created, s.updated, s.launched, s.deleted_at
    {_FROM} WHERE s.id = %(wanted)s
"""
_NICS = """
    SELECT p.id, p.idx, p.network, n.name, n.public, p.mac::text, p.state, p.firewall,
           ARRAY(SELECT host(i.addr) FROM compute.ip i
                  WHERE i.port = p.id AND NOT i.deleted ORDER BY i.id),
           EXISTS (SELECT FROM compute.ip i
                    WHERE i.port = p.id AND NOT i.deleted AND i.floating)
      FROM compute.port p JOIN compute.network n ON n.id = p.network
     WHERE p.server = %(wanted)s ORDER BY p.idx LIMIT 100
"""
_DISKS = """
    SELECT id, idx, size, status, 'snf-vol-' || disk_number
      FROM compute.volume WHERE server = %(wanted)s AND NOT deleted
     ORDER BY idx LIMIT 100
"""
_DIAGNOSTICS = """
    SELECT created, level, source, message FROM compute.diagnostic
     WHERE server = %(wanted)s ORDER BY id DESC LIMIT 20
"""


@frozen(eq=False)
class ServerViews:
    """Looks at servers of everybody."""

    db: Database
    find: Finder

    async def servers(self, ask: ServerAsk) -> Page[ServerRow]:
        """Servers by id.

        :raises NotFound: there is no such user or project.
        :raises Invalid: the address or the MAC address is none.
        """
        asked = await self.find.resolved(ask)
        return await store.page(self.db, SERVERS, Sought.of(ask), asked)

    async def server(self, ident: int) -> ServerFacts:
        """One server, gone or not.

        :raises NotFound: there never was one.
        """
        row = await store.one(self.db, _FACTS, ident, "server")
        wanted = {"wanted": ident}
        jobs = JobAsk(subject=f"server:{ident}", limit=JOBS)
        parts = (
            [NicFacts(*one) for one in await self.db.read(_NICS, wanted)],
            [DiskFacts(*one) for one in await self.db.read(_DISKS, wanted)],
            (await UpkeepViews(self.db).jobs(jobs)).items,
            [DiagnosticFacts(*o) for o in await self.db.read(_DIAGNOSTICS, wanted)],
        )
        return ServerFacts(*(*row, *parts))
