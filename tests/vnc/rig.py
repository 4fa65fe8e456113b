"""The console on real sockets, with tickets kept in memory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, serverFromString
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site

from snfd.errors import NotFound
from snfd.tasks import Tasks
from tests.vnc.wire import frame
from vnc.console import Consoles
from vnc.model import ConsoleTarget, Limits
from vnc.websocket import resource

reactor: Any = _reactor


async def pause(seconds: float) -> None:
    """Let the reactor run for a while."""
    await deferLater(reactor, seconds)


class Rig:
    """A site with ``/console`` on an ephemeral port."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.tickets: dict[str, ConsoleTarget] = {}
        self.over: list[tuple[str, int, int]] = []
        self.tasks = Tasks()
        self.consoles = Consoles(
            redeem=self._redeem,
            connect=lambda host, port: HostnameEndpoint(reactor, host, port),
            still_valid=self._still_valid,
            ended=self._ended,
            clock=reactor,
            tasks=self.tasks,
            limits=limits or Limits(),
        )

    async def start(
        self,
        listener: str = "tcp:0:interface=127.0.0.1",
        more: Mapping[bytes, IResource] | None = None,
    ) -> None:
        root = Resource()
        root.putChild(b"console", resource(self.consoles))
        for name, child in (more or {}).items():
            root.putChild(name, child)
        self.consoles.startService()
        self._listening = await serverFromString(reactor, listener).listen(Site(root))
        self.port: int = self._listening.getHost().port

    async def stop(self) -> None:
        await self.consoles.stopService()
        await self.tasks.stop()
        await self._listening.stopListening()

    def ticket(self, port: int, **more: Any) -> str:
        """A ticket for the screen on a local port."""
        ticket = secrets.token_urlsafe(32)
        self.tickets[ticket] = ConsoleTarget(
            ticket[:8], 42, more.pop("user", "ann"), "127.0.0.1", port, **more
        )
        return ticket

    async def _redeem(self, ticket: str, peer: str) -> ConsoleTarget:
        if ticket not in self.tickets:
            raise NotFound("this console ticket is unknown, used or expired")
        return self.tickets.pop(ticket)

    async def _still_valid(self, session: str) -> bool:
        return True

    async def _ended(self, session: str, rx: int, tx: int) -> None:
        self.over.append((session, rx, tx))


class Wire(Protocol):
    """Raw bytes of a connection, awaited by count."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.total = 0
        self.keep = True
        self.gone: Deferred[None] = Deferred()
        self._waiting: tuple[int, Deferred[bytes]] | None = None

    def connectionMade(self) -> None:
        self.wire: Any = self.transport

    def dataReceived(self, data: bytes) -> None:
        self.total += len(data)
        if self.keep:
            self.data += data
            self._serve()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone.callback(None)

    async def read(self, count: int) -> bytes:
        """The next ``count`` bytes; the test's own limit of time is the bound."""
        waiting: Deferred[bytes] = Deferred()
        self._waiting = count, waiting
        self._serve()
        return await waiting

    def _serve(self) -> None:
        if self._waiting is not None and len(self.data) >= self._waiting[0]:
            (count, waiting), self._waiting = self._waiting, None
            taken = bytes(self.data[:count])
            del self.data[:count]
            waiting.callback(taken)


class Client(Wire):
    """A websocket client at the level of bytes."""

    async def open(self, request: bytes) -> bytes:
        """The head of the answer to ``request``."""
        self.wire.write(request)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await self.read(1)
        return head

    def say(self, data: bytes, mask: bytes = b"\0\0\0\0") -> None:
        """Send one binary message."""
        whole = bytearray(frame(data))
        if mask != b"\0\0\0\0":
            start = len(whole) - len(data)
            whole[start - 4 : start] = mask
            key = int.from_bytes((mask * (len(data) // 4 + 1))[: len(data)], "big")
            masked = int.from_bytes(data, "big") ^ key
            whole[start:] = masked.to_bytes(len(data), "big")
        self.wire.write(bytes(whole))

    async def message(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame."""
        first, size = await self.read(2)
        if size == 126:
            size = int.from_bytes(await self.read(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.read(8), "big")
        return first & 0x0F, await self.read(size)

    async def exactly(self, count: int) -> bytes:
        """The payload of messages that make ``count`` bytes."""
        data = b""
        while len(data) < count:
            data += (await self.message())[1]
        return data

    async def greet(self) -> None:
        """The RFB handshake as noVNC does it, up to ClientInit."""
        assert await self.exactly(12) == b"RFB 003.008\n"
        self.say(b"RFB 003.008\n")
        assert await self.exactly(2) == b"\x01\x01"
        self.say(b"\x01")
        assert await self.exactly(4) == b"\0\0\0\0"


class Node(Wire):
    """A VNC server that does the handshake and leaves the rest to the test."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.wire.write(b"RFB 003.008\n")
        self._heard = b""
        self.ready: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        if self.ready.called:
            super().dataReceived(data)
            return
        self._heard += data
        if len(self._heard) == 12:
            self.wire.write(b"\x01\x01")
        elif len(self._heard) == 13:
            self.wire.write(b"\0\0\0\0")
            self.ready.callback(None)


class NodeFactory(Factory):
    """Keeps the nodes it made."""

    noisy = False

    def __init__(self) -> None:
        self.made: list[Node] = []

    def buildProtocol(self, addr: object) -> Node:
        self.made.append(Node())
        return self.made[-1]


def resident() -> int:
    """Bytes of memory that this process has now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def masks(count: int) -> Sequence[bytes]:
    """Some masks as browsers make them."""
    return [os.urandom(4) for _ in range(count)]
