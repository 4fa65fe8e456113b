"""`PostgresDatabase`: the two doors to PostgreSQL, on txpostgres connections.

It begins and ends transactions by itself instead of through ``runInteraction``:
that one commits an ``async def`` before it has run, cannot tell a lost COMMIT
from a failed one, and lends a connection again whose ROLLBACK failed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg2
from attrs import define, field, frozen
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import deferLater
from twisted.logger import Logger

from snfd.db import adapters
from snfd.db.port import Params, Row, Statement, Transaction
from snfd.db.transaction import WireTransaction
from snfd.db.wire import Line, Wire, first_line, open_wire, rows_of
from snfd.deadlines import Deadline, Deadlines
from snfd.errors import Closed, Timeout, Unavailable
from snfd.pool import Hooks, Limits, Pool, PoolTimeout, Snapshot
from snfd.tasks import Tasks

P = ParamSpec("P")
T = TypeVar("T")

_log = Logger(namespace="snfd.db")
_ATTEMPTS = 3
_CONFLICTING = ("40001", "40P01")
_AWAY = ("08", "53", "57")


@frozen
class Times:
    """Time limits, in seconds.

    :ivar connect: to become connected.
    :ivar checkout: to wait for a connection to come free.
    :ivar transaction: for a transaction or a `PostgresDatabase.read`, without
        the checkout.
    :ivar trusted: a connection that was silent for longer is tried before use.
    :ivar trial: for that.
    """

    connect: float = 5.0
    checkout: float = 5.0
    transaction: float = 5.0
    trusted: float = 15.0
    trial: float = 2.0

    def settings(self) -> tuple[tuple[str, str], ...]:
        """The same limits as PostgreSQL's, should we be gone."""
        limit = f"{round(self.transaction * 1000)}"
        return (
            ("statement_timeout", limit),
            ("idle_in_transaction_session_timeout", limit),
            ("client_connection_check_interval", "1000"),
        )


@define(eq=False)
class PostgresDatabase(Service):
    """See `snfd.db.port.Database`; a service, so that stopping waits.

    :param dsn: libpq's connection string; a Unix socket is fastest.
    :param random: a number from [0, 1), for the pauses between attempts.
    :param tasks: what shields transactions; its own, since it must be the last
        to stop.
    """

    _reactor: Any
    _dsn: str
    _random: Callable[[], float]
    _limits: Limits = field(factory=lambda: Limits(8, max_age=3600, idle_ttl=300))
    _times: Times = field(factory=Times)
    _tasks: Tasks = field(factory=Tasks)
    _pool: Pool[Wire] = field(init=False)
    _deadlines: Deadlines = field(init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._deadlines = Deadlines(self._reactor)
        line = Line(self._dsn, self._times.settings(), self._times.connect)
        self._pool = Pool(
            self._reactor,
            Hooks(
                create=lambda: open_wire(self._reactor, line),
                destroy=lambda wire: wire.close(),
                verify=self._verify,
                reset=_is_clean,
            ),
            self._limits,
            call_soon=getattr(self._reactor, "callFromThread", None),
        )

    def run(
        self,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Deferred[T]:
        """See `snfd.db.port.Database.run`."""

        async def body(tx: Transaction) -> T:
            return await work(tx, *args, **kwargs)

        return self._shielded(self._run(body), getattr(work, "__qualname__", "work"))

    def read(
        self, statement: str | Statement, params: Params = ()
    ) -> Deferred[list[Row]]:
        """See `snfd.db.port.Database.read`."""
        what = statement[:60] if isinstance(statement, str) else statement.name
        return self._shielded(self._read(statement, params), what)

    def snapshot(self) -> Snapshot:
        """The figures of the connection pool."""
        return self._pool.snapshot()

    def stopService(self) -> Deferred[None]:
        """Let what runs finish, then close all connections."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._tasks.stop()
        await self._pool.close()

    def _shielded(self, work: Coroutine[Any, Any, T], what: str) -> Deferred[T]:
        # A caller that is cancelled (its client hung up) must not reach a
        # statement: it only stops waiting.
        try:
            return self._tasks.detached(work, what)
        except Closed as closed:
            return fail(closed)

    async def _run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        for attempt in range(_ATTEMPTS + 1):
            try:
                return await self._with_wire(lambda wire: self._transact(wire, work))
            except psycopg2.Error as error:
                if error.pgcode not in _CONFLICTING:
                    raise _told(error) from error
                if attempt == _ATTEMPTS:
                    raise Unavailable(
                        "too many want to change the same; try again", retry_after=1
                    ) from error
            pause = (0.02 + 0.08 * self._random()) * 2**attempt
            await deferLater(self._reactor, pause)
        raise AssertionError("unreachable")

    async def _transact(
        self, wire: Wire, work: Callable[[Transaction], Awaitable[T]]
    ) -> T:
        tx = WireTransaction(wire)

        async def whole() -> T:
            result = await work(tx)
            await tx.commit()
            return result

        try:
            running = Deferred.fromCoroutine(whole())
            with self._deadline(wire, self._times.transaction, running):
                return await running
        except BaseException:
            with self._deadline(wire, self._times.trial):
                await tx.roll_back()
            raise

    async def _read(self, statement: str | Statement, params: Params) -> list[Row]:
        async def once(wire: Wire) -> list[Row]:
            with self._deadline(wire, self._times.transaction):
                if isinstance(statement, Statement):
                    return await wire.execute(statement, params)
                return rows_of(await wire.send(statement, params))

        try:
            return await self._with_wire(once)
        except psycopg2.Error as error:
            raise _told(error) from error

    async def _with_wire(self, work: Callable[[Wire], Awaitable[T]]) -> T:
        try:
            return await self._pool.lend(work, self._times.checkout)
        except PoolTimeout as late:
            raise Timeout(f"PostgreSQL is too busy: {late.message}") from late

    def _deadline(
        self, wire: Wire, seconds: float, work: Deferred[Any] | None = None
    ) -> _Within:
        return _Within(self._deadlines, wire, seconds, work)

    def _verify(self, wire: Wire) -> bool | Awaitable[bool]:
        if not wire.sound():
            return False
        silent = self._reactor.seconds() - wire.heard
        return silent <= self._times.trusted or self._answers(wire)

    async def _answers(self, wire: Wire) -> bool:
        try:
            with self._deadline(wire, self._times.trial):
                await wire.send("SELECT 1")
        except (psycopg2.Error, Unavailable):
            return False
        return True


@define(eq=False)
class _Within:
    """Closes ``wire`` after ``seconds``, which fails what it does; and ``work``."""

    deadlines: Deadlines
    wire: Wire
    seconds: float
    work: Deferred[Any] | None
    limit: Deadline = field(init=False)

    def __enter__(self) -> None:
        self.limit = self.deadlines.set(self.seconds, self.expire)

    def __exit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> None:
        self.deadlines.cancel(self.limit)
        if isinstance(error, CancelledError):
            raise Timeout(self.late()) from error

    def expire(self) -> None:
        """It was not done in time."""
        self.wire.close(self.late(), late=True)
        if self.work is not None:
            self.work.cancel()

    def late(self) -> str:
        """That it was not, in words."""
        return f"PostgreSQL's work was not done in {self.seconds:g} s"


def _is_clean(wire: Wire) -> bool:
    return not wire.closed and wire.status == TRANSACTION_STATUS_IDLE


def _told(error: psycopg2.Error) -> Exception:
    """``error`` in the cloud's words; itself where it is a fault of ours."""
    domain = adapters.as_domain_error(error)
    state = error.pgcode or ""
    if domain is not None:
        return domain
    if state == "57014":
        return Timeout("PostgreSQL took too long over it")
    if state.startswith(_AWAY) or state == "25006":
        # its own words, file names among them, are for operators only
        _log.warn("PostgreSQL cannot do it: {why}", why=first_line(error))
        return Unavailable("the database cannot do it now; try again", retry_after=1)
    return error
