"""Streams of bytes on their way into blocks, within one process-wide budget."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from snfd.errors import CloudError, RequestTimeout, TooLarge, Unavailable
from storage.blocks import Blocks
from storage.budget import Budget
from storage.chunker import Chunker, Pieces
from storage.hashmap import root
from storage.workers import Workers

BLOCK_SIZE = 4 * 1024 * 1024
"""Bytes in a block, unless the deployment was set up otherwise."""

IN_FLIGHT = 16
"""How many whole blocks may be on their way to the store, process-wide."""

WINDOW = 4
"""How many of those may belong to one stream."""

_LEAST = 64 * 1024  # what a small block counts as: bounds the number in flight
_INLINE = 64 * 1024  # joining less than this is quicker than asking a thread
_SHORT_LIST = 1024  # the root of so many digests takes under a millisecond

P = ParamSpec("P")
T = TypeVar("T")
_log = Logger()


@frozen
class Upload:
    """What a stream has become; all of it is stored durably.

    :ivar size: its length in bytes.
    :ivar block_size: length of every block but the last, in bytes.
    :ivar hashes: the digests of its blocks, 32 raw bytes each; none if empty.
    :ivar root: their Merkle root, 32 raw bytes.
    :ivar md5: MD5 of all bytes, 16 raw bytes; none unless it was asked for.
    """

    size: int
    block_size: int
    hashes: list[bytes]
    root: bytes
    md5: bytes | None = None


@define(eq=False)
class Writer:
    """Opens streams into ``blocks``; all of them share its budget.

    :ivar block_size: in bytes.
    :ivar streams: how many may be open at once; one more is `Unavailable`.
    """

    blocks: Blocks
    workers: Workers
    block_size: int = BLOCK_SIZE
    streams: int = 256
    open_streams: int = field(init=False, default=0)
    budget: Budget = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.budget = Budget(IN_FLIGHT * max(self.block_size, _LEAST))

    def open(
        self, *, md5: bool = False, limit: int | None = None, context: Any = None
    ) -> BlockSink:
        """Start a stream, which must be closed or aborted in the end.

        :param md5: compute the MD5 of the whole as well.
        :param limit: bytes beyond which it is `TooLarge`.
        :param context: whatever its opener wants to find again in the end.
        :raises Unavailable: too many are open.
        """
        if self.open_streams >= self.streams:
            raise Unavailable("too many uploads at once", retry_after=5)
        self.open_streams += 1
        return BlockSink(self, md5=md5, limit=limit, context=context)


class BlockSink:
    """One stream on its way into blocks (a `storage.upload.Sink`)."""

    def __init__(
        self, writer: Writer, *, md5: bool, limit: int | None, context: Any
    ) -> None:
        self.context = context
        self._writer = writer
        self._limit = limit
        self._chunker = Chunker(writer.block_size)
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._size = 0
        self._hashes: list[bytes] = []
        self._ready: deque[Pieces] = deque()
        self._feeding: Deferred[None] | None = None
        self._busy = 0
        self._freed: Deferred[None] | None = None
        self._in_order = DeferredLock()
        self._error: Exception | None = None
        self._open = True

    def write(self, data: bytes) -> Deferred[None] | None:
        """Take ``data``; a Deferred says when there is room for more.

        :raises TooLarge: the stream has become longer than its limit.
        :raises Unavailable: an earlier part could not be stored.
        """
        self._check()
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            raise TooLarge(f"the body is longer than {self._limit} bytes")
        self._ready.extend(self._chunker.feed(data))
        return self._feed()

    async def close(self) -> Upload:
        """End the stream; once this returns all of it is stored durably.

        :raises Unavailable: a part of it could not be stored.
        """
        try:
            self._check()
            last = self._chunker.rest()
            if last is not None:
                self._ready.append(last)
            feeding = self._feed()
            if feeding is not None:
                await feeding
            while self._busy:
                await self._less_busy()
            self._check()
            return Upload(
                self._size,
                self._writer.block_size,
                self._hashes,
                await self._root(),
                self._md5.digest() if self._md5 is not None else None,
            )
        finally:
            self._end()

    def abort(self) -> None:
        """Forget the stream; blocks already stored stay behind without a name."""
        self._fail(RequestTimeout("the upload was broken off"))
        self._end()

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._writer.open_streams -= 1

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
        self._ready.clear()

    def _feed(self) -> Deferred[None] | None:
        if self._feeding is None and self._ready:
            feeding = Deferred.fromCoroutine(self._hand_on())
            if feeding.called:
                self._check()
            else:
                self._feeding = feeding.addCallback(lambda _: self._check())
        return self._feeding

    async def _hand_on(self) -> None:
        """Start storing what is ready, as window and budget allow."""
        while self._ready:
            amount = max(sum(map(len, self._ready[0])), _LEAST)
            if self._busy >= WINDOW:
                await self._less_busy()
            if not self._writer.budget.take(amount):
                await self._writer.budget.acquire(amount)
            if not self._ready:  # broken off meanwhile
                self._writer.budget.release(amount)
                break
            Deferred.fromCoroutine(self._store(self._ready.popleft(), amount))
        self._feeding = None

    def _less_busy(self) -> Deferred[None]:
        """Fire when one of the blocks under way is stored, or failed."""
        self._freed = Deferred()
        return self._freed

    def _give_back(self, amount: int) -> None:
        self._busy -= 1
        self._writer.budget.release(amount)
        freed, self._freed = self._freed, None
        if freed is not None:
            freed.callback(None)

    async def _store(self, pieces: Pieces, amount: int) -> None:
        self._busy += 1
        index = len(self._hashes)
        self._hashes.append(b"")
        try:
            data = await self._joined(pieces)
            self._hashes[index] = await self._writer.blocks.put(data)
        except Exception as error:
            self._fail(error if isinstance(error, CloudError) else _unexpected())
        finally:
            self._give_back(amount)

    async def _joined(self, pieces: Pieces) -> bytes:
        small = sum(map(len, pieces)) <= _INLINE
        if self._md5 is None:
            return _join(pieces) if small else await self._run(_join, pieces)
        # MD5 must see the blocks one after the other.
        async with self._in_order:
            if small:
                return _join(pieces, self._md5)
            return await self._run(_join, pieces, self._md5)

    async def _root(self) -> bytes:
        if len(self._hashes) <= _SHORT_LIST:
            return root(self._hashes)
        return await self._run(root, self._hashes)

    def _run(self, work: Callable[P, T], *args: P.args, **kw: P.kwargs) -> Deferred[T]:
        return self._writer.workers.run(work, *args, **kw)


def _join(pieces: Pieces, md5: Any = None) -> bytes:
    data = b"".join(pieces)
    pieces.clear()
    if md5 is not None:
        md5.update(data)
    return data


def _unexpected() -> CloudError:
    _log.failure("a block could not be stored")
    return Unavailable("a block could not be stored")
