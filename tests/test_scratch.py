"""Tests leave nothing in the checkout."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase


class SynchronousScratchTests(SynchronousTestCase):
    def test_scratch_is_elsewhere_and_ready(self) -> None:
        path = Path(self.mktemp())
        self.assertTrue(path.is_absolute())
        self.assertFalse(path.is_relative_to(Path.cwd()))
        self.assertTrue(path.parent.is_dir())
        self.assertFalse(path.exists())
        self.assertNotEqual(path, Path(self.mktemp()))


class AsynchronousScratchTests(TestCase):
    def test_scratch_is_elsewhere(self) -> None:
        self.assertFalse(Path(self.mktemp()).is_relative_to(Path.cwd()))
