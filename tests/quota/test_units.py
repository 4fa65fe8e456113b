"""Amounts as people write and read them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid
from snfd.quota import units
from snfd.quota.model import UNLIMITED


class AmountTests(SynchronousTestCase):
    def test_prefixes_are_powers_of_1024(self) -> None:
        for text, value in {
            "0": 0, "10": 10, "1k": 1024, "1.5K": 1536, "2MiB": 2 << 20, "1GB": 1 << 30,
            "5B": 5, "3 T": 3 << 40, "1p": 1 << 50,
            "inf": UNLIMITED, "Unlimited": UNLIMITED,
        }.items():  # fmt: skip
            self.assertEqual(value, units.parse(text), text)

    def test_what_is_no_amount_is_refused(self) -> None:
        for text in (
            "",
            "-1",
            "1.5",
            "ten",
            "1X",
            "1e3",
            "9999999P",
            "0.0001K",
            "nan",
            "1.",
            "k",
            "1EB",
            "9" * 30,
            "٣",
        ):
            self.assertRaises(Invalid, units.parse, text)

    def test_people_see_prefixes_only_of_bytes(self) -> None:
        self.assertEqual("1.5G", units.shown(3 << 29, "bytes", "auto"))
        self.assertEqual("1536M", units.shown(3 << 29, "bytes", "m"))
        self.assertEqual("0B", units.shown(0, "bytes", "auto"))
        self.assertEqual("2048", units.shown(2048, None, "auto"))
        self.assertEqual("2048", units.shown(2048, "bytes", "none"))
        self.assertEqual("inf", units.shown(UNLIMITED, "bytes", "none"))

    @given(some.integers(0, UNLIMITED))
    def test_what_is_shown_without_prefix_is_read_again(self, value: int) -> None:
        self.assertEqual(value, units.parse(units.shown(value, None, "auto")))
