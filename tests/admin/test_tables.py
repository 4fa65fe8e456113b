"""The tables of ``snfctl`` and the admin API's document say the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from api.root import documents
from snfd.admin.ctl.nouns import NOUNS
from snfd.admin.ctl.verbs import Noun, Verb
from snfd.cli import snfctl
from tests.test_openapi import mounts

REF = "#/components/schemas/"
PAGING = {"limit", "marker"}


def verbs() -> Iterator[tuple[Noun, Verb]]:
    for noun in NOUNS:
        for verb in noun.verbs:
            yield noun, verb


class DocumentTests(SynchronousTestCase):
    """Every verb has an operation, every operation a verb."""

    document: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        if not self.document:
            scratch = Path(self.mktemp())
            scratch.mkdir(mode=0o700)
            self.document.update(documents(mounts(scratch))["admin"])

    def operation(self, verb: Verb) -> dict[str, Any]:
        found: dict[str, Any] = self.document["paths"][f"/admin/v1{verb.path}"]
        operation: dict[str, Any] = found[verb.method.lower()]
        return operation

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(REF)
            found: dict[str, Any] = self.document["components"]["schemas"][name]
            return found
        return schema

    def answer(self, operation: dict[str, Any]) -> dict[str, Any]:
        (good,) = (k for k in operation["responses"] if k != "default")
        content = operation["responses"][good].get("content")
        return self.resolved(content["application/json"]["schema"]) if content else {}

    def test_every_verb_has_an_operation_and_vice_versa(self) -> None:
        told = {f"{verb.method} /admin/v1{verb.path}" for _, verb in verbs()}
        served = {
            f"{method.upper()} {path}"
            for path, methods in self.document["paths"].items()
            for method in methods
        }
        self.assertEqual(served, told)

    def test_what_verbs_send_is_what_operations_take(self) -> None:
        for noun, verb in verbs():
            operation = self.operation(verb)
            takes = {
                one["name"]: one["required"]
                for one in operation["parameters"]
                if one["in"] == "query" and one["name"] not in PAGING
            }
            if "requestBody" in operation:
                body = operation["requestBody"]["content"]["application/json"]
                schema = self.resolved(body["schema"])
                required = schema.get("required", ())
                takes = {name: name in required for name in schema["properties"]}
            name = f"{noun.name} {verb.name}"
            self.assertEqual("requestBody" in operation, verb.takes_body, name)
            if verb.run is None:
                self.assertEqual(set(takes), {one.name for one in verb.sent}, name)

    def test_columns_are_fields_of_the_answers(self) -> None:
        for noun, verb in verbs():
            answer = self.answer(self.operation(verb))
            if verb.columns and verb.run is None:
                item = self.resolved(answer["properties"]["items"]["items"])
                self.assertLessEqual(
                    set(verb.columns), set(item["properties"]), noun.name
                )
            for part, columns in verb.parts.items():
                item = self.resolved(answer["properties"][part]["items"])
                self.assertLessEqual(set(columns), set(item["properties"]), noun.name)


class CommandTests(SynchronousTestCase):
    """The commands that are made of the tables."""

    def test_every_help_teaches_by_an_example_and_needs_no_daemon(self) -> None:
        for noun, verb in verbs():
            words = [noun.name, verb.name, "--help"]
            done = CliRunner().invoke(snfctl, words, env={"SNFD_VAR": "/nowhere"})
            self.assertEqual(0, done.exit_code, done.output)
            self.assertIn(verb.line(noun.name), done.output)

    def test_examples_are_understood(self) -> None:
        """Each is parsed by the command that shows it; nothing is sent."""
        for noun, verb in verbs():
            group = snfctl.commands[noun.name]
            assert isinstance(group, click.Group)
            command = group.commands[verb.name]
            words = shlex.split(verb.example)
            command.make_context(verb.name, words, resilient_parsing=False)

    def test_every_option_and_argument_is_explained(self) -> None:
        silent = [
            f"{noun.name} {verb.name} {one.name}"
            for noun, verb in verbs()
            for one in (*verb.arguments, *verb.options)
            if not one.help
        ]
        self.assertEqual([], silent)

    def test_names_are_unique(self) -> None:
        names = [f"{noun.name} {verb.name}" for noun, verb in verbs()]
        self.assertEqual(len(names), len(set(names)))

    def test_a_verb_that_asks_says_so_without_a_terminal(self) -> None:
        for noun, verb in verbs():
            if not verb.warning:
                continue
            words = ["7" for _ in verb.arguments]
            for one in verb.options:
                count = len(one.kind) if isinstance(one.kind, tuple) else 1
                words += [one.option, *["7"] * count] if one.required else []
            done = CliRunner().invoke(
                snfctl, [noun.name, verb.name, *words], env={"SNFD_VAR": "/nowhere"}
            )
            self.assertEqual(2, done.exit_code, (noun.name, verb.name, done.output))
            self.assertIn("--yes", done.output)
