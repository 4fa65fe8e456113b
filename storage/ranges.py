"""Which bytes of an object are wanted, and how several pieces are put together.

Pure; source of the rules: RFC 9110 §14 and ``spec/pithos.md`` §2.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from attrs import frozen

from snfd.errors import RangeUnsatisfiable

MAX_RANGES = 50
"""A header that asks for more ranges is ignored: the whole is sent instead."""

_ONE = re.compile(r"[ \t]*(\d*)-(\d*)[ \t]*", re.ASCII)
_DIGITS = 20  # more than any size needs; bounds the work on hostile numbers

T = TypeVar("T")


@frozen
class Span:
    """The bytes from ``start`` up to, but without, ``stop``; never empty."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes it is."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Give the value of ``Content-Range`` for an object of ``size`` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


@frozen
class Map:
    """An object as a list of blocks.

    :ivar digests: one per block, 32 raw bytes; see `storage.hashmap.is_hole`.
    :ivar block_size: length of every block but the last, in bytes.
    :ivar size: length of the whole, in bytes.
    """

    digests: Sequence[bytes]
    block_size: int
    size: int


@frozen
class Read:
    """``length`` bytes of a block from ``offset`` on."""

    digest: bytes
    offset: int
    length: int


def requested(header: str, size: int) -> list[Span] | None:
    """Give the spans that a ``Range`` header asks of an object of ``size`` bytes.

    Ranges are clamped to the object.  None means that the header is to be
    ignored: it is not well formed, of another unit, or asks for so much that
    sending the whole is less work.

    :raises RangeUnsatisfiable: no byte that it asks for exists.
    """
    unit, equals, ranges = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    spans = []
    wanted = ranges.split(",")
    for text in wanted:
        if not text.strip(" \t") and len(wanted) > 1:
            continue  # a list may have empty elements (RFC 9110 §5.6.1)
        span = _span(text, size)
        if span is None:
            return None
        if span.length > 0:
            spans.append(span)
    if not spans:
        raise RangeUnsatisfiable(f"the object has {size} bytes", size=size)
    if len(spans) > MAX_RANGES or sum(span.length for span in spans) > 2 * size:
        return None
    return spans


def _span(text: str, size: int) -> Span | None:
    """Give one range, clamped; empty if unsatisfiable, None if malformed."""
    match = _ONE.fullmatch(text)
    if match is None:
        return None
    first, last = match.groups()
    if (not first and not last) or max(len(first), len(last)) > _DIGITS:
        return None
    if not first:
        return Span(max(0, size - int(last)), size)
    start = int(first)
    if not last:
        return Span(start, max(start, size))
    if int(last) < start:
        return None
    return Span(start, max(start, min(size, int(last) + 1)))


def reads(content: Map, span: Span) -> Iterator[Read]:
    """Give the parts of blocks that make up ``span``, in order."""
    position = span.start
    while position < span.stop:
        index, offset = divmod(position, content.block_size)
        length = min(content.block_size - offset, span.stop - position)
        yield Read(content.digests[index], offset, length)
        position += length


def multipart(
    spans: Iterable[Span],
    size: int,
    content_type: str,
    boundary: str,
    content: Callable[[Span], Iterable[T]],
) -> list[bytes | T]:
    """Give the body of a ``multipart/byteranges`` answer as consecutive parts.

    :param size: of the whole object, in bytes.
    :param content: gives what stands for the bytes of one span.
    """
    body: list[bytes | T] = []
    start = ""
    for span in spans:
        head = (
            f"{start}--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Range: {span.content_range(size)}\r\n"
            "Content-Transfer-Encoding: binary\r\n\r\n"
        )
        body.append(head.encode())
        body.extend(content(span))
        start = "\r\n"
    body.append(f"{start}--{boundary}--".encode())
    return body
