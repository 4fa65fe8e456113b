"""Whether what pools say is what networks and addresses say."""

from __future__ import annotations

from snfd.db.port import Row, Transaction

_ADDRESSES = """
    SELECT s.subnet, host(s.addr), s.state
      FROM compute.ip_slot s
      LEFT JOIN compute.ip i
        ON i.subnet = s.subnet AND i.addr = s.addr AND NOT i.deleted
     WHERE (s.state = 'used') <> (i.id IS NOT NULL)
"""

_VALUES = """
    SELECT p.kind, s.value, s.state
      FROM compute.pool_slot s JOIN compute.pool p ON p.id = s.pool
     WHERE (s.state = 'used') <> EXISTS (
           SELECT FROM compute.network n WHERE n.state <> 'DELETED'
              AND CASE p.kind WHEN 'bridge'
                  THEN n.kind = 'PHYSICAL_VLAN' AND n.link = s.value
                  ELSE n.kind = 'MAC_FILTERED' AND n.mac_prefix = s.value END)
"""


async def addresses(tx: Transaction, most: int) -> list[Row]:
    """Subnet, address and state of slots that are wrong about themselves."""
    return await tx.rows(f"{_ADDRESSES} ORDER BY 1, s.addr LIMIT %s", (most,))


async def values(tx: Transaction, most: int) -> list[Row]:
    """Kind of pool, value and state of slots that are wrong about themselves."""
    return await tx.rows(f"{_VALUES} ORDER BY 2 LIMIT %s", (most,))


async def right(tx: Transaction) -> int:
    """Put all of them right; how many it were.

    Their pools are locked, so that nobody takes anything meanwhile.
    """
    await tx.execute(
        "LOCK TABLE compute.network, compute.ip, compute.ip_slot, compute.pool_slot"
        " IN SHARE ROW EXCLUSIVE MODE"
    )
    fixed = await tx.execute(
        "UPDATE compute.ip_slot s SET released_at = clock_timestamp(),"
        " state = CASE s.state WHEN 'used' THEN 'free' ELSE 'used' END"
        f" FROM ({_ADDRESSES}) AS w (subnet, addr)"
        " WHERE s.subnet = w.subnet AND s.addr = w.addr::inet"
    )
    return fixed + await tx.execute(
        "UPDATE compute.pool_slot s"
        " SET state = CASE s.state WHEN 'used' THEN 'free' ELSE 'used' END"
        f" FROM ({_VALUES}) AS w (kind, value) WHERE s.value = w.value"
    )
