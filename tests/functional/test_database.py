"""`PostgresDatabase` on PostgreSQL: values, endings, limits, round trips."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import psycopg2
from psycopg2 import errors
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from snfd.db.database import Times
from snfd.db.port import Jsonb, Statement, Transaction
from snfd.db.schema import apply_next, shipped
from snfd.errors import Closed, Conflict, Invalid, Timeout, Unavailable
from snfd.observe import JsonObserver
from tests.db.cases import DatabaseCase, insert, pause
from tests.db.proxy import proxy_for

ID = UUID("01234567-89ab-cdef-0123-456789abcdef")
PID = Statement("test_pid", "SELECT pg_backend_pid(), $1::int")


class ReadTests(DatabaseCase):
    """One statement, one round trip."""

    async def test_values_come_back_as_promised(self) -> None:
        now = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
        values = [ID, now, {"a": [1, "é"]}, b"\x00\xff", ["x", None], [ID], None, 2**40]
        [row] = await self.database().read(
            "SELECT %s, %s, %s, %s::bytea, %s::text[], %s, %s::int, %s",
            [Jsonb(v) if isinstance(v, dict) else v for v in values],
        )
        self.assertEqual(values, list(row))
        self.assertEqual(UTC.utcoffset(None), row[1].utcoffset())

    async def test_a_statement_is_prepared_once_and_then_one_round_trip(self) -> None:
        proxy = proxy_for(self, self.dsn)
        db = self.database(proxy.dsn, size=1)
        await db.read(PID, (1,))
        self.assertEqual(2, len(proxy.sent))
        for number in range(3):
            [(_, same)] = await db.read(PID, (number,))
            self.assertEqual(number, same)
        self.assertEqual(5, len(proxy.sent))

    async def test_a_statement_survives_a_migration(self) -> None:
        db = self.database(size=1)
        all_of_it = Statement("test_star", "SELECT * FROM public.thing")
        await db.read(all_of_it)
        self.server.execute("ALTER TABLE public.thing ADD more int", self.dsn)
        self.server.execute("INSERT INTO public.thing VALUES (1, 'x', 2)", self.dsn)
        self.assertEqual([(1, "x", 2)], await db.read(all_of_it))
        self.assertEqual([(1, "x", 2)], await db.read(all_of_it))

    async def test_two_statements_of_one_name_are_a_mistake(self) -> None:
        db = self.database(size=1)
        await db.read(PID, (1,))
        with self.assertRaises(ValueError):
            await db.read(Statement(PID.name, "SELECT 1"))

    async def test_a_writing_statement_commits(self) -> None:
        rows = await self.database().read(
            "INSERT INTO public.thing VALUES (1, 'x') RETURNING what"
        )
        self.assertEqual([("x",)], rows)
        self.assertEqual([], await self.database().read("DELETE FROM public.thing"))
        self.assertEqual([], self.things())

    async def test_wrong_values_are_told_and_the_connection_lives(self) -> None:
        db = self.database(size=1)
        [(before, _)] = await db.read(PID, (1,))
        for value in ("a\0b", "\ud800", Jsonb({"a": "\0"})):
            with self.assertRaises(Invalid):
                await db.read("SELECT %s", (value,))
        with self.assertRaises(errors.UndefinedTable):
            await db.read("SELECT * FROM nowhere.at_all")
        self.assertEqual([(before, 2)], await db.read(PID, (2,)))


class RunTests(DatabaseCase):
    """Transactions and how they end."""

    async def test_work_is_committed_and_its_result_told(self) -> None:
        self.assertEqual(1, await self.database().run(insert, 1))
        self.assertEqual([1], self.things())

    async def test_one_statement_takes_two_round_trips_and_none_takes_none(
        self,
    ) -> None:
        async def nothing(_: Transaction) -> None:
            pass

        proxy = proxy_for(self, self.dsn)
        db = self.database(proxy.dsn)
        await db.run(insert, 1)
        self.assertEqual(2, len(proxy.sent))
        await db.run(nothing)
        self.assertEqual(2, len(proxy.sent))

    async def test_work_that_fails_is_rolled_back(self) -> None:
        async def fail(tx: Transaction) -> None:
            await insert(tx, 1)
            raise Invalid("no")

        db = self.database(size=1)
        with self.assertRaises(Invalid):
            await db.run(fail)
        self.assertEqual([], self.things())
        self.assertEqual((1, 0), (db.snapshot().created, db.snapshot().destroyed))

    async def test_an_unhandled_key_is_a_conflict(self) -> None:
        db = self.database(size=1)
        await db.run(insert, 1)
        with self.assertRaises(Conflict) as caught:
            await db.run(insert, 1)
        self.assertEqual("thing_pkey", caught.exception.details["constraint"])
        self.assertEqual(1, db.snapshot().created)

    async def test_an_error_tells_no_values(self) -> None:
        db, written = self.database(size=1), StringIO()
        observer = JsonObserver(written)
        for sql, left in (
            # the row, the statement, the function, the value itself
            ("INSERT INTO public.thing VALUES (NULL, %s)", "null value in column"),
            ("SELECT nothing, %s", 'column "nothing" does not exist'),
            ("SELECT pg_temp.quotient(%s::text)", "DivisionByZero (22012)"),
            ("SELECT %s::date", "InvalidDatetimeFormat (22007)"),
        ):
            await db.read(
                "CREATE OR REPLACE FUNCTION pg_temp.quotient(text) RETURNS int"
                " AS $$BEGIN RETURN (SELECT 1 / length('') WHERE $1 > ''); END$$"
                " LANGUAGE plpgsql"
            )
            work = db.read(sql, ('quux"quux',))
            with self.assertRaises(psycopg2.Error) as caught:
                await work
            told = Failure(caught.exception)
            observer({"log_level": LogLevel.critical, "log_failure": told})
            self.assertIn(left, str(caught.exception))
        self.assertEqual(4, len(written.getvalue().splitlines()))
        self.assertNotIn("quux", written.getvalue())

    async def test_work_may_not_hide_an_error(self) -> None:
        async def hide(tx: Transaction) -> None:
            await insert(tx, 1)
            with contextlib.suppress(errors.UniqueViolation):
                await insert(tx, 1)

        with self.assertRaises(RuntimeError):
            await self.database().run(hide)
        self.assertEqual([], self.things())

    async def test_a_transaction_is_of_no_use_afterwards(self) -> None:
        kept = []

        async def keep(tx: Transaction) -> None:
            kept.append(tx)

        await self.database().run(keep)
        with self.assertRaises(RuntimeError):
            await insert(kept[0], 1)

    async def test_deadlocks_are_tried_again(self) -> None:
        db = self.database(times=Times())
        await db.run(insert, 1)
        await db.run(insert, 2)
        calls = []

        async def both(tx: Transaction, first: int, second: int) -> None:
            calls.append(first)
            await tx.execute("SET LOCAL deadlock_timeout = '50ms'")
            update = "UPDATE public.thing SET what = what || 'y' WHERE id = %s"
            await tx.execute(update, (first,))
            await pause(0.1)
            await tx.execute(update, (second,))

        await gatherResults([db.run(both, 1, 2), db.run(both, 2, 1)])
        self.assertGreater(len(calls), 2)
        rows = self.server.execute("SELECT what FROM public.thing", self.dsn)
        self.assertEqual([("xyy",), ("xyy",)], rows)

    async def test_trying_again_has_an_end(self) -> None:
        calls = []

        async def never(tx: Transaction) -> None:
            calls.append(1)
            await tx.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

        with self.assertRaises(Unavailable):
            await self.database().run(never)
        self.assertEqual(4, len(calls))

    async def test_the_shipped_migrations_apply_through_it(self) -> None:
        db = self.database(times=Times())
        known = shipped()[:1]
        self.assertEqual(known[0], await db.run(apply_next, known))
        self.assertIsNone(await db.run(apply_next, known))


class LimitTests(DatabaseCase):
    """Nothing takes for ever."""

    async def test_a_slow_statement_is_stopped_and_the_connection_lives(self) -> None:
        db = self.database(size=1)
        [(before, _)] = await db.read(PID, (1,))
        with self.assertRaises(Timeout):
            await db.read("SET statement_timeout = 100; SELECT pg_sleep(3)")
        self.assertEqual([(before, 2)], await db.read(PID, (2,)))

    async def test_work_that_waits_for_something_else_is_stopped(self) -> None:
        never: Deferred[None] = Deferred()

        async def stuck(tx: Transaction) -> None:
            await insert(tx, 1)
            await never

        db = self.database(size=1)
        with self.assertRaises(Timeout):
            await db.run(stuck)
        await db.run(insert, 2)
        self.assertEqual([2], self.things())
        self.assertEqual(1, db.snapshot().destroyed)

    async def test_waiting_for_a_connection_has_an_end(self) -> None:
        db = self.database(size=1, times=Times(checkout=0.1))
        slow = db.read("SELECT pg_sleep(0.4)")
        with self.assertRaises(Timeout):
            await db.read("SELECT 1")
        await slow

    async def test_closing_in_the_middle_leaves_no_deaf_descriptors(self) -> None:
        db = self.database(size=1, times=Times(transaction=0.1))
        for _ in range(5):
            with self.assertRaises(Timeout):
                await db.read("SET statement_timeout = 0; SELECT pg_sleep(1)")
            await db.read("SELECT 1")
        self.assertEqual(6, db.snapshot().created)


class StopTests(DatabaseCase):
    """Stopping is clean."""

    async def test_stopping_waits_for_transactions_and_admits_no_more(self) -> None:
        db = self.database()

        async def slow(tx: Transaction) -> None:
            await insert(tx, 1)
            await pause(0.1)

        running = db.run(slow)
        stopped = db.stopService()
        with self.assertRaises(Closed):
            await db.read("SELECT 1")
        await stopped
        self.successResultOf(running)
        self.assertEqual([1], self.things())
        self.assertEqual(0, self.terminate())

    async def test_no_server_is_unavailable(self) -> None:
        for dsn in ("host=/nowhere dbname=x", "host=127.0.0.1 port=1 dbname=x"):
            db = self.database(dsn)
            with self.assertRaises(Unavailable):
                await db.read("SELECT 1")
            with self.assertRaises(Unavailable):
                await db.run(insert, 1)
