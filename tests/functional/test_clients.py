"""Independent clients against a whole daemon."""

from __future__ import annotations

import os
import re
import subprocess
import unittest
from pathlib import Path

import pytest

from tests.functional.daemon import PASSWORD, Daemon, running
from tests.functional.evidence import complaints
from tests.functional.openstack import RUNNERS, Openstack

SWIFT_LATER = {
    "upload DLO segments",
    "four objects",
    "download DLO",
    "big equal",
    "post container read ACL",
    "Read ACL .r:*",
    "post object X-Delete-After",
    "upload SLO",
}
"""Large objects in parts, access for others, expiry."""

KAMAKI_LATER = {
    "file append",
    "file truncate",
    "file modify --read-permission",
    "file publish",
    "file unpublish",
    "container empty",
    "container delete",
}
"""Changes to parts of objects, sharing."""


def python2() -> bool:
    """Whether kamaki can run here, and in CI must: it never left Python 2."""
    if os.environ.get("PY27") or os.environ.get("CI") == "true":
        return True
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return any(versions.glob("2.7*/bin/python"))


@pytest.mark.rig("pocket")
@pytest.mark.xdist_group("clients")
@pytest.mark.timeout(900)
class ClientTests(unittest.TestCase):
    """The everyday commands of each client, on one cloud."""

    daemon: Daemon

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = cls.enterClassContext(running(SNFD_POCKET_HYPERVISOR="screen"))

    def tearDown(self) -> None:
        self.assertEqual([], complaints(self.daemon))

    def walk(self, runner: str, **more: str) -> set[str]:
        """The steps of a client's runner that failed."""
        got = subprocess.run(
            ["bash", str(RUNNERS / runner)],
            env={
                **os.environ,
                "AUTH_URL": f"http://127.0.0.1:{self.daemon.port}/identity",
                "CLOUD_USER": "demo",
                "CLOUD_PASSWORD": PASSWORD,
                "CLOUD_PROJECT": "demo",
                **more,
            },
            capture_output=True,
            text=True,
            timeout=800,
        )
        said = got.stdout + got.stderr
        self.assertRegex(said, r"\d+/\d+ commands ok", said)
        print(said)
        return set(re.findall(r"^FAIL (.*?): ", said, re.MULTILINE))

    def test_cyclades_85_openstackclient(self) -> None:
        areas = "identity image compute network object"
        self.assertEqual(set(), self.walk("oscli.sh", AREAS=areas))

    def test_kamaki(self) -> None:
        if not python2():
            self.skipTest("kamaki needs a CPython 2.7: set PY27")
        areas = "identity image compute network object"
        self.assertEqual(KAMAKI_LATER, self.walk("kamaki.sh", AREAS=areas))

    def test_the_life_of_a_project_with_kamaki(self) -> None:
        if not python2():
            self.skipTest("kamaki needs a CPython 2.7: set PY27")
        people = {
            "ADMIN_USER": "admin",
            "ADMIN_PASSWORD": PASSWORD,
            "OTHER_USER": "alt",
            "OTHER_PASSWORD": PASSWORD,
        }
        self.assertEqual(set(), self.walk("kamaki-projects.sh", **people))

    def test_rclone(self) -> None:
        """Files that go up whole; those over 5 MiB would go in segments."""
        for auth in ("3", "1"):
            failed = self.walk("rclone.sh", SWIFT_AUTH=auth, BIG_MB="4")
            self.assertEqual(set(), failed, auth)

    def test_swiftclient(self) -> None:
        for auth in ("3", "1"):
            failed = self.walk("swiftclient.sh", SWIFT_AUTH=auth)
            self.assertEqual(SWIFT_LATER, failed, auth)

    def test_the_configuration_we_write_works(self) -> None:
        """Everybody in ``clouds.yaml`` can log in with it; only we can read it."""
        file = self.daemon.var / "clouds.yaml"
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        for cloud, projects in (("demo", r"^demo$"), ("admin", r"^system:")):
            found = Openstack(self.daemon, cloud).json("project list --my-projects")
            names = [one["Name"] for one in found]
            self.assertTrue([name for name in names if re.search(projects, name)])
