"""SQL of commissions and their provisions (schema ``quota``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.quota.model import Holding, Key, Provisions
from snfd.quota.store import columns


@frozen
class Commission:
    """A pending commission with its provisions."""

    serial: int
    clientkey: str
    name: str
    issued: datetime
    provisions: Provisions


async def insert(
    tx: Transaction, clientkey: str, name: str, ref: UUID | None, parts: Provisions
) -> int:
    """Record a commission whose holdings are locked and charged; its serial.

    :raises Conflict: (at the database's door) ``ref`` has one already.
    """
    row = await tx.row(
        "INSERT INTO quota.commission (clientkey, name, ref) VALUES (%s, %s, %s)"
        " RETURNING serial",
        (clientkey, name, ref),
    )
    assert row is not None
    serial: int = row[0]
    await tx.execute(
        """
        INSERT INTO quota.provision (serial, project_id, user_id, resource, quantity)
        SELECT %(serial)s, k.project,
               nullif(k.member, '00000000-0000-0000-0000-000000000000'::uuid),
               k.resource, k.quantity
          FROM unnest(%(projects)s::uuid[], %(members)s::uuid[],
                      %(resources)s::text[], %(quantities)s::bigint[])
               AS k (project, member, resource, quantity)
        """,
        {**columns(parts), "serial": serial, "quantities": list(parts.values())},
    )
    return serial


async def serial_of(tx: Transaction, ref: UUID) -> int | None:
    """The pending commission that ``ref`` waits for, or None."""
    row = await tx.row("SELECT serial FROM quota.commission WHERE ref = %s", (ref,))
    return None if row is None else row[0]


async def take(tx: Transaction, serial: int) -> Commission | None:
    """Lock and read a pending commission; None where it is resolved."""
    head = await tx.row(
        "SELECT serial, clientkey, name, issued_at FROM quota.commission"
        " WHERE serial = %s FOR UPDATE",
        (serial,),
    )
    if head is None:
        return None
    rows = await tx.rows(
        "SELECT project_id, member, resource, quantity FROM quota.provision"
        " WHERE serial = %s ORDER BY project_id, member, resource",
        (serial,),
    )
    parts = {Key(*row[:3]): row[3] for row in rows}
    return Commission(head[0], head[1], head[2], head[3], parts)


async def resolve(
    tx: Transaction, commission: Commission, holdings: Mapping[Key, Holding], why: str
) -> None:
    """Remove ``commission`` and log its effect.

    :param holdings: as they are afterwards.
    :param why: ``ACCEPT`` or ``REJECT``.
    """
    after = [holdings[key] for key in commission.provisions]
    await tx.execute(
        """
        WITH gone AS (DELETE FROM quota.commission WHERE serial = %(serial)s)
        INSERT INTO quota.provision_log (serial, clientkey, name, project_id, user_id,
            resource, cap, usage_min, usage_max, delta, issued_at, reason)
        SELECT %(serial)s, %(clientkey)s, %(name)s, k.project,
               nullif(k.member, '00000000-0000-0000-0000-000000000000'::uuid),
               k.resource, k.cap, k.low, k.high, k.delta, %(issued)s, %(reason)s
          FROM unnest(%(projects)s::uuid[], %(members)s::uuid[], %(resources)s::text[],
                      %(caps)s::bigint[], %(low)s::bigint[], %(high)s::bigint[],
                      %(deltas)s::bigint[])
               AS k (project, member, resource, cap, low, high, delta)
        """,
        {
            **columns(commission.provisions),
            "serial": commission.serial,
            "clientkey": commission.clientkey,
            "name": commission.name,
            "issued": commission.issued,
            "reason": f"{why}:{commission.name}"[:128],
            "caps": [holding.cap for holding in after],
            "low": [holding.usage_min for holding in after],
            "high": [holding.usage_max for holding in after],
            "deltas": list(commission.provisions.values()),
        },
    )
