"""The manual: its pictures, its pages, and what they must name."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.test_openapi import mounts

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
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


class PageTests(SynchronousTestCase):
    def test_every_page_is_in_the_index_of_its_directory(self) -> None:
        for index in DOCS.rglob("index.rst"):
            shown = set(re.findall(r"^   ([\w/-]+)$", index.read_text(), re.M))
            there = {path.stem for path in index.parent.glob("*.rst")} - {"index"}
            below = {
                f"{path.parent.name}/index" for path in index.parent.glob("*/*.rst")
            }
            self.assertEqual(shown, there | below, index)

    def test_every_mount_is_named(self) -> None:
        scratch = Path(self.mktemp())
        scratch.mkdir(mode=0o700)
        text = (DOCS / "api.rst").read_text()
        rows = dict(re.findall(r"^``(/\S+)`` {2,}(\w+)", text, re.M))
        served = mounts(scratch)
        self.assertEqual(
            {one.path: one.dialect for one in served if one.dialect},
            rows,
        )
        lost = [one.path for one in served if f"``{one.path}" not in text]
        self.assertEqual([], lost)

    def test_every_package_is_named(self) -> None:
        text = (DOCS / "architecture.rst").read_text()
        packages = {path.parent.name for path in (ROOT / "snfd").glob("*/__init__.py")}
        lost = {name for name in packages if f"``{name}``" not in text}
        self.assertEqual({"plugins", "wiring"}, lost)
