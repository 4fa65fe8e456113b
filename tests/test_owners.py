"""Every table of people, projects and limits is changed by one package."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

SNFD = Path(__file__).parent.parent / "snfd"
WRITES = re.compile(
    r"(?:INSERT INTO|UPDATE|DELETE FROM)\s+((?:identity|quota)\.[a-z_0-9]+)"
)

SHARED = {"identity.app_user": {"accounts", "identity", "projects"}}
"""Here columns have owners; see ``docs/architecture.rst``."""


class OwnerTests(SynchronousTestCase):
    def test_no_table_has_two_writers(self) -> None:
        writers: dict[str, set[str]] = defaultdict(set)
        for path in SNFD.rglob("*.py"):
            package = path.relative_to(SNFD).parts[0]
            for table in WRITES.findall(path.read_text()):
                writers[table].add(package)
        several = {table: who for table, who in writers.items() if len(who) > 1}
        self.assertEqual(SHARED, several)
        self.assertIn("quota.holding", writers)
