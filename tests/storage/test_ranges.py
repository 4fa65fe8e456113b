"""Ranges and multipart bodies."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import RangeUnsatisfiable
from storage.ranges import MAX_RANGES, Map, Span, multipart, reads, requested


def spans(header: str, size: int) -> list[tuple[int, int]] | None:
    found = requested(header, size)
    return None if found is None else [(span.start, span.stop) for span in found]


class RequestedTests(SynchronousTestCase):
    def test_forms(self) -> None:
        for header, expected in {
            "bytes=2-5": [(2, 6)],
            "bytes=7-": [(7, 10)],
            "bytes=-3": [(7, 10)],
            "bytes=0-0": [(0, 1)],
            "bytes=0-1,8-9": [(0, 2), (8, 10)],
            "bytes=0-1 , 8-9": [(0, 2), (8, 10)],
            "Bytes=0-1": [(0, 2)],
            "bytes=0-1,,8-9": [(0, 2), (8, 10)],
        }.items():
            with self.subTest(header):
                self.assertEqual(expected, spans(header, 10))

    def test_ends_beyond_the_object_are_clamped(self) -> None:
        self.assertEqual([(0, 10)], spans("bytes=0-999999", 10))
        self.assertEqual([(0, 10)], spans("bytes=-999999", 10))
        self.assertEqual([(8, 10)], spans("bytes=20-30,8-99", 10))

    def test_what_is_not_well_formed_is_ignored(self) -> None:
        for header in (
            "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "lines=1-2",
            "bytes=1-2-3", "bytes=0x1-2", "bytes=1-2,x", "bytes=\u0661-\u0662",
            "bytes=" + "9" * 5000 + "-", "bytes=-0x",
        ):  # fmt: skip
            with self.subTest(header):
                self.assertIsNone(spans(header, 10))

    def test_nothing_that_exists(self) -> None:
        for header, size in (
            ("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10),
            ("bytes=0-", 0), ("bytes=-5", 0), ("bytes=11-,99-", 10),
        ):  # fmt: skip
            with self.subTest(header), self.assertRaises(RangeUnsatisfiable) as caught:
                requested(header, size)
            self.assertEqual(size, caught.exception.details["size"])

    def test_too_much_is_ignored(self) -> None:
        self.assertIsNone(spans("bytes=0-,0-,0-", 10))
        many = ",".join(f"{i}-{i}" for i in range(MAX_RANGES + 1))
        self.assertIsNone(spans(f"bytes={many}", 1000))

    @settings(max_examples=300, deadline=None)
    @given(st.text("bytes=0123456789-, ", max_size=30), st.integers(0, 100))
    def test_whatever_comes_is_answered(self, text: str, size: int) -> None:
        try:
            found = requested("bytes=" + text, size)
        except RangeUnsatisfiable:
            return
        for span in found or ():
            self.assertTrue(0 <= span.start < span.stop <= size)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(1, 50), st.integers(1, 12), st.data())
    def test_reads_cover_a_span_exactly(
        self, size: int, block_size: int, data: st.DataObject
    ) -> None:
        start = data.draw(st.integers(0, size - 1))
        stop = data.draw(st.integers(start + 1, size))
        content = Map([bytes([i]) for i in range(50)], block_size, size)
        found = [
            read.digest[0] * block_size + read.offset + i
            for read in reads(content, Span(start, stop))
            for i in range(read.length)
        ]
        self.assertEqual(list(range(start, stop)), found)


class MultipartTests(SynchronousTestCase):
    def test_a_mail_parser_understands_it(self) -> None:
        text = b"0123456789"
        body = multipart(
            [Span(0, 2), Span(8, 10)],
            10,
            "text/plain",
            "frontier",
            lambda span: [text[span.start : span.stop]],
        )
        head = b"Content-Type: multipart/byteranges; boundary=frontier\r\n\r\n"
        message = BytesParser(policy=HTTP).parsebytes(head + b"".join(body))
        self.assertEqual([], message.defects)
        parts = [
            (part["content-range"], part["content-type"], part.get_payload())
            for part in message.iter_parts()
        ]
        self.assertEqual(
            [
                ("bytes 0-1/10", "text/plain", "01"),
                ("bytes 8-9/10", "text/plain", "89"),
            ],
            parts,
        )

    def test_the_bytes_themselves(self) -> None:
        body = multipart([Span(0, 1)], 5, "a/b", "B", lambda span: [b"x"])
        self.assertEqual(
            b"--B\r\nContent-Type: a/b\r\nContent-Range: bytes 0-0/5\r\n"
            b"Content-Transfer-Encoding: binary\r\n\r\nx\r\n--B--",
            b"".join(body),
        )
