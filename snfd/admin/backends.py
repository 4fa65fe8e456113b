"""Clusters as administrators see them; their passwords are never among it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.admin import store
from snfd.admin.model import Ask, Fact, Page, Text
from snfd.admin.service import Finder
from snfd.db.port import Database


class BackendAsk(Ask, frozen=True):
    """Which clusters; None: whatever.

    :ivar project: only those that this project is kept to.
    """

    drained: bool | None = None
    offline: bool | None = None
    reachable: bool | None = None
    project: Text | None = None


class BackendRow(Fact, frozen=True):
    """A cluster in a list; memory and disk in bytes.

    :ivar state: ``ok``, ``drained``, ``offline``, ``unreachable`` or ``removing``.
    :ivar servers: ours, without deleted ones.
    """

    id: int
    name: str
    state: str
    public: bool
    weight: float
    hypervisor: str
    servers: int
    memory_free: int | None
    memory: int | None
    disk_free: int | None
    disk: int | None
    url: str


class ServedProject(Fact, frozen=True):
    """A project that is kept to a cluster."""

    uuid: UUID
    name: str


class SentPerson(Fact, frozen=True):
    """Somebody whose new servers go to a cluster."""

    uuid: UUID
    username: str


class BackendFacts(Fact, frozen=True):
    """All that an administrator set of a cluster, and whether it answers.

    :ivar digit: of its MAC addresses.
    :ivar tls: ``system`` for the system's CAs, ``ca`` for CAs of its own, else the
        fingerprint of its certificate.
    :ivar held_by: the process that works on it.
    """

    id: int
    name: str
    state: str
    url: str
    username: str
    tls: str
    digit: int
    hypervisor: str
    os_name: str
    public: bool
    drained: bool
    offline: bool
    removing: bool
    weight: float
    reachable: bool
    last_poll: datetime | None
    last_error: str | None
    held_by: str | None
    created: datetime
    projects: list[ServedProject]
    people: list[SentPerson]


class BackendInfo(Fact, frozen=True):
    """What a cluster last told of itself, and what of ours it carries.

    Memory and disk in MiB; null where it was never read.

    :ivar as_of: when it told.
    :ivar waiting: intents that have not ended.
    :ivar findings: where it and our rows disagree.
    """

    name: str
    as_of: datetime | None
    version: str | None
    disk_templates: list[str]
    node_groups: list[str]
    memory_free_mib: int | None
    memory_mib: int | None
    disk_free_mib: int | None
    disk_mib: int | None
    instances: int | None
    cpus: int | None
    servers: int
    servers_by_state: dict[str, int]
    networks: int
    waiting: int
    findings: int


_STATE = """
    CASE WHEN c.removing THEN 'removing' WHEN c.offline THEN 'offline'
         WHEN NOT c.reachable THEN 'unreachable' WHEN c.drained THEN 'drained'
         ELSE 'ok' END
"""
_SERVERS = (
    "(SELECT count(*) FROM compute.server s WHERE s.cluster = c.id AND NOT s.deleted)"
)

BACKENDS = store.Listing(
    f"""
    SELECT c.id, c.name, {_STATE}, c.public, c.weight, c.hypervisor, {_SERVERS},
           c.mfree << 20, c.mtotal << 20, c.dfree << 20, c.dtotal << 20, c.url
      FROM compute.cluster c
     WHERE (%(marker)s::bigint IS NULL OR c.id > %(marker)s)
       AND (%(drained)s::boolean IS NULL OR c.drained = %(drained)s)
       AND (%(offline)s::boolean IS NULL OR c.offline = %(offline)s)
       AND (%(reachable)s::boolean IS NULL OR c.reachable = %(reachable)s)
       AND (%(project)s::uuid IS NULL OR EXISTS (SELECT FROM compute.project_cluster p
            WHERE p.cluster = c.id AND p.project = %(project)s))
     ORDER BY c.id LIMIT %(most)s
    """,
    BackendRow,
    lambda row: row.id,
)

_ID = """
    (SELECT id FROM compute.cluster WHERE name = %(wanted)s OR id::text = %(wanted)s
      ORDER BY (name = %(wanted)s) DESC LIMIT 1)
"""

_FACTS = f"""
    SELECT c.id, c.name, {_STATE}, c.url, c.username,
           CASE WHEN c.tls_ca IS NULL THEN 'system'
                WHEN c.tls_ca ILIKE 'sha256:%%' THEN trim(c.tls_ca) ELSE 'ca' END,
           c.idx, c.hypervisor, c.os_name, c.public, c.drained, c.offline, c.removing,
           c.weight, c.reachable, c.last_poll, c.last_error, l.holder, c.created
      FROM compute.cluster c LEFT JOIN compute.cluster_lease l ON l.cluster = c.id
     WHERE c.id = {_ID}
"""

_PROJECTS = """
    SELECT p.uuid, p.name FROM compute.project_cluster k
      JOIN identity.project p ON p.uuid = k.project
     WHERE k.cluster = %(wanted)s ORDER BY p.name, p.uuid LIMIT 1000
"""
_PEOPLE = """
    SELECT u.uuid, u.username FROM compute.user_cluster k
      JOIN identity.app_user u ON u.uuid = k.person
     WHERE k.cluster = %(wanted)s ORDER BY u.username LIMIT 1000
"""

_INFO = f"""
    SELECT c.name, c.stats_at, c.version, c.disk_templates, c.node_groups,
           c.mfree, c.mtotal, c.dfree, c.dtotal, c.pinst_cnt, c.ctotal, {_SERVERS},
           (SELECT coalesce(jsonb_object_agg(state, number), '{{}}') FROM
             (SELECT s.state, count(*) AS number FROM compute.server s
               WHERE s.cluster = c.id AND NOT s.deleted GROUP BY s.state) x),
           (SELECT count(*) FROM compute.cluster_network n WHERE n.cluster = c.id),
           (SELECT count(*) FROM ops.outbox o
             WHERE o.cluster = c.id AND o.finished IS NULL),
           (SELECT count(*) FROM ops.finding f WHERE f.cluster = c.id)
      FROM compute.cluster c WHERE c.id = {_ID}
"""


@frozen(eq=False)
class BackendViews:
    """Looks at clusters."""

    db: Database
    find: Finder

    async def page(self, ask: BackendAsk) -> Page[BackendRow]:
        """Clusters by id.

        :raises NotFound: there is no such project.
        """
        asked = await self.find.resolved(ask)
        return await store.page(self.db, BACKENDS, ask, asked)

    async def show(self, name: str) -> BackendFacts:
        """A cluster, by name or id.

        :raises NotFound: there is none.
        """
        row = await store.one(self.db, _FACTS, name, "cluster")
        projects = await self.db.read(_PROJECTS, {"wanted": row[0]})
        people = await self.db.read(_PEOPLE, {"wanted": row[0]})
        return BackendFacts(
            *(
                *row,
                [ServedProject(*one) for one in projects],
                [SentPerson(*one) for one in people],
            )
        )

    async def info(self, name: str) -> BackendInfo:
        """What a cluster told of itself, by name or id.

        :raises NotFound: there is none.
        """
        return BackendInfo(*await store.one(self.db, _INFO, name, "cluster"))
