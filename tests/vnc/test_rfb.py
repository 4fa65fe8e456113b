"""The RFB handshakes, byte by byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from vnc.rfb import ClientHandshake, NodeHandshake, RfbError, WrongPassword, answer

V33, V37, V38 = b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"
OK, FAILED = b"\0\0\0\0", b"\0\0\0\1"
CHALLENGE = bytes(range(16))


def text(reason: bytes) -> bytes:
    return len(reason).to_bytes(4, "big") + reason


class AnswerTests(SynchronousTestCase):
    """The DES answer; the vector was cross-checked against OpenSSL's des-ecb."""

    def test_known_answer(self) -> None:
        # the bits of "\x80\xc4..." reversed give the textbook key 0123456789abcdef
        password = bytes(
            int(f"{b:08b}"[::-1], 2) for b in bytes.fromhex("0123456789abcdef")
        ).decode("latin-1")
        challenge = bytes.fromhex("4e6f772069732074") * 2
        self.assertEqual("3fa40e8a984d4815" * 2, answer(password, challenge).hex())

    def test_only_eight_bytes_count(self) -> None:
        self.assertEqual(
            answer("12345678", CHALLENGE), answer("12345678-and-more", CHALLENGE)
        )
        self.assertNotEqual(answer("1234567", CHALLENGE), answer("12345678", CHALLENGE))

    def test_empty_password(self) -> None:
        self.assertEqual(16, len(answer("", CHALLENGE)))


class NodeHandshakeTests(SynchronousTestCase):
    """We as the client of a VNC server."""

    def complete(self, handshake: NodeHandshake, *steps: tuple[bytes, bytes]) -> None:
        for said, answered in steps:
            self.assertFalse(handshake.done)
            self.assertEqual(answered, handshake.feed(said))
        self.assertTrue(handshake.done)

    def test_38_none(self) -> None:
        self.complete(NodeHandshake(), (V38, V38), (b"\x01\x01", b"\x01"), (OK, b""))

    def test_37_none_has_no_result(self) -> None:
        self.complete(NodeHandshake(), (V37, V37), (b"\x02\x10\x01", b"\x01"))

    def test_33_none(self) -> None:
        self.complete(NodeHandshake(), (V33, V33), (b"\0\0\0\1", b""))

    def test_password_in_every_version(self) -> None:
        proof = answer("sesame", CHALLENGE)
        self.complete(
            NodeHandshake("sesame"),
            (V38, V38),
            (b"\x02\x01\x02", b"\x02"),
            (CHALLENGE, proof),
            (OK, b""),
        )
        self.complete(
            NodeHandshake("sesame"),
            (V37, V37),
            (b"\x01\x02", b"\x02"),
            (CHALLENGE, proof),
            (OK, b""),
        )
        self.complete(
            NodeHandshake("sesame"),
            (V33, V33),
            (b"\0\0\0\2", b""),
            (CHALLENGE, proof),
            (OK, b""),
        )

    def test_newer_servers_get_38_and_odd_old_ones_33(self) -> None:
        for said, answered in (
            (b"RFB 003.889\n", V38),
            (b"RFB 004.001\n", V38),
            (b"RFB 003.005\n", V33),
        ):
            self.assertEqual(answered, NodeHandshake().feed(said))

    def test_what_follows_is_kept(self) -> None:
        handshake = NodeHandshake()
        self.assertEqual(V38 + b"\x01", handshake.feed(V38 + b"\x01\x01" + OK + b"xy"))
        self.assertTrue(handshake.done)
        self.assertEqual(b"xy", handshake.rest)

    def refused(self, said: bytes, words: str, password: str | None = None) -> None:
        self.assertIn(
            words,
            str(self.assertRaises(RfbError, NodeHandshake(password).feed, said)),
        )

    def test_refusals_say_why(self) -> None:
        self.refused(V38 + b"\0" + text(b"too many"), "too many")
        self.refused(V33 + b"\0\0\0\0" + text(b"too many"), "too many")
        self.refused(V38 + b"\x01\x01" + FAILED + text(b"busy"), "busy")
        self.refused(V37 + b"\x01\x02" + CHALLENGE + FAILED, "no reason", "wrong")
        self.refused(V38 + b"\0\xff\xff\xff\xff", "unreasonable")

    def test_types_that_we_cannot_do(self) -> None:
        self.refused(V38 + b"\x02\x13\x02", "19, 2")
        self.refused(V38 + b"\x01\x13", "19", "sesame")
        self.refused(V33 + b"\0\0\0\2", "types 2")

    def test_not_rfb(self) -> None:
        self.refused(b"HTTP/1.1 400 Bad Request\r\n", "not a greeting")
        self.refused(b"SSH-2.0-Open", "not a greeting")
        self.refused(b"RFB 002.000\n", "too old")

    @given(st.binary(max_size=80), st.none() | st.text(max_size=10))
    def test_anything_ends_in_done_or_a_clear_error(
        self, data: bytes, password: str | None
    ) -> None:
        for start in (b"", V33, V37, V38):
            handshake = NodeHandshake(password)
            try:
                handshake.feed(start + data)
            except RfbError:
                continue
            self.assertLess(len(handshake.rest), 4200)

    @given(
        st.sampled_from(
            [
                (V38 + b"\x01\x02" + CHALLENGE + OK + b"rest", "sesame"),
                (V33 + b"\0\0\0\2" + CHALLENGE + OK + b"rest", "sesame"),
                (V38 + b"\x01\x01" + OK + b"rest", None),
                (V37 + b"\x01\x01" + b"rest", None),
            ]
        ),
        st.lists(st.integers(1, 9), max_size=60),
    )
    def test_splits_do_not_matter(
        self, case: tuple[bytes, str | None], sizes: list[int]
    ) -> None:
        stream, password = case
        whole = NodeHandshake(password)
        said = whole.feed(stream)
        split, parts = NodeHandshake(password), b""
        for size in [*sizes, len(stream)]:
            parts += split.feed(stream[:size])
            stream = stream[size:]
        self.assertEqual((said, b"rest", True), (parts, split.rest, split.done))


class ClientHandshakeTests(SynchronousTestCase):
    """We as the server of whoever came with a ticket."""

    def test_38_none(self) -> None:
        handshake = ClientHandshake()
        self.assertEqual(V38, handshake.last_words())
        self.assertEqual(b"\x01\x01", handshake.feed(V38))
        self.assertEqual(OK, handshake.feed(b"\x01"))
        self.assertTrue(handshake.done)

    def test_37_and_33_none_have_no_result(self) -> None:
        handshake = ClientHandshake()
        handshake.last_words()
        self.assertEqual(b"\x01\x01", handshake.feed(V37))
        self.assertEqual(b"", handshake.feed(b"\x01\x01"))
        self.assertEqual((True, b"\x01"), (handshake.done, handshake.rest))
        handshake = ClientHandshake()
        handshake.last_words()
        self.assertEqual(b"\0\0\0\1", handshake.feed(V33))
        self.assertTrue(handshake.done)

    def test_one_time_password(self) -> None:
        for version, choice in ((V38, b"\x02"), (V37, b"\x02"), (V33, b"")):
            handshake = ClientHandshake("secret", CHALLENGE)
            said = handshake.last_words() + handshake.feed(version + choice)
            offer = b"\x01\x02" if choice else b"\0\0\0\2"
            self.assertEqual(V38 + offer + CHALLENGE, said)
            self.assertEqual(OK, handshake.feed(answer("secret", CHALLENGE)))
            self.assertTrue(handshake.done)

    def test_wrong_password_is_told(self) -> None:
        for version, choice, told in (
            (V38, b"\x02", FAILED + text(b"wrong password")),
            (V37, b"\x02", FAILED),
            (V33, b"", FAILED),
        ):
            handshake = ClientHandshake("secret", CHALLENGE)
            handshake.feed(version + choice)
            proof = answer("wrong", CHALLENGE)
            self.assertRaises(WrongPassword, handshake.feed, proof)
            self.assertEqual(told, handshake.last_words())
            self.assertFalse(handshake.done)

    def test_a_type_that_was_not_offered(self) -> None:
        self.assertRaises(RfbError, ClientHandshake().feed, V38 + b"\x02")
        self.assertRaises(
            RfbError, ClientHandshake("secret", CHALLENGE).feed, V38 + b"\x01"
        )

    def test_the_two_sides_understand_each_other(self) -> None:
        for password in (None, "secret"):
            node = ClientHandshake(password, CHALLENGE)
            ours = NodeHandshake(password)
            said = node.last_words()
            while said:
                said = node.feed(ours.feed(said))
            self.assertEqual((True, True), (node.done, ours.done))

    @given(st.binary(max_size=60), st.none() | st.just("secret"))
    def test_anything_ends_in_done_or_a_clear_error(
        self, data: bytes, password: str | None
    ) -> None:
        for start in (b"", V33, V37, V38):
            try:
                ClientHandshake(password, CHALLENGE).feed(start + data)
            except (RfbError, WrongPassword):
                continue
