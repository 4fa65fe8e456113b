"""The identity commands of real OpenStack clients, against a whole daemon."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import unittest
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.functional.daemon import PASSWORD, Daemon, running
from tests.functional.evidence import complaints
from tests.functional.openstack import RUNNERS, Openstack

SDK = """
import openstack, sys
cloud = openstack.connect(
    auth_url=sys.argv[1], username='demo', password=sys.argv[2],
    user_domain_name='Default')
print(cloud.current_project.id)
print(len(list(cloud.object_store.containers())))
print(sorted(one.name for one in cloud.identity.projects())[0])
"""


@define(eq=False)
class Commands:
    """``openstack``, kept running for many commands of one cloud."""

    process: subprocess.Popen[str] = field()

    def __call__(self, command: str, *more: str) -> str:
        """What a command printed.

        :raises AssertionError: it failed.
        """
        code, out, err = self.run(command, *more)
        if code:
            raise AssertionError(f"openstack {command}: {err[-2000:]}")
        return out

    def run(self, command: str, *more: str) -> tuple[int, str, str]:
        """Exit code and output of a command; ``more`` are words as they are."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        words = [*shlex.split(command), *more]
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        code, out, err = json.loads(self.process.stdout.readline())
        return code, out, err

    def json(self, command: str, *more: str) -> Any:
        """What it printed, decoded; keys as the API has them."""
        found = json.loads(self(command, *more, "-f", "json"))
        return [_plain(one) for one in found] if type(found) is list else _plain(found)


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {key.lower().replace(" ", "_"): value for key, value in found.items()}


def venv() -> Path:
    """Where the clients live; `Openstack` makes it."""
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return Path(os.environ.get("CLIENTS_LAB", f"{cache}/snfd-clients")) / "osc"


@pytest.mark.rig("pocket")
@pytest.mark.xdist_group("clients")
@pytest.mark.timeout(600)
class IdentityTests(unittest.TestCase):
    """What administrators and users do with ``openstack``."""

    daemon: Daemon
    admin: Commands
    demo: Commands

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = cls.enterClassContext(running(SNFD_POCKET_HYPERVISOR="screen"))
        Openstack(cls.daemon)("--version")
        cls.admin, cls.demo = cls.commands("admin"), cls.commands("demo")

    @classmethod
    def commands(cls, cloud: str) -> Commands:
        """Commands of the cloud of that name in ``clouds.yaml``."""
        process = subprocess.Popen(
            [str(venv() / "bin" / "python"), str(RUNNERS / "lib" / "osc_serve.py")],
            env={
                **os.environ,
                "OS_CLIENT_CONFIG_FILE": str(cls.daemon.var / "clouds.yaml"),
                "OS_CLOUD": cloud,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        cls.enterClassContext(process)
        return Commands(process)

    def tearDown(self) -> None:
        self.assertEqual([], complaints(self.daemon))

    def names(self, found: list[dict[str, Any]]) -> set[str]:
        return {one["name"] for one in found}

    def test_astakos_75_token_catalog_projects_user(self) -> None:
        issued = self.demo.json("token issue")
        self.assertEqual(43, len(issued["id"]))
        catalog = self.names(self.demo.json("catalog list"))
        self.assertLessEqual({"keystone", "nova", "swift"}, catalog)
        self.assertIn("endpoints", self.demo.json("catalog show compute"))
        self.assertIn("demo", self.names(self.demo.json("project list")))
        self.assertEqual("demo", self.demo.json("user show demo")["name"])
        self.demo("token revoke", issued["id"])
        client = self.daemon.client()
        client.token = issued["id"]
        self.assertEqual(401, client.get("/identity/v3/auth/projects").status)

    def test_users(self) -> None:
        made = self.admin.json("user create --password first --email n@x.org newcomer")
        self.assertEqual("newcomer", made["name"])
        self.admin("user set --password second --email m@x.org newcomer")
        self.admin("user set --disable newcomer")
        self.assertFalse(self.admin.json("user show newcomer")["enabled"])
        self.admin("user set --enable newcomer")
        self.assertIn("newcomer", self.names(self.admin.json("user list")))
        self.admin("user delete newcomer")
        self.assertNotIn("newcomer", self.names(self.admin.json("user list")))

    def test_projects_and_roles(self) -> None:
        self.admin("project create --description try lab")
        self.admin("project set --description tried --name den lab")
        self.assertEqual("tried", self.admin.json("project show den")["description"])
        self.admin("role add --project den --user demo member")
        self.assertIn("den", self.names(self.demo.json("project list")))
        roles = self.names(self.admin.json("role list"))
        self.assertEqual({"reader", "member", "admin"}, roles)
        found = self.admin.json("role assignment list --project den --names")
        self.assertEqual(
            [("member", "demo@Default")], [(a["role"], a["user"]) for a in found]
        )
        mine = self.demo.json("role assignment list --names")
        self.assertEqual({"demo@Default"}, {one["user"] for one in mine})
        self.admin("role remove --project den --user demo member")
        self.admin("project set --disable den")
        self.admin("project set --enable den")
        self.admin("project delete den")
        self.assertNotIn("den", self.names(self.admin.json("project list")))

    def test_groups(self) -> None:
        self.admin("group create staff")
        self.admin("group add user staff demo")
        self.admin("group contains user staff demo")
        found = self.admin.json("user list --group staff")
        self.assertEqual({"demo"}, self.names(found))
        self.admin("group remove user staff demo")
        self.admin("group delete staff")
        self.assertNotIn("staff", self.names(self.admin.json("group list")))

    def test_services_endpoints_regions_domains(self) -> None:
        services = self.admin.json("service list")
        self.assertIn("keystone", self.names(services))
        self.admin("service show compute")
        endpoints = self.admin.json("endpoint list --service compute")
        interfaces = {one["interface"] for one in endpoints}
        self.assertEqual({"public", "internal", "admin"}, interfaces)
        self.admin("endpoint show", endpoints[0]["id"])
        regions = [one["region"] for one in self.admin.json("region list")]
        self.assertEqual(["default"], regions)
        self.assertEqual({"Default"}, self.names(self.admin.json("domain list")))

    def test_astakos_74_application_credentials(self) -> None:
        made = self.demo.json("application credential create --role reader nightly")
        listed = self.demo.json("application credential list")
        self.assertEqual({"nightly"}, self.names(listed))
        self.demo("application credential show nightly")
        words = self.with_credential(made["id"], made["secret"])
        issued = self.demo.json("token issue", *words)
        self.assertEqual(made["project_id"], issued["project_id"])
        create = "application credential create another"
        self.assertNotEqual(0, self.demo.run(create, *words)[0])
        self.demo("application credential delete nightly")
        self.assertNotEqual(0, self.demo.run("token issue", *words)[0])

    def with_credential(self, ident: str, secret: str) -> list[str]:
        """Options that log in with an application credential."""
        return [
            "--os-cloud=",
            f"--os-auth-url=http://127.0.0.1:{self.daemon.port}/identity/v3",
            "--os-auth-type=v3applicationcredential",
            f"--os-application-credential-id={ident}",
            f"--os-application-credential-secret={secret}",
        ]

    def test_astakos_75_sdk_with_only_url_user_and_password(self) -> None:
        done = subprocess.run(
            [
                str(venv() / "bin" / "python"),
                "-c",
                SDK,
                f"http://127.0.0.1:{self.daemon.port}/identity",
                PASSWORD,
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        project = self.daemon.client().project
        self.assertEqual(f"{project}\n0\ndemo\n", done.stdout)
