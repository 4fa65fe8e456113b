"""Pools of MAC prefixes and of bridges."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.db.port import Transaction


@frozen
class Pool:
    """A pool."""

    id: int
    kind: str
    base: str
    size: int


async def lock(tx: Transaction, ident: int) -> Pool | None:
    """Lock a pool; None if there is none."""
    row = await tx.row(
        "SELECT id, kind, base, size FROM compute.pool WHERE id = %s FOR UPDATE",
        (ident,),
    )
    return Pool(*row) if row else None


async def insert(tx: Transaction, kind: str, base: str, size: int) -> int | None:
    """Insert a pool that is empty yet; its id, None if there is one of that base."""
    row = await tx.row(
        "INSERT INTO compute.pool (kind, base, size) VALUES (%s, %s, %s) "
        "ON CONFLICT DO NOTHING RETURNING id",
        (kind, base, size),
    )
    return int(row[0]) if row else None


async def fill(
    tx: Transaction, ident: int, first: int, values: Sequence[tuple[str, bool]]
) -> int:
    """Put values into a pool; how many were in none yet.

    Networks that have one of them already, and took it from elsewhere, keep it.

    :param first: index of the first.
    :param values: each with whether it is never given out.
    """
    return await tx.execute(
        "INSERT INTO compute.pool_slot (pool, idx, value, reserved, state) "
        "SELECT %s, %s::int + (one.at - 1)::int, one.value, one.kept, "
        "CASE WHEN EXISTS (SELECT FROM compute.network n WHERE NOT n.deleted AND "
        "CASE n.kind WHEN 'MAC_FILTERED' THEN n.mac_prefix WHEN 'PHYSICAL_VLAN' "
        "THEN n.link END = one.value) THEN 'used' ELSE 'free' END "
        "FROM unnest(%s::text[], %s::boolean[]) WITH ORDINALITY "
        "AS one(value, kept, at) ON CONFLICT DO NOTHING",
        (
            ident,
            first,
            [value for value, _ in values],
            [kept for _, kept in values],
        ),
    )


async def resize(tx: Transaction, ident: int, size: int) -> None:
    """Note the size of a locked pool."""
    await tx.execute("UPDATE compute.pool SET size = %s WHERE id = %s", (size, ident))


async def in_use(tx: Transaction, ident: int) -> bool:
    """Whether something of a pool is taken."""
    row = await tx.row(
        "SELECT 1 FROM compute.pool_slot WHERE pool = %s AND state = 'used' LIMIT 1",
        (ident,),
    )
    return row is not None


async def drop(tx: Transaction, ident: int) -> None:
    """Remove a locked pool of which nothing is taken."""
    await tx.execute("DELETE FROM compute.pool_slot WHERE pool = %s", (ident,))
    await tx.execute("DELETE FROM compute.pool WHERE id = %s", (ident,))


async def reserve(tx: Transaction, ident: int, value: str, wanted: bool) -> bool:
    """Give a value out no more, or again; False if the pool does not hold it."""
    touched = await tx.execute(
        "UPDATE compute.pool_slot SET reserved = %s WHERE pool = %s AND value = %s",
        (wanted, ident, value),
    )
    return bool(touched)
