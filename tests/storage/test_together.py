"""What is written together is sent at once, and nothing of it is lost."""

from __future__ import annotations

import socket
from typing import Any, cast

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Port
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from storage.tuning import CHUNK, LargeServer


class TogetherTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = MemoryReactor()
        ours, self.client = socket.socketpair()
        for end in (ours, self.client):
            end.setblocking(False)
            self.addCleanup(end.close)
        peer, port = ("127.0.0.1", 1), cast(Port, None)
        self.server: Any = LargeServer(ours, Protocol(), peer, port, 0, self.reactor)

    def received(self) -> bytes:
        """What has arrived at the client so far."""
        found = b""
        while True:
            try:
                more = self.client.recv(CHUNK)
            except BlockingIOError:
                return found
            if not more:
                return found
            found += more

    def waits(self) -> bool:
        """Whether the reactor is to say when there is room."""
        return self.server in self.reactor.getWriters()

    def test_an_answer_is_gone_when_it_is_written(self) -> None:
        self.server.together(lambda: [self.server.write(one) for one in (b"a", b"b")])
        self.assertEqual(b"ab", self.received())
        self.assertFalse(self.waits())

    def test_what_does_not_fit_is_sent_by_the_reactor(self) -> None:
        whole = bytes(range(256)) * (CHUNK // 32)
        self.server.together(lambda: self.server.write(whole))
        found = self.received()
        self.assertTrue(self.waits())
        while self.waits():
            self.assertIsNone(self.server.doWrite())
            found += self.received()
        self.assertEqual(whole, found)

    def test_an_answer_within_an_answer_comes_in_its_place(self) -> None:
        def outer() -> None:
            self.server.write(b"first ")
            self.server.together(lambda: self.server.write(b"second "))
            self.server.write(b"third")

        self.server.together(outer)
        self.assertEqual(b"first second third", self.received())

    def test_what_was_written_before_comes_before(self) -> None:
        self.server.write(b"before ")
        self.server.together(lambda: self.server.write(b"after"))
        self.assertEqual(b"before after", self.received())
        self.assertFalse(self.waits())

    def test_a_failure_keeps_nothing_back(self) -> None:
        def write() -> None:
            self.server.write(b"half")
            raise ValueError

        self.assertRaises(ValueError, self.server.together, write)
        self.assertEqual(b"half", self.received())
        self.server.write(b"more")
        self.assertTrue(self.waits())

    def test_closing_is_left_to_the_reactor(self) -> None:
        def write() -> None:
            self.server.write(b"the last")
            self.server.loseConnection()

        self.server.together(write)
        self.assertEqual(b"the last", self.received())
        self.assertTrue(self.waits())
        self.assertIsInstance(self.server.doWrite(), ConnectionDone)

    def test_that_a_client_is_gone_is_left_to_the_reactor(self) -> None:
        self.client.close()
        self.server.together(lambda: self.server.write(b"to nobody"))
        self.assertTrue(self.waits())
        self.assertIsInstance(self.server.doWrite(), ConnectionLost)

    def test_nothing_is_sent_where_nothing_is_written(self) -> None:
        self.server.together(lambda: None)
        self.assertEqual(b"", self.received())
        self.assertFalse(self.waits())
