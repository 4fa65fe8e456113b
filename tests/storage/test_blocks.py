"""The store in memory keeps the contract."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from storage.blocks import MemoryBlocks
from tests.contracts.blocks import BlocksContract


class MemoryBlocksTests(BlocksContract, TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.memory = self.blocks = MemoryBlocks(self.clock.seconds)

    def now(self) -> float:
        return self.clock.seconds()

    async def damage(self, digest: bytes, data: bytes) -> None:
        self.memory._stored[digest] = data, self.now()

    async def age(self, digest: bytes, seconds: float) -> None:
        self.clock.advance(seconds)
