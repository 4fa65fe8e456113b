"""Bodies on their way out: whole, in order, at the client's speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from snfd.errors import NotFound, Unavailable
from storage.blocks import Damaged, MemoryBlocks
from storage.download import (
    STALL,
    Reader,
    Segment,
    Slice,
    body_length,
    whole,
)
from storage.hashmap import HOLE
from storage.ranges import Map, Span, multipart


@implementer(IConsumer)
class Client:
    """Takes what it is given; pauses after ``patience`` writes."""

    def __init__(self, patience: Callable[[], bool] = lambda: False) -> None:
        self.data: list[bytes] = []
        self.producer: Any = None
        self.aborted = 0
        self.paused = False
        self._pauses = patience

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        assert self.producer is None
        verifyObject(IPushProducer, producer)
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        assert data
        assert not self.paused
        self.data.append(data)
        if self._pauses():
            self.paused = True
            self.producer.pauseProducing()

    def resume(self) -> None:
        self.paused = False
        self.producer.resumeProducing()

    def abort(self) -> None:
        self.aborted += 1
        self.leave()

    def leave(self) -> None:
        producer, self.producer = self.producer, None
        producer.stopProducing()

    @property
    def text(self) -> bytes:
        return b"".join(self.data)


class GatedBlocks(MemoryBlocks):
    """Answers a read only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reading: list[Deferred[None]] = []
        self.gated = False

    async def get(
        self, digest: bytes, offset: int = 0, length: int | None = None
    ) -> bytes:
        if self.gated:
            gate: Deferred[None] = Deferred()
            self.reading.append(gate)
            await gate
        return await super().get(digest, offset, length)

    def answer(self) -> None:
        self.reading.pop(0).callback(None)


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.blocks = GatedBlocks()
        self.reader = Reader(self.blocks, self.clock, block_size=4)

    def stored(self, data: bytes, block_size: int = 4) -> Map:
        pieces = [data[i : i + block_size] for i in range(0, len(data), block_size)]
        digests = [
            self.successResultOf(Deferred.fromCoroutine(self.blocks.put(piece)))
            for piece in pieces
        ]
        return Map(digests, block_size, len(data))

    def send(self, client: Client, body: list[Segment]) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.reader.send(client, body, client.abort))

    def sent(self, body: list[Segment]) -> bytes:
        client = Client()
        self.assertTrue(self.successResultOf(self.send(client, body)))
        self.assertIsNone(client.producer)
        return client.text

    def assertIdle(self) -> None:
        self.assertEqual((0, 0), (self.reader.budget.used, self.reader.open_streams))
        self.assertEqual([], self.clock.getDelayedCalls())


class BodyTests(Case):
    def test_a_whole_object(self) -> None:
        content = self.stored(b"abcdefghij")
        self.assertEqual(10, body_length(whole(content)))
        self.assertEqual(b"abcdefghij", self.sent(whole(content)))
        self.assertIdle()

    def test_an_empty_object(self) -> None:
        client = Client()
        self.assertTrue(self.successResultOf(self.send(client, whole(Map([], 4, 0)))))
        self.assertEqual(b"", client.text)

    def test_zeros_at_the_end_of_blocks_are_added(self) -> None:
        data = b"a\0\0\0\0\0\0\0b\0"
        self.assertEqual(data, self.sent(whole(self.stored(data))))

    def test_holes_are_zeros_and_are_read_nowhere(self) -> None:
        content = self.stored(b"abcd\0\0\0\0efgh")
        content = Map([content.digests[0], HOLE, content.digests[2]], 4, 12)
        self.assertEqual(b"abcd\0\0\0\0efgh", self.sent(whole(content)))

    def test_several_ranges(self) -> None:
        content = self.stored(b"0123456789")
        body: list[Segment] = multipart(
            [Span(2, 6), Span(9, 10)], 10, "a/b", "B", lambda s: [Slice(content, s)]
        )
        text = self.sent(body)
        self.assertEqual(body_length(body), len(text))
        self.assertIn(b"\r\n\r\n2345\r\n--B\r\n", text)
        self.assertTrue(text.endswith(b"\r\n\r\n9\r\n--B--"))

    def test_several_objects_in_one_body(self) -> None:
        first, second = self.stored(b"abcdef"), self.stored(b"12345", 2)
        self.assertEqual(b"abcdef12345", self.sent([*whole(first), *whole(second)]))

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_any_body_arrives_whatever_the_client_does(
        self, data: st.DataObject
    ) -> None:
        self.setUp()
        parts = st.sampled_from([b"\0", b"x", b"yz", b"\0" * 9])
        text = b"".join(data.draw(st.lists(parts, max_size=20)))
        content = self.stored(text, data.draw(st.integers(1, 9)))
        body: list[Segment] = []
        expected = b""
        for _ in range(data.draw(st.integers(1, 3))):
            if text:
                start = data.draw(st.integers(0, len(text) - 1))
                stop = data.draw(st.integers(start + 1, len(text)))
                body.append(Slice(content, Span(start, stop)))
                expected += text[start:stop]
            body.append(b"--")
            expected += b"--"
        client = Client(lambda: bool(data.draw(st.booleans())))
        self.blocks.gated = data.draw(st.booleans())
        result = self.send(client, body)
        for _ in range(1000):
            if result.called:
                break
            if data.draw(st.booleans()) and self.blocks.reading:
                self.blocks.answer()
            elif client.paused:
                client.resume()
            elif self.blocks.reading:
                self.blocks.answer()
        self.assertTrue(self.successResultOf(result))
        self.assertEqual(expected, client.text)
        self.assertIdle()


class FlowTests(Case):
    def test_nothing_is_written_while_the_client_is_busy(self) -> None:
        client = Client(lambda: True)
        result = self.send(client, whole(self.stored(b"abcdefghij")))
        self.assertEqual(b"abcd", client.text)
        client.resume()
        self.assertEqual(b"abcdefgh", client.text)
        client.resume()
        client.resume()
        self.assertTrue(self.successResultOf(result))
        self.assertEqual(b"abcdefghij", client.text)

    def test_two_blocks_are_read_ahead(self) -> None:
        client = Client(lambda: True)
        content = self.stored(b"abcdefghijklmnopqrst")
        self.blocks.gated = True
        self.send(client, whole(content))
        self.blocks.answer()
        self.assertEqual(2, len(self.blocks.reading))
        self.blocks.answer()
        client.resume()
        self.assertEqual(2, len(self.blocks.reading))
        self.assertEqual(b"abcdefgh", client.text)

    def test_stalled_clients_do_not_keep_others_from_reading(self) -> None:
        content = self.stored(bytes(range(1, 41)))
        stalled = [Client(lambda: True) for _ in range(20)]
        for client in stalled:
            self.send(client, whole(content))
        self.assertEqual(bytes(range(1, 41)), self.sent(whole(content)))
        for client in stalled:
            while client.paused:
                client.resume()
            self.assertEqual(bytes(range(1, 41)), client.text)
        self.assertIdle()

    def test_the_budget_bounds_what_is_read_at_once(self) -> None:
        content = self.stored(bytes(range(1, 41)))
        self.blocks.gated = True
        clients = [Client() for _ in range(20)]
        results = [self.send(client, whole(content)) for client in clients]
        self.assertEqual(16, len(self.blocks.reading))
        while self.blocks.reading:
            self.assertLessEqual(len(self.blocks.reading), 16)
            self.blocks.answer()
        self.assertEqual([True] * 20, [self.successResultOf(one) for one in results])
        self.assertIdle()

    def test_only_so_many_at_once(self) -> None:
        self.reader.streams = 1
        content = self.stored(b"abcdefgh")
        self.send(Client(lambda: True), whole(content))
        self.failureResultOf(self.send(Client(), whole(content)), Unavailable)


class FailureTests(Case):
    def test_a_first_block_that_is_missing_is_an_error(self) -> None:
        content = self.stored(b"abcdefgh")
        self.delete(content.digests[0])
        client = Client()
        failure = self.failureResultOf(self.send(client, whole(content)), Damaged)
        self.assertNotIsInstance(failure.value, NotFound)
        self.assertEqual((b"", 0), (client.text, client.aborted))
        self.assertIdle()

    def delete(self, digest: bytes) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.blocks.delete(digest)))

    def cut_off(self, content: Map) -> None:
        client = Client()
        self.assertFalse(self.successResultOf(self.send(client, whole(content))))
        self.assertEqual((b"abcd", 1), (client.text, client.aborted))
        self.assertEqual(1, len(self.flushLoggedErrors(Damaged)))
        self.assertIdle()

    def test_a_later_block_that_is_missing_cuts_the_connection(self) -> None:
        content = self.stored(b"abcdefghijkl")
        self.delete(content.digests[1])
        self.cut_off(content)

    def test_a_later_block_that_is_damaged_cuts_the_connection(self) -> None:
        content = self.stored(b"abcdefghijkl")
        self.blocks._stored[content.digests[1]] = b"efgX", 0.0
        self.cut_off(content)

    def test_a_client_that_leaves_while_it_is_busy(self) -> None:
        client = Client(lambda: True)
        result = self.send(client, whole(self.stored(b"abcdefghijkl")))
        client.leave()
        self.assertFalse(self.successResultOf(result))
        self.assertEqual(0, client.aborted)
        self.assertIdle()

    def test_a_client_that_leaves_while_a_block_is_read(self) -> None:
        content = self.stored(b"abcdefghijkl")
        client = Client(lambda: len(client.data) == 1)
        self.blocks.gated = True
        result = self.send(client, whole(content))
        self.blocks.answer()
        client.leave()
        while self.blocks.reading:
            self.blocks.answer()
        self.assertFalse(self.successResultOf(result))
        self.assertIdle()

    def test_cancelling_cuts_the_connection(self) -> None:
        client = Client(lambda: True)
        result = self.send(client, whole(self.stored(b"abcdefghijkl")))
        result.cancel()
        self.failureResultOf(result, CancelledError)
        self.assertEqual(1, client.aborted)
        self.assertIdle()

    def test_a_client_that_takes_nothing_is_cut_off(self) -> None:
        client = Client(lambda: True)
        result = self.send(client, whole(self.stored(b"abcdefghijkl")))
        self.clock.advance(STALL)
        self.assertFalse(self.successResultOf(result))
        self.assertEqual(1, client.aborted)
        self.assertEqual(1, len(self.flushLoggedErrors(Unavailable)))
        self.assertIdle()

    def test_an_unknown_consumer_must_come_with_its_abort(self) -> None:
        sending = Deferred.fromCoroutine(self.reader.send(Client(), [b"x"]))
        self.failureResultOf(sending, TypeError)
