"""What the rest of the daemon knows of PostgreSQL.

Values: ``uuid`` is `uuid.UUID`, ``timestamptz`` an aware `datetime` in UTC,
``jsonb`` the decoded value, ``bytea`` `bytes`, arrays are lists. A value is
written as ``jsonb`` by wrapping it in `Jsonb`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred

P = ParamSpec("P")
T = TypeVar("T")

Row = tuple[Any, ...]
Params = Sequence[object] | Mapping[str, object]

CHANNEL = "snfd"
"""The one channel on which processes tell each other that rows changed."""


@frozen
class Statement:
    """A statement that each connection prepares once and then only executes.

    :ivar name: unique in the whole program, an SQL identifier.
    :ivar sql: one statement with parameters ``$1 $2 …``; they are given as a
        sequence, never as a mapping.
    """

    name: str
    sql: str


@frozen
class Jsonb:
    """Marks ``value`` as something to store in a ``jsonb`` column."""

    value: object


class Transaction(Protocol):
    """An open transaction; good only inside the ``work`` that received it.

    Placeholders are ``%s`` (sequence) or ``%(name)s`` (mapping), and a literal
    ``%`` is then written ``%%``. Without parameters the text goes out as it is.

    Database errors reach ``work`` as ``psycopg2.errors.*`` and leave the
    transaction unusable; prefer ``ON CONFLICT`` to catching them. Text that
    PostgreSQL cannot store (NUL, lone surrogates) raises `Invalid`.
    """

    async def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement; the number of rows it touched."""
        ...

    async def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """Run one statement; all its rows."""
        ...

    async def row(self, sql: str, params: Params = ()) -> Row | None:
        """Run one statement; its first row, or None where it has none."""
        ...


class Database(Protocol):
    """The only two doors to PostgreSQL."""

    def run(
        self,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[T]:
        """Commit what ``work`` did, or roll it back if it raised.

        ``work`` must be re-runnable: after a deadlock it is called anew.
        Cancelling the answer detaches the caller; the transaction goes on.

        :raises Conflict: a unique or foreign key that ``work`` did not handle.
        :raises Timeout: no connection came free, or the transaction took too
            long (5 seconds).
        :raises Unavailable: PostgreSQL is away, or was lost before it
            confirmed the COMMIT.
        """
        ...

    def read(
        self, statement: str | Statement, params: Params = ()
    ) -> Deferred[list[Row]]:
        """Run one statement on its own, in one round trip; all its rows.

        :raises Conflict: as `run`.
        :raises Timeout: as `run`.
        :raises Unavailable: as `run`.
        """
        ...


async def notify(tx: Transaction, kind: str, ident: object) -> None:
    """Tell every process, once ``tx`` commits, that ``kind:ident`` changed.

    Only a hint: it may be lost or repeated, and carries no content.
    """
    await tx.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{kind}:{ident}"))
