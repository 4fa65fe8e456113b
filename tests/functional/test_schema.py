"""schemathesis against the live daemon: no 5xx, no answer outside its schema."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping
from typing import Any

import pytest
import requests
import schemathesis
from attrs import field, frozen
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as some
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode

from tests.functional import things
from tests.functional.daemon import Daemon, running

Case = schemathesis.Case[Any]
DIALECTS = ("openstack", "synnefo", "swift", "pithos")
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKED = ("response_schema_conformance", "content_type_conformance")
NOT_SERVED = 501
"""What this cloud says to calls that it knows and will not serve."""
LAST = ("DELETE", "MOVE")
"""Methods that take away what others need."""
EITHER = ("POST /object-store/v1/{account}/{container}",)
"""What answers with a body or without; OpenAPI has no word for that."""


@frozen(eq=False)
class Walk:
    """Calls operations of one daemon with made up data and real ids.

    :ivar component: another program's token, for what only those may call.
    :ivar wrong: what was found, a line for each operation.
    """

    daemon: Daemon
    token: str
    component: str
    ids: Mapping[str, str]
    examples: int
    session: requests.Session = field(factory=requests.Session)
    wrong: list[str] = field(factory=list)

    def through(self, dialect: str) -> None:
        """Call every operation of a dialect; those that remove come last."""
        url = f"http://127.0.0.1:{self.daemon.port}/openapi/{dialect}.json"
        config = SchemathesisConfig()
        schema = schemathesis.openapi.from_url(url, config=config)
        found: list[Any] = [one.ok() for one in schema.get_all_operations()]  # type: ignore[union-attr]
        for operation in sorted(found, key=lambda one: one.method.upper() in LAST):
            for mode in MODES:
                self._probe(operation, mode)

    def _probe(self, operation: Any, mode: GenerationMode) -> None:
        checks: Any = CHECKS.get_by_names(list(CHECKED))
        removes = operation.method.upper() in LAST

        @seed(int(os.environ.get("SNFD_TEST_SEED", "20")))
        @settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(operation.as_strategy(generation_mode=mode), some.integers(0, 9))
        def probe(case: Case, luck: int) -> None:
            real = luck > 8 if removes else luck > 1
            for name in set(case.path_parameters or ()) & set(self.ids) if real else ():
                case.path_parameters[name] = self.ids[name]
            token = self.component if of_component(case) else self.token
            response = case.call(
                headers=dict.fromkeys(("X-Auth-Token", *subject(case)), token),
                session=self.session,
                timeout=20,
            )
            status = response.status_code
            assert status < 500 or status == NOT_SERVED, (status, response.content)
            if operation.label in EITHER and not response.content:
                return
            case.validate_response(response, checks=checks)
            silent(case, response)

        try:
            probe()
        except Unsatisfiable:
            pass  # nothing about this operation can be wrong in that way
        except (Exception, FailureGroup) as error:
            told = [str(error), *map(str, getattr(error, "exceptions", ()))]
            self.wrong.append(f"{operation.label} ({mode}): {' '.join(told)}"[:1500])


def of_component(case: Case) -> bool:
    """Whether an operation is for other programs."""
    wanted = case.operation.definition.raw.get("security", [])
    return any("component" in one for one in wanted)


def component(daemon: Daemon) -> str:
    """The token of another program."""
    made = daemon.client("admin").post("/admin/v1/components", {"name": "walker"})
    assert made.status == 201, (made.status, made.body)
    token: str = made.json["token"]
    return token


def subject(case: Case) -> tuple[str, ...]:
    """Where a token is to be shown besides the caller's own."""
    shows = case.method == "GET" and case.path.endswith("/auth/tokens")
    return ("X-Subject-Token",) if shows else ()


def silent(case: Case, response: Any) -> None:
    """An answer that is described to have no body has none."""
    described = case.operation.definition.raw["responses"]
    answer = described.get(str(response.status_code), described["default"])
    body = response.content
    assert "content" in answer or not body, (
        f"{response.status_code} with {body[:200]!r}"
    )


@pytest.mark.xdist_group("daemon")
class SchemaTests(unittest.TestCase):
    """What the OpenAPI documents promise is what the daemon does."""

    def walk(self, examples: int) -> None:
        """Everything in every dialect."""
        with running(SNFD_MAIL_HELPDESK="help@example.org") as daemon:
            client, other = daemon.client(), component(daemon)
            for dialect in DIALECTS:
                ids = things.make(client, dialect).ids(client)
                walk = Walk(daemon, client.token, other, ids, examples)
                walk.through(dialect)
                self.assertEqual([], walk.wrong)
            self.assertEqual([], list(daemon.complaints()))

    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(300)
    def test_no_answer_is_outside_its_schema(self) -> None:
        self.walk(4)

    @pytest.mark.long
    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(1500)
    def test_no_answer_is_outside_its_schema_in_many_tries(self) -> None:
        """The same with more data; ``long`` as it takes six minutes."""
        self.walk(25)
