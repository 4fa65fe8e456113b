"""SQL by which the helpdesk finds what is meant; nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping

MOST = 50
"""Rows of one kind that are found, at most."""

_WHOSE = (
    "(SELECT username FROM identity.app_user a WHERE a.uuid = {0}.owner), {0}.owner"
)

USERS = """
    SELECT 'user', u.uuid::text, u.username, u.username, u.uuid, NULL::bigint, u.email
      FROM identity.app_user u
     WHERE u.uuid = %(uuid)s OR u.username = lower(%(name)s)
        OR (length(%(name)s) >= 3
            AND (strpos(u.email, lower(%(name)s)) > 0
                 OR strpos(u.username, lower(%(name)s)) > 0))
     ORDER BY (u.username = lower(%(name)s) OR u.email = lower(%(name)s)) DESC,
              u.number LIMIT %(most)s
"""

PROJECTS = """
    SELECT 'project', p.uuid::text, p.name, u.username, p.owner_id, NULL::bigint,
           p.state
      FROM identity.project p LEFT JOIN identity.app_user u ON u.uuid = p.owner_id
     WHERE NOT p.is_system AND (p.uuid = %(uuid)s OR lower(p.name) LIKE %(begin)s)
     ORDER BY p.name, p.uuid LIMIT %(most)s
"""

_SERVER = f"""
    SELECT 'server', s.id::text, s.name, {_WHOSE.format("s")}, s.id,
           concat_ws(' ', s.state, s.task, 'at', c.name,
                     CASE WHEN s.suspended THEN 'suspended' END)
      FROM compute.server s JOIN compute.cluster c ON c.id = s.cluster
"""
SERVER = f"{_SERVER} WHERE s.id = %(number)s"
SERVERS = f"""
    {_SERVER} WHERE lower(s.name) LIKE %(begin)s
     ORDER BY s.deleted, s.id LIMIT %(most)s
"""

NETWORKS = f"""
    SELECT 'network', n.id::text, n.name, {_WHOSE.format("n")}, NULL::bigint,
           concat_ws(' ', n.kind, n.state, CASE WHEN n.public THEN 'public' END)
      FROM compute.network n WHERE lower(n.name) LIKE %(begin)s
     ORDER BY n.deleted, n.id LIMIT %(most)s
"""

_PORT = f"""
    SELECT 'port', p.id::text, p.name, {_WHOSE.format("p")}, p.server,
           concat_ws(' ', p.mac::text, p.state, 'on network', p.network)
      FROM compute.port p
"""
PORTS = f"""
    {_PORT} WHERE p.name <> '' AND lower(p.name) LIKE %(begin)s
     ORDER BY p.id LIMIT %(most)s
"""
CARD = f"{_PORT} WHERE p.mac = %(mac)s::macaddr"

ADDRESSES = f"""
    SELECT 'address', host(i.addr), coalesce(p.name, ''), {_WHOSE.format("i")},
           p.server,
           concat_ws(' ', CASE WHEN i.floating THEN 'floating' END, 'on network',
                     i.network, 'port', i.port)
      FROM compute.ip i LEFT JOIN compute.port p ON p.id = i.port
     WHERE i.addr = %(address)s::inet AND NOT i.deleted
     ORDER BY i.id LIMIT %(most)s
"""
PAST = f"""
    SELECT 'past address', host(e.addr), '', {_WHOSE.format("e")}, e.server,
           concat_ws(' ', e.action, to_char(e.at AT TIME ZONE 'UTC',
                     'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'on network', e.network, e.reason)
      FROM compute.ip_event e WHERE e.addr = %(address)s::inet
     ORDER BY e.id DESC LIMIT %(most)s
"""

VOLUME = f"""
    SELECT 'volume', v.id::text, v.name, {_WHOSE.format("v")}, v.server,
           concat_ws(' ', v.status, v.size, 'GiB')
      FROM compute.volume v WHERE v.id = %(uuid)s
"""
JOB = """
    SELECT 'job', o.id::text, o.kind, u.username, o.actor,
           nullif(substring(o.subject from '^server:([0-9]+)$'), '')::bigint,
           concat_ws(' ', o.state, o.subject)
      FROM ops.outbox o LEFT JOIN identity.app_user u ON u.uuid = o.actor
     WHERE o.id = %(uuid)s
"""

BY: Mapping[str, tuple[str, ...]] = {
    "number": (SERVER,),
    "address": (ADDRESSES, PAST),
    "mac": (CARD,),
    "uuid": (USERS, PROJECTS, VOLUME, JOB),
    "name": (USERS, PROJECTS, SERVERS, NETWORKS, PORTS),
}
"""What is looked at for each of what a few characters may mean."""

LOGINS = """
    SELECT module, active, last_login_at FROM identity.login_method
     WHERE user_id = %(wanted)s ORDER BY module, id LIMIT 100
"""
