"""The schema's history: which migrations there are, were applied, and may be.

A migration is a file ``NNNN_name.sql``, applied in one transaction and never
edited afterwards. Its header may say ``-- supports: NNNN``: the oldest code
(named by the newest migration which that code knew) that still works once this
one is applied. Without it the promise of the migration before holds on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Any

from attrs import frozen

from snfd.db.direct import DirectTransaction, connect, finish
from snfd.db.port import Database, Transaction

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_SUPPORTS = re.compile(r"^-- supports: (\d{4})$", re.MULTILINE)
_LOCK = 0x736E6664
_COMMAND = "snfctl db migrate"

_HISTORY = """
CREATE SCHEMA IF NOT EXISTS history;
CREATE TABLE IF NOT EXISTS history.migration (
    number   integer PRIMARY KEY,
    name     text NOT NULL,
    sha256   text NOT NULL,
    supports integer NOT NULL,
    applied  timestamptz NOT NULL DEFAULT now()
)
"""


class SchemaError(Exception):
    """The database's schema and this code do not fit; says what to do."""


@frozen
class Migration:
    """One file of the schema's history.

    :ivar supports: number of the oldest code that works after it, or None
        where it makes no difference.
    """

    number: int
    name: str
    sql: str
    sha256: str
    supports: int | None


@frozen
class Applied:
    """What the database remembers of a migration."""

    number: int
    name: str
    sha256: str
    supports: int


def shipped(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations in ``folder``, by default this program's, in order.

    :raises SchemaError: a file is misnamed or two have one number.
    """
    folder = folder or files("snfd.db.migrations")
    found = sorted(
        (_read(entry) for entry in folder.iterdir() if entry.name.endswith(".sql")),
        key=lambda migration: migration.number,
    )
    for one, next_one in pairwise(found):
        if one.number == next_one.number:
            raise SchemaError(f"{one.name} and {next_one.name} have one number")
    return tuple(found)


def _read(entry: Traversable) -> Migration:
    match = _FILE.fullmatch(entry.name)
    if match is None:
        raise SchemaError(f"{entry.name} is not named NNNN_name.sql")
    raw = entry.read_bytes()
    text = raw.decode()
    supports = _SUPPORTS.search(text)
    return Migration(
        number=int(match[1]),
        name=entry.name,
        sql=text,
        sha256=sha256(raw).hexdigest(),
        supports=int(supports[1]) if supports else None,
    )


def pending(
    known: Sequence[Migration], applied: Sequence[Applied]
) -> tuple[Migration, ...]:
    """What of ``known`` is still to be applied, in order.

    :raises SchemaError: an applied file was edited, or one turned up below a
        newer one that is applied already.
    """
    past = {one.number: one for one in applied}
    newest = max(past, default=0)
    todo = []
    for migration in known:
        before = past.get(migration.number)
        if before is None:
            if migration.number < newest:
                raise SchemaError(
                    f"{migration.name} is older than {past[newest].name}, "
                    "which is applied already; give it a higher number"
                )
            todo.append(migration)
        elif before.sha256 != migration.sha256:
            raise SchemaError(
                f"{migration.name} was edited after it had been applied; "
                "restore it and write a new migration instead"
            )
    return tuple(todo)


def verify(known: Sequence[Migration], applied: Sequence[Applied]) -> None:
    """Make sure that code which knows ``known`` may work on this schema.

    :raises SchemaError: the schema is older than the code needs, or so new
        that it does not support this code; or the history was tampered with.
    """
    todo = pending(known, applied)
    if todo:
        raise SchemaError(
            f"the database lacks {len(todo)} migration(s), first {todo[0].name}; "
            f"run '{_COMMAND}'"
        )
    code = max((one.number for one in known), default=0)
    oldest = max((one.supports for one in applied), default=0)
    if code < oldest:
        raise SchemaError(
            f"the database supports code from schema {oldest:04} on, this is "
            f"{code:04}; install a newer snfd (its '{_COMMAND}' was run already)"
        )


async def history(tx: Transaction) -> tuple[Applied, ...]:
    """What was applied so far, in order; nothing on an empty database."""
    there = await tx.row("SELECT to_regclass('history.migration') IS NOT NULL")
    if there is None or not there[0]:
        return ()
    rows = await tx.rows(
        "SELECT number, name, sha256, supports FROM history.migration ORDER BY number"
    )
    return tuple(Applied(*row) for row in rows)


async def apply_next(tx: Transaction, known: Sequence[Migration]) -> Migration | None:
    """Apply the first migration that is missing; None when none is.

    :raises SchemaError: as `pending`.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    await tx.execute(_HISTORY)
    applied = await history(tx)
    todo = pending(known, applied)
    if not todo:
        return None
    step = todo[0]
    await tx.execute(step.sql)
    supported = max((one.supports for one in applied), default=0)
    await tx.execute(
        "INSERT INTO history.migration (number, name, sha256, supports)"
        " VALUES (%s, %s, %s, %s)",
        (step.number, step.name, step.sha256, max(supported, step.supports or 0)),
    )
    return step


async def check(db: Database) -> None:
    """Refuse a database whose schema does not fit this program.

    :raises SchemaError: says what does not fit, and the command that helps.
    """
    verify(shipped(), await db.run(history))


def check_at(dsn: str) -> None:
    """As `check`, through a connection of its own. Blocks.

    :raises psycopg2.Error: PostgreSQL is away.
    """
    with closing(connect(dsn)) as connection, connection:
        verify(shipped(), finish(history(DirectTransaction(connection))))


def migrate(
    dsn: str, known: Sequence[Migration] | None = None
) -> tuple[Migration, ...]:
    """Apply what is missing; what was applied, in order. Blocks.

    Safe to run from several places at once: one advisory lock serves all.

    :raises SchemaError: as `pending`.
    :raises psycopg2.Error: PostgreSQL is away or refused a migration, which
        then has changed nothing.
    """
    known = shipped() if known is None else known
    done = []
    with closing(connect(dsn)) as connection:
        while (step := _one_transaction(connection, known)) is not None:
            done.append(step)
    return tuple(done)


def _one_transaction(connection: Any, known: Sequence[Migration]) -> Migration | None:
    with connection:
        return finish(apply_next(DirectTransaction(connection), known))
