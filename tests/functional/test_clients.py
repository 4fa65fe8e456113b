"""Independent clients against a whole daemon."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

import pytest

from tests.functional.daemon import PASSWORD, ROOT, Daemon, running

RUNNERS = ROOT / "tests" / "clients"


def walk(daemon: Daemon, runner: str, areas: str, **more: str) -> tuple[int, str]:
    """Run a client's runner; its exit code and what it printed."""
    got = subprocess.run(
        ["bash", str(RUNNERS / runner)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/root"),
            "AUTH_URL": f"http://127.0.0.1:{daemon.port}/identity",
            "CLOUD_USER": "demo",
            "CLOUD_PASSWORD": PASSWORD,
            "CLOUD_PROJECT": "demo",
            "AREAS": areas,
            **more,
        },
        capture_output=True,
        text=True,
        timeout=900,
    )
    return got.returncode, got.stdout + got.stderr


@pytest.mark.xdist_group("clients")
class ClientTests(unittest.TestCase):
    """The everyday commands of each client."""

    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(900)
    def test_cyclades_85_openstackclient(self) -> None:
        with running() as daemon:
            code, said = walk(daemon, "oscli.sh", "identity image compute object")
            self.assertEqual(0, code, said)

    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(300)
    def test_the_configuration_we_write_works(self) -> None:
        """The ``clouds.yaml`` of a start logs a client in."""
        with running() as daemon:
            text = (daemon.var / "clouds.yaml").read_text()
            self.assertIn(f"http://127.0.0.1:{daemon.port}/identity/v3", text)
            mode = Path(daemon.var / "clouds.yaml").stat().st_mode
            self.assertEqual(0o600, mode & 0o777)
