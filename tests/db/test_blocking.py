"""`BlockingDatabase` keeps the promises of the port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from psycopg2 import errors
from twisted.trial.unittest import SynchronousTestCase

from snfd.db.port import Jsonb, Statement, Transaction, notify
from snfd.errors import Conflict, Invalid
from tests.postgres import blocking_database

ECHO = Statement("test_echo", "SELECT $1::text, $2::uuid")
ID = UUID("01234567-89ab-cdef-0123-456789abcdef")


class BlockingDatabaseTests(SynchronousTestCase):
    """Values, rollback, nesting, prepared statements."""

    def setUp(self) -> None:
        self.db = blocking_database(self)
        self.successResultOf(self.db.run(self._table))

    @staticmethod
    async def _table(tx: Transaction) -> None:
        await tx.execute("CREATE TABLE public.thing (id int PRIMARY KEY, what text)")

    def _things(self) -> list[object]:
        rows = self.successResultOf(
            self.db.read("SELECT id FROM public.thing ORDER BY id")
        )
        return [row[0] for row in rows]

    @staticmethod
    async def _insert(tx: Transaction, number: int) -> int:
        return await tx.execute("INSERT INTO public.thing VALUES (%s)", (number,))

    def test_values_come_back_as_promised(self) -> None:
        now = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))
        values = [ID, now, {"a": [1, "é"]}, b"\x00\xff", ["x", None], [ID], None, 2**40]
        rows = self.successResultOf(
            self.db.read(
                "SELECT %s, %s, %s, %s::bytea, %s::text[], %s, %s::int, %s",
                [Jsonb(v) if isinstance(v, dict) else v for v in values],
            )
        )
        self.assertEqual(values, list(rows[0]))
        self.assertEqual(UTC.utcoffset(None), rows[0][1].utcoffset())

    def test_a_failed_run_leaves_nothing_behind(self) -> None:
        async def half(tx: Transaction) -> None:
            await self._insert(tx, 1)
            raise Invalid("no")

        self.successResultOf(self.db.run(self._insert, 7))
        self.failureResultOf(self.db.run(half), Invalid)
        self.assertEqual([7], self._things())

    def test_a_nested_run_fails_alone(self) -> None:
        async def outer(tx: Transaction) -> None:
            await self._insert(tx, 1)
            with self.assertRaises(Conflict):
                await self.db.run(self._insert, 1)
            await self._insert(tx, 2)

        self.successResultOf(self.db.run(outer))
        self.assertEqual([1, 2], self._things())

    def test_work_sees_the_database_s_own_error(self) -> None:
        async def twice(tx: Transaction) -> None:
            await self._insert(tx, 1)
            with self.assertRaises(errors.UniqueViolation):
                await self._insert(tx, 1)
            raise Conflict("mine")

        failure = self.failureResultOf(self.db.run(twice), Conflict)
        self.assertEqual("mine", failure.value.message)

    def test_prepared_statements_execute(self) -> None:
        for _ in range(2):
            self.assertEqual(
                [("it's 5 %", ID)],
                self.successResultOf(self.db.read(ECHO, ("it's 5 %", ID))),
            )

    def test_text_that_cannot_be_stored_is_invalid(self) -> None:
        for bad in ("a\0b", "\ud800"):
            self.failureResultOf(self.db.read("SELECT %s", (bad,)), Invalid)
        self.failureResultOf(self.db.read("SELECT %s", (Jsonb({"a": "\0"}),)), Invalid)

    def test_times_that_could_not_be_read_again_are_invalid(self) -> None:
        """Or one of them would keep a whole list from being read."""
        behind, ahead = (timezone(timedelta(hours=hours)) for hours in (-12, 12))
        last = datetime.max.replace(tzinfo=behind)
        first = datetime.min.replace(tzinfo=ahead)
        for bad in (last, first, [last]):
            self.failureResultOf(self.db.read("SELECT %s", (bad,)), Invalid)
        odd = timezone(timedelta(hours=23))
        fine = datetime(2026, 1, 2, 3, tzinfo=odd)
        rows = self.successResultOf(self.db.read("SELECT %s", (fine,)))
        self.assertEqual([(fine,)], rows)

    def test_percent_needs_no_doubling_without_parameters(self) -> None:
        rows = self.successResultOf(self.db.read("SELECT 'ab' LIKE 'a%'"))
        self.assertEqual([(True,)], rows)

    def test_notify_is_a_statement_of_the_transaction(self) -> None:
        self.successResultOf(self.db.run(notify, "server", 42))

    def test_the_next_test_starts_clean(self) -> None:
        self.assertEqual([], self._things())
