"""Hang-ups, killed backends, restarts, silence: ours lives on, stock's does not.

Each test shows the failure with txpostgres' own pool first, so that what we
added can be dropped should it ever become unnecessary.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredQueue
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol
from twisted.trial.unittest import TestCase

from snfd.db.database import Times
from snfd.db.port import Transaction
from snfd.db.wire import Line, open_wire
from snfd.errors import Timeout, Unavailable
from tests.db.cases import QUICK, DatabaseCase, insert, pause
from tests.db.proxy import Proxy, proxy_for
from tests.functional.daemon import ROOT
from tests.postgres import PostgresFixture, private_postgres

PIPES: dict[int, Any] = {0: "w", 1: "r", 2: 2}


class Stock(ProcessProtocol):
    """txpostgres' own pool, in a process of its own, which is told what to do.

    :ivar lines: what it answered and nobody has taken yet.
    """

    def __init__(self) -> None:
        self.lines: DeferredQueue[str] = DeferredQueue()
        self.ended: Deferred[None] = Deferred()
        self._rest = b""

    async def ask(self, command: str) -> str:
        """The answer to a command of ``tests.db.stock``."""
        transport: Any = self.transport
        transport.write(f"{command}\n".encode())
        return await self.lines.get()

    def outReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.lines.put(line.decode())

    def processEnded(self, reason: Any) -> None:
        self.ended.callback(None)

    def stop(self) -> Deferred[None]:
        """End it, however busy it is; fires when it has."""
        transport: Any = self.transport
        if not self.ended.called:
            transport.signalProcess("KILL")
        return self.ended


class FailureCase(DatabaseCase):
    """Also has a stock pool."""

    def stock(self, size: int, dsn: str | None = None) -> Stock:
        """One that is being started, and says ``connected`` when it is."""
        child = Stock()
        command = [sys.executable, "-m", "tests.db.stock", dsn or self.dsn, str(size)]
        reactor.spawnProcess(
            child, command[0], command, env=None, path=str(ROOT), childFDs=PIPES
        )
        self.addCleanup(child.stop)
        return child

    async def connected(self, size: int, dsn: str | None = None) -> Stock:
        """One that has as many connections as it will have."""
        child = self.stock(size, dsn)
        self.assertEqual("connected", await child.lines.get())
        return child


class HangUpTests(FailureCase):
    """A client that hangs up in the middle of a transaction."""

    async def test_stock_pool_is_poisoned(self) -> None:
        pool = await self.connected(1)
        self.assertEqual("1 InFailedSqlTransaction", await pool.ask("hang-up"))

    async def test_ours_finishes_the_work(self) -> None:
        db = self.database(size=1)

        async def work(tx: Transaction) -> None:
            await insert(tx, 1)
            await tx.rows("SELECT pg_sleep(0.3)")

        waiting = db.run(work)
        await pause(0.1)
        waiting.cancel()
        await self.assertFailure(waiting, CancelledError)
        self.assertEqual([], self.things())
        await db.run(insert, 2)
        self.assertEqual([1, 2], self.things())
        self.assertEqual((1, 0), (db.snapshot().created, db.snapshot().destroyed))

    async def test_ours_does_so_at_every_point(self) -> None:
        db = self.database(size=2)
        for number in range(20):
            waiting = db.run(insert, number)
            if number % 4:
                await pause(0.001 * (number % 4 - 1))
            waiting.addErrback(lambda failure: failure.trap(CancelledError))
            waiting.cancel()
        await self.until(lambda: db.snapshot().busy == 0)
        await db.read("SELECT 1")
        self.assertEqual(list(range(20)), self.things())
        self.assertEqual(0, db.snapshot().destroyed)

    async def test_ours_survives_a_time_limit_of_the_caller(self) -> None:
        db = self.database(size=1)
        waiting = db.read("SELECT pg_sleep(0.2)")
        waiting.addTimeout(0.05, reactor)
        with self.assertRaises(Exception):  # noqa: B017
            await waiting
        self.assertEqual([(1,)], await db.read("SELECT 1"))
        self.assertEqual(1, db.snapshot().created)


class KilledBackendTests(FailureCase):
    """PostgreSQL ended a connection."""

    async def test_stock_pool_keeps_the_dead_for_ever(self) -> None:
        pool = await self.connected(2)
        self.assertEqual("killed", await pool.ask("kill"))
        self.assertGreaterEqual(int(await pool.ask("ask 20")), 5)

    async def test_ours_replaces_the_dead_unnoticed(self) -> None:
        db = self.database(size=2)
        for _ in range(3):
            [(pid,)] = await db.read("SELECT pg_backend_pid()")
            self.assertEqual(1, self.terminate(f"pid = {pid}"))
            for _ in range(4):
                await db.read("SELECT 1")
        self.assertEqual(3, db.snapshot().destroyed)

    async def test_work_in_progress_is_unavailable_and_undone(self) -> None:
        calls = []

        async def suicide(tx: Transaction) -> None:
            calls.append(1)
            await insert(tx, 1)
            await tx.rows("SELECT pg_terminate_backend(pg_backend_pid())")

        db = self.database(size=1)
        with self.assertRaises(Unavailable):
            await db.run(suicide)
        with self.assertRaises(Unavailable):
            await db.read("SELECT pg_terminate_backend(pg_backend_pid())")
        self.assertEqual([1], calls)
        await db.run(insert, 2)
        self.assertEqual([2], self.things())


class RestartTests(FailureCase):
    """The whole server went and came back."""

    def choose_server(self) -> PostgresFixture:
        return private_postgres(self)

    async def test_stock_pool_never_recovers_and_ours_does(self) -> None:
        db, pool = self.database(size=2), await self.connected(2)
        await db.run(insert, 1)
        self.server.stop()
        with self.assertRaises(Unavailable):
            await db.read("SELECT 1")
        self.server.start()
        await pause(0.1)
        self.assertEqual("10", await pool.ask("ask 10"))
        await db.run(insert, 2)
        self.assertEqual([1, 2], self.things())


class SilentServerTests(FailureCase):
    """The network swallows everything; no packet says that it does."""

    def behind_proxy(self) -> Proxy:
        return proxy_for(self, self.dsn)

    async def test_stock_pool_waits_for_ever_and_ours_does_not(self) -> None:
        proxy = self.behind_proxy()
        db, pool = self.database(proxy.dsn, size=1), await self.connected(1, proxy.dsn)
        await db.read("SELECT 1")
        proxy.silent = True
        self.assertEqual("0", await pool.ask("wait"))
        with self.assertRaises(Timeout):
            await db.read("SELECT 1")
        with self.assertRaises(Timeout):  # this one must connect anew
            await db.run(insert, 1)
        proxy.silent = False
        await db.run(insert, 2)
        self.assertEqual([2], self.things())
        self.assertEqual("0", await pool.ask("answers"))

    async def test_connecting_ends_in_time_unlike_stock(self) -> None:
        proxy = self.behind_proxy()
        proxy.silent = True
        stock = self.stock(1, f"{proxy.dsn} connect_timeout=2").lines.get()
        for _ in range(3):
            with self.assertRaises(Timeout):
                await open_wire(reactor, Line(proxy.dsn, connect=0.2))
        await pause(2)
        self.assertNoResult(stock)
        proxy.silent = False
        wire = await open_wire(reactor, Line(proxy.dsn, connect=2))
        await wire.send("SELECT 1")
        wire.close()

    async def test_a_long_idle_connection_is_tried_before_it_is_lent(self) -> None:
        proxy = self.behind_proxy()
        times = Times(connect=0.5, transaction=5, trusted=0.1, trial=0.2)
        db = self.database(proxy.dsn, size=1, times=times)
        await db.read("SELECT 1")
        proxy.silent = True
        await pause(0.2)
        waiting = db.run(insert, 1)
        await pause(0.1)
        proxy.silent = False
        await waiting
        self.assertEqual([1], self.things())
        self.assertEqual((2, 1), (db.snapshot().created, db.snapshot().destroyed))

    async def test_an_unanswered_commit_is_told_and_never_repeated(self) -> None:
        proxy = self.behind_proxy()
        db = self.database(proxy.dsn, size=1, times=QUICK)
        calls = []

        async def work(tx: Transaction) -> None:
            calls.append(1)
            await insert(tx, len(calls))

        proxy.silent_after = b"COMMIT"
        with self.assertRaises(Unavailable) as caught:
            await db.run(work)
        self.assertEqual("unknown", caught.exception.details["outcome"])
        await pause(0.1)
        self.assertEqual(([1], [1]), (calls, self.things()))

    async def test_silence_before_the_commit_leaves_nothing(self) -> None:
        proxy = self.behind_proxy()
        db = self.database(proxy.dsn, size=1, times=QUICK)
        proxy.silent_after = b"INSERT"
        with self.assertRaises(Timeout):
            await db.run(insert, 1)
        await pause(0.1)
        self.assertEqual([], self.things())


class _Refusing(Protocol):
    """Ends the connections of all clients before they are in, with these words.

    :ivar words: the server's, as it sends them.
    """

    words = b""

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        transport.write(self.words)
        transport.loseConnection()


class _Starting(_Refusing):
    words = b"E\0\0\0\x2aSFATAL\0VFATAL\0C57P03\0Mis starting up\0\0"


class RefusingServerTests(TestCase):
    """A server that lets nobody in at the moment."""

    async def refused(self, kind: type[Protocol]) -> str:
        factory: Any = Factory.forProtocol(kind)
        port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        line = Line(f"host=127.0.0.1 port={port.getHost().port} sslmode=disable")
        with self.assertRaises(Unavailable) as caught:
            await open_wire(reactor, line)
        await pause(0.1)
        self.assertNotIn("127.0.0.1", caught.exception.told)
        return str(caught.exception)

    async def test_one_that_says_why(self) -> None:
        self.assertIn("starting up", await self.refused(_Starting))

    async def test_one_that_hangs_up(self) -> None:
        """Stock's connection makes the reactor log a bad file descriptor."""
        self.assertIn("closed the connection", await self.refused(_Refusing))
