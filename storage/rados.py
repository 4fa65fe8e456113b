"""Blocks as RADOS objects, through librados's asynchronous calls.

An object is named by the 64 hex digits of its block.  Facts about librados and
its binding that shape this module:

* callbacks come on librados's threads, and what they raise is lost;
* submitting blocks the caller once 100 MiB are under way, so at most
  `IN_FLIGHT` operations are, in the whole process, whoever hangs up;
* no operation ever times out unless it is told to.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from snfd.errors import Unavailable
from snfd.pool import Hooks, Limits, Pool
from snfd.tasks import Tasks
from storage.blocks import BATCH, Stat, absent, checked, distinct, part, verified
from storage.hashmap import EMPTY, is_hole, stripped
from storage.librados import RadosConfig, connected, failure, load
from storage.workers import ThreadWorkers, Workers
from storage.writer import BLOCK_SIZE

IN_FLIGHT = 16
"""How many operations may be under way at once, process-wide."""

THREADS = 2
"""How many threads hash and submit."""

_STATS = 256  # how many stats are under way on one I/O context
_INLINE = 64 * 1024  # hashing and submitting less is quicker than asking a thread
_SHUTDOWN = 10.0  # seconds
_NAME = re.compile(r"[0-9a-f]{64}")
_CHANGED = (errno.ERANGE, errno.EOVERFLOW)

T = TypeVar("T")
_log = Logger()


async def connect(reactor: Any, config: RadosConfig, **options: Any) -> RadosBlocks:
    """Open the block store on a Ceph cluster.

    :param options: see `RadosBlocks`.
    :raises Unavailable: the binding, the cluster or the pool is not there.
    """
    rados = load()
    workers = ThreadWorkers(reactor, THREADS, "rados")
    try:
        cluster = await workers.run(connected, rados, config)
    except BaseException:
        workers.stop()
        raise
    blocks = RadosBlocks(reactor, rados, cluster, config, workers, **options)
    try:
        await blocks._contexts.warm_up()  # finds out whether the pool is there
    except BaseException:
        await blocks.close()
        raise
    return blocks


class RadosBlocks:
    """Blocks in a pool of a cluster that is connected to.

    :param workers: threads of its own; closed with the store.
    :param longest: length of the longest block, in bytes.
    :param verified: reads look at whole blocks and notice damage; Ceph's own
        checksums notice what disks do.
    """

    def __init__(
        self,
        reactor: Any,
        rados: Any,
        cluster: Any,
        config: RadosConfig,
        workers: Workers,
        *,
        longest: int = BLOCK_SIZE,
        verified: bool = False,
    ) -> None:
        self._reactor = reactor
        self._rados = rados
        self._cluster = cluster
        self._config = config
        self._workers = workers
        self._longest = longest
        self._verified = verified
        self._left = False
        self._tasks = Tasks()
        # One loan is one operation, so the pool's size bounds what is under way.
        self._contexts: Pool[Any] = Pool(
            reactor,
            Hooks(self._open, self._close, reset=lambda _: True),
            Limits(IN_FLIGHT, max_waiting=4096, min_idle=1),
            reactor.callFromThread,
        )

    async def put(self, data: bytes) -> bytes:
        """Store a block (`Blocks.put`)."""
        return await self._operate(partial(self._put, data), "writing a block")

    async def get(
        self, digest: bytes, offset: int = 0, length: int | None = None
    ) -> bytes:
        """Read a block (`Blocks.get`)."""
        if is_hole(checked(digest)) or length == 0:
            return b""
        reading = partial(self._get, digest, offset, length)
        return await self._operate(reading, "reading a block")

    async def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Say which are not stored (`Blocks.missing`)."""
        looking = partial(self._missing, distinct(digests))
        return await self._operate(looking, "looking for blocks")

    async def stat(self, digest: bytes) -> Stat:
        """Say what is known of a block (`Blocks.stat`); whole seconds."""
        if is_hole(checked(digest)):
            return Stat(0, 0.0)
        return await self._operate(partial(self._stat, digest), "looking at a block")

    async def delete(self, digest: bytes, before: float | None = None) -> bool:
        """Remove a block (`Blocks.delete`)."""
        deleting = partial(self._delete, checked(digest), before)
        return await self._operate(deleting, "deleting a block")

    async def digests(self) -> AsyncIterator[Sequence[bytes]]:
        """Give all stored blocks (`Blocks.digests`)."""
        context = await self._workers.run(self._opened)
        try:
            objects = context.list_objects()
            while names := await self._workers.run(self._batch, objects):
                yield [bytes.fromhex(name) for name in names if _NAME.fullmatch(name)]
        finally:
            await self._workers.run(context.close)

    async def close(self) -> None:
        """Wait for what is under way, and disconnect (`Blocks.close`)."""
        if self._left:
            return
        self._left = True
        await self._tasks.stop()
        await self._contexts.close()
        leaving = self._workers.run(self._cluster.shutdown)
        leaving.addTimeout(_SHUTDOWN, self._reactor)
        try:
            await leaving
        except Exception:
            # A cluster that is away can hold its thread for ever; it ends with
            # the process.
            _log.failure("the Ceph cluster was left without a farewell")
            return
        await self._workers.stop()

    async def _operate(self, work: Callable[[Any], Awaitable[T]], what: str) -> T:
        """Run one operation to its end, even if nobody waits for it any more."""
        return await self._tasks.detached(self._lent(work, what), what)

    async def _lent(self, work: Callable[[Any], Awaitable[T]], what: str) -> T:
        try:
            return await self._contexts.use(work, self._config.timeout)
        except self._rados.Error as error:
            raise failure(error.errno or errno.EIO, what) from error

    async def _put(self, data: bytes, context: Any) -> bytes:
        if len(data) <= _INLINE:
            digest, answer = self._submit(data, context)
        else:
            digest, answer = await self._workers.run(self._submit, data, context)
        code, _ = await answer
        if code == -errno.EEXIST:
            code, _ = await self._start(partial(self._touch, context, digest))
        if code < 0:
            raise failure(code, "writing a block")
        return digest

    def _submit(
        self, data: bytes, context: Any
    ) -> tuple[bytes, Deferred[tuple[int, Any]]]:
        """Hash a block and start writing it unless it is there; in any thread."""
        data = stripped(data)
        digest = sha256(data).digest()
        if digest == EMPTY:
            done: Deferred[tuple[int, Any]] = Deferred()
            done.callback((0, None))
            return digest, done

        def write(done: Callable[..., None]) -> Any:
            operation = context.create_write_op()
            operation.new(self._rados.LIBRADOS_CREATE_EXCLUSIVE)
            operation.write_full(data)
            return self._write(context, digest, operation, done)

        return digest, self._start(write)

    def _write(
        self, context: Any, digest: bytes, operation: Any, done: Callable[..., None]
    ) -> Any:
        # Without a time librados leaves the object's as it is.
        now = int(self._reactor.seconds())
        return operation, context.operate_aio_write_op(
            operation, digest.hex(), oncomplete=done, mtime=now
        )

    def _touch(self, context: Any, digest: bytes, done: Callable[..., None]) -> Any:
        operation = context.create_write_op()
        operation.new(self._rados.LIBRADOS_CREATE_IDEMPOTENT)
        return self._write(context, digest, operation, done)

    async def _get(
        self, digest: bytes, offset: int, length: int | None, context: Any
    ) -> bytes:
        if not self._verified:
            count = self._longest if length is None else length
            return await self._read(context, digest, offset, count)
        data = await self._read(context, digest, 0, self._longest)
        if len(data) > _INLINE:
            await self._workers.run(verified, digest, data)
        else:
            verified(digest, data)
        return part(data, offset, length)

    async def _read(
        self, context: Any, digest: bytes, offset: int, count: int
    ) -> bytes:
        def read(done: Callable[..., None]) -> Any:
            return context.aio_read(digest.hex(), count, offset, done)

        code, data = await self._start(read)
        if code == -errno.ENOENT:
            raise absent(digest)
        if code < 0:
            raise failure(code, "reading a block")
        return data or b""

    async def _missing(self, digests: list[bytes], context: Any) -> list[bytes]:
        found: list[bytes] = []
        for start in range(0, len(digests), _STATS):
            some = digests[start : start + _STATS]
            sizes = await gatherResults(
                [self._looked_at(context, digest) for digest in some],
                consumeErrors=True,
            )
            for digest, (code, _) in zip(some, sizes, strict=True):
                if code == -errno.ENOENT:
                    found.append(digest)
                elif code < 0:
                    raise failure(code, "looking for blocks")
        return found

    async def _stat(self, digest: bytes, context: Any) -> Stat:
        code, known = await self._looked_at(context, digest)
        if code == -errno.ENOENT:
            raise absent(digest)
        if code < 0:
            raise failure(code, "looking at a block")
        size, touched = known
        return Stat(size, time.mktime(touched))

    def _looked_at(self, context: Any, digest: bytes) -> Deferred[tuple[int, Any]]:
        return self._start(partial(context.aio_stat, digest.hex()), pair=True)

    async def _delete(self, digest: bytes, before: float | None, context: Any) -> bool:
        if before is not None:
            return await self._workers.run(self._delete_old, digest, before, context)

        def remove(done: Callable[..., None]) -> Any:
            return context.aio_remove(digest.hex(), done)

        code, _ = await self._start(remove)
        if code < 0 and code != -errno.ENOENT:
            raise failure(code, "deleting a block")
        return True

    def _delete_old(self, digest: bytes, before: float, context: Any) -> bool:
        """Remove a block unless somebody puts it meanwhile; in a thread."""
        try:
            _, touched = context.stat(digest.hex())
            # Cut to whole seconds, so it may have been touched up to one later.
            if time.mktime(touched) + 1 > before:
                return False
            operation = context.create_write_op()
            operation.assert_version(context.get_last_version())
            operation.remove()
            context.operate_write_op(operation, digest.hex())
        except self._rados.ObjectNotFound:
            return True
        except self._rados.Error as error:
            if error.errno is not None and abs(error.errno) in _CHANGED:
                return False
            raise
        return True

    def _start(
        self, submit: Callable[[Callable[..., None]], Any], *, pair: bool = False
    ) -> Deferred[tuple[int, Any]]:
        """Start an operation; fire with its return code and what it brings."""
        answer: Deferred[tuple[int, Any]] = Deferred()

        def done(completion: Any, *found: Any) -> None:
            # On a thread of librados, where anything raised is lost.
            try:
                code = completion.get_return_value()
            except BaseException:
                code = -errno.EIO
            result: Any = found if pair else (found[0] if found else None)
            self._reactor.callFromThread(answer.callback, (code, result))

        submit(done)
        return answer

    async def _open(self) -> Any:
        return await self._workers.run(self._opened)

    def _close(self, context: Any) -> Deferred[None]:
        return self._workers.run(context.close)

    def _opened(self) -> Any:
        try:
            context = self._cluster.open_ioctx(self._config.pool)
        except self._rados.ObjectNotFound:
            raise Unavailable(f"there is no pool {self._config.pool!r}") from None
        except self._rados.Error as error:
            raise failure(error.errno or errno.EIO, "opening the pool") from error
        context.set_namespace(self._config.namespace)
        return context

    def _batch(self, objects: Iterator[Any]) -> list[str]:
        try:
            return [one.key for one in islice(objects, BATCH)]
        except self._rados.Error as error:
            raise failure(error.errno or errno.EIO, "listing blocks") from error
