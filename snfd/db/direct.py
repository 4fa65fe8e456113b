"""PostgreSQL without a reactor: for `snfctl db`, and as the base of test doubles."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import psycopg2

from snfd.db import adapters
from snfd.db.port import Params, Row

T = TypeVar("T")


def connect(dsn: str, timeout: int = 10) -> Any:
    """A blocking psycopg2 connection that knows our types.

    :param timeout: to connect, in seconds.
    :raises psycopg2.OperationalError: PostgreSQL is not there.
    """
    connection = psycopg2.connect(
        dsn, connect_timeout=timeout, application_name="snfctl"
    )
    connection.set_client_encoding("UTF8")
    adapters.install(connection)
    with connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'")
    connection.commit()
    return connection


class DirectTransaction:
    """A `Transaction` whose statements have finished when they return."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, sql: str, params: Params = ()) -> int:
        """See `Transaction.execute`."""
        with self._run(sql, params) as cursor:
            return int(cursor.rowcount)

    async def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """See `Transaction.rows`."""
        with self._run(sql, params) as cursor:
            rows: list[Row] = cursor.fetchall()
            return rows

    async def row(self, sql: str, params: Params = ()) -> Row | None:
        """See `Transaction.row`."""
        with self._run(sql, params) as cursor:
            row: Row | None = cursor.fetchone()
            return row

    def _run(self, sql: str, params: Params) -> Any:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, params or None)
        except (ValueError, OverflowError) as error:
            raise adapters.as_domain_error(error) or error from error
        return cursor


def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which waits for nothing but `DirectTransaction`.

    :raises RuntimeError: it waited for something else.
    """
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("this work waits for something outside its transaction")
