"""An RFB 3.8 server for a `Screen`: real enough for any VNC client."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from attrs import define, field, frozen
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pocket.canvas import PALETTE, Rect, Screen

VERSION = b"RFB 003.008\n"
NONE, VNC = 1, 2
_MOST_TEXT = 64 * 1024


@frozen
class PixelFormat:
    """How a client wants pixels; as RFB's PIXEL_FORMAT, true colour only."""

    bits: int = 32
    depth: int = 24
    big: bool = False
    maxima: tuple[int, int, int] = (255, 255, 255)
    shifts: tuple[int, int, int] = (16, 8, 0)

    @classmethod
    def decode(cls, data: bytes) -> PixelFormat:
        """What 16 bytes mean.

        :raises ValueError: nothing that can be served.
        """
        bits, depth, big, true, *rest = struct.unpack(">BBBBHHHBBB3x", data)
        if bits not in (8, 16, 32) or not true or max(rest[3:]) >= bits:
            raise ValueError("only true colour with 8, 16 or 32 bits")
        maxima, shifts = tuple(rest[:3]), tuple(rest[3:])
        return cls(bits, depth, bool(big), maxima, shifts)

    def encode(self) -> bytes:
        """The 16 bytes that mean this."""
        head = (self.bits, self.depth, self.big, True)
        return struct.pack(">BBBBHHHBBB3x", *head, *self.maxima, *self.shifts)

    def tables(self) -> tuple[bytes, ...]:
        """For each byte of a pixel, its value by number of colour."""
        order = "big" if self.big else "little"
        size = self.bits // 8
        pixels = []
        for colour in PALETTE:
            value = 0
            for part, most, shift in zip(colour, self.maxima, self.shifts, strict=True):
                value |= (part * most // 255) << shift
            value &= (1 << self.bits) - 1
            pixels.append(value.to_bytes(size, order))  # type: ignore[arg-type]
        pad = bytes(256 - len(pixels))
        return tuple(bytes(p[at] for p in pixels) + pad for at in range(size))


def response(challenge: bytes, password: str) -> bytes:
    """What a client who knows the password answers to a challenge.

    VNC's DES takes the bits of each byte of the key in reverse order.
    """
    key = password.encode("latin-1", "replace")[:8].ljust(8, b"\0")
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    cipher = Cipher(TripleDES(turned * 3), modes.ECB()).encryptor()  # noqa: S305
    return cipher.update(challenge) + cipher.finalize()


@implementer(IPushProducer)
@define(eq=False)
class RfbServer(Protocol):
    """One client of a screen.

    :ivar challenge: 16 random bytes, for VNC authentication.
    """

    screen: Screen
    password: str | None
    challenge: bytes
    _buffer: bytearray = field(init=False, factory=bytearray)
    _need: int = field(init=False, default=12)
    _then: Callable[[bytes], None] = field(init=False)
    _tables: tuple[bytes, ...] = field(init=False)
    _dirty: Rect | None = field(init=False, default=None)
    _wanted: Rect | None = field(init=False, default=None)
    _paused: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._then = self._version
        self._tables = PixelFormat().tables()

    def connectionMade(self) -> None:
        """Greet."""
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        transport.registerProducer(self, True)
        self._send(VERSION)

    def dataReceived(self, data: bytes) -> None:
        """Take whole messages out of what has come."""
        self._buffer += data
        while len(self._buffer) >= self._need:
            part = bytes(self._buffer[: self._need])
            del self._buffer[: self._need]
            try:
                self._then(part)
            except ValueError:
                self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """No longer watch the screen."""
        if self._changed in self.screen.changed:
            self.screen.changed.remove(self._changed)

    def pauseProducing(self) -> None:
        """The client reads too slowly: no updates until it has caught up."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It has caught up."""
        self._paused = False
        self._update()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._paused = True

    def _send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def _end(self) -> None:
        self._need, self._then = 1 << 62, self._message
        self._buffer.clear()
        if self.transport is not None:
            self.transport.loseConnection()

    def _next(self, need: int, then: Callable[[bytes], None]) -> None:
        self._need, self._then = need, then

    # -- handshake -----------------------------------------------------------

    def _version(self, data: bytes) -> None:
        if data != VERSION:
            reason = b"only RFB 3.8 is spoken here"
            self._send(b"\0" + struct.pack(">I", len(reason)) + reason)
            raise ValueError(data)
        self._send(bytes([1, VNC if self.password else NONE]))
        self._next(1, self._security)

    def _security(self, data: bytes) -> None:
        if data != bytes([VNC if self.password else NONE]):
            raise ValueError(data)
        if self.password:
            self._send(self.challenge)
            self._next(16, self._authenticate)
        else:
            self._admit()

    def _authenticate(self, data: bytes) -> None:
        if not compare_digest(data, response(self.challenge, self.password or "")):
            reason = b"wrong password"
            self._send(struct.pack(">II", 1, len(reason)) + reason)
            raise ValueError("wrong password")
        self._admit()

    def _admit(self) -> None:
        self._send(struct.pack(">I", 0))
        self._next(1, self._client_init)

    def _client_init(self, data: bytes) -> None:
        canvas, name = self.screen.canvas, self.screen.name.encode()
        size = struct.pack(">HH", canvas.width, canvas.height)
        length = struct.pack(">I", len(name))
        self._send(size + PixelFormat().encode() + length + name)
        self.screen.changed.append(self._changed)
        self._next(1, self._message)

    # -- messages ------------------------------------------------------------

    def _message(self, data: bytes) -> None:
        kinds: dict[int, tuple[int, Callable[[bytes], None]]] = {
            0: (19, self._pixel_format),
            2: (3, self._encodings),
            3: (9, self._request),
            4: (7, self._key),
            5: (5, self._pointer),
            6: (7, self._cut_text),
        }
        if data[0] not in kinds:
            raise ValueError(f"message {data[0]}")
        self._next(*kinds[data[0]])

    def _done(self) -> None:
        self._next(1, self._message)

    def _pixel_format(self, data: bytes) -> None:
        self._tables = PixelFormat.decode(data[3:]).tables()
        self._done()

    def _encodings(self, data: bytes) -> None:
        """Raw is always possible, so the list does not matter."""
        count = struct.unpack(">xH", data)[0]
        self._skip(count * 4)

    def _cut_text(self, data: bytes) -> None:
        length = struct.unpack(">3xI", data)[0]
        if length > _MOST_TEXT:
            raise ValueError("too much text")
        self._skip(length)

    def _skip(self, length: int) -> None:
        if length:
            self._next(length, lambda _: self._done())
        else:
            self._done()

    def _key(self, data: bytes) -> None:
        down, symbol = struct.unpack(">B2xI", data)
        self.screen.key(symbol, bool(down))
        self._done()

    def _pointer(self, data: bytes) -> None:
        buttons, x, y = struct.unpack(">BHH", data)
        self.screen.pointer(x, y, buttons)
        self._done()

    def _request(self, data: bytes) -> None:
        """What changed is sent at once, or as soon as something changes."""
        incremental, x, y, width, height = struct.unpack(">BHHHH", data)
        self._wanted = Rect(x, y, width, height).both(self.screen.canvas.all)
        if not incremental and self._wanted is not None:
            self._dirty = self._wanted.around(self._dirty)
        self._done()
        self._update()

    def _changed(self, rect: Rect) -> None:
        self._dirty = rect.around(self._dirty)
        self._update()

    def _update(self) -> None:
        if self._paused or self._wanted is None or self._dirty is None:
            return
        rect = self._dirty.both(self._wanted)
        if rect is None:
            return
        self._wanted = self._dirty = None
        pixels = self.screen.canvas.read(rect)
        size = len(self._tables)
        out = bytearray(len(pixels) * size)
        for at, table in enumerate(self._tables):
            out[at::size] = pixels.translate(table)
        head = struct.pack(
            ">BxHHHHHi", 0, 1, rect.x, rect.y, rect.width, rect.height, 0
        )
        self._send(head + out)


@define(eq=False)
class RfbFactory(Factory):
    """Serves one screen to any number of clients.

    :ivar random_bytes: so many random bytes, for challenges.
    """

    screen: Screen
    password: str | None
    random_bytes: Callable[[int], bytes]
    clients: set[RfbServer] = field(init=False, factory=set)
    noisy = False

    def buildProtocol(self, addr: Any) -> RfbServer:
        """A client's server."""
        self.clients = {c for c in self.clients if c.connected or c.transport is None}
        client = RfbServer(self.screen, self.password, self.random_bytes(16))
        self.clients.add(client)
        return client

    def disconnect(self) -> None:
        """The machine is off: every client loses its connection."""
        for client in self.clients:
            if client.transport is not None:
                client.transport.abortConnection()  # type: ignore[attr-defined]
        self.clients.clear()
