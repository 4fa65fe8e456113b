"""What ``docs/first-hour.rst`` says of people and projects, word for word."""

from __future__ import annotations

import json
import re
import shlex
import unittest
from functools import cached_property
from typing import Any

import pytest

from tests.functional.daemon import ROOT, Client, Daemon, eventually, running
from tests.functional.newcomer import login, server
from tests.functional.snfctl import Snfctl

TEXT = (ROOT / "docs" / "first-hour.rst").read_text()
ANN = "ann@example.org"
PASSWORD = "correct-horse"
PROJECT = "physics.example.org"


@pytest.mark.rig("pocket")
@pytest.mark.timeout(300)
class FirstHourTests(unittest.TestCase):
    def setUp(self) -> None:
        self.daemon: Daemon = self.enterContext(
            running(
                SNFD_SEED_DEMO="true",
                SNFD_POCKET_ENABLED="true",
                SNFD_POCKET_HYPERVISOR="fake",
            )
        )

    @cached_property
    def snfctl(self) -> Snfctl:
        return Snfctl(self.daemon.var)

    def sent(self, path: str) -> Any:
        """The body that the page has people send to ``path``."""
        (body,) = re.findall(rf"{path}\b[^']*--json '(.+?)'", TEXT, re.S)
        return json.loads(body)

    def command(self, start: str) -> list[str]:
        """The words of the page's command that starts so."""
        lines = re.sub(r"\\\n\s*", "", TEXT).splitlines()
        found = [line.strip().removeprefix("$ ") for line in lines]
        (line,) = (one for one in found if one.startswith(f"snfctl {start}"))
        return shlex.split(line)[1:]

    def test_from_a_sign_up_to_a_server_in_a_project(self) -> None:
        signup = self.sent("/account/v1.0/signup")
        self.assertEqual((ANN, PASSWORD), (signup["email"], signup["password"]))
        stranger = Client(self.daemon.port)
        answer = stranger.post("/account/v1.0/signup", signup)
        self.assertEqual((202, b""), (answer.status, answer.body))
        waiting = self.command("user list --moderation")
        eventually(lambda: ANN in self.snfctl(*waiting))
        self.assertIn("pending verification", self.snfctl(*waiting))
        letters = self.snfctl(*self.command("mail list"))
        self.assertRegex(letters, rf"verify +{ANN} +new")
        for verb in ("user verify", "user accept"):
            self.snfctl(*self.command(verb))
        ann = self.ann(f"system:{self.uuid()}")
        made = ann.post("/account/v1.0/projects", self.sent("/account/v1.0/projects"))
        self.assertEqual(201, made.status, made.body)
        self.assertIn(PROJECT, self.snfctl(*self.command("project list --pending")))
        self.snfctl(*self.command("project approve"))
        server(self.ann(PROJECT), "hers")
        quota = self.snfctl(*self.command("quota list --user"))
        self.assertRegex(quota, rf"{PROJECT} +cyclades\.vm +2 +1 +0")
        self.snfctl("project", "member-add", PROJECT, "demo")

    def uuid(self) -> str:
        found: str = self.snfctl.json("user", "show", ANN)["uuid"]
        return found

    def ann(self, project: str) -> Client:
        cloud = {"username": ANN, "password": PASSWORD, "project_name": project}
        return login(self.daemon.port, cloud)
