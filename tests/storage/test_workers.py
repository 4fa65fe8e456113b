"""Budgets, threads and what the process is tuned with."""

from __future__ import annotations

import threading
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from snfd.errors import Closed, Unavailable
from storage.budget import Budget
from storage.tuning import CHUNK, LargeEndpoint, LargeServer, tune_malloc
from storage.workers import CallerWorkers, ThreadWorkers


class BudgetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.budget = Budget(10)

    def test_those_who_wait_are_served_in_turn(self) -> None:
        self.successResultOf(self.budget.acquire(8))
        big, small = self.budget.acquire(5), self.budget.acquire(1)
        self.assertNoResult(big)
        self.assertNoResult(small)
        self.assertFalse(self.budget.take(1))
        self.assertEqual(2, self.budget.waiting)
        self.budget.release(8)
        self.successResultOf(big)
        self.successResultOf(small)
        self.assertEqual(6, self.budget.used)

    def test_whoever_leaves_lets_the_next_pass(self) -> None:
        self.successResultOf(self.budget.acquire(8))
        big, small = self.budget.acquire(5), self.budget.acquire(1)
        big.cancel()
        self.failureResultOf(big, CancelledError)
        self.successResultOf(small)
        self.assertEqual(9, self.budget.used)

    def test_more_than_there_is_means_all_there_is(self) -> None:
        self.successResultOf(self.budget.acquire(1000))
        self.assertEqual(10, self.budget.used)
        self.budget.release(1000)
        self.assertEqual(0, self.budget.used)


class ThreadWorkersTests(TestCase):
    def setUp(self) -> None:
        self.workers = ThreadWorkers(reactor, 1, queue=2)  # type: ignore[arg-type]
        self.addCleanup(self.workers.stop)

    async def test_work_is_done_elsewhere(self) -> None:
        here = threading.get_ident()
        self.assertNotEqual(here, await self.workers.run(threading.get_ident))

    async def test_errors_come_back(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            await self.workers.run(divmod, 1, 0)

    async def test_too_much_work_is_refused(self) -> None:
        gate = threading.Event()
        first = self.workers.run(gate.wait)
        second = self.workers.run(gate.wait)
        await self.assertFailure(self.workers.run(gate.wait), Unavailable)
        gate.set()
        self.assertEqual([True, True], [await first, await second])

    async def test_only_the_waiting_can_be_cancelled(self) -> None:
        gate = threading.Event()
        done: list[int] = []

        def slow() -> None:
            gate.wait()
            done.append(1)

        cancelled = self.workers.run(slow)
        last = self.workers.run(lambda: None)
        cancelled.cancel()
        await self.assertFailure(cancelled, CancelledError)
        gate.set()
        await last
        self.assertEqual([1], done)

    async def test_stopping_waits_for_what_was_taken(self) -> None:
        gate = threading.Event()
        work = self.workers.run(gate.wait)
        stopped = self.workers.stop()
        self.assertNoResult(stopped)
        await self.assertFailure(self.workers.run(gate.wait), Closed)
        gate.set()
        self.assertTrue(await work)
        await stopped
        await self.workers.stop()


class CallerWorkersTests(SynchronousTestCase):
    def test_it_calls_at_once(self) -> None:
        workers = CallerWorkers()
        self.assertEqual((2, 1), self.successResultOf(workers.run(divmod, 7, 3)))
        self.failureResultOf(workers.run(divmod, 1, 0), ZeroDivisionError)
        self.successResultOf(workers.stop())


class TuningTests(TestCase):
    def test_malloc_takes_the_settings(self) -> None:
        self.assertTrue(tune_malloc())

    async def test_connections_move_large_chunks(self) -> None:
        accepted: Deferred[Any] = Deferred()

        class Accept(Protocol):
            def connectionMade(self) -> None:
                accepted.callback(self.transport)

        factory = Factory.forProtocol(Accept)
        port: Any = await LargeEndpoint(reactor, 0, "127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        connecting = Factory.forProtocol(Protocol)
        connecting.noisy = False
        client: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        protocol = await client.connect(connecting)
        transport = await accepted
        self.assertIsInstance(transport, LargeServer)
        self.assertEqual((CHUNK, CHUNK), (transport.bufferSize, transport.SEND_LIMIT))
        lost: Deferred[None] = Deferred()
        protocol.connectionLost = lambda reason: lost.callback(None)
        transport.loseConnection()
        await lost
