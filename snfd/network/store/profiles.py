"""Firewall profiles of ports; whoever changes them has locked the server.

A port that is being made has the profile that it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from snfd.db.port import Transaction

_LACKS = "CASE p.firewall WHEN new.profile THEN 'DISABLED' ELSE p.firewall END"


async def put(tx: Transaction, server: int, there: Mapping[int, str]) -> bool:
    """Note that a server's ports have these profiles, and others none.

    :returns: whether that is new.
    """
    return await _change(tx, server, there, "coalesce(new.profile, 'DISABLED')")


async def give(tx: Transaction, server: int, said: Mapping[int, str]) -> bool:
    """Note that ports of a server have these profiles now; whether that is new."""
    return await _change(tx, server, said, "coalesce(new.profile, p.firewall)")


async def lose(tx: Transaction, server: int, said: Mapping[int, str]) -> bool:
    """Note that ports of a server lack these profiles now; whether that is new."""
    return await _change(tx, server, said, _LACKS)


async def _change(
    tx: Transaction, server: int, given: Mapping[int, str], value: str
) -> bool:
    touched = await tx.execute(
        f"UPDATE compute.port SET firewall = {value} FROM compute.port p "
        "LEFT JOIN unnest(%s::bigint[], %s::text[]) AS new(id, profile) "
        "ON new.id = p.id WHERE p.server = %s AND p.state <> 'BUILD' "
        f"AND port.id = p.id AND p.firewall <> {value}",
        (list(given), list(given.values()), server),
    )
    return bool(touched)
