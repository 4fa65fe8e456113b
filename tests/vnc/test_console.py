"""The console from ticket to end, in memory."""

from __future__ import annotations

from typing import Any, cast

from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from snfd.errors import Forbidden, NotFound
from snfd.tasks import Tasks
from tests.vnc.wire import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    TICKET,
    MemoryEndpoint,
    NodeTransport,
    frame,
    frames,
    upgrade,
)
from vnc.console import PERIOD, Consoles
from vnc.model import ConsoleTarget, Limits
from vnc.rfb import answer
from vnc.websocket import allowed, resource

V38 = b"RFB 003.008\n"
NODE_HELLO = V38 + b"\x01\x01" + b"\0\0\0\0"
CHALLENGE = bytes(range(16))


class ConsoleCase(SynchronousTestCase):
    """A site in memory with one console service behind it."""

    limits = Limits(sessions=3, per_user=2, idle=100.0, lifetime=1000.0)
    origins = ("https://ui.example",)
    accelerated = True

    def setUp(self) -> None:
        self.clock = Clock()
        self.tasks = Tasks()
        self.tickets: dict[str, ConsoleTarget | Exception] = {TICKET: self.target()}
        self.peers: list[str] = []
        self.waiting: Deferred[None] = succeed(None)
        self.endpoints: list[MemoryEndpoint] = []
        self.valid: dict[str, bool | Exception] = {}
        self.over: list[tuple[str, int, int]] = []
        self.consoles = Consoles(
            redeem=self.redeem,
            connect=self.connect,
            still_valid=self.still_valid,
            ended=self.ended,
            clock=self.clock,
            tasks=self.tasks,
            limits=self.limits,
            entropy=lambda count: CHALLENGE[:count],
            accelerated=self.accelerated,
        )
        self.consoles.startService()
        self.addCleanup(self.stop)
        root = Resource()
        root.putChild(b"console", resource(self.consoles, self.origins))
        self.site = Site(root, reactor=self.clock)
        self.log: list[str] = []
        self.site.log = (  # type: ignore[method-assign]
            lambda request: self.log.append(str(request))
        )
        self.sockets: list[tuple[StringTransport, object]] = []

    def stop(self) -> None:
        if self.consoles.running:
            stopping = self.consoles.stopService()
            self.clock.pump([1.0] * 10)
            self.successResultOf(stopping)

    def target(self, session: str = "s1", **more: Any) -> ConsoleTarget:
        target = ConsoleTarget(session, 42, "ann", "node1", 5901)
        return evolve(target, **more)

    async def redeem(self, ticket: str, peer: str) -> ConsoleTarget:
        self.peers.append(peer)
        found = self.tickets.pop(ticket, NotFound("no such ticket"))
        await self.waiting
        if isinstance(found, Exception):
            raise found
        return found

    def connect(self, host: str, port: int) -> MemoryEndpoint:
        self.endpoints.append(MemoryEndpoint())
        return self.endpoints[-1]

    async def still_valid(self, session: str) -> bool:
        found = self.valid.get(session, True)
        if isinstance(found, Exception):
            raise found
        return found

    async def ended(self, session: str, rx: int, tx: int) -> None:
        self.over.append((session, rx, tx))

    def browse(self, request: bytes | None = None) -> NodeTransport:
        """A client connects and sends its request."""
        protocol = self.site.buildProtocol(None)
        transport = NodeTransport()
        transport.protocol = protocol  # takeovers replace it
        protocol.makeConnection(transport)
        protocol.dataReceived(request or upgrade())
        return transport

    def say(self, transport: NodeTransport, data: bytes) -> None:
        transport.protocol.dataReceived(data)

    def hang_up(self, transport: NodeTransport) -> None:
        transport.hang_up()

    def heard(self, transport: StringTransport) -> list[tuple[int, bytes]]:
        """The frames that a client got since it last asked."""
        data = transport.value()
        transport.clear()
        if data.startswith(b"HTTP/"):
            data = data.partition(b"\r\n\r\n")[2]
        return list(frames(data))

    def bytes_heard(self, transport: StringTransport) -> bytes:
        return b"".join(p for code, p in self.heard(transport) if code == BINARY)

    def joined(self, ticket: str = TICKET) -> tuple[NodeTransport, NodeTransport]:
        """A client and a node whose handshakes are done."""
        client = self.browse(upgrade(f"/console/{ticket}"))
        node = self.endpoints[-1].accept()
        self.say(node, NODE_HELLO)
        self.say(client, frame(V38))
        self.say(client, frame(b"\x01"))
        self.assertEqual(V38 + b"\x01\x01\0\0\0\0", self.bytes_heard(client))
        self.assertEqual(V38 + b"\x01", node.value())
        node.clear()
        return client, node


class TicketTests(ConsoleCase):
    """Who gets in."""

    def status(self, transport: StringTransport) -> tuple[int, bytes]:
        head = transport.value().split(b"\r\n")[0]
        _, code, reason = head.split(b" ", 2)
        return int(code), reason

    def test_a_ticket_opens_one_console(self) -> None:
        first = self.browse()
        self.assertEqual(101, self.status(first)[0])
        self.assertEqual((404, b"no such ticket"), self.status(self.browse()))
        self.assertEqual(["192.168.1.1"] * 2, self.peers)

    def test_no_subprotocol_unless_binary_was_offered(self) -> None:
        self.assertNotIn(b"Sec-WebSocket-Protocol", self.browse().value())
        for number, (offer, answered) in enumerate(
            (("binary", True), ("base64, binary", True), ("base64", False))
        ):
            self.tickets[TICKET] = self.target(f"p{number}", user=str(number))
            client = self.browse(upgrade(headers={"Sec-WebSocket-Protocol": offer}))
            self.assertEqual(
                answered, b"Sec-WebSocket-Protocol: binary\r\n" in client.value()
            )
            self.hang_up(client)

    def test_deflate_is_never_accepted(self) -> None:
        offer = {
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"
        }
        client = self.browse(upgrade(headers=offer))
        self.assertEqual(101, self.status(client)[0])
        self.assertNotIn(b"Extensions", client.value())

    def test_refusals_keep_their_reason(self) -> None:
        self.tickets["f" * 43] = Forbidden("the server is not\r\nactive: x")
        client = self.browse(upgrade("/console/" + "f" * 43))
        self.assertEqual((403, b"the server is not active: x"), self.status(client))
        self.assertTrue(client.leaving)

    def test_a_failure_is_logged_and_says_nothing(self) -> None:
        self.tickets["f" * 43] = ZeroDivisionError("secret")
        client = self.browse(upgrade("/console/" + "f" * 43))
        self.assertEqual(500, self.status(client)[0])
        self.assertNotIn(b"secret", client.value())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_what_cannot_be_a_ticket_is_not_looked_up(self) -> None:
        for path in ("x", "a" * 200, "%2e%2e", "t" * 42 + "!"):
            client = self.browse(upgrade("/console/" + path))
            self.assertEqual(404, self.status(client)[0], path)
        self.assertEqual([], self.peers)

    def test_other_requests_do_not_cost_the_ticket(self) -> None:
        plain = f"GET /console/{TICKET} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        self.assertEqual(426, self.status(self.browse(plain))[0])
        post = plain.replace(b"GET", b"POST", 1)
        self.assertEqual(426, self.status(self.browse(post))[0])
        deeper = upgrade(f"/console/{TICKET}/more")
        self.assertEqual(404, self.status(self.browse(deeper))[0])
        self.assertEqual(404, self.status(self.browse(upgrade("/console")))[0])
        old = upgrade(headers={"Sec-WebSocket-Version": "8"})
        self.assertEqual(400, self.status(self.browse(old))[0])
        self.assertEqual([], self.peers)
        self.assertIn(TICKET, self.tickets)
        self.assertNotIn(TICKET, " ".join(self.log))

    def test_foreign_pages_are_refused_before_the_ticket_is_spent(self) -> None:
        for origin in ("https://evil.example", "null", "file://", "https://x:y"):
            client = self.browse(upgrade(headers={"Origin": origin}))
            self.assertIn(self.status(client)[0], (400, 403), origin)
        self.assertEqual([], self.peers)
        client = self.browse(upgrade(headers={"Origin": "https://ui.example:443"}))
        self.assertEqual(101, self.status(client)[0])

    def test_nothing_is_read_while_a_ticket_is_redeemed(self) -> None:
        self.waiting = Deferred()
        client = self.browse()
        self.assertEqual("paused", client.producerState)
        self.say(client, upgrade())  # what a pipelining client had sent before
        self.waiting.callback(None)
        self.assertEqual(1, len(self.peers))
        self.assertEqual([], list(self.consoles.open))

    def test_a_client_that_leaves_meanwhile(self) -> None:
        self.waiting = Deferred()
        client = self.browse()
        self.hang_up(client)
        self.waiting.callback(None)
        self.assertEqual([("s1", 0, 0)], self.over)
        self.assertEqual(([], []), (list(self.consoles.open), self.endpoints))

    def test_limits_per_user_and_in_all(self) -> None:
        for number, (user, status) in enumerate(
            (("ann", 101), ("ann", 101), ("ann", 429), ("bob", 101), ("cay", 503))
        ):
            ticket = f"{number}" * 30
            self.tickets[ticket] = self.target(f"s{number}", user=user)
            client = self.browse(upgrade(f"/console/{ticket}"))
            self.assertEqual(status, self.status(client)[0], (number, user))
        self.assertEqual([("s2", 0, 0)], self.over)
        self.assertIn("4" * 30, self.tickets)

    def test_a_stopped_service_keeps_tickets(self) -> None:
        self.stop()
        self.assertEqual(503, self.status(self.browse())[0])
        self.assertIn(TICKET, self.tickets)


class AllowedTests(SynchronousTestCase):
    """Origins."""

    def test_same_origin_and_listed_ones(self) -> None:
        listed = {("https", "ui.example", 443)}
        for origin, host, expected in (
            ("", "a.example", True),
            ("https://a.example", "a.example", True),
            ("https://a.example", "a.example:443", True),
            ("http://a.example:8080", "a.example:8080", True),
            ("http://[::1]:8080", "[::1]:8080", True),
            ("https://A.example", "a.example", True),
            ("https://ui.example", "a.example", True),
            ("http://ui.example", "a.example", False),
            ("https://a.example", "a.example:8443", False),
            ("https://a.example.evil", "a.example", False),
            ("null", "a.example", False),
            ("ftp://a.example", "a.example", False),
            ("https://a.example:99999", "a.example", False),
        ):
            self.assertEqual(expected, allowed(origin, host, listed), (origin, host))


class BridgeTests(ConsoleCase):
    """What flows and what ends it."""

    def test_bytes_flow_both_ways(self) -> None:
        client, node = self.joined()
        self.say(client, frame(b"\x01"))
        self.say(client, frame(b"key" * 30000))
        self.assertEqual(b"\x01" + b"key" * 30000, node.value())
        self.say(node, b"screen")
        self.assertEqual([(BINARY, b"screen")], self.heard(client))
        self.hang_up(client)
        self.hang_up(node)
        rx, tx = 12 + 1 + 1 + 90000, 12 + 2 + 4 + 6
        self.assertEqual([("s1", rx, tx)], self.over)

    def test_a_client_may_talk_before_it_is_asked(self) -> None:
        client = self.browse()
        self.say(client, frame(V38) + frame(b"\x01\x01"))
        node = self.endpoints[0].accept()
        self.assertEqual([], self.heard(client))
        self.say(node, NODE_HELLO)
        self.assertEqual(V38 + b"\x01\x01\0\0\0\0", self.bytes_heard(client))
        self.assertEqual(V38 + b"\x01\x01", node.value())

    def test_the_nodes_password_stays_here(self) -> None:
        self.tickets[TICKET] = self.target(password="sesame")
        client = self.browse()
        node = self.endpoints[0].accept()
        self.say(node, V38 + b"\x01\x02" + CHALLENGE)
        self.assertEqual(V38 + b"\x02" + answer("sesame", CHALLENGE), node.value())
        self.say(node, b"\0\0\0\0")
        self.say(client, frame(V38 + b"\x01"))
        self.assertEqual(V38 + b"\x01\x01\0\0\0\0", self.bytes_heard(client))

    def test_a_one_time_password_is_asked_for(self) -> None:
        self.tickets[TICKET] = self.target(client_password="x9Kq2LmA")
        client = self.browse()
        self.say(self.endpoints[0].accept(), NODE_HELLO)
        self.say(client, frame(V38 + b"\x02"))
        self.assertEqual(V38 + b"\x01\x02" + CHALLENGE, self.bytes_heard(client))
        self.say(client, frame(answer("x9Kq2LmA", CHALLENGE) + b"\x01"))
        self.assertEqual(b"\0\0\0\0", self.bytes_heard(client))

    def test_a_wrong_password_ends_it(self) -> None:
        self.tickets[TICKET] = self.target(client_password="x9Kq2LmA")
        client = self.browse()
        self.say(self.endpoints[0].accept(), NODE_HELLO)
        self.say(client, frame(V38 + b"\x02" + answer("guess", CHALLENGE)))
        *_, told, close = self.heard(client)
        self.assertIn(b"wrong password", told[1])
        self.assertEqual((CLOSE, 4004), (close[0], int.from_bytes(close[1][:2], "big")))

    def closed_with(self, client: StringTransport, code: int) -> None:
        *_, last = self.heard(client)
        self.assertEqual((CLOSE, code), (last[0], int.from_bytes(last[1][:2], "big")))

    def test_an_unreachable_node(self) -> None:
        client = self.browse()
        self.endpoints[0].refuse(ConnectError())
        self.closed_with(client, 1011)

    def test_a_node_that_does_not_answer(self) -> None:
        client = self.browse()
        self.clock.advance(10)
        self.assertTrue(self.endpoints[0].cancelled)
        self.closed_with(client, 1011)

    def test_a_node_that_says_nothing_or_nonsense(self) -> None:
        client = self.browse()
        node = self.endpoints[0].accept()
        self.clock.advance(10)
        self.closed_with(client, 1011)
        self.assertTrue(node.leaving)
        self.tickets[TICKET] = self.target("s2")
        client = self.browse()
        self.say(self.endpoints[1].accept(), b"SSH-2.0-OpenSSH_9\n")
        self.closed_with(client, 1011)

    def test_a_client_that_does_not_greet(self) -> None:
        client = self.browse()
        self.say(self.endpoints[0].accept(), NODE_HELLO)
        self.clock.advance(60)
        self.closed_with(client, 1000)

    def test_the_node_closes(self) -> None:
        client, node = self.joined()
        self.say(node, b"last words")
        self.hang_up(node)
        said, close = self.heard(client)
        self.assertEqual((BINARY, b"last words"), said)
        self.assertEqual(1000, int.from_bytes(close[1][:2], "big"))
        self.say(client, frame(close[1], CLOSE))
        self.assertTrue(client.leaving)
        self.hang_up(client)
        self.assertEqual(1, len(self.over))
        self.assertEqual([], self.clock.getDelayedCalls()[1:])

    def test_the_client_closes(self) -> None:
        client, node = self.joined()
        self.say(client, frame(b"\x03\xe8", CLOSE))
        self.assertTrue(client.leaving)
        self.assertTrue(node.leaving)

    def test_a_client_that_says_goodbye_but_does_not_go_is_cut(self) -> None:
        client, node = self.joined()
        self.say(client, frame(b"\x03\xe8", CLOSE))
        self.hang_up(node)
        self.clock.advance(5)
        self.assertTrue(client.aborting)
        self.hang_up(client)
        self.assertEqual(1, len(self.over))

    def test_a_client_that_vanishes(self) -> None:
        client, node = self.joined()
        self.hang_up(client)
        self.assertTrue(node.leaving)
        self.assertEqual([], self.over)
        self.hang_up(node)
        self.assertEqual(1, len(self.over))

    def test_a_closing_side_that_hangs_is_cut(self) -> None:
        client, node = self.joined()
        self.consoles.close_server(42)
        self.closed_with(client, 4001)
        self.clock.advance(5)
        self.assertEqual((True, True), (client.aborting, node.aborting))

    def test_text_is_refused(self) -> None:
        client, _ = self.joined()
        self.say(client, frame(b"hello", TEXT))
        self.closed_with(client, 1003)

    def test_long_messages_are_refused(self) -> None:
        client, node = self.joined()
        self.say(client, frame(b"x" * (1024 * 1024 + 1))[:100])
        self.assertTrue(client.leaving)
        self.assertTrue(node.leaving)

    def test_pings_find_dead_clients(self) -> None:
        client, node = self.joined()
        self.clock.advance(30)
        (ping,) = self.heard(client)
        self.assertEqual(PING, ping[0])
        self.clock.advance(30)
        self.assertTrue(client.leaving)
        self.assertTrue(node.leaving)


class PressureTests(ConsoleCase):
    """Each side waits for the other."""

    def test_a_stalled_client_pauses_the_node(self) -> None:
        client, node = self.joined()
        producer = client.producer
        assert producer is not None
        producer.pauseProducing()
        self.assertEqual("paused", node.producerState)
        producer.resumeProducing()
        self.assertEqual("producing", node.producerState)

    def test_a_stalled_node_pauses_the_client(self) -> None:
        client, node = self.joined()
        producer = node.producer
        assert producer is not None
        self.assertTrue(node.streaming)
        producer.pauseProducing()
        self.assertEqual("paused", client.producerState)
        producer.resumeProducing()
        self.assertEqual("producing", client.producerState)

    def test_neither_side_is_read_before_the_other_is_ready(self) -> None:
        client = self.browse()
        self.assertEqual("paused", client.producerState)
        node = self.endpoints[0].accept()
        self.assertEqual("producing", node.producerState)
        self.say(node, NODE_HELLO)
        self.assertEqual("paused", node.producerState)
        self.assertEqual("producing", client.producerState)
        self.say(client, frame(V38 + b"\x01"))
        self.assertEqual("producing", node.producerState)

    def test_ending_undoes_the_pauses(self) -> None:
        client, node = self.joined()
        assert client.producer is not None and node.producer is not None
        client.producer.pauseProducing()
        node.producer.pauseProducing()
        self.consoles.close_server(42)
        self.assertEqual((None, None), (client.producer, node.producer))
        self.assertEqual("producing", client.producerState)
        self.assertEqual("producing", node.producerState)


class EndingTests(ConsoleCase):
    """Sessions that must end."""

    def test_server_and_user(self) -> None:
        self.tickets["b" * 30] = self.target("s2", server=43, user="bob")
        ann, _ = self.joined()
        bob, _ = self.joined("b" * 30)
        self.assertEqual(0, self.consoles.close_server(44))
        self.assertEqual(1, self.consoles.close_server(43))
        self.assertEqual([], self.heard(ann))
        self.assertEqual(4001, int.from_bytes(self.heard(bob)[0][1][:2], "big"))
        self.assertEqual(1, self.consoles.close_user("ann"))
        self.assertEqual(4003, int.from_bytes(self.heard(ann)[0][1][:2], "big"))

    def tick(self, client: NodeTransport) -> list[int]:
        """One period passes, the client answers pings; codes it was closed with."""
        self.clock.advance(PERIOD)
        codes = []
        for opcode, payload in self.heard(client):
            if opcode == PING:
                self.say(client, frame(payload, PONG))
            if opcode == CLOSE:
                codes.append(int.from_bytes(payload[:2], "big"))
        return codes

    def test_sessions_are_rechecked(self) -> None:
        client, _ = self.joined()
        self.assertEqual([], self.tick(client))
        self.valid["s1"] = OSError("no database")
        self.assertEqual([], self.tick(client))
        self.assertEqual(1, len(self.flushLoggedErrors(OSError)))
        self.valid["s1"] = False
        self.assertEqual([4003], self.tick(client))

    def test_idle_sessions_end(self) -> None:
        client, node = self.joined()
        for _ in range(6):
            self.say(node, b"blink")
            self.assertEqual([], self.tick(client))
        self.assertEqual([], self.tick(client) + self.tick(client) + self.tick(client))
        self.assertEqual([4008], self.tick(client))

    def test_no_session_is_for_ever(self) -> None:
        client, node = self.joined()
        for _ in range(33):
            self.say(node, b"blink")
            self.assertEqual([], self.tick(client))
        self.assertEqual([4009], self.tick(client))

    def test_stopping_says_so_and_waits(self) -> None:
        client, node = self.joined()
        stopping = self.consoles.stopService()
        (close,) = self.heard(client)
        self.assertEqual(1001, int.from_bytes(close[1][:2], "big"))
        self.assertNoResult(stopping)
        self.hang_up(node)
        self.hang_up(client)
        self.successResultOf(stopping)
        self.assertEqual(1, len(self.over))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_stopping_does_not_wait_for_ever(self) -> None:
        client, node = self.joined()
        stopping = self.consoles.stopService()
        self.clock.pump([1.0] * 8)
        self.successResultOf(stopping)
        self.assertEqual((True, True), (client.aborting, node.aborting))

    def test_stopping_gives_up_connecting(self) -> None:
        client = self.browse()
        stopping = self.consoles.stopService()
        self.assertTrue(self.endpoints[0].cancelled)
        self.hang_up(client)
        self.successResultOf(stopping)


class SlowTests(ConsoleCase):
    """Without autobahn's native parts."""

    accelerated = False

    def setUp(self) -> None:
        self.events: list[str] = []
        note = cast(ILogObserver, lambda event: self.events.append(event["log_format"]))
        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        super().setUp()

    def test_it_is_said_at_the_start(self) -> None:
        self.assertTrue([event for event in self.events if "NVX" in event])
