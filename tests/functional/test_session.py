"""Sessions, locks and the listener on PostgreSQL."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import make_dsn
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from snfd.db.listener import Listener
from snfd.db.port import Transaction, notify
from snfd.db.session import Pulse, Session, hold_lock, open_session
from snfd.errors import Unavailable
from tests.db.cases import DatabaseCase, insert, pause
from tests.db.proxy import proxy_for

QUICK = Pulse(connect=0.5, period=0.2, limit=0.3)
KEY = 7_000_000_001


class SessionCase(DatabaseCase):
    """Sessions that end with the test."""

    async def session(self, dsn: str | None = None) -> Session:
        session = await open_session(reactor, dsn or self.dsn, QUICK)
        self.addCleanup(session.close)
        return session

    async def lock(self) -> Session | None:
        held = await hold_lock(reactor, self.dsn, KEY, QUICK)
        if held is not None:
            self.addCleanup(held.close)
        return held


class SessionTests(SessionCase):
    """A connection of one's own."""

    async def test_statements_take_turns(self) -> None:
        session = await self.session()
        asked = [
            Deferred.fromCoroutine(session.rows("SELECT %s::int", (number,)))
            for number in range(3)
        ]
        self.assertEqual([[(0,)], [(1,)], [(2,)]], [await answer for answer in asked])

    async def test_its_loss_is_told(self) -> None:
        session = await self.session()
        lost = session.lost()
        self.terminate()
        self.assertIn("lost", await lost)
        self.assertIn("lost", await session.lost())
        with self.assertRaises(Unavailable):
            await session.rows("SELECT 1")

    async def test_a_silent_server_is_a_loss(self) -> None:
        proxy = proxy_for(self, self.dsn)
        session = await self.session(proxy.dsn)
        await pause(0.5)
        proxy.silent = True
        self.assertIn("did not answer", await session.lost())

    async def test_one_who_stops_watching_is_forgotten(self) -> None:
        session = await self.session()
        watcher = session.lost()
        watcher.addErrback(lambda _: None)
        watcher.cancel()
        session.close()
        self.assertEqual("closed", await session.lost())


class LockTests(SessionCase):
    """An advisory lock lasts as long as its session."""

    async def test_only_one_holds_it(self) -> None:
        first = await self.lock()
        assert first is not None
        self.assertIsNone(await self.lock())
        first.close()
        again = None
        while again is None:
            again = await self.lock()

    async def test_its_loss_is_told_and_another_gets_it(self) -> None:
        first = await self.lock()
        assert first is not None
        lost = first.lost()
        self.terminate()
        await lost
        self.assertIsNotNone(await self.lock())


class ListenerTests(DatabaseCase):
    """Hints are heard; lost ones never matter."""

    def listener(self, dsn: str | None = None, period: float = 60.0) -> Listener:
        self.heard: list[str] = []
        self.rereads = 0
        listener = Listener(reactor, dsn or self.dsn, period, (0.05,), QUICK)
        listener.subscribe("server", self.heard.append, self._reread)
        listener.startService()
        self.addCleanup(self._stopped, listener)
        return listener

    async def _stopped(self, listener: Listener) -> None:
        if listener.running:
            await listener.stopService()

    async def _reread(self) -> None:
        self.rereads += 1

    async def test_changes_are_heard_when_they_are_committed(self) -> None:
        listener = self.listener()
        await self.until(lambda: listener.connected)
        db = self.database()

        async def change(tx: Transaction, *, fail: bool) -> None:
            await notify(tx, "server", 42)
            await notify(tx, "other", 43)
            if fail:
                raise ValueError("test")

        with self.assertRaises(ValueError):
            await db.run(change, fail=True)
        await db.run(change, fail=False)
        await self.until(lambda: self.heard)
        self.assertEqual(["42"], self.heard)

    async def test_it_connects_again_and_rereads(self) -> None:
        listener = self.listener()
        await self.until(lambda: listener.connected)
        self.assertEqual(1, self.rereads)
        self.terminate()
        await self.until(lambda: self.rereads == 2)
        await self.database().run(notify, "server", 1)
        await self.until(lambda: self.heard == ["1"])

    async def test_a_silent_server_is_left(self) -> None:
        proxy = proxy_for(self, self.dsn)
        listener = self.listener(proxy.dsn)
        await self.until(lambda: listener.connected)
        proxy.silent = True
        await self.until(lambda: not listener.connected)
        proxy.silent = False
        await self.until(lambda: listener.connected)
        self.assertEqual(2, self.rereads)

    async def test_every_notification_lost_and_still_it_catches_up(self) -> None:
        proxy = proxy_for(self, self.dsn)
        proxy.drops_notifications = True
        db = self.database()
        seen: list[Any] = []

        async def look() -> None:
            seen[:] = await db.read("SELECT id FROM public.thing ORDER BY id")

        async def change(tx: Transaction, number: int) -> None:
            await insert(tx, number)
            await notify(tx, "server", number)

        listener = self.listener(proxy.dsn, period=0.2)
        listener.subscribe("thing", self.heard.append, look)
        await self.until(lambda: listener.connected)
        for number in range(3):
            await db.run(change, number)
        await self.until(lambda: seen == [(0,), (1,), (2,)])
        await self.until(lambda: proxy.dropped == 3)
        self.assertEqual([], self.heard)

    async def test_failures_of_a_subscriber_are_logged_and_harm_nobody(self) -> None:
        def broken(_: str) -> None:
            raise ValueError("test")

        async def broken_too() -> None:
            raise KeyError("test")

        listener = self.listener()
        listener.subscribe("server", broken, broken_too)
        await self.until(lambda: listener.connected)
        await self.database().run(notify, "server", 1)
        await self.database().run(notify, "server", 2)
        await self.until(lambda: len(self.heard) == 2)
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))
        self.assertGreaterEqual(len(self.flushLoggedErrors(KeyError)), 1)

    async def test_a_reread_never_overlaps_itself_and_none_is_lost(self) -> None:
        running: list[Deferred[None]] = []

        async def slow() -> None:
            running.append(Deferred())
            await running[-1]

        listener = self.listener(period=0.05)
        listener.subscribe("slow", lambda _: None, slow)
        await self.until(lambda: listener.connected)
        await pause(0.3)
        self.assertEqual(1, len(running))
        running[0].callback(None)
        self.assertEqual(2, len(running))
        await listener.stopService()
        running[1].callback(None)

    async def test_it_stops_while_it_connects(self) -> None:
        proxy = proxy_for(self, self.dsn)
        proxy.silent = True
        listener = self.listener(proxy.dsn)
        await pause(0.05)
        await listener.stopService()
        self.assertFalse(listener.connected)

    async def test_it_stops_while_it_looks_for_the_server(self) -> None:
        listener = self.listener(make_dsn(self.dsn, host="localhost"))
        self.successResultOf(listener.stopService())

    async def test_it_stops_while_it_begins_to_listen(self) -> None:
        proxy = proxy_for(self, self.dsn)
        proxy.silent_after = b"LISTEN"
        listener = self.listener(proxy.dsn)
        await self.until(lambda: proxy.silent)
        self.assertFalse(listener.connected)
        self.successResultOf(listener.stopService())
        await self.until(lambda: not proxy.open)
