"""Request bodies: decided on before they arrive, stored while they do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import md5
from typing import Any

from klein import Klein
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web import http
from twisted.web.http_headers import Headers
from twisted.web.iweb import IRequest

from snfd.errors import CloudError, Forbidden, TooLarge, Unavailable
from storage.blocks import MemoryBlocks
from storage.channel import IDLE, MIN_RATE, StreamingChannel
from storage.hashmap import EMPTY, block_hash, root
from storage.upload import (
    DECIDE,
    Sink,
    make_site,
    received,
    sink_of,
)
from storage.workers import CallerWorkers
from storage.writer import BlockSink, Upload, Writer

Verdict = Callable[[], "int | Awaitable[Sink] | None"]


def sized(request: IRequest, body: bytes) -> bytes:
    request.setHeader(b"Content-Length", b"%d" % len(body))
    return body


class Api:
    """Answers with what it was told about the body."""

    app = Klein()

    @app.handle_errors(CloudError)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        request.setResponseCode(418)
        text = f"{type(failure.value).__name__}: {failure.value}"
        return sized(request, text.encode())

    @app.route("/o", methods=["PUT"])
    async def put(self, request: IRequest) -> bytes:
        upload = await received(request)
        text = f"{upload.size} {upload.root.hex()}"
        return sized(request, text.encode())

    @app.route("/json", methods=["POST", "GET"])
    def post(self, request: IRequest) -> bytes:
        return sized(request, b"got " + request.content.read())


class Transport(StringTransport):
    """Remembers that it was aborted."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class Case(SynchronousTestCase):
    """One connection to a site whose opener each test decides."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.blocks = MemoryBlocks()
        self.writer = Writer(self.blocks, CallerWorkers(), block_size=4)
        self.asked: list[tuple[bytes, bytes]] = []
        self.verdict: Verdict = lambda: None
        site = make_site(Api().app.resource(), self.opener, self.clock, limit=100)
        site.startFactory()
        self.addCleanup(site.stopFactory)
        channel: Any = site.buildProtocol(None)
        self.assertIsInstance(channel, StreamingChannel)
        self.channel = channel
        self.transport = Transport()
        self.channel.makeConnection(self.transport)

    def opener(
        self, method: bytes, uri: bytes, headers: Headers
    ) -> int | Awaitable[Sink] | None:
        self.asked.append((method, uri))
        return self.verdict() if method == b"PUT" else None

    def opens(self, **options: Any) -> None:
        self.verdict = lambda: succeed(self.writer.open(**options))

    def send(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def put(self, length: int | str, body: bytes = b"", more: bytes = b"") -> None:
        how = (
            b"Transfer-Encoding: chunked"
            if isinstance(length, str)
            else b"Content-Length: %d" % length
        )
        self.send(b"PUT /o?x=1 HTTP/1.1\r\nHost: h\r\n%s\r\n%s\r\n" % (how, more))
        if body:
            self.send(body)

    @property
    def answers(self) -> list[tuple[int, bytes]]:
        """Status and body of each answer so far."""
        found, rest = [], self.transport.value()
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            status = int(head.split(b" ")[1])
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b": ")
                length = int(value) if name.lower() == b"content-length" else length
            found.append((status, rest[:length]))
            rest = rest[length:]
        return found

    def reading(self) -> bool:
        return self.transport.producerState == "producing"


class StreamTests(Case):
    def test_a_body_becomes_blocks_while_it_arrives(self) -> None:
        self.opens()
        self.put(10, b"abcde")
        self.assertEqual([], self.successResultOf(self.missing([b"abcd"])))
        self.send(b"fghij")
        expected = root([block_hash(b"abcd"), block_hash(b"efgh"), block_hash(b"ij")])
        self.assertEqual([(200, b"10 " + expected.hex().encode())], self.answers)
        self.assertEqual([(b"PUT", b"/o?x=1")], self.asked)
        self.assertEqual(0, self.writer.open_streams)

    def missing(self, blocks: list[bytes]) -> Deferred[list[bytes]]:
        return Deferred.fromCoroutine(
            self.blocks.missing(list(map(block_hash, blocks)))
        )

    def test_an_empty_body_is_a_stream_too(self) -> None:
        self.opens()
        self.put(0)
        self.assertEqual([(200, b"0 " + EMPTY.hex().encode())], self.answers)

    def test_a_chunked_body(self) -> None:
        self.opens()
        self.put("chunked", b"3\r\nabc\r\n5\r\ndefgh\r\n")
        self.send(b"0\r\n\r\n")
        expected = root([block_hash(b"abcd"), block_hash(b"efgh")])
        self.assertEqual([(200, b"8 " + expected.hex().encode())], self.answers)

    def crumbs(self, count: int) -> bytes:
        return b"1\r\nx\r\n" * count

    def by_hand(self) -> None:
        """Let what the channel wants to do soon wait for `turns`."""
        self.soon: list[Callable[[], None]] = []

        def call_later(delay: float, work: Any, *args: Any) -> Any:
            if delay:
                return self.clock.callLater(delay, work, *args)
            return self.soon.append(work)

        self.channel.callLater = call_later

    def turns(self) -> int:
        """How many turns of the reactor it takes until there is an answer."""
        count = 0
        while not self.answers:
            self.assertFalse(self.reading())
            self.soon.pop(0)()
            count += 1
        return count

    def test_a_chunked_body_of_crumbs_leaves_others_their_turn(self) -> None:
        self.opens()
        self.by_hand()
        self.put("chunked", self.crumbs(50_000) + b"0\r\n\r\n")
        turns = self.turns()
        self.assertGreater(turns, 30)
        self.assertEqual(b"50000", self.answers[0][1].split()[0])
        self.assertTrue(self.reading())

    def test_a_chunked_body_of_large_chunks_is_taken_in_large_bites(self) -> None:
        self.writer = Writer(self.blocks, CallerWorkers(), block_size=4096)
        self.opens()
        self.by_hand()
        data = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        self.put("chunked", data * 16 + b"0\r\n\r\n")
        self.assertLess(self.turns(), 12)

    def test_what_follows_a_chunked_body_is_the_next_request(self) -> None:
        self.opens()
        next_one = b"GET /json HTTP/1.1\r\nHost: h\r\n\r\n"
        self.put("chunked", self.crumbs(5000) + b"0\r\n\r\n" + next_one)
        for _ in range(20):
            self.clock.advance(0)
        self.assertEqual(b"got ", self.answers[1][1])

    def test_crumbs_that_come_while_it_is_decided(self) -> None:
        decision: Deferred[Sink] = Deferred()
        self.verdict = lambda: decision
        self.put("chunked", self.crumbs(5000) + b"0\r\n\r\n")
        self.clock.advance(0)
        self.assertEqual([], self.answers)
        decision.callback(self.writer.open())
        for _ in range(20):
            self.clock.advance(0)
        self.assertEqual(b"5000", self.answers[0][1].split()[0])

    def test_crumbs_of_a_client_that_vanished(self) -> None:
        self.opens()
        self.put("chunked", self.crumbs(5000) + b"0\r\n\r\n")
        self.channel.connectionLost(Failure(ConnectionLost()))
        self.clock.advance(0)
        self.assertEqual((b"", 0), (self.transport.value(), self.writer.open_streams))

    def test_malformed_crumbs_are_answered_once(self) -> None:
        self.opens()
        self.put("chunked", self.crumbs(2000) + b"nonsense\r\n" * 2000)
        for _ in range(20):
            self.clock.advance(0)
        self.assertEqual([(400, b"")], self.answers)

    def test_the_connection_lives_on(self) -> None:
        self.opens()
        self.put(2, b"ab")
        self.put(2, b"cd")
        self.assertEqual([200, 200], [status for status, _ in self.answers])
        self.assertFalse(self.transport.disconnecting)

    def test_requests_that_come_together_are_served_in_order(self) -> None:
        self.opens()
        one = b"PUT /o HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"
        self.send(one + b"ab" + one + b"cd")
        self.assertEqual(
            [b"2 " + block_hash(text).hex().encode() for text in (b"ab", b"cd")],
            [body for _, body in self.answers],
        )

    def test_the_handler_finds_the_sink_and_its_context(self) -> None:
        seen: list[Any] = []

        class Look(Api):
            app = Klein()

            @app.route("/o", methods=["PUT"])
            async def put(self, request: IRequest) -> bytes:
                seen.append((sink_of(request).context, (await received(request)).md5))
                return b""

        self.opens(context="caller", md5=True)
        self.channel.site.resource = Look().app.resource()
        self.put(5, b"abcde")
        self.assertEqual([("caller", md5(b"abcde").digest())], seen)

    def test_a_body_that_was_not_opened_is_no_stream(self) -> None:
        self.put(2, b"ab")
        self.assertEqual(500, self.answers[0][0])
        self.assertEqual(1, len(self.flushLoggedErrors(TypeError)))


class DecisionTests(Case):
    def setUp(self) -> None:
        super().setUp()
        self.decision: Deferred[Sink] = Deferred()
        self.verdict = lambda: self.decision

    def test_nothing_is_read_until_it_is_decided(self) -> None:
        self.put(6, b"abc")
        self.assertFalse(self.reading())
        self.decision.callback(self.writer.open())
        self.assertTrue(self.reading())
        self.send(b"def")
        self.assertEqual(200, self.answers[0][0])

    def test_a_body_may_be_complete_before_it_is_decided(self) -> None:
        self.put(6, b"abcdef")
        self.assertEqual([], self.answers)
        self.decision.callback(self.writer.open())
        self.assertEqual(200, self.answers[0][0])

    def test_the_client_is_asked_for_the_body_only_after_the_checks(self) -> None:
        self.put(6, more=b"Expect: 100-continue\r\n")
        self.assertEqual(b"", self.transport.value())
        self.decision.callback(self.writer.open())
        self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", self.transport.value())
        self.send(b"abcdef")
        self.assertEqual([100, 200], [status for status, _ in self.answers])

    def test_a_refused_client_is_not_asked_for_the_body(self) -> None:
        self.put(6, more=b"Expect: 100-continue\r\n")
        self.decision.errback(Forbidden("no"))
        self.assertEqual([(418, b"Forbidden: no")], self.answers)

    def test_a_refusal_is_answered_before_the_body_and_closes(self) -> None:
        self.put(1000, b"abc")
        self.decision.errback(Forbidden("no"))
        self.assertEqual([(418, b"Forbidden: no")], self.answers)
        self.assertIn(b"Connection: close", self.transport.value())
        self.send(b"more of it, which nobody reads" * 10)
        self.clock.advance(5)
        self.assertTrue(self.transport.aborted)

    def test_a_refusal_after_the_whole_body_keeps_the_connection(self) -> None:
        self.put(3, b"abc")
        self.decision.errback(Forbidden("no"))
        self.assertEqual([(418, b"Forbidden: no")], self.answers)
        self.opens()
        self.put(3, b"abc")
        self.assertEqual([418, 200], [status for status, _ in self.answers])

    def test_a_refusal_at_once(self) -> None:
        def refuse() -> None:
            raise Forbidden("no")

        self.verdict = refuse
        self.put(1000, b"abc")
        self.assertEqual([(418, b"Forbidden: no")], self.answers)

    def test_a_broken_opener_is_an_internal_error(self) -> None:
        self.put(3, b"abc")
        self.decision.errback(ZeroDivisionError())
        self.assertEqual([(418, b"CloudError: internal error")], self.answers)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_an_opener_has_limited_time(self) -> None:
        self.put(3, b"a")
        self.clock.advance(DECIDE)
        (answer,) = self.answers
        self.assertEqual(418, answer[0])
        self.assertTrue(answer[1].startswith(b"Timeout: "))

    def test_a_client_that_leaves_while_it_is_decided(self) -> None:
        for body in (b"abc", b"abcdef"):
            cancelled: list[object] = []
            decision: Deferred[Sink] = Deferred(cancelled.append)
            self.setUp()
            self.verdict = lambda d=decision: d  # type: ignore[misc]
            self.put(6, body)
            self.channel.connectionLost(Failure(ConnectionLost()))
            self.assertEqual([decision], cancelled)
        self.assertEqual(b"", self.transport.value())

    def test_a_sink_that_comes_too_late_is_broken_off(self) -> None:
        decision: Deferred[Sink] = Deferred(lambda d: d.callback(self.writer.open()))
        self.verdict = lambda: decision
        self.put(6, b"abc")
        self.channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(0, self.writer.open_streams)

    def test_the_idle_clock_stands_still_while_it_is_decided(self) -> None:
        self.put(6, b"abc")
        self.clock.advance(DECIDE - 1)
        self.decision.callback(self.writer.open())
        self.clock.advance(IDLE - 1)
        self.send(b"def")
        self.assertEqual(200, self.answers[0][0])


class SlowSink:
    """Asks to wait after every write, and remembers what happens to it."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.room: Deferred[None] = Deferred()
        self.aborted = 0
        self.broken = False

    def write(self, data: bytes) -> Deferred[None] | None:
        if self.broken:
            raise ZeroDivisionError
        self.data.append(data)
        return self.room

    async def close(self) -> Upload:
        return Upload(len(b"".join(self.data)), 4, [], EMPTY)

    def abort(self) -> None:
        self.aborted += 1


class PressureTests(Case):
    def setUp(self) -> None:
        super().setUp()
        self.sink = SlowSink()
        self.verdict = lambda: succeed(self.sink)

    def test_the_client_is_held_back_until_there_is_room(self) -> None:
        self.put(6, b"abc")
        self.assertFalse(self.reading())
        self.sink.room.callback(None)
        self.assertTrue(self.reading())

    def test_a_drained_socket_does_not_let_a_held_body_on(self) -> None:
        self.put(6, b"abc")
        self.channel.resumeProducing()
        self.assertFalse(self.reading())

    def test_a_held_client_is_not_idle(self) -> None:
        self.put(6, b"abc")
        self.clock.advance(10 * IDLE)
        self.assertEqual([], self.answers)
        self.sink.room.callback(None)
        self.send(b"def")
        self.assertEqual(200, self.answers[0][0])

    def test_the_timeout_between_requests_survives_a_hold(self) -> None:
        self.put(3, b"abc")
        self.assertEqual(200, self.answers[0][0])
        self.clock.advance(IDLE)
        self.assertTrue(self.transport.disconnecting)

    def test_a_failure_while_it_waits_refuses_the_request(self) -> None:
        self.put(6, b"abc")
        self.sink.room.errback(Unavailable("no disk"))
        self.assertEqual([(418, b"Unavailable: no disk")], self.answers)
        self.assertEqual(1, self.sink.aborted)

    def test_a_failure_within_a_chunked_body(self) -> None:
        self.sink.room = succeed(None)
        self.put("chunked", b"1\r\na\r\n")
        self.sink.broken = True
        self.send(b"1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")
        self.assertEqual([(418, b"CloudError: internal error")], self.answers)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_a_client_that_vanishes_breaks_the_sink_off(self) -> None:
        self.put(6, b"abc")
        self.channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(1, self.sink.aborted)
        self.sink.room.callback(None)

    def test_malformed_chunks_break_the_sink_off(self) -> None:
        self.sink.room = succeed(None)
        self.put("chunked", b"1\r\na\r\nnonsense\r\n")
        self.assertEqual(400, self.answers[0][0])
        self.channel.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(1, self.sink.aborted)


class LimitTests(Case):
    def test_a_body_that_stops_coming_is_refused(self) -> None:
        self.opens()
        self.put(6, b"abc")
        self.clock.advance(IDLE)
        self.assertEqual(
            [(418, b"RequestTimeout: the body stopped coming")], self.answers
        )
        self.assertEqual(0, self.writer.open_streams)

    def test_a_body_that_drips_is_refused(self) -> None:
        self.opens()
        self.put(1000)
        for _ in range(4):
            self.clock.advance(IDLE / 2)
            self.send(b"x")
        self.assertEqual(
            [(418, b"RequestTimeout: the body comes too slowly")], self.answers
        )

    def test_a_slow_but_steady_body_is_not(self) -> None:
        self.opens()
        self.put(1_000_000)
        for _ in range(10):
            self.clock.advance(IDLE / 2)
            self.send(b"x" * int(MIN_RATE * IDLE / 2))
        self.assertEqual([], self.answers)

    def test_a_body_beyond_the_sinks_limit(self) -> None:
        self.opens(limit=5)
        self.put("chunked", b"6\r\nabcdef\r\n")
        self.assertEqual(
            [(418, b"TooLarge: the body is longer than 5 bytes")], self.answers
        )

    def test_only_so_many_streams_at_once(self) -> None:
        self.writer.streams = 1
        self.writer.open()
        self.verdict = lambda: succeed(self.writer.open())
        self.put(3, b"abc")
        self.assertEqual(
            [(418, b"Unavailable: too many uploads at once")], self.answers
        )


class OrdinaryTests(Case):
    def post(self, body: bytes, length: int | None = None) -> None:
        self.send(
            b"POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
            % (len(body) if length is None else length)
            + body
        )

    def test_a_body_is_buffered_whole(self) -> None:
        self.post(b'{"a": 1}')
        self.assertEqual([(200, b'got {"a": 1}')], self.answers)

    def test_a_request_without_a_body(self) -> None:
        self.send(b"GET /json HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertEqual([(200, b"got ")], self.answers)

    def test_a_body_that_is_declared_too_long(self) -> None:
        self.post(b"", length=101)
        self.assertEqual(
            [(418, b"TooLarge: the body is longer than 100 bytes")], self.answers
        )

    def test_a_chunked_body_that_grows_too_long(self) -> None:
        self.send(b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            self.send(b"32\r\n" + b"x" * 50 + b"\r\n")
        self.assertEqual(
            [(418, b"TooLarge: the body is longer than 100 bytes")], self.answers
        )

    def test_the_opener_may_allow_more(self) -> None:
        self.verdict = lambda: 200
        self.send(
            b"PUT /json HTTP/1.1\r\nHost: h\r\nContent-Length: 150\r\n\r\n" + b"x" * 150
        )
        self.assertEqual(405, self.answers[0][0])

    def test_100_continue_goes_out_at_once(self) -> None:
        self.send(
            b"POST /json HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        self.assertEqual([(100, b"")], self.answers)
        self.send(b"{}")
        self.assertEqual([(100, b""), (200, b"got {}")], self.answers)

    def test_a_form_is_still_parsed(self) -> None:
        self.send(
            b"POST /json HTTP/1.1\r\nContent-Length: 3\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"
        )
        self.assertEqual([(200, b"got a=b")], self.answers)

    def test_a_body_that_stops_coming_is_refused(self) -> None:
        self.post(b"x", length=10)
        self.clock.advance(IDLE)
        self.assertEqual(
            [(418, b"RequestTimeout: the body stopped coming")], self.answers
        )

    def test_an_idle_connection_is_closed(self) -> None:
        self.clock.advance(IDLE)
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual([], self.answers)


class SinkTests(SynchronousTestCase):
    """The stream into blocks, beyond what requests show."""

    def writer(self, blocks: MemoryBlocks) -> Writer:
        return Writer(blocks, CallerWorkers(), block_size=4)

    def closed(self, sink: BlockSink) -> Deferred[Upload]:
        return Deferred.fromCoroutine(sink.close())

    def test_a_store_that_is_slow_holds_the_stream_back(self) -> None:
        blocks = StuckBlocks()
        sink = self.writer(blocks).open()
        self.assertIsNone(sink.write(b"x" * 16))
        waiting = sink.write(b"y" * 4)
        assert waiting is not None
        self.assertNoResult(waiting)
        blocks.finish()
        self.successResultOf(waiting)
        self.assertEqual(20, self.successResultOf(self.closed(sink)).size)

    def test_streams_share_one_budget_in_turn(self) -> None:
        blocks = StuckBlocks()
        writer = self.writer(blocks)
        sinks = [writer.open() for _ in range(5)]
        waits = [sink.write(b"%dabc" % i * 4) for i, sink in enumerate(sinks)]
        self.assertEqual(16, len(blocks.pending))
        self.assertEqual([True] * 4, [wait is None for wait in waits[:4]])
        last = waits[4]
        assert last is not None
        self.assertNoResult(last)
        blocks.finish()
        self.successResultOf(last)

    def test_a_failed_block_fails_the_stream(self) -> None:
        blocks = StuckBlocks()
        writer = self.writer(blocks)
        sink = writer.open()
        sink.write(b"x" * 4)
        blocks.pending[0].errback(Unavailable("no disk"))
        self.failureResultOf(self.closed(sink), Unavailable)
        self.assertEqual((0, 0), (writer.open_streams, writer.budget.used))

    def test_a_failed_block_fails_whoever_waits_for_room(self) -> None:
        blocks = StuckBlocks()
        sink = self.writer(blocks).open()
        waiting = sink.write(b"x" * 20)
        assert waiting is not None
        blocks.pending[0].errback(Unavailable("no disk"))
        self.failureResultOf(waiting, Unavailable)
        with self.assertRaises(Unavailable):
            sink.write(b"more")

    def test_breaking_off_gives_everything_back(self) -> None:
        blocks = StuckBlocks()
        writer = self.writer(blocks)
        sink = writer.open()
        waiting = sink.write(b"x" * 40)
        assert waiting is not None
        sink.abort()
        sink.abort()
        blocks.finish()
        self.failureResultOf(waiting)
        self.assertEqual((0, 0), (writer.open_streams, writer.budget.used))

    def test_the_limit(self) -> None:
        sink = self.writer(MemoryBlocks()).open(limit=3)
        sink.write(b"abc")
        with self.assertRaises(TooLarge):
            sink.write(b"d")


class StuckBlocks(MemoryBlocks):
    """Stores nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[Deferred[None]] = []
        self.stuck = True

    async def put(self, data: bytes) -> bytes:
        if self.stuck:
            self.pending.append(Deferred())
            await self.pending[-1]
        return await super().put(data)

    def finish(self) -> None:
        self.stuck = False
        for one in self.pending:
            one.callback(None)


class PrivateNamesTests(SynchronousTestCase):
    """What twisted.web calls its parts; a new release must be looked at."""

    def test_the_names_that_are_overridden_or_read(self) -> None:
        for name in (
            "allHeadersReceived", "allContentReceived", "rawDataReceived",
            "requestDone", "timeoutConnection", "forceAbortClient",
            "_send100Continue", "setTimeout", "callLater", "_finishRequestBody",
            "_respondToBadRequestAndDisconnect", "writeHeaders", "resetTimeout",
        ):  # fmt: skip
            self.assertTrue(callable(getattr(http.HTTPChannel, name, None)), name)
        for name in ("gotLength", "handleContentChunk", "requestReceived"):
            self.assertTrue(callable(getattr(http.Request, name, None)), name)

    def test_the_attributes_that_are_used(self) -> None:
        names = {
            "_waitingForTransport", "_abortingCall", "length", "persistent", "timeOut",
        }  # fmt: skip
        channel: Any = http.HTTPChannel()
        channel.timeOut, channel.callLater = 1, Clock().callLater
        channel.makeConnection(StringTransport())
        self.assertEqual(set(), {name for name in names if not hasattr(channel, name)})
        self.assertFalse(channel._handlingRequest)
        self.assertIsNotNone(channel._networkProducer)

    def test_method_and_path_are_on_the_channel_when_the_length_is_known(self) -> None:
        seen = []

        class Look(http.Request):
            def gotLength(self, length: int | None) -> None:
                channel: Any = self.channel
                seen.append((channel._command, channel._path, channel.requests))
                super().gotLength(length)

        channel = http.HTTPChannel()
        channel.requestFactory = Look
        channel.makeConnection(StringTransport())
        channel.dataReceived(b"PUT /x?y HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        self.assertEqual([(b"PUT", b"/x?y")], [one[:2] for one in seen])
        self.assertEqual(1, len(seen[0][2]))
