"""Blocks as files below a directory, for one machine without a cluster.

A block is ``hh/hh/<64 hex digits>``, written to a temporary file, synchronised
and renamed, and its directory synchronised: what `put` has answered survives a
crash.  A directory is locked while a name in it is decided on, so that several
processes may share the store.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import string
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import ParamSpec, TypeVar

from snfd.errors import Unavailable
from storage.blocks import BATCH, Damaged, Stat, absent, checked, distinct, part
from storage.blocks import verified as verified_data
from storage.hashmap import DIGEST_SIZE, EMPTY, is_hole, stripped
from storage.workers import Workers

THREADS = 4
"""How many threads a file store is given; each may wait for a disk."""

_FULL = (ENOSPC, EDQUOT, EFBIG)
_HEX = frozenset(string.hexdigits.lower())
_TEMPORARY = "tmp"
_LEFT_OVER = 86400.0  # seconds after which a temporary file has no writer left

P = ParamSpec("P")
T = TypeVar("T")


class FileBlocks:
    """Blocks as files below ``root``, which is made if it is not there.

    :param workers: threads of its own; closed with the store.
    :param verified: reads look at whole blocks and notice damage.
    """

    def __init__(self, root: Path, workers: Workers, *, verified: bool = True) -> None:
        self._root = root
        self._workers = workers
        self._verified = verified
        self._made: set[Path] = set()
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        (root / _TEMPORARY).mkdir(exist_ok=True, mode=0o700)
        _sync(root)
        _sweep(root / _TEMPORARY)

    async def put(self, data: bytes) -> bytes:
        """Store a block (`Blocks.put`)."""
        return await self._workers.run(_guarded, self._put, data)

    async def get(
        self, digest: bytes, offset: int = 0, length: int | None = None
    ) -> bytes:
        """Read a block (`Blocks.get`)."""
        if is_hole(checked(digest)):
            return b""
        return await self._workers.run(_guarded, self._get, digest, offset, length)

    async def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Say which are not stored (`Blocks.missing`)."""
        wanted = distinct(digests)
        found: list[bytes] = []
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            found += await self._workers.run(_guarded, self._missing, some)
        return found

    async def stat(self, digest: bytes) -> Stat:
        """Say what is known of a block (`Blocks.stat`)."""
        if is_hole(checked(digest)):
            return Stat(0, 0.0)
        return await self._workers.run(_guarded, self._stat, digest)

    async def delete(self, digest: bytes, before: float | None = None) -> bool:
        """Remove a block (`Blocks.delete`)."""
        return await self._workers.run(_guarded, self._delete, checked(digest), before)

    async def digests(self) -> AsyncIterator[Sequence[bytes]]:
        """Give all stored blocks (`Blocks.digests`)."""
        for first in await self._workers.run(_guarded, _shards, self._root):
            for second in await self._workers.run(_guarded, _shards, first):
                names = await self._workers.run(_guarded, _blocks_in, second)
                for start in range(0, len(names), BATCH):
                    yield names[start : start + BATCH]

    async def close(self) -> None:
        """Wait for what is under way (`Blocks.close`)."""
        await self._workers.stop()

    def _put(self, data: bytes) -> bytes:
        data = stripped(data)
        digest = sha256(data).digest()
        if digest == EMPTY:
            return digest
        path = self._path(digest)
        if not self._touch(path, len(data)):
            self._write(path, data)
        return digest

    def _touch(self, path: Path, size: int) -> bool:
        """Renew a block that is there already and whole; say whether it is."""
        try:
            with _locked(path.parent, fcntl.LOCK_SH) as directory:
                if path.stat().st_size != size:
                    return False
                os.utime(path)
                os.fsync(directory)  # whoever wrote it may not be that far yet
                return True
        except FileNotFoundError:
            return False

    def _write(self, path: Path, data: bytes) -> None:
        temporary = self._root / _TEMPORARY / f"{path.name}.{secrets.token_hex(8)}"
        try:
            with temporary.open("xb", buffering=0) as file:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fdatasync(file.fileno())
            self._make_room(path.parent)
            with _locked(path.parent, fcntl.LOCK_SH) as directory:
                temporary.rename(path)
                os.fsync(directory)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._root / name[:2] / name[2:4] / name

    def _make_room(self, directory: Path) -> None:
        for one in (directory.parent, directory):
            if one not in self._made:
                one.mkdir(exist_ok=True)
                _sync(one.parent)
                self._made.add(one)

    def _get(self, digest: bytes, offset: int, length: int | None) -> bytes:
        try:
            with self._path(digest).open("rb", buffering=0) as file:
                if self._verified:
                    data = verified_data(digest, _read(file.fileno(), 0, None))
                    return part(data, offset, length)
                return _read(file.fileno(), offset, length)
        except FileNotFoundError:
            raise absent(digest) from None

    def _missing(self, digests: Sequence[bytes]) -> list[bytes]:
        return [digest for digest in digests if not self._path(digest).exists()]

    def _stat(self, digest: bytes) -> Stat:
        try:
            found = self._path(digest).stat()
        except FileNotFoundError:
            raise absent(digest) from None
        return Stat(found.st_size, found.st_mtime)

    def _delete(self, digest: bytes, before: float | None) -> bool:
        path = self._path(digest)
        try:
            with _locked(path.parent, fcntl.LOCK_EX) as directory:
                if before is not None and path.stat().st_mtime >= before:
                    return False
                path.unlink()
                os.fsync(directory)
        except FileNotFoundError:
            pass  # that is what was wanted
        return True


def _guarded(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``work``; a disk that fails is unavailable, not a broken program."""
    try:
        return work(*args, **kwargs)
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable("the block store is full", retry_after=60) from error
        raise Unavailable(f"the block store failed: {error.strerror}") from error


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[int]:
    """Hold a lock on a directory, and give its descriptor."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(directory: Path) -> None:
    """Remove what a crash has left behind."""
    marker = directory / f"now.{secrets.token_hex(8)}"
    marker.touch()
    now = marker.stat().st_mtime
    marker.unlink()
    for path in directory.iterdir():
        try:
            if path.stat().st_mtime < now - _LEFT_OVER:
                path.unlink()
        except FileNotFoundError:
            continue  # another process was quicker


def _read(descriptor: int, offset: int, length: int | None) -> bytes:
    size = max(0, os.fstat(descriptor).st_size - offset)
    size = size if length is None else min(size, length)
    data = os.pread(descriptor, size, offset)
    if len(data) != size:
        raise Damaged("a block shrank while it was read")
    return data


def _shards(directory: Path) -> list[Path]:
    with os.scandir(directory) as entries:
        return [Path(e.path) for e in entries if len(e.name) == 2 and {*e.name} <= _HEX]


def _blocks_in(directory: Path) -> list[bytes]:
    with os.scandir(directory) as entries:
        names = [e.name for e in entries]
    return [
        bytes.fromhex(name)
        for name in names
        if len(name) == 2 * DIGEST_SIZE and {*name} <= _HEX
    ]
