"""The contract on a real Ceph cluster, and what only a cluster can do."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from snfd.errors import Closed, NotFound, Timeout, Unavailable
from storage import librados
from storage.librados import RadosConfig
from storage.rados import IN_FLIGHT, RadosBlocks, connect
from tests.contracts.blocks import BlocksContract
from tests.lab import ceph

BLOCK = 4 * 1024 * 1024


class Case(TestCase):
    timeout = 120

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.ceph = ceph.cluster()

    ceph: ceph.Ceph

    async def opened(self, timeout: float = 30.0, **options: Any) -> RadosBlocks:
        """A store of its own: a namespace that no other test uses."""
        config = self.ceph.config(uuid4().hex, timeout)
        blocks = await connect(reactor, config, **options)
        self.addCleanup(lambda: Deferred.fromCoroutine(blocks.close()))
        return blocks


@pytest.mark.xdist_group("ceph")
@pytest.mark.rig("rados")
class RadosBlocksTests(BlocksContract, Case):
    async def setUp(self) -> None:  # type: ignore[override]
        self.rados = self.blocks = await self.opened(verified=True)

    def now(self) -> float:
        return time.time()

    async def _raw(self, digest: bytes, data: bytes, when: int) -> None:
        """Write an object directly."""

        def write() -> None:
            context = self.rados._opened()
            operation = context.create_write_op()
            operation.write_full(data)
            context.operate_write_op(operation, digest.hex(), mtime=when)
            context.close()

        await self.rados._workers.run(write)

    async def damage(self, digest: bytes, data: bytes) -> None:
        await self._raw(digest, data, int(self.now()))

    async def age(self, digest: bytes, seconds: float) -> None:
        data = await self.rados.get(digest)
        await self._raw(digest, data, int(self.now() - seconds))


@pytest.mark.xdist_group("ceph")
@pytest.mark.rig("rados")
class ClusterTests(Case):
    async def test_what_was_put_is_there_for_another_client(self) -> None:
        blocks = await self.opened()
        key = await blocks.put(b"spam")
        other = await connect(reactor, blocks._config)
        self.assertEqual(b"spam", await other.get(key))
        await other.close()

    async def test_more_blocks_than_librados_takes_at_once(self) -> None:
        """It would block the caller beyond 25 of them."""
        blocks = await self.opened()
        texts = [(os.urandom(63) + b"x") * 65536 for _ in range(40)]
        puts = [Deferred.fromCoroutine(blocks.put(text)) for text in texts]
        digests = await gatherResults(puts)
        for digest, text in zip(digests, texts, strict=True):
            self.assertEqual(text, await blocks.get(digest))
        self.assertLessEqual(blocks._contexts.snapshot().created, IN_FLIGHT)

    async def test_a_cluster_that_hangs_is_unavailable(self) -> None:
        blocks = await self.opened(timeout=2)
        key = await blocks.put(b"spam")
        self.ceph.freeze()
        try:
            works: list[Coroutine[Any, Any, Any]] = [
                blocks.get(key),
                blocks.put(b"eggs"),
                blocks.missing([key]),
                blocks.stat(key),
                blocks.delete(key, time.time()),
            ]
            failing = [Deferred.fromCoroutine(work) for work in works]
            for one in failing:
                await self.assertFailure(one, Unavailable)
        finally:
            self.ceph.thaw()
        await deferLater(reactor, 1, lambda: None)
        self.assertEqual(b"spam", await blocks.get(key))

    async def test_clients_that_hang_up_do_not_stop_the_reactor(self) -> None:
        """What they asked for stays under way, and counts, until it ends.

        Otherwise librados would block the reactor, until the first times out.
        """
        blocks = await self.opened(timeout=10)
        self.ceph.freeze()
        try:
            first = Deferred.fromCoroutine(blocks.put(os.urandom(64) * 65536))
            first.addErrback(lambda failure: failure.trap(Unavailable))
            for i in range(80):
                work = (
                    blocks.get(os.urandom(32), 0, BLOCK)
                    if i % 2
                    else blocks.put(os.urandom(64) * 65536)
                )
                one: Deferred[bytes] = Deferred.fromCoroutine(work)
                one.addErrback(lambda failure: failure.trap(CancelledError))
                await deferLater(reactor, 0, lambda: None)
                one.cancel()
            self.assertFalse(first.called)
            self.assertEqual(IN_FLIGHT, blocks._contexts.snapshot().busy)
        finally:
            self.ceph.thaw()
        await blocks.close()
        self.flushLoggedErrors(NotFound, Unavailable)

    async def test_a_pool_that_is_not_there(self) -> None:
        config = self.ceph.config()
        missing = RadosConfig(config.conf, "nowhere", config.user, config.keyring)
        failure = await self.assertFailure(
            Deferred.fromCoroutine(connect(reactor, missing)), Unavailable
        )
        self.assertIn("nowhere", str(failure))

    async def test_a_cluster_that_is_not_there(self) -> None:
        conf = Path(self.mktemp())
        conf.write_text("[global]\nmon host = 127.0.0.1:1\nkeyring = /dev/null\n")
        config = RadosConfig(str(conf), timeout=2)
        await self.assertFailure(
            Deferred.fromCoroutine(connect(reactor, config)), Unavailable
        )

    async def test_a_closed_store_takes_nothing(self) -> None:
        blocks = await self.opened()
        await blocks.close()
        await self.assertFailure(Deferred.fromCoroutine(blocks.put(b"x")), Closed)
        self.assertNotIsInstance(Closed("x"), Timeout)


class BindingTests(SynchronousTestCase):
    """Without the binding one is told what to install."""

    def test_it_is_nowhere(self) -> None:
        place = Path(self.mktemp())
        place.mkdir()
        with self.assertRaises(Unavailable) as caught:
            librados._load(place / "rados.so")
        self.assertIn("apt-get install python3-rados", str(caught.exception))
        self.assertIn("Python 3.11", str(caught.exception))

    def test_it_is_for_another_python(self) -> None:
        place = Path(self.mktemp())
        place.mkdir()
        (place / "rados.cpython-39-x86_64-linux-gnu.so").touch()
        with self.assertRaises(Unavailable) as caught:
            librados._load(place / "rados.so")
        self.assertIn("rados.cpython-39-x86_64-linux-gnu.so", str(caught.exception))
        here = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        self.assertIn(here, str(caught.exception))

    def test_a_broken_file(self) -> None:
        place = Path(self.mktemp())
        place.mkdir()
        (place / "rados.so").touch()
        with self.assertRaises(Unavailable):
            librados._load(place / "rados.so")
