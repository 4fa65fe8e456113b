"""MD5 sums of objects that came without one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from attrs import define, evolve, field
from twisted.logger import Logger

from snfd.db.port import Database
from snfd.objects.model import ObjectInfo
from snfd.objects.store import maps
from snfd.objects.store import objects as store
from snfd.tasks import Tasks
from storage.blocks import Blocks
from storage.hashmap import is_hole
from storage.workers import Workers

AT_ONCE = 256 * 1024 * 1024
"""Objects up to this size, in bytes, get their MD5 while the client waits."""

MAX_WAITING = 100
"""Most objects that wait for their MD5 in the background."""


@define(eq=False)
class Checksums:
    """Fills in MD5 sums, one object at a time in the background."""

    _db: Database
    _tasks: Tasks
    _blocks: Blocks
    _workers: Workers
    _waiting: dict[int, ObjectInfo] = field(init=False, factory=dict)
    _busy: bool = field(init=False, default=False)
    _log = Logger()

    async def filled(self, info: ObjectInfo) -> ObjectInfo:
        """``info`` with its MD5, or without if that takes too long.

        What is left out is computed in the background.
        """
        if info.md5 is not None:
            return info
        if info.size <= AT_ONCE:
            return evolve(info, md5=await self._compute(info))
        if len(self._waiting) < MAX_WAITING:
            self._waiting[info.map_id] = info
            if not self._busy:
                self._busy = True
                self._tasks.start(self._work(), "computing MD5 sums")
        return info

    async def _work(self) -> None:
        try:
            while self._waiting:
                info = next(iter(self._waiting.values()))
                try:
                    await self._compute(info)
                finally:
                    self._waiting.pop(info.map_id, None)
        finally:
            self._busy = False

    async def _compute(self, info: ObjectInfo) -> bytes:
        rows = await self._db.read(store.BLOCKS, (info.map_id,))
        md5 = await self._md5(info, store.digests(rows))
        await self._db.run(maps.set_md5, info.map_id, md5)
        return md5

    async def _md5(self, info: ObjectInfo, digests: Sequence[bytes]) -> bytes:
        """Read all blocks, one at a time, and hash them in a thread."""
        found = hashlib.md5(usedforsecurity=False)
        left = info.size
        for digest in digests:
            data = b"" if is_hole(digest) else await self._blocks.get(digest)
            length = min(left, info.block_size)
            await self._workers.run(_update, found, data, length)
            left -= length
        return found.digest()


def _update(found: Any, data: bytes, length: int) -> None:
    found.update(data.ljust(length, b"\0"))
