"""Generated values survive, and stay private."""

from __future__ import annotations

import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid
from snfd.keepsake import keepsake


class KeepsakeTests(SynchronousTestCase):
    """One file, several values."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_a_value_is_made_once(self) -> None:
        self.assertEqual(("a", True), keepsake(self.path, "one", lambda: "a"))
        self.assertEqual(("b", True), keepsake(self.path, "two", lambda: "b"))
        self.assertEqual(("a", False), keepsake(self.path, "one", lambda: "c"))
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))

    def test_a_file_that_others_can_read_is_refused(self) -> None:
        keepsake(self.path, "one", lambda: "a")
        self.path.chmod(0o644)
        with self.assertRaisesRegex(Invalid, "chmod 600"):
            keepsake(self.path, "one", lambda: "b")

    def test_a_damaged_file_is_told(self) -> None:
        keepsake(self.path, "one", lambda: "a")
        self.path.write_text("one =\n")
        with self.assertRaisesRegex(Invalid, "damaged"):
            keepsake(self.path, "two", lambda: "b")
