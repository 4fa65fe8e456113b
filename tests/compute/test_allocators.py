"""Allocators are plugins, chosen by name."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from snfd.compute.placement import balanced, packed
from snfd.errors import Invalid
from snfd.loading import load
from snfd.plugin import IAllocator
from snfd.plugins import allocators
from snfd.wiring.allocators import judge
from tests.compute.test_placement import ONE, WANT


class AllocatorTests(SynchronousTestCase):
    def test_those_that_come_along(self) -> None:
        for kind, plain in (("balanced", balanced), ("packed", packed)):
            verifyObject(IAllocator, getattr(allocators, kind))
            self.assertEqual(plain(ONE, WANT), judge(kind)(ONE, WANT))

    def test_the_configuration_names_one(self) -> None:
        self.assertEqual("balanced", load(None, {}, {}).config.compute.allocator)
        error = self.assertRaises(Invalid, judge, "best")
        self.assertIn("balanced, packed", error.message)
