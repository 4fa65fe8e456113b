"""What a deployment fixed at its first start and every process must agree on."""

from __future__ import annotations

from snfd.db.port import Jsonb, Transaction
from snfd.errors import Invalid


async def fix(tx: Transaction, name: str, value: object) -> None:
    """Remember ``value`` at the first start; insist on it at every later one.

    :raises Invalid: the deployment was set up with another value.
    """
    await tx.execute(
        "INSERT INTO ops.setting (key, value) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (name, Jsonb(value)),
    )
    await insist(tx, name, value)


async def insist(tx: Transaction, name: str, value: object) -> None:
    """Change nothing; before the first start, anything is right.

    :raises Invalid: as `fix`.
    """
    row = await tx.row("SELECT value FROM ops.setting WHERE key = %s", (name,))
    if row is not None and row[0] != value:
        raise Invalid(
            f"this cloud was set up with {name} = {row[0]}; it cannot become {value}"
        )
