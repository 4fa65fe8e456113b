"""What becomes of an operation whose client hangs up before it is done."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from api.dispatch import build
from api.operations import operation
from tests.api.test_operations import DIALECT, authenticate


class SlowApi:
    """Waits for something that the test has."""

    def __init__(self) -> None:
        self.waiting: Deferred[None] = Deferred(lambda _: None)
        self.ended: list[str] = []

    @operation("GET", "/slow", auth=False)
    async def slow(self) -> None:
        """Wait."""
        try:
            await self.waiting
        except CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("done")

    @operation("GET", "/broken/<thing>", auth=False)
    async def broken(self, thing: int) -> None:
        """Fail at the end."""
        try:
            await self.waiting
        finally:
            raise ZeroDivisionError


class HangUpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.api = SlowApi()
        site: Any = Site(build(DIALECT, authenticate, self.api))
        self.transport = StringTransport()
        self.connection = site.buildProtocol(None)
        self.connection.makeConnection(self.transport)

    def ask(self, path: str) -> None:
        self.connection.dataReceived(
            f"GET {path} HTTP/1.1\r\nHost: cloud.test\r\n\r\n".encode()
        )

    def hang_up(self) -> None:
        self.connection.connectionLost(Failure(ConnectionLost()))

    def test_who_waits_is_answered_once(self) -> None:
        self.ask("/slow")
        self.assertEqual(b"", self.transport.value())
        self.api.waiting.callback(None)
        self.assertEqual(1, self.transport.value().count(b"HTTP/1.1 200"))
        self.hang_up()
        self.assertEqual(["done"], self.api.ended)

    def test_the_handler_is_cancelled_and_nothing_is_told(self) -> None:
        self.ask("/slow")
        self.hang_up()
        self.assertEqual(["cancelled"], self.api.ended)
        self.assertEqual(b"", self.transport.value())

    def test_a_bug_that_shows_only_then_is_logged(self) -> None:
        self.ask("/broken/1")
        self.hang_up()
        self.assertEqual(b"", self.transport.value())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
