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
    nested one behaves like the outer one. Savepoints are made and released
    together with the next statement: on their own they were two of three
    round trips of the whole suite.

    :param known: names of what is prepared on ``connection``; kept up to date.
    :ivar statements: how many statements were sent so far; a test may compare.
    :ivar waiting: SQL to be sent in front of the next statement.
    """

    def __init__(self, connection: Any, known: set[str] | None = None) -> None:
        self.connection = connection
        self.statements = 0
        self.waiting = ""
        self._known = set() if known is None else known
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

    def savepoint(self, name: str) -> None:
        """Make a savepoint that outlives what is done now."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"{self.waiting}SAVEPOINT {name}")
        self.waiting = ""

    async def _read(
        self, tx: _Counting, statement: str | Statement, params: Params
    ) -> list[Row]:
        if isinstance(statement, str):
            return await tx.rows(statement, params)
        if self._prepared.setdefault(statement.name, statement) != statement:
            raise AssertionError(f"two statements are named {statement.name}")
        if statement.name not in self._known:
            tx.prepare(statement)
            self._known.add(statement.name)
        return await tx.rows(adapters.execute_text(statement, params), params)

    async def _savepoint(self, work: Callable[..., Awaitable[T]], *args: Any) -> T:
        self._depth += 1
        name = f"level_{self._depth}"
        before = self.waiting
        self.waiting += f"SAVEPOINT {name};"
        try:
            result = await work(_Counting(self), *args)
        except BaseException as error:
            self._undo(name, before)
            if isinstance(error, Error):
                raise adapters.as_domain_error(error) or error from error
            raise
        else:
            self._release(name, before)
            return result
        finally:
            self._depth -= 1

    def _made(self, name: str, before: str) -> bool:
        """Whether a savepoint was sent, as everything from ``before`` it."""
        return not self.waiting.startswith(f"{before}SAVEPOINT {name};")

    def _release(self, name: str, before: str) -> None:
        if self._made(name, before):
            self.waiting += f"RELEASE SAVEPOINT {name};"
        else:
            self.waiting = before

    def _undo(self, name: str, before: str) -> None:
        if not self._made(name, before):
            self.waiting = before
            return
        self.waiting = ""
        with self.connection.cursor() as cursor:
            cursor.execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")


class _Counting(DirectTransaction):
    """Counts the statements that a test's store code sends."""

    def __init__(self, owner: BlockingDatabase) -> None:
        super().__init__(owner.connection)
        self._owner = owner

    def prepare(self, statement: Statement) -> None:
        """Prepare ``statement``; this is not counted, as it happens but once."""
        self._send(adapters.prepare_text(statement), ()).close()

    def _run(self, sql: str, params: Params) -> Any:
        self._owner.statements += 1
        return self._send(sql, params)

    def _send(self, sql: str, params: Params) -> Any:
        owner = self._owner
        try:
            cursor = super()._run(owner.waiting + sql, params)
        except Error as error:
            if error.pgcode is not None:
                owner.waiting = ""
            raise
        owner.waiting = ""
        return cursor
