"""Cuts a stream of bytes into blocks without copying it."""

from __future__ import annotations

from collections.abc import Iterator

Pieces = list[bytes | memoryview]
"""The consecutive parts of one block; ``b"".join`` makes them the block."""

_LOOSE = 256


class Chunker:
    """Cuts a stream of bytes into blocks; does no I/O.

    A block is handed out as the pieces it arrived in: whoever needs it whole
    joins them once, in a thread.  However small the pieces that come in, what
    is kept takes little more room than the block itself.

    :param size: length of every block but the last, in bytes (> 0).
    """

    def __init__(self, size: int) -> None:
        if size <= 0:
            raise ValueError(f"a block has at least one byte, not {size}")
        self._size = size
        self._pieces: Pieces = []
        self._held = 0
        self._joined = 0

    @property
    def held(self) -> int:
        """How many bytes of an unfinished block are kept."""
        return self._held

    def feed(self, data: bytes) -> Iterator[Pieces]:
        """Take ``data`` in; yield the blocks that it completes.

        The iterator must be exhausted, or data is lost.
        """
        if self._held + len(data) < self._size:
            self._keep(data)
            return
        view, start = memoryview(data), 0
        while len(data) - start >= self._size - self._held:
            stop = start + self._size - self._held
            self._pieces.append(view[start:stop])
            start = stop
            yield self._take()
        if start < len(data):
            self._keep(view[start:])

    def rest(self) -> Pieces | None:
        """Give the last, short block; none if the stream ended on a boundary."""
        return self._take() if self._held else None

    def _take(self) -> Pieces:
        pieces, self._pieces = self._pieces, []
        self._held = self._joined = 0
        return pieces

    def _keep(self, data: bytes | memoryview) -> None:
        if not data:
            return
        self._pieces.append(data)
        self._held += len(data)
        # An object per byte would cost forty times the block: a client that
        # sends crumbs has them swept together.
        if len(self._pieces) - self._joined >= _LOOSE:
            self._pieces[self._joined :] = [b"".join(self._pieces[self._joined :])]
            self._joined = len(self._pieces)
