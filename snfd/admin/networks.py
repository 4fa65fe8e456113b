"""Networks, subnets and pools as administrators see them."""

from __future__ import annotations

from attrs import frozen

from snfd.admin import store
from snfd.admin.model import Page
from snfd.admin.network_model import (
    NetworkAsk,
    NetworkFacts,
    NetworkPlace,
    NetworkRow,
    PoolAsk,
    PoolFacts,
    PoolRow,
    PoolSlot,
    ReservedAddress,
    SubnetAsk,
    SubnetFacts,
    SubnetRow,
    UnaskedCards,
)
from snfd.admin.service import Finder
from snfd.db.port import Database

_STATE = """
    CASE WHEN n.deleted THEN 'DELETED' WHEN n.action IS NOT NULL THEN 'DESTROYING'
         WHEN n.drained THEN 'DRAINED' ELSE n.state END
"""
_OWNER = "(SELECT username FROM identity.app_user a WHERE a.uuid = n.owner)"
_PROJECT = "(SELECT name FROM identity.project j WHERE j.uuid = n.project)"


def _range(version: int) -> str:
    return (
        "(SELECT u.cidr::text FROM compute.subnet u WHERE u.network = n.id"
        f" AND u.ip_version = {version} AND NOT u.deleted)"
    )


NETWORKS = store.Listing(
    f"""
    SELECT n.id, n.name, n.kind, {_STATE}, n.public, {_OWNER}, {_PROJECT},
           {_range(4)}, {_range(6)},
           (SELECT count(*) FROM compute.subnet u JOIN compute.ip_slot s
              ON s.subnet = u.id WHERE u.network = n.id AND NOT u.deleted
               AND s.state = 'free' AND NOT s.reserved),
           (SELECT count(*) FROM compute.port p WHERE p.network = n.id),
           (SELECT count(*) FROM compute.cluster_network c WHERE c.network = n.id)
      FROM compute.network n
     WHERE (%(marker)s::bigint IS NULL OR n.id > %(marker)s)
       AND n.deleted = %(deleted)s
       AND (%(public)s::boolean IS NULL OR n.public = %(public)s)
       AND (%(drained)s::boolean IS NULL OR n.drained = %(drained)s)
       AND (%(kind)s::text IS NULL OR n.kind = %(kind)s)
       AND (%(name)s::text IS NULL OR n.name = %(name)s)
       AND (%(user)s::uuid IS NULL OR n.owner = %(user)s)
       AND (%(project)s::uuid IS NULL OR n.project = %(project)s)
       AND (%(backend)s::text IS NULL OR EXISTS (SELECT FROM compute.cluster_network c
            JOIN compute.cluster k ON k.id = c.cluster WHERE c.network = n.id
             AND (k.name = %(backend)s OR k.id::text = %(backend)s)))
     ORDER BY n.id LIMIT %(most)s
    """,
    NetworkRow,
    lambda row: row.id,
)

_FACTS = f"""
    SELECT n.id, n.name, n.kind, {_STATE}, n.public, {_OWNER}, {_PROJECT}, n.shared,
           n.drained, n.floating_ip_pool,
           (SELECT count(*) FROM compute.ip i WHERE i.network = n.id AND i.floating
             AND NOT i.deleted),
           n.mode, n.link, n.mac_prefix, n.mtu, n.tags, n.everywhere, n.created,
           n.updated
      FROM compute.network n WHERE n.id = %(wanted)s
"""
_PLACES = """
    SELECT k.name, c.state, c.mac_prefix,
           (SELECT count(*) FROM compute.port p JOIN compute.server s ON s.id = p.server
             WHERE p.network = c.network AND s.cluster = c.cluster)
      FROM compute.cluster_network c JOIN compute.cluster k ON k.id = c.cluster
     WHERE c.network = %(wanted)s ORDER BY k.id
"""
_COUNTS = """
    (SELECT count(*) FROM compute.ip_slot s WHERE s.subnet = u.id),
    (SELECT count(*) FROM compute.ip i WHERE i.subnet = u.id AND NOT i.deleted)
"""
_RESERVED = (
    "(SELECT count(DISTINCT addr) FROM compute.reserved_ip r WHERE r.subnet = u.id)"
)
_SUBNET_ROW = f"""
    SELECT u.id, u.network, u.name, u.ip_version, u.cidr::text, host(u.gateway), u.dhcp,
           {_COUNTS}, {_RESERVED}
      FROM compute.subnet u
"""
SUBNETS = store.Listing(
    f"""
    {_SUBNET_ROW} JOIN compute.network n ON n.id = u.network
     WHERE (%(marker)s::bigint IS NULL OR u.id > %(marker)s) AND NOT u.deleted
       AND (%(network)s::bigint IS NULL OR u.network = %(network)s)
       AND (%(ip_version)s::int IS NULL OR u.ip_version = %(ip_version)s)
       AND (%(public)s::boolean IS NULL OR n.public = %(public)s)
     ORDER BY u.id LIMIT %(most)s
    """,
    SubnetRow,
    lambda row: row.id,
)
_SUBNET = f"""
    SELECT u.id, u.network, u.name, u.ip_version, u.cidr::text, host(u.gateway), u.dhcp,
           u.slaac, ARRAY(SELECT host(d) FROM unnest(u.dns) AS d),
           ARRAY(SELECT r->>0 || ' via ' || (r->>1) FROM jsonb_array_elements(u.routes)
                 AS r),
           ARRAY(SELECT p->>0 || '-' || (p->>1) FROM jsonb_array_elements(u.pools)
                 AS p),
           u.quarantine, {_COUNTS},
           (SELECT count(*) FROM compute.ip_slot s WHERE s.subnet = u.id
             AND s.state = 'free' AND s.released_at > clock_timestamp()
                 - make_interval(secs => u.quarantine)),
           {_RESERVED}
      FROM compute.subnet u WHERE u.id = %(wanted)s AND NOT u.deleted
"""
_HELD = """
    SELECT host(r.addr), coalesce(k.name, 'administrator') FROM compute.reserved_ip r
      LEFT JOIN compute.cluster k ON k.id = r.cluster
     WHERE r.subnet = %(wanted)s ORDER BY r.addr, k.id LIMIT 1000
"""
_POOL = """
    SELECT p.id, p.kind, p.base, p.size,
           (SELECT count(*) FROM compute.pool_slot s WHERE s.pool = p.id
             AND s.state = 'used'),
           (SELECT count(*) FROM compute.pool_slot s WHERE s.pool = p.id
             AND s.reserved),
           (SELECT count(*) FROM compute.pool_slot s WHERE s.pool = p.id
             AND s.state = 'free' AND NOT s.reserved)
      FROM compute.pool p
"""
POOLS = store.Listing(
    f"""
    {_POOL} WHERE (%(marker)s::bigint IS NULL OR p.id > %(marker)s)
       AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
     ORDER BY p.id LIMIT %(most)s
    """,
    PoolRow,
    lambda row: row.id,
)
_SLOTS = """
    SELECT s.value, CASE WHEN s.state = 'used' THEN 'used' ELSE 'reserved' END,
           (SELECT n.id FROM compute.network n WHERE NOT n.deleted
             AND ((n.kind = 'MAC_FILTERED' AND n.mac_prefix = s.value)
               OR (n.kind = 'PHYSICAL_VLAN' AND n.link = s.value)) LIMIT 1)
      FROM compute.pool_slot s WHERE s.pool = %(wanted)s
       AND (s.state = 'used' OR s.reserved) ORDER BY s.idx LIMIT 1000
"""
_UNASKED = """
    SELECT forced, array_to_string(choices, ',') FROM compute.standard_network
     ORDER BY forced, position
"""


@frozen(eq=False)
class NetworkViews:
    """Looks at networks and what belongs to them."""

    db: Database
    find: Finder

    async def networks(self, ask: NetworkAsk) -> Page[NetworkRow]:
        """Networks by id.

        :raises NotFound: there is no such user or project.
        """
        asked = await self.find.resolved(ask)
        return await store.page(self.db, NETWORKS, ask, asked)

    async def network(self, ident: int) -> NetworkFacts:
        """One network, gone or not.

        :raises NotFound: there never was one.
        """
        row = await store.one(self.db, _FACTS, ident, "network")
        ranges = f"{_SUBNET_ROW} WHERE u.network = %(wanted)s AND NOT u.deleted"
        subnets = await self.db.read(f"{ranges} ORDER BY u.id", {"wanted": ident})
        places = await self.db.read(_PLACES, {"wanted": ident})
        tables = [SubnetRow(*o) for o in subnets], [NetworkPlace(*o) for o in places]
        return NetworkFacts(*(*row, *tables))

    async def subnets(self, ask: SubnetAsk) -> Page[SubnetRow]:
        """Subnets by id."""
        return await store.page(self.db, SUBNETS, ask)

    async def subnet(self, ident: int) -> SubnetFacts:
        """One subnet.

        :raises NotFound: there is none.
        """
        row = await store.one(self.db, _SUBNET, ident, "subnet")
        held = await self.db.read(_HELD, {"wanted": ident})
        return SubnetFacts(*(*row, [ReservedAddress(*one) for one in held]))

    async def pools(self, ask: PoolAsk) -> Page[PoolRow]:
        """Pools by id."""
        return await store.page(self.db, POOLS, ask)

    async def pool(self, ident: int) -> PoolFacts:
        """One pool.

        :raises NotFound: there is none.
        """
        sql = f"{_POOL} WHERE p.id = %(wanted)s"
        row = await store.one(self.db, sql, ident, "pool")
        slots = await self.db.read(_SLOTS, {"wanted": ident})
        return PoolFacts(*(*row, [PoolSlot(*one) for one in slots]))

    async def unasked(self) -> UnaskedCards:
        """The cards that servers get unasked."""
        rows = await self.db.read(_UNASKED)
        forced = [choices for is_forced, choices in rows if is_forced]
        return UnaskedCards(
            forced=forced, default=[choices for other, choices in rows if not other]
        )
