"""schemathesis against the live daemon: no 5xx, no answer outside its schema."""

from __future__ import annotations

import unittest

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig

from tests.functional.daemon import Daemon, running

DIALECTS = ("openstack", "synnefo")


@pytest.mark.xdist_group("daemon")
class SchemaTests(unittest.TestCase):
    """What the OpenAPI documents promise is what the daemon does."""

    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(600)
    def test_no_answer_is_outside_its_schema(self) -> None:
        with running() as daemon:
            for dialect in DIALECTS:
                with self.subTest(dialect):
                    self.walk(daemon, dialect)
            wrong = [e for e in daemon.events() if e["level"] in ("error", "critical")]
            self.assertEqual([], [one.get("error", one["message"]) for one in wrong])

    def walk(self, daemon: Daemon, dialect: str) -> None:
        url = f"http://127.0.0.1:{daemon.port}/openapi/{dialect}.json"
        schema = schemathesis.openapi.from_url(url, config=SchemathesisConfig())
        token = daemon.client().token
        checks = CHECKS.get_by_names(
            [
                "not_a_server_error",
                "response_schema_conformance",
                "content_type_conformance",
            ]
        )
        wrong: list[str] = []
        for result in schema.get_all_operations():
            operation = result.ok()

            @settings(
                max_examples=8,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def probe(case: schemathesis.Case) -> None:
                response = case.call(headers={"X-Auth-Token": token})
                case.validate_response(response, checks=checks)

            try:
                _given(operation, probe)
            except Exception as error:
                wrong.append(f"{operation.label}: {str(error)[:800]}")
        self.assertEqual([], wrong)


def _given(operation: object, probe: object) -> None:
    from hypothesis import given

    strategy = operation.as_strategy()  # type: ignore[attr-defined]
    given(case=strategy)(probe)()  # type: ignore[operator]
