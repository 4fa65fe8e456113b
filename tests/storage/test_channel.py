"""Connections of clients that send nonsense, too much, or next to nothing."""

from __future__ import annotations

import resource
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request

from storage.channel import HEAD, StreamingChannel
from storage.tuning import raise_file_limit
from storage.upload import make_site


class Hello(Resource):
    """Says hello, whatever is asked."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        request.setHeader(b"Content-Length", b"5")
        return b"hello"


class HeadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        site: Any = make_site(Hello(), lambda *_: None, self.clock)
        self.channel: StreamingChannel = site.buildProtocol(None)
        self.wire = StringTransport()
        self.channel.makeConnection(self.wire)

    def drip(self, text: bytes, every: float) -> None:
        for index in range(len(text)):
            if not self.wire.disconnecting:
                self.channel.dataReceived(text[index : index + 1])
                self.clock.advance(every)

    def test_a_head_that_comes_byte_by_byte_is_given_up(self) -> None:
        self.drip(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 200, every=1)
        self.assertTrue(self.wire.value().startswith(b"HTTP/1.1 400 "))
        self.assertTrue(self.wire.disconnecting)
        self.assertLess(self.clock.seconds(), 2 * HEAD)

    def test_a_slow_head_in_time_is_served_and_so_is_the_next(self) -> None:
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        for _ in range(3):
            self.drip(request, every=HEAD / len(request) / 2)
            self.clock.advance(HEAD)
        self.assertEqual(3, self.wire.value().count(b"hello"))
        self.assertFalse(self.wire.disconnecting)

    def test_a_length_of_thousands_of_digits(self) -> None:
        number = b"9" * 5000
        self.channel.dataReceived(
            b"POST / HTTP/1.1\r\nContent-Length: " + number + b"\r\n\r\n"
        )
        self.assertTrue(self.wire.value().startswith(b"HTTP/1.1 400 "))

    def test_a_line_that_is_too_long_is_answered(self) -> None:
        self.channel.dataReceived(b"GET /" + b"a" * 20_000)
        self.assertTrue(self.wire.value().startswith(b"HTTP/1.1 400 "))

    def test_forms_are_left_alone(self) -> None:
        self.channel.dataReceived(
            b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data\r\n"
            b"Content-Length: 3\r\n\r\na=b"
        )
        self.assertTrue(self.wire.value().endswith(b"hello"))


class FilesTests(SynchronousTestCase):
    def test_the_limit_is_raised_and_never_lowered(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        self.assertGreater(raise_file_limit(1000), 512)
        self.assertGreaterEqual(raise_file_limit(600), 1000)
