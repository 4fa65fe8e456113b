"""Blocks on their way out: read ahead, at the client's speed, within a budget."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from snfd.errors import NotFound, Timeout, Unavailable
from storage.blocks import Blocks, Damaged
from storage.budget import Budget
from storage.hashmap import is_hole
from storage.ranges import Map, Read, Span, reads
from storage.writer import BLOCK_SIZE

IN_FLIGHT = 16
"""How many blocks may be read, or kept read, at once, process-wide."""

AHEAD = 2
"""How many blocks are read ahead of a client, if the budget has room."""

STALL = 300.0
"""Seconds that a client may take to accept one block."""

_log = Logger()


@frozen
class Slice:
    """Some bytes of an object, as part of a body."""

    content: Map
    span: Span

    @property
    def length(self) -> int:
        """How many bytes it is."""
        return self.span.length


Segment = bytes | Slice
"""A part of a body: the bytes themselves, or where they are."""


def whole(content: Map) -> list[Segment]:
    """Give the body that is all of an object."""
    return [Slice(content, Span(0, content.size))] if content.size else []


def body_length(body: Iterable[Segment]) -> int:
    """Say how many bytes a body has, for ``Content-Length``."""
    return sum(part.length if isinstance(part, Slice) else len(part) for part in body)


@define(eq=False)
class Reader:
    """Sends bodies made of blocks; all of them share its budget.

    :ivar block_size: of the largest blocks there are, in bytes.
    :ivar streams: how many bodies may be sent at once; one more is `Unavailable`.
    """

    blocks: Blocks
    clock: IReactorTime
    block_size: int = BLOCK_SIZE
    streams: int = 256
    open_streams: int = field(init=False, default=0)
    budget: Budget = field(init=False)
    _resting: dict[_Download, None] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.budget = Budget(IN_FLIGHT * self.block_size)

    async def send(
        self,
        consumer: IConsumer,
        body: Iterable[Segment],
        abort: Callable[[], object] | None = None,
    ) -> bool:
        """Write a body to ``consumer``; say whether all of it was.

        Nothing is written before the first block is there.  If a later one
        fails, the connection is aborted, so that no client can take what it got
        for the whole, and the answer is false: then, as when the client has
        gone away, the request must not be touched any more.

        :param abort: cuts the connection; by default that of a request.
        :raises Unavailable: the first block is missing, damaged or away, or too
            much is being sent already; nothing was written.
        """
        if self.open_streams >= self.streams:
            raise Unavailable("too many downloads at once", retry_after=5)
        self.open_streams += 1
        try:
            download = _Download(self, consumer, _plan(body), abort or _cut(consumer))
            return await download.run()
        finally:
            self.open_streams -= 1

    async def read(self, wanted: Read) -> bytes:
        """Read part of a block; what is not stored of it is zeros.

        :raises Damaged: it is missing, or not what its digest says.
        """
        if is_hole(wanted.digest):
            return bytes(wanted.length)
        try:
            data = await self.blocks.get(wanted.digest, wanted.offset, wanted.length)
        except NotFound:
            digest = wanted.digest.hex()
            raise Damaged(f"block {digest} is missing", block=digest) from None
        return data.ljust(wanted.length, b"\0")

    async def acquire(self, amount: int) -> None:
        """Take ``amount`` bytes of the budget, from those who rest if need be."""
        while not self.budget.take(amount):
            if not self._resting:
                await self.budget.acquire(amount)
                return
            next(iter(self._resting)).give_back()

    def rest(self, download: _Download) -> None:
        """Note that ``download`` waits for its client and keeps blocks meanwhile.

        A client that stalls must not keep others from reading.
        """
        self._resting[download] = None
        if self.budget.waiting:
            download.give_back()

    def wake(self, download: _Download) -> None:
        """Note that ``download`` goes on, or keeps nothing."""
        self._resting.pop(download, None)


@define(eq=False)
class _Part:
    """A part of a body and, once it is being read, what it will be."""

    what: bytes | Read
    data: Deferred[bytes] | None = None


@implementer(IPushProducer)
class _Download:
    """One body on its way to one consumer."""

    def __init__(
        self,
        reader: Reader,
        consumer: IConsumer,
        plan: Iterator[bytes | Read],
        abort: Callable[[], object],
    ) -> None:
        self._reader = reader
        self._consumer = consumer
        self._plan = plan
        self._abort = abort
        self._ahead: deque[_Part] = deque()
        self._paused = False
        self._stopped = False
        self._resumed: Deferred[None] | None = None

    async def run(self) -> bool:
        """Send everything; say whether that was possible."""
        data = await self._next()
        if getattr(self._consumer, "_disconnected", False):
            return False
        self._consumer.registerProducer(self, True)
        try:
            while data is not None and not self._stopped:
                self._consumer.write(data)
                self._read_ahead()
                await self._flow()
                data = None if self._stopped else await self._next()
        except CancelledError:
            self._break_off()
            raise
        except Exception:
            if not self._stopped:
                _log.failure("a download was cut off")
            self._break_off()
        finally:
            self.give_back()
        if self._stopped:
            return False
        self._consumer.unregisterProducer()
        return True

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Write on."""
        self._paused = False
        self._fire()

    def stopProducing(self) -> None:
        """The client has gone away."""
        self._stopped = True
        self._fire()

    def give_back(self) -> None:
        """Let go of what was read ahead; it will be read again."""
        self._reader.wake(self)
        for part in self._ahead:
            if part.data is not None and isinstance(part.what, Read):
                part.data.addBoth(self._forget, part.what.length)
                part.data = None

    def _forget(self, result: object, amount: int) -> None:
        # A failure will show again when the block is needed.
        self._reader.budget.release(amount)

    def _break_off(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._abort()

    def _fire(self) -> None:
        waiting, self._resumed = self._resumed, None
        if waiting is not None:
            waiting.callback(None)

    async def _flow(self) -> None:
        """Wait until the client takes more, or is gone."""
        if not self._paused or self._stopped:
            return
        if any(part.data is not None for part in self._ahead):
            self._reader.rest(self)
        self._resumed = Deferred()
        self._resumed.addTimeout(STALL, self._reader.clock, _stalled)
        try:
            await self._resumed
        finally:
            self._reader.wake(self)

    def _read_ahead(self) -> None:
        while len(self._ahead) < AHEAD:
            what = next(self._plan, None)
            if what is None:
                return
            self._ahead.append(_Part(what))
        for part in self._ahead:
            if not isinstance(part.what, Read) or part.data is not None:
                continue
            if is_hole(part.what.digest):
                continue
            if not self._reader.budget.take(part.what.length):
                return
            part.data = Deferred.fromCoroutine(self._reader.read(part.what))

    async def _next(self) -> bytes | None:
        if self._ahead:
            part = self._ahead.popleft()
        else:
            what = next(self._plan, None)
            if what is None:
                return None
            part = _Part(what)
        if isinstance(part.what, bytes):
            return part.what
        if part.data is None:
            await self._reader.acquire(part.what.length)
            part.data = Deferred.fromCoroutine(self._reader.read(part.what))
        try:
            return await part.data
        finally:
            self._reader.budget.release(part.what.length)


def _plan(body: Iterable[Segment]) -> Iterator[bytes | Read]:
    for part in body:
        if isinstance(part, Slice):
            yield from reads(part.content, part.span)
        elif part:
            yield part


def _cut(consumer: IConsumer) -> Callable[[], object]:
    """Say how to abort the connection of a request."""
    transport: Any = getattr(consumer, "transport", None)
    if transport is None:
        raise TypeError("say how to abort the connection of this consumer")
    return transport.abortConnection  # type: ignore[no-any-return]


def _stalled(result: object, seconds: float) -> None:
    raise Timeout(f"the client took nothing for {seconds:.0f} s")
