"""The load generator measures what it says, and believes no store."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from shutil import rmtree

from twisted.trial.unittest import SynchronousTestCase

from bench.loader import BLOCK, Content, Outcome, Refused, Target, check, read, write
from tests.functional.test_streaming import Server


class LoaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        home = Path(tempfile.mkdtemp(prefix="snfd-loader-"))
        self.addCleanup(rmtree, home)
        server = Server(str(home / "blocks"))
        self.addCleanup(server.stop)
        self.target = Target("127.0.0.1", server.port, "/c/", md5=False)

    def test_objects_go_there_and_come_back(self) -> None:
        content = Content("a", BLOCK + 1000, 7)
        wrote = write(self.target, content, 3)
        self.assertEqual(7 * content.size, wrote.transferred)
        self.assertEqual(7, len(wrote.latencies))
        self.assertEqual(14, len(read(self.target, content, 3, times=2).latencies))
        self.assertEqual(4, check(self.target, content, every=2))

    def test_other_bytes_are_noticed(self) -> None:
        write(self.target, Content("a", 4096, 1), 1)
        other = Content("b", 4096, 1)
        object.__setattr__(other, "seed", "a")
        with self.assertRaises(Refused):
            check(self.target, other)

    def test_a_missing_md5_is_noticed(self) -> None:
        wants = Target("127.0.0.1", self.target.port, "/c/", md5=True)
        with self.assertRaises(KeyError):
            write(wants, Content("a", 4096, 1), 1)

    def test_a_missing_object_is_noticed(self) -> None:
        with self.assertRaises(Refused):
            read(self.target, Content("never", 4096, 1), 1)


class ContentTests(SynchronousTestCase):
    def test_no_two_blocks_are_equal(self) -> None:
        content = Content("a", 2 * BLOCK, 2)
        blocks = set()
        for index in range(2):
            whole = b"".join(content.parts(index))
            self.assertEqual(content.size, len(whole))
            digest = hashlib.md5(whole, usedforsecurity=False).hexdigest()
            self.assertEqual(digest, content.digests[index])
            blocks |= {whole[:BLOCK], whole[BLOCK:]}
        self.assertEqual(4, len(blocks))

    def test_figures(self) -> None:
        outcome = Outcome(2.0, 8 * 1024 * 1024, (0.1, 0.2, 0.3, 0.4))
        self.assertEqual((4.0, 2.0), (outcome.rate, outcome.per_second))
        self.assertEqual([0.1, 0.3, 0.4], [outcome.percentile(p) for p in (0, 0.5, 1)])
