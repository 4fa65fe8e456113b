"""A VNC server that draws a known picture and writes down what is typed."""

from __future__ import annotations

import struct

from twisted.internet.protocol import Factory

from tests.vnc.rig import Node

WIDTH, HEIGHT = 320, 200
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
_LENGTHS = {0: 20, 3: 10, 4: 8, 5: 6, 255: 12}


class Screen(Node):
    """Four quadrants: red, green, blue, white.

    :ivar keys: (pressed, keysym) of each key event.
    :ivar pointers: how many pointer events came.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name.encode()
        self.keys: list[tuple[bool, int]] = []
        self.pointers = 0
        self._ready_for = "ClientInit"

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self.ready.called:
            self._talk()

    def _talk(self) -> None:
        while self.data:
            if self._ready_for == "ClientInit":
                del self.data[:1]
                self._ready_for = "messages"
                self._introduce()
                continue
            kind, length = self.data[0], self._length()
            if length is None or len(self.data) < length:
                return
            message = bytes(self.data[:length])
            del self.data[:length]
            self._take(kind, message)

    def _length(self) -> int | None:
        kind = self.data[0]
        if kind == 2:
            if len(self.data) < 4:
                return None
            return 4 + 4 * int(struct.unpack_from(">H", self.data, 2)[0])
        if kind == 6:
            if len(self.data) < 8:
                return None
            return 8 + int(struct.unpack_from(">I", self.data, 4)[0])
        return _LENGTHS[kind]

    def _introduce(self) -> None:
        layout = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        size = struct.pack(">HH", WIDTH, HEIGHT)
        name = struct.pack(">I", len(self._name)) + self._name
        self.wire.write(size + layout + name)

    def _take(self, kind: int, message: bytes) -> None:
        if kind == 0:
            self._shifts = message[14:17]
        elif kind == 3:
            self._draw()
        elif kind == 4:
            down, keysym = struct.unpack(">xB2xI", message)
            self.keys.append((bool(down), keysym))
        elif kind == 5:
            self.pointers += 1

    def _draw(self) -> None:
        def pixel(colour: tuple[int, int, int]) -> bytes:
            value = sum(
                part << shift for part, shift in zip(colour, self._shifts, strict=True)
            )
            return value.to_bytes(4, "little")

        half = WIDTH // 2
        top = pixel(RED) * half + pixel(GREEN) * half
        bottom = pixel(BLUE) * half + pixel(WHITE) * half
        picture = top * (HEIGHT // 2) + bottom * (HEIGHT // 2)
        head = struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0)
        self.wire.write(head + picture)


class ScreenFactory(Factory):
    """Keeps the screens it made."""

    noisy = False

    def __init__(self, name: str = "web1") -> None:
        self.name = name
        self.made: list[Screen] = []

    def buildProtocol(self, addr: object) -> Screen:
        self.made.append(Screen(self.name))
        return self.made[-1]
