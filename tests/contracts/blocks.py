"""What every block store promises; one suite for all of them."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from snfd.errors import NotFound
from storage.blocks import Blocks, Damaged
from storage.hashmap import EMPTY, HOLE, block_hash

BLOCK = 4 * 1024 * 1024


def absent(text: bytes) -> bytes:
    """The digest of a block that nobody stores."""
    return sha256(b"absent " + text).digest()


class BlocksContract:
    """What `Blocks` promises; subclasses set ``self.blocks`` in `setUp`.

    ``damage`` puts something else where a block was; ``now`` is the time as the
    store sees it, in seconds since 1970.
    """

    blocks: Blocks
    assertEqual: Any
    assertTrue: Any
    assertFalse: Any
    assertRaises: Any
    assertLess: Any
    assertGreater: Any

    async def damage(self, digest: bytes, data: bytes) -> None:
        raise AssertionError("say how")

    def now(self) -> float:
        raise AssertionError("say how")

    async def assertFails(self, error: type[Exception], work: Any) -> None:
        try:
            await work
        except error:
            return
        raise AssertionError(f"no {error.__name__} was raised")

    async def listed(self) -> list[bytes]:
        return sorted([d async for some in self.blocks.digests() for d in some])

    async def test_what_was_put_can_be_got(self) -> None:
        key = await self.blocks.put(b"spam")
        self.assertEqual(b"spam", await self.blocks.get(key))

    async def test_the_digest_is_that_of_pithos(self) -> None:
        self.assertEqual(block_hash(b"spam"), await self.blocks.put(b"spam"))
        self.assertEqual(block_hash(b"spam"), await self.blocks.put(b"spam\0\0"))

    async def test_a_whole_block(self) -> None:
        data = os.urandom(BLOCK - 1) + b"\1"
        key = await self.blocks.put(data)
        self.assertEqual(data, await self.blocks.get(key))
        self.assertEqual(BLOCK, (await self.blocks.stat(key)).size)

    async def test_parts(self) -> None:
        key = await self.blocks.put(b"0123456789")
        self.assertEqual(b"2345", await self.blocks.get(key, 2, 4))
        self.assertEqual(b"89", await self.blocks.get(key, 8))
        self.assertEqual(b"89", await self.blocks.get(key, 8, 1000))
        self.assertEqual(b"", await self.blocks.get(key, 10, 5))
        self.assertEqual(b"", await self.blocks.get(key, 1000, 5))
        self.assertEqual(b"", await self.blocks.get(key, 3, 0))

    async def test_zeros_at_the_end_are_left_out(self) -> None:
        key = await self.blocks.put(b"a" + bytes(1000))
        self.assertEqual(b"a", await self.blocks.get(key))
        self.assertEqual(1, (await self.blocks.stat(key)).size)

    async def test_the_empty_block_is_always_there(self) -> None:
        for digest in (EMPTY, HOLE):
            self.assertEqual(b"", await self.blocks.get(digest))
            self.assertEqual(b"", await self.blocks.get(digest, 5, 10))
            self.assertEqual(0, (await self.blocks.stat(digest)).size)
            self.assertEqual([], await self.blocks.missing([digest]))

    async def test_the_empty_block_is_stored_nowhere(self) -> None:
        self.assertEqual(EMPTY, await self.blocks.put(b""))
        self.assertEqual(EMPTY, await self.blocks.put(bytes(100_000)))
        self.assertEqual([], await self.listed())

    async def test_a_block_that_is_not_there(self) -> None:
        await self.assertFails(NotFound, self.blocks.get(absent(b"1")))
        await self.assertFails(NotFound, self.blocks.get(absent(b"1"), 5, 5))
        await self.assertFails(NotFound, self.blocks.stat(absent(b"1")))

    async def test_what_is_no_digest_is_a_mistake(self) -> None:
        await self.assertFails(ValueError, self.blocks.get(b"short"))
        await self.assertFails(ValueError, self.blocks.stat(b"short"))
        await self.assertFails(ValueError, self.blocks.missing([b"short"]))
        await self.assertFails(ValueError, self.blocks.delete(b"short"))

    async def test_what_is_missing_is_told_once_and_in_order(self) -> None:
        here = await self.blocks.put(b"here")
        gone = [absent(b"%d" % i) for i in range(600)]
        asked = [gone[1], here, *gone, EMPTY, here, gone[0]]
        expected = [gone[1], gone[0], *gone[2:]]
        self.assertEqual(expected, await self.blocks.missing(asked))
        self.assertEqual([], await self.blocks.missing([]))

    async def test_putting_twice_is_as_good_as_once(self) -> None:
        first = await self.blocks.put(b"spam")
        self.assertEqual(first, await self.blocks.put(b"spam"))
        self.assertEqual([first], await self.listed())
        self.assertEqual(b"spam", await self.blocks.get(first))

    async def test_many_put_the_same_block_at_once(self) -> None:
        data = os.urandom(100_000) + b"\1"
        puts = [Deferred.fromCoroutine(self.blocks.put(data)) for _ in range(20)]
        digests = await gatherResults(puts)
        self.assertEqual(1, len(set(digests)))
        self.assertEqual(data, await self.blocks.get(digests[0]))

    async def test_many_blocks_at_once(self) -> None:
        texts = [b"block %d" % i for i in range(200)]
        puts = [Deferred.fromCoroutine(self.blocks.put(text)) for text in texts]
        digests = await gatherResults(puts)
        gets = [Deferred.fromCoroutine(self.blocks.get(one)) for one in digests]
        self.assertEqual(texts, await gatherResults(gets))
        self.assertEqual(sorted(digests), await self.listed())

    async def test_a_deleted_block_is_gone(self) -> None:
        key = await self.blocks.put(b"spam")
        self.assertTrue(await self.blocks.delete(key))
        await self.assertFails(NotFound, self.blocks.get(key))
        self.assertEqual([key], await self.blocks.missing([key]))
        self.assertEqual([], await self.listed())

    async def test_deleting_again_changes_nothing(self) -> None:
        self.assertTrue(await self.blocks.delete(absent(b"2")))
        self.assertTrue(await self.blocks.delete(absent(b"2"), self.now()))

    async def test_a_deleted_block_can_be_put_again(self) -> None:
        key = await self.blocks.put(b"spam")
        await self.blocks.delete(key)
        await self.blocks.put(b"spam")
        self.assertEqual(b"spam", await self.blocks.get(key))

    async def test_a_block_says_when_it_was_put(self) -> None:
        before = self.now()
        key = await self.blocks.put(b"spam")
        touched = (await self.blocks.stat(key)).touched
        self.assertLess(abs(touched - before), 3)

    async def test_a_young_block_is_not_deleted(self) -> None:
        key = await self.blocks.put(b"spam")
        self.assertFalse(await self.blocks.delete(key, self.now() - 3600))
        self.assertEqual(b"spam", await self.blocks.get(key))

    async def test_an_old_block_is_deleted(self) -> None:
        key = await self.blocks.put(b"spam")
        self.assertTrue(await self.blocks.delete(key, self.now() + 3600))
        self.assertEqual([key], await self.blocks.missing([key]))

    async def age(self, digest: bytes, seconds: float) -> None:
        """Make a block look older; subclasses say how."""
        raise AssertionError("say how")

    async def test_putting_a_block_again_makes_it_young(self) -> None:
        key = await self.blocks.put(b"spam")
        await self.age(key, 7200)
        self.assertLess((await self.blocks.stat(key)).touched, self.now() - 3600)
        await self.blocks.put(b"spam")
        self.assertFalse(await self.blocks.delete(key, self.now() - 3600))

    async def test_damage_is_noticed(self) -> None:
        for data in (b"spam", b"spam" * 100_000):
            for other in (data[:-1] + b"X", data[:-1], data + b"X", b""):
                key = await self.blocks.put(data)
                await self.damage(key, other)
                await self.assertFails(Damaged, self.blocks.get(key))
                await self.assertFails(Damaged, self.blocks.get(key, 0, 2))
                await self.blocks.delete(key)

    async def test_cancelling_a_put_does_no_harm(self) -> None:
        data = os.urandom(200_000) + b"\1"
        put = Deferred.fromCoroutine(self.blocks.put(data))
        put.addErrback(lambda _: None)
        put.cancel()
        key = await self.blocks.put(data)
        self.assertEqual(data, await self.blocks.get(key))
