"""What administrators do with the services that users use, each time told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred

from snfd.db.port import Database, Params, Row, Statement, Transaction

P = ParamSpec("P")
T = TypeVar("T")


@frozen(eq=False)
class Witnessed:
    """A database each transaction of which begins with the same act.

    A service that is built on it does what it always does, and what was done
    before is there only if it succeeds.

    :ivar first: checks, or writes to the audit trail.
    """

    db: Database
    first: Callable[[Transaction], Awaitable[None]]

    def run(
        self,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[T]:
        """See `Database.run`."""

        async def both(tx: Transaction) -> T:
            await self.first(tx)
            return await work(tx, *args, **kwargs)

        return self.db.run(both)

    def read(
        self, statement: str | Statement, params: Params = ()
    ) -> Deferred[list[Row]]:
        """See `Database.read`."""
        rows: Deferred[list[Any]] = self.db.read(statement, params)
        return rows
