"""How the pages are built."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.browser import ROOT, missing

WEB = ROOT / "web"
PACKAGES = (WEB, ROOT / "tests" / "lab" / "oidc")
TOOLS = ("bash", "cat", "cut", "env", "find", "flock", "dirname", "mkdir", "rm")
MORE_TOOLS = ("sha256sum", "sort", "xargs")


class PackageTests(SynchronousTestCase):
    def test_every_version_is_pinned(self) -> None:
        for folder in PACKAGES:
            wanted = json.loads((folder / "package.json").read_text())
            versions = {**wanted["dependencies"], **wanted.get("devDependencies", {})}
            loose = [
                one
                for one in versions.values()
                if not re.fullmatch(r"\d+\.\d+\.\d+", one)
            ]
            self.assertEqual([], loose)

    def test_the_lock_names_no_registry_and_runs_no_script(self) -> None:
        for folder in PACKAGES:
            self.looked_at(folder)

    def looked_at(self, folder: Path) -> None:
        lock = json.loads((folder / "package-lock.json").read_text())["packages"]
        self.assertEqual([], [name for name, one in lock.items() if "resolved" in one])
        whole = [name for name, one in lock.items() if name and "integrity" not in one]
        self.assertEqual([], whole)
        scripts = [
            name
            for name, one in lock.items()
            # fsevents is for macOS alone
            if one.get("hasInstallScript") and not name.endswith("/fsevents")
        ]
        self.assertEqual([], scripts)


class BuildTests(SynchronousTestCase):
    def bare(self) -> Path:
        """A PATH with neither Node nor Python."""
        path = Path(self.mktemp()).absolute()
        path.mkdir()
        for name in (*TOOLS, *MORE_TOOLS):
            found = shutil.which(name)
            assert found is not None, name
            (path / name).symlink_to(found)
        return path

    def build(self, web: Path, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTHON")}
        return subprocess.run(
            [str(web / "build.sh")],
            env={**kept, "PATH": str(self.bare()), **more},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_second_build_needs_nothing(self) -> None:
        if missing():
            self.skipTest(missing() or "")
        done = self.build(WEB, CI="true")
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_without_node_it_says_how_to_get_it(self) -> None:
        copy = Path(self.mktemp()).absolute() / "web"
        shutil.copytree(
            WEB,
            copy,
            ignore=shutil.ignore_patterns("node_modules", "dist", ".stamps", ".node"),
        )
        done = self.build(copy)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("apt-get install nodejs npm", done.stderr)
        self.assertEqual(1, self.build(copy, CI="true").returncode)
