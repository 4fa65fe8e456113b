"""The cards that servers get unasked."""

from __future__ import annotations

from collections.abc import Sequence

from snfd.db.port import Transaction


async def cards(tx: Transaction, forced: bool) -> list[tuple[str, ...]]:
    """Choices for each card, in order; forced ones, or those by default."""
    rows = await tx.rows(
        "SELECT choices FROM compute.standard_network WHERE forced = %s "
        "ORDER BY position",
        (forced,),
    )
    return [tuple(row[0]) for row in rows]


async def set_cards(
    tx: Transaction, forced: bool, wanted: Sequence[Sequence[str]]
) -> None:
    """Replace them."""
    await tx.execute(
        "DELETE FROM compute.standard_network WHERE forced = %s", (forced,)
    )
    for position, choices in enumerate(wanted):
        await tx.execute(
            "INSERT INTO compute.standard_network (forced, position, choices) "
            "VALUES (%s, %s, %s::text[])",
            (forced, position, list(choices)),
        )
