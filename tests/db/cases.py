"""What the tests on a real reactor and a real PostgreSQL share."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import parse_dsn
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from snfd.db.database import PostgresDatabase, Times
from snfd.db.port import Transaction
from snfd.pool import Limits
from tests.postgres import PostgresFixture, postgres

QUICK = Times(connect=0.5, checkout=0.5, transaction=0.5, trial=0.3)


def pause(seconds: float) -> Deferred[None]:
    """Let the reactor run for a while."""
    return deferLater(reactor, seconds)


class DatabaseCase(TestCase):
    """Gives each test an empty database with one table, ``public.thing``."""

    def setUp(self) -> None:
        self.server = self.choose_server()
        self.dsn = self.server.empty_dsn()
        self.addCleanup(self.server.drop, self.dsn)
        self.server.execute(
            "CREATE TABLE public.thing (id int PRIMARY KEY, what text)", self.dsn
        )

    def choose_server(self) -> PostgresFixture:
        """The server to use; by default the one that all tests share."""
        return postgres()

    def database(
        self, dsn: str | None = None, *, size: int = 2, times: Times = QUICK
    ) -> PostgresDatabase:
        """A database service, stopped after the test."""
        db = PostgresDatabase(
            reactor, dsn or self.dsn, lambda: 0.5, Limits(size), times
        )
        db.startService()
        self.addCleanup(db.stopService)
        return db

    def things(self) -> list[int]:
        """The ids that others can see, asked on another connection."""
        rows = self.server.execute("SELECT id FROM public.thing ORDER BY 1", self.dsn)
        return [row[0] for row in rows]

    def terminate(self, but: str = "pid <> pg_backend_pid()") -> int:
        """Kill backends of this test's database, to the end; how many."""
        name = parse_dsn(self.dsn)["dbname"]
        rows = self.server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND {but}"
        )
        return len(rows)

    async def until(self, condition: Any, seconds: float = 5.0) -> None:
        """Wait until ``condition()`` holds.

        :raises AssertionError: it never did.
        """
        for _ in range(int(seconds / 0.02)):
            if condition():
                return
            await pause(0.02)
        self.fail(f"never true within {seconds} s")


async def insert(tx: Transaction, number: int) -> int:
    """Insert a thing."""
    return await tx.execute("INSERT INTO public.thing VALUES (%s, 'x')", (number,))
