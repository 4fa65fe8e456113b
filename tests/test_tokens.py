"""Secrets as text and as hashes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.tokens import digest, mint, text


class TokenTests(SynchronousTestCase):
    @given(st.text())
    def test_any_text_has_a_hash(self, secret: str) -> None:
        self.assertEqual(32, len(digest(secret)))

    def test_random_bytes_become_text(self) -> None:
        self.assertEqual("AAAA", mint(bytes, 3))
        self.assertEqual(43, len(text(bytes(32))))

    def test_no_secret_looks_like_an_option(self) -> None:
        drawn = [b"\xf8\0\0", b"\0\0\0"]
        self.assertEqual("AAAA", mint(lambda size: drawn.pop(0), 3))
