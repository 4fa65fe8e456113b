"""Verbs that are more than one request, and what refusals become."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from snfd.admin.ctl import commands
from snfd.admin.ctl.clouds import log_in, places
from snfd.admin.ctl.problems import (
    BROKEN,
    CONFLICT,
    FINDINGS,
    NO_DAEMON,
    NOT_ALLOWED,
    NOT_FOUND,
    REFUSED,
    USAGE,
    Problem,
    refusal,
)
from snfd.cli import snfctl


class Answers:
    """A client whose requests are answered by a function; remembers them."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.bodies: list[Any] = []

    def call(
        self, method: str, path: str, query: object = None, body: Any = None
    ) -> Any:
        self.bodies.append(body)
        return self.answer(body)


class RunCase(SynchronousTestCase):
    def run_it(
        self, answer: Callable[[Any], Any], *words: str, stdin: str = ""
    ) -> tuple[Answers, Result]:
        client = Answers(answer)
        self.patch(commands.Chosen, "client", lambda chosen: client)
        done = CliRunner().invoke(snfctl, words, input=stdin)
        return client, done


class RepeatingTests(RunCase):
    def test_everybody_is_reached_call_by_call(self) -> None:
        answers = iter([{"changed": 100, "next": "a"}, {"changed": 3, "next": None}])
        words = ("quota", "grant-all", "--limit", "cyclades.vm", "1", "1G", "--yes")
        client, done = self.run_it(lambda body: next(answers), *words, "-o", "json")
        self.assertEqual({"changed": 103}, json.loads(done.output))
        self.assertEqual([None, "a"], [body["marker"] for body in client.bodies])
        limits = {"cyclades.vm": {"member": 1, "project": 1 << 30}}
        self.assertEqual([limits] * 2, [body["limits"] for body in client.bodies])


class ImportTests(RunCase):
    FILE = "email,groups,waiting\na@x.org,one two,no\nb@x.org,,yes\n"

    def test_each_row_is_a_user(self) -> None:
        client, done = self.run_it(
            lambda body: {"uuid": "u", "email": body["email"], "password": "p"},
            "user", "import", "-", "-o", "json", stdin=self.FILE,
        )  # fmt: skip
        self.assertEqual(0, done.exit_code, done.output)
        wanted = [
            {"email": "a@x.org", "groups": ["one", "two"], "waiting": False},
            {"email": "b@x.org", "waiting": True},
        ]
        self.assertEqual(wanted, client.bodies)
        self.assertEqual(
            ["p", "p"], [row["password"] for row in json.loads(done.output)]
        )

    def test_refused_ones_are_told_and_the_others_made(self) -> None:
        def answer(body: Mapping[str, Any]) -> Any:
            if body["email"].startswith("a"):
                raise Problem(CONFLICT, "there is one")
            return {"uuid": "u", "email": body["email"], "password": None}

        client, done = self.run_it(answer, "user", "import", "-", stdin=self.FILE)
        assert isinstance(done.exception, Problem)
        self.assertEqual(FINDINGS, done.exception.status)
        self.assertIn("there is one", done.output)
        self.assertEqual(2, len(client.bodies))

    def test_a_daemon_that_is_away_is_not_asked_again(self) -> None:
        def answer(body: object) -> Any:
            raise Problem(NO_DAEMON, "nobody there")

        client, _ = self.run_it(answer, "user", "import", "-", stdin=self.FILE)
        self.assertEqual(1, len(client.bodies))

    def test_files_that_are_none(self) -> None:
        for text in ("", "name\nx\n", "email,shoe\na@x.org,44\n", "email\na@x.org,1\n"):
            client, done = self.run_it(
                lambda body: {}, "user", "import", "-", stdin=text
            )
            self.assertIsInstance(done.exception, Problem, text)
            self.assertEqual([], client.bodies)


class PasswordTests(RunCase):
    def test_it_comes_from_standard_input_never_from_words(self) -> None:
        words = ("user", "password", "ann", "--password-stdin")
        client, _ = self.run_it(lambda body: {}, *words, stdin="s3 cret\nmore\n")
        self.assertEqual([{"password": "s3 cret"}], client.bodies)
        group = snfctl.commands["user"]
        assert isinstance(group, click.Group)
        for command in group.commands.values():
            self.assertNotIn("--password", [o for p in command.params for o in p.opts])

    def test_without_one_the_cloud_makes_it(self) -> None:
        made = {"password": "made"}
        client, done = self.run_it(lambda body: made, "user", "password", "ann")
        self.assertEqual([{}], client.bodies)
        self.assertIn("made", done.output)


class EmptyTests(RunCase):
    def test_an_empty_name_is_none_and_never_stands_for_all(self) -> None:
        for words in (
            ("token", "revoke", "alice", ""),
            ("user", "deactivate", " ", "--yes"),
            ("project", "show", ""),
        ):
            client, done = self.run_it(lambda body: {}, *words)
            assert isinstance(done.exception, Problem), words
            self.assertEqual(USAGE, done.exception.status)
            self.assertEqual([], client.bodies)


class RefusalTests(SynchronousTestCase):
    def test_statuses(self) -> None:
        for status, ends in (
            (400, REFUSED), (401, NOT_ALLOWED), (403, NOT_ALLOWED), (404, NOT_FOUND),
            (409, CONFLICT), (413, REFUSED), (500, BROKEN), (503, BROKEN),
        ):  # fmt: skip
            facts = {"message": "no", "hint": "try", "details": {"a": "1"}}
            told = refusal(status, {"error": facts})
            said = told.status, told.message, told.hint
            self.assertEqual((ends, "no (a=1)", "try"), said)
        self.assertEqual("HTTP 502: <html>", refusal(502, "<html>").message)


class CloudTests(SynchronousTestCase):
    def clouds(self, text: str) -> Path:
        file = Path(self.mktemp())
        file.write_text(text)
        return file

    def test_what_is_wrong_with_clouds_is_told(self) -> None:
        for text, why in (
            ("clouds: {other: {}}", "no cloud 'mine'"),
            ("clouds: {mine: {auth: {auth_url: 'http://x/v2.0'}}}", "/identity/v3"),
            ("clouds: [", "cannot read"),
            ("[]", "no cloud"),
        ):
            told = self.assertRaises(Problem, log_in, "mine", [self.clouds(text)])
            self.assertIn(why, told.message)

    def test_a_token_is_taken_as_it_is(self) -> None:
        auth = "{auth_url: 'http://h:80/a/identity/v3', token: t}"
        client = log_in("mine", [self.clouds(f"clouds: {{mine: {{auth: {auth}}}}}")])
        self.assertEqual("/a/admin/v1", client.prefix)
        self.assertEqual({"X-Auth-Token": "t"}, client.headers)

    def test_the_data_directory_is_the_last_place(self) -> None:
        self.assertEqual(Path("/var/x/clouds.yaml"), places(Path("/var/x"))[-1])
