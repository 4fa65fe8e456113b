"""The manual says what the commands do."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from snfd.admin.ctl.manual import page
from snfd.admin.ctl.problems import MEANINGS
from snfd.admin.rights import RIGHTS
from snfd.cli import snfctl

DOCS = Path(__file__).parent.parent.parent / "docs"


class ManualTests(SynchronousTestCase):
    def test_the_page_of_verbs_is_that_of_the_tables(self) -> None:
        """If not: python -m snfd.admin.ctl.manual > docs/snfctl-verbs.rst."""
        self.assertEqual(page(), (DOCS / "snfctl-verbs.rst").read_text())

    def test_statuses_and_groups_are_told(self) -> None:
        text = (DOCS / "snfctl.rst").read_text()
        for code, meaning in MEANINGS.items():
            self.assertIn(f"{code:<7}  {meaning}\n", text)
        for group in RIGHTS:
            self.assertIn(f"``{group}``", text)

    def test_help_tells_the_statuses(self) -> None:
        done = CliRunner().invoke(snfctl, ["--help"])
        self.assertEqual(0, done.exit_code, done.output)
        for meaning in MEANINGS.values():
            self.assertIn(meaning, done.output)
