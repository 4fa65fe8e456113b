"""`BlockingDatabase`: the real SQL, synchronously, and rolled back at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from psycopg2 import Error
from twisted.internet.defer import Deferred

from snfd.db import adapters
from snfd.db.direct import DirectTransaction
from snfd.db.port import Params, Row, Statement, Transaction

P = ParamSpec("P")
T = TypeVar("T")


class BlockingDatabase:
    """A `Database` inside one transaction that nobody commits.

    Each `run` is a savepoint, so a failed one leaves nothing behind and a
    nested one behaves like the outer one.

    :ivar statements: how many statements were sent so far; a test may compare.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements = 0
        self._prepared: dict[str, Statement] = {}
        self._depth = 0

    def run(
        self,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[T]:
        """See `Database.run`; has fired when it returns."""

        async def body(tx: Transaction) -> T:
            return await work(tx, *args, **kwargs)

        return Deferred.fromCoroutine(self._savepoint(body))

    def read(
        self, statement: str | Statement, params: Params = ()
    ) -> Deferred[list[Row]]:
        """See `Database.read`; has fired when it returns."""
        return Deferred.fromCoroutine(self._savepoint(self._read, statement, params))

    async def _read(
        self, tx: Transaction, statement: str | Statement, params: Params
    ) -> list[Row]:
        if isinstance(statement, str):
            return await tx.rows(statement, params)
        if self._prepared.setdefault(statement.name, statement) != statement:
            raise AssertionError(f"two statements are named {statement.name}")
        there = "SELECT 1 FROM pg_prepared_statements WHERE name = lower(%s)"
        if await tx.row(there, (statement.name,)) is None:
            await tx.execute(adapters.prepare_text(statement))
        return await tx.rows(adapters.execute_text(statement, params), params)

    async def _savepoint(self, work: Callable[..., Awaitable[T]], *args: Any) -> T:
        self._depth += 1
        name = f"level_{self._depth}"
        tx = _Counting(self)
        self._send(f"SAVEPOINT {name}")
        try:
            result = await work(tx, *args)
        except BaseException as error:
            self._send(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            if isinstance(error, Error):
                raise adapters.as_domain_error(error) or error from error
            raise
        else:
            self._send(f"RELEASE SAVEPOINT {name}")
            return result
        finally:
            self._depth -= 1

    def _send(self, sql: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)


class _Counting(DirectTransaction):
    """Counts the statements that a test's store code sends."""

    def __init__(self, owner: BlockingDatabase) -> None:
        super().__init__(owner.connection)
        self._owner = owner

    def _run(self, sql: str, params: Params) -> Any:
        self._owner.statements += 1
        return super()._run(sql, params)
