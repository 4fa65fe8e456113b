"""A database that many use at once, each on a connection of his own."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from snfd.db.database import PostgresDatabase, Times
from snfd.pool import Limits
from tests.postgres import fresh_dsn

PATIENT = Times(checkout=60.0, transaction=60.0)


def eight_connections(case: TestCase) -> PostgresDatabase:
    """A migrated database of ``case``'s own, stopped and dropped at its end."""
    limits = Limits(8, max_waiting=1000)
    db = PostgresDatabase(reactor, fresh_dsn(case), lambda: 0.5, limits, PATIENT)
    db.startService()
    case.addCleanup(db.stopService)
    return db
