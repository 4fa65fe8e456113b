"""Websocket bytes as a client makes and reads them, and a stand-in for a node."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

BINARY, TEXT, CLOSE, PING, PONG = 2, 1, 8, 9, 10
TICKET = "t" * 43


def upgrade(
    path: str = f"/console/{TICKET}", headers: Mapping[str, str] | None = None
) -> bytes:
    """The request that opens a websocket."""
    wanted = {
        "Host": "cloud.example",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **(headers or {}),
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in wanted.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """One whole frame from a client; its mask is zero, so nothing changes."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each whole frame that a server sent."""
    while len(data) >= 2:
        size, start = data[1] & 0x7F, 2
        if size == 126:
            size, start = struct.unpack_from(">H", data, 2)[0], 4
        elif size == 127:
            size, start = struct.unpack_from(">Q", data, 2)[0], 10
        yield data[0] & 0x0F, data[start : start + size]
        data = data[start + size :]


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects when the test says so."""

    def __init__(self) -> None:
        self.factory: IProtocolFactory | None = None
        self.cancelled = False
        self._waiting: Deferred[IProtocol] = Deferred(self._cancel)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        self.factory = protocolFactory
        return self._waiting

    def accept(self) -> NodeTransport:
        """The node answers; what it hears is in the transport."""
        assert self.factory is not None
        protocol = self.factory.buildProtocol(None)  # type: ignore[arg-type]
        assert protocol is not None
        transport = NodeTransport()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        self._waiting.callback(protocol)
        return transport

    def refuse(self, error: Exception) -> None:
        self._waiting.errback(error)

    def _cancel(self, _: Deferred[IProtocol]) -> None:
        self.cancelled = True


class NodeTransport(StringTransport):
    """A string transport with what TCP has beyond it, and as lenient."""

    protocol: IProtocol
    aborting = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def unregisterProducer(self) -> None:
        self.producer = None

    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        self.aborting = True
        self.hang_up()

    @property
    def leaving(self) -> bool:
        """Whether the connection was given up, one way or the other."""
        return self.disconnecting or self.aborting

    def hang_up(self) -> None:
        """The connection is gone."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone()))
