"""The console on real sockets: a small node, stalled ends, TLS, QEMU."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.ssl import CertificateOptions
from twisted.trial.unittest import TestCase

from tests.vnc.qemu import MISSING, started
from tests.vnc.rig import (
    Client,
    Node,
    NodeFactory,
    Rig,
    masks,
    pause,
    reactor,
    resident,
)
from tests.vnc.wire import CLOSE, upgrade

MIB = 1024 * 1024


class SocketCase(TestCase):
    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]
        self.rig = Rig()
        await self.rig.start()
        self.addCleanup(self.finish)
        self.clients: list[Client] = []
        self.nodes = NodeFactory()
        self.port = reactor.listenTCP(0, self.nodes, interface="127.0.0.1")

    async def finish(self) -> None:
        for wire in (*self.clients, *self.nodes.made):
            wire.wire.abortConnection()
            await wire.gone
        await self.rig.stop()
        await self.port.stopListening()

    async def client(self, ticket: str) -> Client:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.rig.port)
        client: Client = await connectProtocol(endpoint, Client())
        self.clients.append(client)
        head = await client.open(upgrade(f"/console/{ticket}"))
        assert head.startswith(b"HTTP/1.1 101 "), head
        return client

    async def joined(self, number: int = 0) -> tuple[Client, Node]:
        port = self.port.getHost().port
        client = await self.client(self.rig.ticket(port, user=str(number)))
        await client.greet()
        node = self.nodes.made[-1]
        await node.ready
        return client, node


class FlowTests(SocketCase):
    async def test_what_is_sent_arrives_both_ways(self) -> None:
        client, node = await self.joined()
        down, up = os.urandom(5 * MIB), os.urandom(3 * MIB)
        node.wire.write(down)
        for number, mask in enumerate(masks(6)):
            client.say(up[number * MIB // 2 : (number + 1) * MIB // 2], mask)
        self.assertEqual(up, await node.read(len(up)))
        self.assertEqual(down, await client.exactly(len(down)))

    async def test_the_end_is_told(self) -> None:
        client, node = await self.joined()
        node.wire.write(b"last words")
        node.wire.loseConnection()
        self.assertEqual(b"last words", await client.exactly(10))
        opcode, payload = await client.message()
        self.assertEqual((CLOSE, 1000), (opcode, int.from_bytes(payload[:2], "big")))
        client.wire.loseConnection()
        await client.gone
        while not self.rig.over:
            await pause(0.01)
        self.assertEqual((13, 28), self.rig.over[0][1:])

    async def test_a_ticket_is_used_up(self) -> None:
        ticket = self.rig.ticket(self.port.getHost().port)
        await self.client(ticket)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.rig.port)
        late = await connectProtocol(endpoint, Client())
        self.clients.append(late)
        head = await late.open(upgrade(f"/console/{ticket}"))
        self.assertIn(b"404 this console ticket is unknown, used or expired", head)

    async def test_no_memory_for_stalled_readers(self) -> None:
        """20 clients stop reading while their nodes send all they can."""
        pairs = [await self.joined(number) for number in range(20)]
        before = resident()
        block = os.urandom(MIB)
        for client, node in pairs:
            client.keep = False
            client.wire.pauseProducing()
            _Blast(node, block)
        reached = -1
        while reached != (reached := sum(b.tx for b in self.rig.consoles.open)):
            await pause(0.4)
        self.assertGreater(reached, 20 * MIB // 4)
        # one read and one write buffer each, and the node's own block
        self.assertLess(resident() - before, 20 * 3 * MIB)
        for client, _ in pairs:
            client.wire.resumeProducing()
        while sum(b.tx for b in self.rig.consoles.open) < reached + 100 * MIB:
            await pause(0.05)

    async def test_no_memory_for_a_stalled_node(self) -> None:
        client, node = await self.joined()
        node.wire.pauseProducing()
        before = resident()
        block = os.urandom(MIB // 2)
        _Blast(client, block)
        (bridge,) = self.rig.consoles.open
        reached = -1
        while reached != (reached := bridge.rx):
            await pause(0.4)
        self.assertLess(resident() - before, 8 * MIB)
        node.keep = False
        node.wire.resumeProducing()
        while bridge.rx < reached + 20 * MIB:
            await pause(0.05)

    async def test_stopping_tells_everyone(self) -> None:
        client, node = await self.joined()
        stopping = self.rig.consoles.stopService()
        opcode, payload = await client.message()
        self.assertEqual((CLOSE, 1001), (opcode, int.from_bytes(payload[:2], "big")))
        client.wire.loseConnection()
        await stopping
        await node.gone


class _Blast:
    """Writes one block whenever there is room."""

    def __init__(self, end: Node | Client, block: bytes) -> None:
        self._end, self._block = end, block
        self._paused = True
        end.wire.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self._paused = False
        reactor.callLater(0, self._write)

    def pauseProducing(self) -> None:
        self._paused = True

    def stopProducing(self) -> None:
        self._paused = True

    def _write(self) -> None:
        if self._paused:
            return
        if isinstance(self._end, Client):
            self._end.say(self._block)
        else:
            self._end.wire.write(self._block)
        reactor.callLater(0, self._write)


class TlsTests(SocketCase):
    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        await self.rig.stop()
        self.rig = Rig()
        pem = self.certificate()
        await self.rig.start(f"ssl:0:interface=127.0.0.1:privateKey={pem}")

    def certificate(self) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key())
            .serial_number(1)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        path = Path(self.mktemp())
        path.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path

    async def client(self, ticket: str) -> Client:
        plain = TCP4ClientEndpoint(reactor, "127.0.0.1", self.rig.port)
        endpoint = wrapClientTLS(CertificateOptions(), plain)
        client: Client = await connectProtocol(endpoint, Client())
        self.clients.append(client)
        await client.open(upgrade(f"/console/{ticket}"))
        return client

    async def test_over_tls_too(self) -> None:
        client, node = await self.joined()
        down = os.urandom(2 * MIB)
        node.wire.write(down)
        client.say(b"key" * 1000, b"abcd")
        self.assertEqual(b"key" * 1000, await node.read(3000))
        self.assertEqual(down, await client.exactly(len(down)))

    async def test_a_stalled_reader_over_tls(self) -> None:
        client, node = await self.joined()
        client.keep = False
        client.wire.pauseProducing()
        _Blast(node, os.urandom(MIB))
        (bridge,) = self.rig.consoles.open
        before, reached = resident(), -1
        while reached != (reached := bridge.tx):
            await pause(0.4)
        self.assertLess(resident() - before, 8 * MIB)
        client.wire.resumeProducing()
        while bridge.tx < reached + 10 * MIB:
            await pause(0.05)


class QemuTests(SocketCase):
    """QEMU's own VNC server."""

    skip = MISSING

    async def server_init(self, client: Client) -> tuple[int, int, bytes]:
        await client.greet()
        client.say(b"\x01")
        head = await client.exactly(24)
        length = int.from_bytes(head[20:24], "big")
        name = head[24:] + await client.exactly(24 + length - len(head))
        width, height = head[:2], head[2:4]
        return int.from_bytes(width, "big"), int.from_bytes(height, "big"), name

    async def test_without_a_password(self) -> None:
        qemu = started(self.addCleanup)
        client = await self.client(self.rig.ticket(qemu.port))
        width, height, name = await self.server_init(client)
        self.assertGreater(width * height, 100 * 100)
        self.assertTrue(name.startswith(b"QEMU"), name)

    async def test_its_password_is_ours_to_prove(self) -> None:
        qemu = started(self.addCleanup, password="sesame12")
        ticket = self.rig.ticket(qemu.port, password="sesame12")
        client = await self.client(ticket)
        _, _, name = await self.server_init(client)
        self.assertTrue(name.startswith(b"QEMU"), name)

    async def test_a_wrong_or_missing_password(self) -> None:
        qemu = started(self.addCleanup, password="sesame12")
        for password in ("wrong", None):
            ticket = self.rig.ticket(qemu.port, password=password)
            client = await self.client(ticket)
            opcode, payload = await client.message()
            code = int.from_bytes(payload[:2], "big")
            self.assertEqual((CLOSE, 1011), (opcode, code))

    async def test_qemu_ends(self) -> None:
        qemu = started(self.addCleanup)
        client = await self.client(self.rig.ticket(qemu.port))
        await self.server_init(client)
        qemu.stop()
        opcode, payload = await client.message()
        self.assertEqual((CLOSE, 1000), (opcode, int.from_bytes(payload[:2], "big")))
