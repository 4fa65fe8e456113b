"""The stand-in's screen, spoken to byte by byte."""

from __future__ import annotations

import struct
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from pocket.canvas import PALETTE, YELLOW, Rect, Screen
from pocket.screen import VERSION, PixelFormat, RfbServer, response

CHALLENGE = bytes(range(16))


class Wire(StringTransport):
    """A transport that knows whether it was closed, and takes TCP options."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Not needed here."""


class ScreenTests(SynchronousTestCase):
    def connect(self, password: str | None = None) -> None:
        self.screen = Screen("snf-42")
        self.server = RfbServer(self.screen, password, CHALLENGE)
        self.wire: Any = Wire()
        self.server.makeConnection(self.wire)
        self.assertEqual(VERSION, self.said())

    def said(self) -> bytes:
        value: bytes = self.wire.value()
        self.wire.clear()
        return value

    def say(self, *parts: bytes) -> bytes:
        """Byte by byte, so that no message depends on how it is cut."""
        for byte in b"".join(parts):
            self.server.dataReceived(bytes([byte]))
        return self.said()

    def admitted(self) -> bytes:
        self.connect()
        self.assertEqual(b"\1\1", self.say(VERSION))
        self.assertEqual(b"\0\0\0\0", self.say(b"\1"))
        return self.say(b"\1")

    def request(self, incremental: int, rect: Rect | None = None) -> bytes:
        rect = rect or self.screen.canvas.all
        return self.say(
            struct.pack(
                ">BBHHHH", 3, incremental, rect.x, rect.y, rect.width, rect.height
            )
        )

    def test_the_handshake_ends_with_the_name_and_size(self) -> None:
        init = self.admitted()
        self.assertEqual((640, 400), struct.unpack(">HH", init[:4]))
        self.assertEqual(PixelFormat(), PixelFormat.decode(init[4:20]))
        self.assertEqual(b"\0\0\0\6snf-42", init[20:])

    def test_a_password_is_wanted_and_checked(self) -> None:
        self.connect("secret")
        self.assertEqual(b"\1\2", self.say(VERSION))
        self.assertEqual(CHALLENGE, self.say(b"\2"))
        self.assertEqual(b"\0\0\0\0", self.say(response(CHALLENGE, "secret")))
        self.connect("secret")
        self.say(VERSION, b"\2")
        refused = self.say(response(CHALLENGE, "other"))
        self.assertEqual(b"\0\0\0\1\0\0\0\x0ewrong password", refused)
        self.assertTrue(self.wire.disconnecting)

    def test_the_response_is_des_with_the_key_turned(self) -> None:
        """RFC 6143 leaves the key's bit order unsaid; all clients turn it."""
        zero = response(b"\0" * 16, "")
        self.assertEqual("8ca64de9c1b123a7" * 2, zero.hex())

    def test_other_versions_methods_and_messages_end_the_connection(self) -> None:
        self.connect()
        self.assertIn(b"only RFB 3.8", self.say(b"RFB 003.003\n"))
        self.assertTrue(self.wire.disconnecting)
        self.connect()
        self.say(VERSION, b"\2")
        self.assertTrue(self.wire.disconnecting)
        for message in (b"\x63", b"\6\0\0\0\xff\xff\xff\xff", b"\0" * 20):
            self.admitted()
            self.say(message)
            self.assertTrue(self.wire.disconnecting, message)

    def test_the_whole_picture_comes_raw_in_the_format_asked_for(self) -> None:
        self.admitted()
        update = self.request(0)
        head = (0, 1, 0, 0, 640, 400, 0)
        self.assertEqual(head, struct.unpack(">BxHHHHHi", update[:16]))
        self.assertEqual(640 * 400 * 4, len(update) - 16)
        red, green, blue = PALETTE[YELLOW]
        self.assertIn(bytes([blue, green, red, 0]), update)
        small = PixelFormat(16, 16, True, (31, 63, 31), (11, 5, 0))
        self.say(b"\0\0\0\0", small.encode())
        update = self.request(0, Rect(12, 60, 100, 30))
        self.assertEqual(100 * 30 * 2, len(update) - 16)
        pixel = (red * 31 // 255) << 11 | (green * 63 // 255) << 5 | blue * 31 // 255
        self.assertIn(pixel.to_bytes(2, "big"), update[16:])

    def test_the_name_is_on_the_screen(self) -> None:
        """Two names make two pictures, and only where the name stands."""
        one, two = Screen("snf-1").canvas, Screen("snf-2").canvas
        place = Rect(12, 60, 600, 28)
        self.assertNotEqual(one.read(place), two.read(place))
        below = Rect(0, 90, 640, 310)
        self.assertEqual(one.read(below), two.read(below))

    def test_a_key_changes_what_an_incremental_request_waits_for(self) -> None:
        self.admitted()
        self.request(0)
        self.assertEqual(b"", self.request(1))
        update = self.say(struct.pack(">BB2xI", 4, 1, ord("x")))
        x, y, width, height = struct.unpack(">HHHH", update[4:12])
        self.assertEqual((12, 150, 14), (x, y, height))
        self.assertEqual(width * height * 4, len(update) - 16)
        self.assertEqual(b"", self.say(struct.pack(">BB2xI", 4, 1, ord("y"))))
        self.assertNotEqual(b"", self.request(1))
        self.assertEqual("xy", self.screen.typed)

    def test_the_pointer_is_shown(self) -> None:
        self.admitted()
        self.request(0)
        self.request(1)
        self.assertNotEqual(b"", self.say(struct.pack(">BBHH", 5, 1, 100, 200)))

    def test_encodings_and_cut_text_are_passed_over(self) -> None:
        self.admitted()
        self.say(b"\2\0", struct.pack(">HII", 2, 0, 7))
        self.say(b"\6\0\0\0", struct.pack(">I", 5), b"hello")
        self.assertNotEqual(b"", self.request(0))

    def test_a_slow_client_gets_one_update_when_it_has_caught_up(self) -> None:
        self.admitted()
        self.server.pauseProducing()
        for _ in range(10):
            self.assertEqual(b"", self.request(0))
        self.server.resumeProducing()
        self.assertEqual(16 + 640 * 400 * 4, len(self.said()))

    def test_outside_requests_and_texts_do_no_harm(self) -> None:
        self.admitted()
        self.assertEqual(b"", self.request(0, Rect(640, 0, 5, 5)))
        update = self.request(0, Rect(630, 390, 500, 500))
        self.assertEqual(10 * 10 * 4, len(update) - 16)
        Screen("a very long name " * 9)

    def test_backspace_and_return_edit_what_was_typed(self) -> None:
        screen = Screen("a")
        for symbol in (ord("a"), ord("b"), 0xFF08):
            screen.key(symbol, True)
            screen.key(symbol, False)
        self.assertEqual("a", screen.typed)
        screen.key(0xFF0D, True)
        self.assertEqual("", screen.typed)
        screen.key(0xFFE1, True)
        self.assertEqual("", screen.typed)
