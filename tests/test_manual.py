"""The manual's pictures."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

DOCS = Path(__file__).parent.parent / "docs"
MAX_BYTES = 60_000


class PictureTests(SynchronousTestCase):
    def test_those_that_pages_show_are_there_and_small(self) -> None:
        shown = {
            DOCS / name
            for page in DOCS.rglob("*.rst")
            for name in re.findall(r"image:: (\S+)", page.read_text())
        }
        there = set((DOCS / "images").glob("*"))
        self.assertEqual(shown, there)
        large = {path.name for path in there if path.stat().st_size > MAX_BYTES}
        self.assertEqual(set(), large)
