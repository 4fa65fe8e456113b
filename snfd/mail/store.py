"""SQL of letters (``ops.mail``)."""

from __future__ import annotations

from datetime import datetime

from snfd.db.port import Transaction, notify
from snfd.mail.model import Letter, PutBack, Queued
from snfd.mail.states import State

_QUEUED = (
    "m.id, m.event, m.recipient, m.kind, m.language, m.words, m.attempts,"
    " m.created, m.refused, m.tries, m.handed IS NOT NULL, m.request_id"
)


async def insert(
    tx: Transaction, letter: Letter, words: bytes, request: str | None
) -> None:
    """Store a letter, unless its address has one of the same event."""
    done = await tx.execute(
        "INSERT INTO ops.mail (event, recipient, kind, language, words, request_id)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (event, recipient) DO NOTHING",
        (letter.event, letter.to, str(letter.kind), letter.language, words, request),
    )
    if done:
        await notify(tx, "mail", "new")


async def claim(
    tx: Transaction, now: datetime, until: datetime, limit: int
) -> list[Queued]:
    """Take up letters that are due, and those whose sender's time is over.

    :param until: when they may be taken up again, if nobody says more of them.
    """
    rows = await tx.rows(
        "UPDATE ops.mail m SET state = 'sending', attempts = attempts + 1, due = %s,"
        " repeats = repeats + (handed IS NOT NULL)::integer"
        " FROM (SELECT id FROM ops.mail WHERE finished IS NULL AND due <= %s"
        " ORDER BY due, id LIMIT %s FOR UPDATE SKIP LOCKED) AS found"
        f" WHERE m.id = found.id RETURNING {_QUEUED}",
        (until, now, limit),
    )
    return [Queued(*row) for row in sorted(rows)]


async def hand(tx: Transaction, letter: Queued, now: datetime, until: datetime) -> bool:
    """Note that the letter may be taken from now on; whether it is still ours."""
    done = await tx.execute(
        "UPDATE ops.mail SET handed = %s, due = %s"
        " WHERE id = %s AND state = 'sending' AND attempts = %s",
        (now, until, letter.id, letter.attempt),
    )
    return bool(done)


async def finish(
    tx: Transaction, letter: Queued, state: State, reason: str | None, now: datetime
) -> bool:
    """End a letter's life and forget its words; False if it has ended before.

    What a server took was sent, even if another process has taken it up since.
    """
    ours = "" if state is State.SENT else " AND attempts = %s"
    done = await tx.execute(
        "UPDATE ops.mail SET state = %s, words = NULL, finished = %s, last_error = %s"
        f" WHERE id = %s AND finished IS NULL{ours}",
        (str(state), now, reason, letter.id, *([letter.attempt] if ours else [])),
    )
    return bool(done)


async def put_back(tx: Transaction, letter: Queued, back: PutBack) -> None:
    """Have a letter of ours wait."""
    await tx.execute(
        "UPDATE ops.mail SET state = 'new', due = %s, refused = %s, tries = %s,"
        " last_error = coalesce(%s, last_error),"
        " handed = CASE WHEN %s THEN handed END"
        " WHERE id = %s AND state = 'sending' AND attempts = %s",
        (
            back.due,
            back.refused,
            back.tries,
            back.reason,
            back.handed,
            letter.id,
            letter.attempt,
        ),
    )


async def excuse(tx: Transaction, why: str, now: datetime, limit: int) -> None:
    """Note why the oldest letters that are due do not leave."""
    await tx.execute(
        "UPDATE ops.mail SET last_error = %s WHERE state = 'new'"
        " AND last_error IS DISTINCT FROM %s AND id IN (SELECT id FROM ops.mail"
        " WHERE finished IS NULL AND due <= %s ORDER BY due, id LIMIT %s)",
        (why, why, now, limit),
    )


async def waiting(tx: Transaction) -> tuple[int, datetime | None, datetime | None]:
    """How many letters have not ended, since when the oldest, and what is due next."""
    row = await tx.row(
        "SELECT count(*), min(created), min(due) FROM ops.mail WHERE finished IS NULL"
    )
    assert row is not None
    return row[0], row[1], row[2]


async def purge(tx: Transaction, before: datetime, limit: int) -> int:
    """Remove letters that ended before; how many, ``limit`` at most."""
    return await tx.execute(
        "DELETE FROM ops.mail WHERE id IN (SELECT id FROM ops.mail"
        " WHERE finished < %s ORDER BY finished LIMIT %s FOR UPDATE SKIP LOCKED)",
        (before, limit),
    )


async def hurry(tx: Transaction, ident: int) -> bool:
    """Have a letter that waits be tried at once; whether there is one."""
    done = await tx.execute(
        "UPDATE ops.mail SET due = 'epoch' WHERE id = %s AND state = 'new'", (ident,)
    )
    if done:
        await notify(tx, "mail", "new")
    return bool(done)


async def withdraw(tx: Transaction, ident: int, reason: str, now: datetime) -> bool:
    """Give up a letter that waits; whether there is one."""
    done = await tx.execute(
        "UPDATE ops.mail SET state = 'failed', words = NULL, finished = %s,"
        " last_error = %s WHERE id = %s AND state = 'new'",
        (now, reason, ident),
    )
    return bool(done)
