"""Cutting a stream gives the same blocks however it arrives."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from storage.chunker import Chunker


def cut(size: int, parts: list[bytes]) -> list[bytes]:
    """The blocks that ``parts`` become."""
    chunker = Chunker(size)
    blocks = [b"".join(pieces) for part in parts for pieces in chunker.feed(part)]
    rest = chunker.rest()
    return blocks if rest is None else [*blocks, b"".join(rest)]


class ChunkerTests(SynchronousTestCase):
    @settings(max_examples=300, deadline=None)
    @given(st.integers(1, 40), st.lists(st.binary(max_size=50), max_size=20))
    def test_any_split_gives_the_same_blocks(
        self, size: int, parts: list[bytes]
    ) -> None:
        whole = b"".join(parts)
        expected = [whole[i : i + size] for i in range(0, len(whole), size)]
        self.assertEqual(expected, cut(size, parts))

    def test_a_stream_that_ends_on_a_boundary_has_no_rest(self) -> None:
        self.assertEqual([b"abcd", b"efgh"], cut(4, [b"abcdef", b"gh"]))

    def test_crumbs_are_swept_together(self) -> None:
        chunker = Chunker(100_000)
        for _ in range(99_999):
            self.assertEqual([], list(chunker.feed(b"x")))
        self.assertEqual(99_999, chunker.held)
        (pieces,) = chunker.feed(b"x")
        self.assertLess(len(pieces), 1000)
        self.assertEqual(b"x" * 100_000, b"".join(pieces))

    def test_what_is_handed_out_is_not_kept(self) -> None:
        chunker = Chunker(4)
        list(chunker.feed(b"abcdef"))
        self.assertEqual(2, chunker.held)
        chunker.rest()
        self.assertEqual(0, chunker.held)

    def test_no_block_is_empty(self) -> None:
        with self.assertRaises(ValueError):
            Chunker(0)
