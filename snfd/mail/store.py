"""SQL of letters (``ops.mail``)."""

from __future__ import annotations

from snfd.db.port import Transaction, notify
from snfd.mail.model import Letter


async def insert(
    tx: Transaction, letter: Letter, words: bytes, request: str | None
) -> None:
    """Store a letter, unless its address has one of the same event."""
    done = await tx.execute(
        "INSERT INTO ops.mail (event, recipient, kind, words, request_id)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (event, recipient) DO NOTHING",
        (letter.event, letter.to, str(letter.kind), words, request),
    )
    if done:
        await notify(tx, "mail", "new")
