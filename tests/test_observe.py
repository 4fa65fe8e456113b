"""Log lines are JSON, whatever is logged."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from attrs import field, frozen
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from snfd.observe import RequestScope, json_observer


@frozen
class Account:
    name: str
    password: str = field(repr=False)


class JsonTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out = StringIO()
        self.log = Logger(namespace="test", observer=json_observer(self.out))

    def line(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.getvalue())
        return found

    def test_plain_fields(self) -> None:
        with RequestScope("req-1"):
            self.log.info("{method} {path}", method="GET", path="/\u00e9\n", ms=1.5)
        line = self.line()
        self.assertEqual("GET /\u00e9\n", line["message"])
        self.assertEqual(("GET", 1.5), (line["method"], line["ms"]))
        self.assertEqual(("req-1", "info"), (line["request_id"], line["level"]))

    def test_what_is_no_json_is_written_as_text(self) -> None:
        self.log.info("{who.name}", who=Account("a", "s3cret"), more={"n": [1]})
        line = self.line()
        self.assertEqual("a", line["message"])
        self.assertEqual("Account(name='a')", line["who"])
        self.assertEqual({"n": [1]}, line["more"])
        self.assertNotIn("s3cret", self.out.getvalue())

    def test_formats_that_only_twisted_knows(self) -> None:
        self.log.info("{size()} bytes", size=lambda: 5)
        self.assertEqual("5 bytes", self.line()["message"])

    def test_a_format_that_lacks_a_field_loses_no_event(self) -> None:
        self.log.info("{nobody}", somebody=1)
        self.assertEqual(1, self.line()["somebody"])

    def test_failures_have_a_traceback(self) -> None:
        self.log.failure("broken", Failure(ValueError("why")))
        line = self.line()
        self.assertEqual(("why", "critical"), (line["error"], line["level"]))
        self.assertIn("ValueError", line["traceback"])
