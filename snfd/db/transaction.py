"""A transaction on a wire: begun with its first statement, ended exactly once."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from psycopg2 import Error
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR

from snfd.db.port import Params, Row
from snfd.db.wire import Wire, rows_of
from snfd.errors import Unavailable


@define(eq=False)
class WireTransaction:
    """See `snfd.db.port.Transaction`.

    BEGIN travels with the first statement, so a transaction of one statement
    takes two round trips; one without any takes none.

    """

    _wire: Wire
    _begun: bool = field(init=False, default=False)
    _over: bool = field(init=False, default=False)

    async def execute(self, sql: str, params: Params = ()) -> int:
        """See `Transaction.execute`."""
        return int((await self._send(sql, params)).rowcount)

    async def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """See `Transaction.rows`."""
        return rows_of(await self._send(sql, params))

    async def row(self, sql: str, params: Params = ()) -> Row | None:
        """See `Transaction.row`."""
        row: Row | None = (await self._send(sql, params)).fetchone()
        return row

    async def commit(self) -> None:
        """Make it last.

        :raises Unavailable: nobody knows whether it did.
        :raises RuntimeError: an error was hidden that undid it all.
        """
        self._over = True
        if not self._begun:
            return
        if self._wire.status == TRANSACTION_STATUS_INERROR:
            await self.roll_back()
            raise RuntimeError("a database error was ignored; all was rolled back")
        try:
            await self._wire.send("COMMIT")
        except Unavailable as lost:
            raise Unavailable(
                "PostgreSQL was lost while it saved the change; "
                "look whether it was made before trying again",
                outcome="unknown",
            ) from lost

    async def roll_back(self) -> None:
        """Undo it; where that fails the wire is closed, which undoes it too."""
        self._over = True
        if self._wire.closed or self._wire.status == TRANSACTION_STATUS_IDLE:
            return
        try:
            await self._wire.send("ROLLBACK")
        except (Error, Unavailable):
            self._wire.close()

    async def _send(self, sql: str, params: Params) -> Any:
        if self._over:
            raise RuntimeError("this transaction has ended")
        if not self._begun:
            self._begun = True
            sql = f"BEGIN;{sql}"
        return await self._wire.send(sql, params)
