"""The admin API against its own document, with made up data: never a 5xx."""

from __future__ import annotations

import unittest
from collections.abc import Mapping

import pytest

from tests.functional.daemon import Daemon, running
from tests.functional.snfctl import Snfctl
from tests.functional.test_schema import Walk, component


def things(ctl: Snfctl) -> Mapping[str, str]:
    """Something of each kind that paths name, which may come to harm."""
    user = ctl.json("user", "add", "victim@example.org", "Vic", "Tim")["uuid"]
    project = ctl.json("project", "create", "target", "--owner", user)["uuid"]
    token = ctl.json("token", "create", user)["id"]
    ctl("group", "add", "crowd")
    ctl("login-policy", "set", "some", "local", "--policy", "limit=2", "--user", user)
    ctl("oauth2-client", "add", "viewer", "--redirect", "https://v.example.org/x")
    return {
        "user": user,
        "project": project,
        "token": token,
        "session": token,
        "group": "crowd",
        "resource": "cyclades.vm",
        "component_name": "walker",
        "policy_name": "some",
        "client_id": "viewer",
        "serial": "1",
        "mail": "1",
        "version": "1",
    }


@pytest.mark.xdist_group("daemon")
class AdminSchemaTests(unittest.TestCase):
    """What the document of the admin dialect promises is what the daemon does."""

    def walk(self, daemon: Daemon, examples: int) -> None:
        program = component(daemon)
        ids = things(Snfctl(daemon.var))
        walk = Walk(daemon, daemon.client("admin").token, program, ids, examples)
        walk.through("admin")
        self.assertEqual([], walk.wrong)
        self.assertEqual([], list(daemon.complaints()))

    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(300)
    def test_no_answer_is_outside_its_schema(self) -> None:
        with running() as daemon:
            self.walk(daemon, 4)

    @pytest.mark.long
    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(900)
    def test_no_answer_is_outside_its_schema_in_many_tries(self) -> None:
        """The same with more data; ``long`` as it takes minutes."""
        with running() as daemon:
            self.walk(daemon, 25)
