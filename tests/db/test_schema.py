"""The schema's history: order, edits, too old, too new, twice at once."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import psycopg2
from twisted.trial.unittest import SynchronousTestCase

from snfd.db import schema
from snfd.db.direct import connect
from snfd.db.schema import Applied, Migration, SchemaError
from tests.blocking import BlockingDatabase
from tests.postgres import postgres


def migration(number: int, sql: str = "", supports: int | None = None) -> Migration:
    """A migration as if read from its file."""
    digest = sha256(sql.encode()).hexdigest()
    return Migration(number, f"{number:04}_x.sql", sql, digest, supports)


def applied(*migrations: Migration) -> list[Applied]:
    """What a database remembers that had ``migrations`` applied."""
    result: list[Applied] = []
    for one in migrations:
        supports = max([one.supports or 0, *(past.supports for past in result)])
        result.append(Applied(one.number, one.name, one.sha256, supports))
    return result


ONE = migration(1, "CREATE SCHEMA a; CREATE TABLE a.t (x int)")
TWO = migration(2, "ALTER TABLE a.t ADD y text DEFAULT '%s' CHECK (y LIKE '%')")
THREE = migration(3, "ALTER TABLE a.t DROP x", supports=2)


class VerifyTests(SynchronousTestCase):
    """The pure rules."""

    def test_the_same_on_both_sides_is_fine(self) -> None:
        schema.verify([ONE, TWO], applied(ONE, TWO))

    def test_a_schema_older_than_the_code_is_refused(self) -> None:
        with self.assertRaisesRegex(SchemaError, "0002_x.sql.*snfctl db migrate"):
            schema.verify([ONE, TWO], applied(ONE))

    def test_the_code_before_still_works_after_a_contraction(self) -> None:
        schema.verify([ONE, TWO], applied(ONE, TWO, THREE))

    def test_older_code_is_refused_and_told_so(self) -> None:
        with self.assertRaisesRegex(SchemaError, "from schema 0002 on.*0001"):
            schema.verify([ONE], applied(ONE, TWO, THREE))

    def test_an_edited_file_is_an_error(self) -> None:
        with self.assertRaisesRegex(SchemaError, "0001_x.sql was edited"):
            schema.pending([migration(1, "other")], applied(ONE))

    def test_a_late_number_is_an_error(self) -> None:
        with self.assertRaisesRegex(SchemaError, "higher number"):
            schema.pending([ONE, TWO, THREE], applied(ONE, THREE))


class ShippedTests(SynchronousTestCase):
    """Reading the files."""

    def folder(self, **files: str) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / f"{name}.sql").write_text(text)
        return folder

    def test_files_come_in_order_with_their_promise(self) -> None:
        names = {"0002_b": "-- supports: 0001\nSELECT 2", "0001_a": "SELECT 1"}
        first, second = schema.shipped(self.folder(**names))
        self.assertEqual((1, None), (first.number, first.supports))
        self.assertEqual((2, 1), (second.number, second.supports))

    def test_two_files_with_one_number_are_an_error(self) -> None:
        with self.assertRaisesRegex(SchemaError, "one number"):
            schema.shipped(self.folder(**{"0001_a": "", "0001_b": ""}))

    def test_a_misnamed_file_is_an_error(self) -> None:
        with self.assertRaisesRegex(SchemaError, "NNNN_name"):
            schema.shipped(self.folder(first=""))

    def test_what_this_program_ships_can_be_read(self) -> None:
        schema.shipped()


class MigrateTests(SynchronousTestCase):
    """Applying them to PostgreSQL."""

    def setUp(self) -> None:
        self.dsn = postgres().empty_dsn()
        self.addCleanup(postgres().drop, self.dsn)

    def database(self) -> BlockingDatabase:
        connection = connect(self.dsn)
        self.addCleanup(connection.close)
        return BlockingDatabase(connection)

    def test_only_what_is_missing_is_applied(self) -> None:
        self.assertEqual((ONE,), schema.migrate(self.dsn, [ONE]))
        self.assertEqual((TWO, THREE), schema.migrate(self.dsn, [ONE, TWO, THREE]))
        self.assertEqual((), schema.migrate(self.dsn, [ONE, TWO, THREE]))
        history = self.successResultOf(self.database().run(schema.history))
        self.assertEqual(applied(ONE, TWO, THREE), list(history))

    def test_a_migration_that_fails_changes_nothing(self) -> None:
        broken = migration(2, "CREATE TABLE a.u (); SELECT nonsense")
        with self.assertRaises(psycopg2.errors.UndefinedColumn):
            schema.migrate(self.dsn, [ONE, broken])
        history = self.successResultOf(self.database().run(schema.history))
        self.assertEqual(applied(ONE), list(history))
        rows = self.successResultOf(self.database().read("SELECT to_regclass('a.u')"))
        self.assertEqual([(None,)], rows)

    def test_an_empty_database_is_told_what_to_do(self) -> None:
        history = self.successResultOf(self.database().run(schema.history))
        self.assertEqual((), history)
        with self.assertRaisesRegex(SchemaError, "snfctl db migrate"):
            schema.verify([ONE], history)
