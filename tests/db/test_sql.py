"""Statements made of the names of columns."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.db.sql import changes_to, row_of


class SqlTests(SynchronousTestCase):
    def test_a_row(self) -> None:
        self.assertEqual("(a, b) VALUES (%(a)s, %(b)s)", row_of({"a": 1, "b": 2}))

    def test_changes(self) -> None:
        self.assertEqual(
            "a = %(a)s, dns = %(dns)s::inet[]",
            changes_to(["a", "dns"], {"dns": "inet[]"}),
        )
