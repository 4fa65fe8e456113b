"""A PostgreSQL of our own, for those who have none yet.

It is as durable as any other: nothing that protects data is switched off. It
outlives a daemon that is killed; the next one takes it over by its pid file.
"""

from __future__ import annotations

from pathlib import Path
from secrets import token_urlsafe
from typing import IO, Any

from attrs import define, field
from psycopg2.extensions import make_dsn
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from snfd import private
from snfd.db.datadir import fresh, locked, unused
from snfd.db.place import (
    ELSEWHERE,
    Binaries,
    Place,
    PlaceError,
    decide,
    installed,
    prepare,
)
from snfd.db.server import Process, end, find_orphan, spawn
from snfd.db.wire import Line, open_wire
from snfd.errors import Unavailable
from snfd.keepsake import keepsake

NAME = "snfd"
_LOOK = 0.05
_RECOVERY = 600.0
_FIRST_TRIES = 3
_AGAIN = (1.0, 5.0, 30.0)

SETTINGS = (
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("password_encryption", "scram-sha-256"),
    ("logging_collector", "on"),
    ("log_directory", "log"),
    ("log_filename", "postgresql-%a.log"),
    ("log_truncate_on_rotation", "on"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
    # Statements carry values, and a log is no place for them.
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
)


@define(eq=False)
class EmbeddedPostgres(Service):
    """Runs PostgreSQL below ``var`` for as long as the daemon runs.

    :param var: the daemon's directory; made where it is missing.
    :param binaries: what may be run, in order of preference.
    :param elsewhere: where data goes that cannot be below ``var``.
    """

    _reactor: Any
    _var: Path
    _binaries: tuple[Binaries, ...] = field(factory=installed)
    _elsewhere: Path = ELSEWHERE
    _process: Process | None = field(init=False, default=None)
    _lock: IO[str] | None = field(init=False, default=None)
    _keeping: Deferred[None] = field(init=False, factory=lambda: succeed(None))
    _outcome: str | Failure | None = field(init=False, default=None)
    _waiting: list[Deferred[str]] = field(init=False, factory=list)
    _pause: Deferred[None] | None = field(init=False, default=None)
    _log = Logger()

    def started(self) -> Deferred[str]:
        """Fires with the DSN of the database once it answers.

        :raises PlaceError: PostgreSQL cannot be run here; says what would help.
        :raises Unavailable: it was stopped before it answered.
        """
        if isinstance(self._outcome, Failure):
            return fail(self._outcome)
        if self._outcome is not None:
            return succeed(self._outcome)
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def startService(self) -> None:
        """Start it, or take over the one that a killed daemon left."""
        super().startService()  # type: ignore[no-untyped-call]
        self._keeping = Deferred.fromCoroutine(self._keep())

    def stopService(self) -> Deferred[None]:
        """End it in order and wait for its end."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        if self._process is not None:
            await end(self._reactor, self._process)
        await self._keeping
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self._outcome = None

    async def _keep(self) -> None:
        """Start it once for all, and again whenever it ends by itself."""
        try:
            place = await self._in_thread(self._prepared)
            self._tell(await self._start_first(place))
        except Exception as error:
            self._log.error("no embedded PostgreSQL: {why}", why=str(error))
            self._tell(Failure())
            if self._process is not None:
                await end(self._reactor, self._process)
            return
        failures = 0
        while self.running and self._process is not None:
            status = await self._process.over()
            if self.running:
                await self._start_again(place, status, failures)
                failures += 1

    async def _start_first(self, place: Place) -> str:
        # Parts of a killed server may take a moment to notice that it is gone.
        for _ in range(_FIRST_TRIES - 1):
            try:
                return await self._start(place)
            except Unavailable as error:
                self._log.warn("PostgreSQL did not start: {why}", why=error.message)
                if not await self._paused(_AGAIN[0]):
                    raise
        return await self._start(place)

    async def _start_again(
        self, place: Place, status: int | None, failures: int
    ) -> None:
        self._log.error(
            "the embedded PostgreSQL ended ({status}); starting it again",
            status=status,
        )
        if await self._paused(_AGAIN[min(failures, len(_AGAIN) - 1)]):
            try:
                await self._start(place)
            except (PlaceError, Unavailable) as error:
                self._log.error("it did not start: {error}", error=str(error))

    def _tell(self, outcome: str | Failure) -> None:
        self._outcome = outcome
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(outcome)

    async def _in_thread(self, call: Any, *args: Any) -> Any:
        pool = self._reactor.getThreadPool()
        return await deferToThreadPool(self._reactor, pool, call, *args)

    def _prepared(self) -> Place:
        """Decide where, and make it so; in a thread."""
        self._var.mkdir(parents=True, exist_ok=True)
        self._lock = locked(self._var / "pg.lock")
        place = decide(self._var, self._binaries, self._elsewhere)
        if place.moved:
            self._log.info(
                "{why}; PostgreSQL's data is in {data}",
                why=place.moved,
                data=str(place.data),
            )
        prepare(place)
        return place

    async def _start(self, place: Place) -> str:
        password, is_new = keepsake(
            self._var / "secrets", "postgresql_password", lambda: token_urlsafe(24)
        )
        if is_new and place.data.exists():
            self._set_aside(place)
        if not place.data.exists():
            await self._initialise(place, password)
        self._process = find_orphan(self._reactor, place)
        if self._process is None:
            options = (*SETTINGS, ("unix_socket_directories", str(place.sockets)))
            words = [w for name, value in options for w in ("-c", f"{name}={value}")]
            self._process = spawn(
                self._reactor, place, "postgres", "-D", str(place.data), *words
            )
        else:
            self._log.info("PostgreSQL is still running; taken over")
        return await self._answering(place, password)

    def _set_aside(self, place: Place) -> None:
        """Keep data of a ``var`` that is gone, but start anew."""
        if not place.moved:
            raise PlaceError(
                f"{self._var / 'secrets'} lacks the password of {place.data}; "
                "bring it back, or remove the data to start anew"
            )
        old = unused(place.data.with_name("pg.old"))
        place.data.rename(old)
        self._log.warn("data of an earlier directory was kept in {old}", old=str(old))

    async def _initialise(self, place: Place, password: str) -> None:
        """Make the data directory, completely or not at all."""
        new = place.data.with_name("pg.new")
        told = place.data.with_name("pg.password")
        for locale in ("C.UTF-8", "C"):
            await self._in_thread(fresh, new, told, password, place)
            self._process = spawn(
                self._reactor, place, "initdb", "-D", str(new), "-U", NAME,
                f"--pwfile={told}", "--auth=scram-sha-256", "--encoding=UTF8",
                f"--locale={locale}",
            )  # fmt: skip
            status = await self._process.over()
            told.unlink()
            if status == 0:
                await self._in_thread(private.rename, new, place.data)
                return
            self._must_run()
            words = self._process.last_words
        raise PlaceError(f"initdb failed: {words.strip()}")

    def _must_run(self) -> None:
        if not self.running:
            raise Unavailable("PostgreSQL was stopped while it started")

    async def _answering(self, place: Place, password: str) -> str:
        """Wait until the server answers; the DSN of our database in it."""
        assert self._process is not None
        over = self._process.over()
        parts = {"host": str(place.sockets), "user": NAME, "password": password}
        tries = round(_RECOVERY / _LOOK)
        for tried in range(tries):
            if over.called:
                self._must_run()
                raise Unavailable(
                    f"PostgreSQL ended at once: {self._process.last_words}"
                )
            try:
                await self._make_database(make_dsn(dbname="postgres", **parts))
            except Unavailable as error:
                if "password authentication failed" in error.message:
                    raise PlaceError(
                        f"{place.data} has another password than "
                        f"{self._var / 'secrets'} says"
                    ) from error
                if tried % 200 == 199:
                    self._log.info("PostgreSQL: {why}", why=error.message)
            else:
                return make_dsn(dbname=NAME, **parts)
            await deferLater(self._reactor, _LOOK)
        raise Unavailable(f"PostgreSQL did not answer in {_RECOVERY:g} s")

    async def _make_database(self, dsn: str) -> None:
        wire = await open_wire(self._reactor, Line(dsn))
        try:
            there = await wire.send(
                "SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)
            )
            if there.fetchone() is None:
                await wire.send(f"CREATE DATABASE {NAME}")
        finally:
            wire.close()

    async def _paused(self, seconds: float) -> bool:
        """Wait; False if we were stopped meanwhile."""
        self._pause = deferLater(self._reactor, seconds)
        try:
            await self._pause
        except CancelledError:
            return False
        finally:
            self._pause = None
        return bool(self.running)
