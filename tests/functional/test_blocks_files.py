"""The contract on a directory, and what only a directory can go wrong with."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from pathlib import Path
from shutil import rmtree
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from snfd.errors import Closed, Unavailable
from storage.files import FileBlocks
from storage.hashmap import block_hash
from storage.workers import ThreadWorkers
from tests.contracts.blocks import BlocksContract


class Case(TestCase):
    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="snfd-blocks-"))
        self.addCleanup(rmtree, self.root)
        self.files = self.opened()

    def opened(self, **options: Any) -> FileBlocks:
        blocks = FileBlocks(self.root, ThreadWorkers(reactor, 4), **options)  # type: ignore[arg-type]
        self.addCleanup(lambda: Deferred.fromCoroutine(blocks.close()))
        return blocks

    def file(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.root / name[:2] / name[2:4] / name


class FileBlocksTests(BlocksContract, Case):
    def setUp(self) -> None:
        super().setUp()
        self.blocks = self.files

    def now(self) -> float:
        return time.time()

    async def damage(self, digest: bytes, data: bytes) -> None:
        self.file(digest).write_bytes(data)

    async def age(self, digest: bytes, seconds: float) -> None:
        old = self.now() - seconds
        os.utime(self.file(digest), (old, old))


class DirectoryTests(Case):
    async def test_what_was_put_is_there_after_a_restart(self) -> None:
        key = await self.files.put(b"spam")
        await self.files.close()
        self.assertEqual(b"spam", await self.opened().get(key))

    async def test_the_layout(self) -> None:
        key = await self.files.put(b"spam")
        self.assertEqual(b"spam", self.file(key).read_bytes())
        self.assertEqual([], list((self.root / "tmp").iterdir()))

    async def test_others_may_not_look_in(self) -> None:
        fresh = self.root / "below" / "blocks"
        FileBlocks(fresh, ThreadWorkers(reactor, 1))  # type: ignore[arg-type]
        self.assertEqual(0o700, fresh.stat().st_mode & 0o777)

    async def test_a_damaged_block_is_mended_by_putting_it_again(self) -> None:
        key = await self.files.put(b"spam")
        self.file(key).write_bytes(b"sp")
        await self.files.put(b"spam")
        self.assertEqual(b"spam", await self.files.get(key))

    async def test_what_a_crash_left_behind_is_swept_up(self) -> None:
        old, young = self.root / "tmp" / "old", self.root / "tmp" / "young"
        old.write_bytes(b"x")
        young.write_bytes(b"x")
        os.utime(old, (0, 0))
        self.opened()
        self.assertEqual([young], list((self.root / "tmp").iterdir()))

    async def test_foreign_files_are_no_blocks(self) -> None:
        key = await self.files.put(b"spam")
        (self.file(key).parent / "notes").write_bytes(b"x")
        (self.file(key).parent / key.hex().upper()).write_bytes(b"x")
        (self.root / "README").write_bytes(b"x")
        (self.root / "zz").mkdir()
        found = [d async for some in self.files.digests() for d in some]
        self.assertEqual([key], found)

    async def test_a_store_that_cannot_be_written_is_unavailable(self) -> None:
        rmtree(self.root / "tmp")
        failed = await self.failing(self.files.put(b"spam"))
        self.assertIn(os.strerror(errno.ENOENT), str(failed))

    async def test_a_store_that_cannot_be_read_is_unavailable(self) -> None:
        key = await self.files.put(b"spam")
        self.file(key).unlink()
        self.file(key).mkdir()
        await self.failing(self.files.get(key))

    async def failing(self, work: Any) -> Unavailable:
        failure = await self.assertFailure(Deferred.fromCoroutine(work), Unavailable)
        assert isinstance(failure, Unavailable)
        return failure

    async def test_reads_without_verification_read_only_what_is_wanted(self) -> None:
        key = await self.files.put(b"0123456789")
        plain = self.opened(verified=False)
        self.file(key).write_bytes(b"X123456789")
        self.assertEqual(b"X1", await plain.get(key, 0, 2))
        self.assertEqual(b"89", await plain.get(key, 8, 100))

    async def test_two_processes_may_put_and_delete_one_block(self) -> None:
        """Whatever comes first: a put that was answered after is there."""
        other = self.opened()
        for _ in range(50):
            await self.files.put(b"spam")
            late = time.time() - 3600
            put = Deferred.fromCoroutine(self.files.put(b"spam"))
            delete = Deferred.fromCoroutine(other.delete(self.key, late))
            await put
            self.assertFalse(await delete)
            self.assertEqual(b"spam", await other.get(self.key))

    @property
    def key(self) -> bytes:
        return block_hash(b"spam")

    async def test_a_closed_store_takes_nothing(self) -> None:
        await self.files.close()
        failed = await self.failing(self.files.put(b"spam"))
        self.assertIsInstance(failed, Closed)
