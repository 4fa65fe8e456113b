"""Hashing passwords, and the thread that does it."""

from __future__ import annotations

from threading import Event, current_thread, get_ident

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from snfd.errors import Closed, Invalid, Unavailable
from snfd.identity.passwords import OneThread, Passwords, argon2id
from tests.identity.cloud import CountingThread, cheap, wait_for


class PasswordsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.thread = CountingThread()
        self.passwords = Passwords(self.thread, cheap())

    def test_what_was_hashed_verifies_and_nothing_else(self) -> None:
        stored = wait_for(self, self.passwords.hash("pässword"))
        for password, right in (("pässword", True), ("passwort", False), ("", False)):
            verified = wait_for(self, self.passwords.verify(stored, password))
            self.assertEqual(right, verified, password)

    def test_nobody_is_verified_in_the_same_work(self) -> None:
        stored = wait_for(self, self.passwords.hash("x"))
        for against in (stored, None):
            before = self.thread.works
            self.assertFalse(wait_for(self, self.passwords.verify(against, "y")))
            self.assertEqual(1, self.thread.works - before)
        nobody = "nobody's password"
        self.assertFalse(wait_for(self, self.passwords.verify(None, nobody)))

    def test_a_broken_hash_verifies_nothing(self) -> None:
        self.assertFalse(wait_for(self, self.passwords.verify("garbage", "garbage")))

    def test_lengths(self) -> None:
        for password in ("", "x" * 1025):
            self.failureResultOf(
                Deferred.fromCoroutine(self.passwords.hash(password)), Invalid
            )

    def test_the_cost_is_what_was_decided(self) -> None:
        self.assertIn("$argon2id$v=19$m=19456,t=2,p=1$", argon2id().hash("x"))


class OneThreadTests(TestCase):
    def setUp(self) -> None:
        self.thread = OneThread(reactor, limit=3)  # type: ignore[arg-type]
        self.thread.startService()
        self.addCleanup(self._stop)

    def _stop(self) -> object:
        return self.thread.stopService() if self.thread.running else None

    async def test_work_is_done_elsewhere_and_in_one_place(self) -> None:
        where = {await self.thread(get_ident) for _ in range(3)}
        self.assertEqual(1, len(where))
        self.assertNotEqual({current_thread().ident}, where)

    async def test_errors_come_back(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            await self.thread(lambda: 1 // 0)

    async def test_the_queue_is_bounded_and_cancelling_frees_no_place(self) -> None:
        gate = Event()
        self.addCleanup(gate.set)
        running = [Deferred.fromCoroutine(self.thread(gate.wait)) for _ in range(3)]
        running[2].cancel()
        with self.assertRaises(CancelledError):
            await running[2]
        with self.assertRaises(Unavailable) as refused:
            await self.thread(get_ident)
        self.assertIn("retry_after", refused.exception.details)
        gate.set()
        self.assertEqual([True, True], [await one for one in running[:2]])
        await self.thread(get_ident)

    async def test_stopping_finishes_what_waits_and_takes_no_more(self) -> None:
        gate = Event()
        running = [Deferred.fromCoroutine(self.thread(gate.wait)) for _ in range(2)]
        stopped = self.thread.stopService()
        with self.assertRaises(Closed):
            await self.thread(get_ident)
        self.assertFalse(stopped.called)
        gate.set()
        await stopped
        self.assertEqual([True, True], [await one for one in running])

    async def test_stopping_an_idle_one(self) -> None:
        await self.thread.stopService()
