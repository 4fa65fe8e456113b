"""What servers, networks and floating IPs must be charged for, from their rows."""

from __future__ import annotations

RESOURCES = (
    "cyclades.vm",
    "cyclades.total_cpu",
    "cyclades.total_ram",
    "cyclades.cpu",
    "cyclades.ram",
    "cyclades.disk",
    "cyclades.network.private",
    "cyclades.floating_ip",
)

ACTUAL = """
    WITH server AS (
        SELECT s.project, s.owner, f.cpu::bigint, f.ram::bigint << 20 AS ram,
               (s.state <> 'STOPPED')::int AS runs,
               (SELECT coalesce(sum(v.size), 0)::bigint << 30 FROM compute.volume v
                 WHERE v.server = s.id AND NOT v.deleted) AS disk
          FROM compute.server s JOIN compute.flavor f ON f.id = s.flavor
         WHERE NOT s.deleted)
    SELECT server.project, server.owner, part.resource, part.amount
      FROM server, LATERAL (VALUES
           ('cyclades.vm', 1::bigint), ('cyclades.total_cpu', cpu),
           ('cyclades.total_ram', ram), ('cyclades.cpu', runs * cpu),
           ('cyclades.ram', runs * ram), ('cyclades.disk', disk)
           ) AS part (resource, amount)
    UNION ALL
    SELECT project, owner, 'cyclades.disk', size::bigint << 30
      FROM compute.volume WHERE server IS NULL AND NOT deleted
    UNION ALL
    SELECT project, owner, 'cyclades.network.private', 1
      FROM compute.network WHERE NOT deleted AND NOT public
    UNION ALL
    SELECT project, owner, 'cyclades.floating_ip', 1
      FROM compute.ip WHERE floating AND NOT deleted
"""
"""Rows of project, user, resource and amount; a user may have several."""
