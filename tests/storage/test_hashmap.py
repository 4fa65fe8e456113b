"""The published hash vectors, and the rules behind them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from storage.blocks import MemoryBlocks
from storage.hashmap import (
    EMPTY,
    HOLE,
    block_hash,
    is_hole,
    root,
    stripped,
)
from storage.workers import CallerWorkers
from storage.writer import Upload, Writer

VECTORS = Path(__file__).parents[1] / "vectors" / "pithos-hash-vectors.json"
BS = 4194304


def content(recipe: str) -> bytes:
    """The bytes that a vector's recipe stands for."""
    if recipe.startswith("bytes 1.."):
        last = int(recipe.removeprefix("bytes 1..").partition(",")[0])
        return bytes(range(1, last + 1))
    named = {
        "empty": b"",
        "'a'": b"a",
        "1 zero byte": b"\0",
        "'hello'": b"hello",
        "'hello'+5 zeros": b"hello" + bytes(5),
        "'a'*BS": b"a" * BS,
        "zeros*BS": bytes(BS),
        "'a'*BS+'b'": b"a" * BS + b"b",
        "a,b blocks": b"a" * BS + b"b" * BS,
        "a,b,c blocks": b"a" * BS + b"b" * BS + b"c" * BS,
        "2 zero blocks": bytes(2 * BS),
        "a block + zero block": b"a" * BS + bytes(BS),
        "a block + 1 zero": b"a" * BS + b"\0",
        "a..e blocks": b"".join(letter * BS for letter in (b"a", b"b", b"c", b"d"))
        + b"e" * BS,
        "abcdefghij bs=4": b"abcdefghij",
    }
    return named[recipe]


class VectorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.vectors = json.loads(VECTORS.read_text())["vectors"]

    def upload(self, vector: dict[str, Any]) -> Upload:
        writer = Writer(MemoryBlocks(), CallerWorkers(), vector["block_size"])
        sink = writer.open(md5=True)
        sink.write(content(vector["recipe"]))
        return self.successResultOf(Deferred.fromCoroutine(sink.close()))

    def test_every_vector_holds(self) -> None:
        self.assertEqual(25, len(self.vectors))
        for vector in self.vectors:
            with self.subTest(vector["recipe"]):
                upload = self.upload(vector)
                self.assertEqual(vector["size"], upload.size)
                self.assertEqual(vector["leaves"], [h.hex() for h in upload.hashes])
                self.assertEqual(vector["root"], upload.root.hex())
                assert upload.md5 is not None
                self.assertEqual(vector["md5"], upload.md5.hex())


def slow_root(leaves: list[bytes]) -> bytes:
    """The rule as the specification words it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    width = 1 << (len(leaves) - 1).bit_length()
    row = leaves + [bytes(32)] * (width - len(leaves))
    while len(row) > 1:
        row = [sha256(row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


class RuleTests(SynchronousTestCase):
    def test_roots_of_any_number_of_leaves(self) -> None:
        for count in range(70):
            leaves = [sha256(b"%d" % i).digest() for i in range(count)]
            self.assertEqual(slow_root(leaves), root(leaves), count)

    def test_a_pair_of_zero_leaves_has_the_known_digest(self) -> None:
        known = "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"
        self.assertEqual(known, root([HOLE, HOLE]).hex())

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=64), st.integers(0, 200_000))
    def test_zeros_at_the_end_do_not_count(self, head: bytes, zeros: int) -> None:
        piece = head + bytes(zeros)
        self.assertEqual(piece.rstrip(b"\0"), stripped(piece))
        self.assertEqual(block_hash(head), block_hash(piece))

    def test_holes(self) -> None:
        self.assertTrue(is_hole(EMPTY))
        self.assertTrue(is_hole(HOLE))
        self.assertFalse(is_hole(block_hash(b"a")))
        self.assertEqual(EMPTY, block_hash(bytes(1000)))
