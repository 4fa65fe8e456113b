"""The wheel: what is in it, and that it runs where there is no checkout."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.functional import newcomer
from tests.functional.daemon import Client, Daemon
from tests.functional.test_make_run import installed


@cache
def wheel() -> Path:
    """Built by pip from the clean clone, after its pages were."""
    installed()
    target = newcomer.private_folder("wheels")
    run(
        newcomer.clone() / ".venv/bin/pip", "wheel", "-q", "--no-deps",
        "-w", target, newcomer.clone(),
    )  # fmt: skip
    return next(target.glob("snfd-*.whl"))


@cache
def elsewhere() -> Path:
    """A fresh venv into which the wheel was installed."""
    package = wheel()
    venv = newcomer.private_folder("elsewhere") / "venv"
    run(newcomer.clone() / ".venv/bin/python", "-m", "venv", venv)
    run(venv / "bin/pip", "install", "-q", f"{package}[embedded]")
    return venv


def run(*words: str | Path) -> str:
    """What a command prints; run far from any checkout."""
    done = subprocess.run(words, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.xdist_group("make-run")
@pytest.mark.timeout(600)
class WheelTests(SynchronousTestCase):
    def test_it_holds_the_daemon_and_nothing_of_its_tests(self) -> None:
        names = ZipFile(wheel()).namelist()
        tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
        self.assertEqual({"api", "pocket", "snfd", "storage", "twisted", "vnc"}, tops)
        plugins = sorted(name for name in names if name.startswith("twisted/"))
        self.assertEqual(
            ["twisted/plugins/snfd.py", "twisted/plugins/snfd_pocket.py"], plugins
        )
        migrations = newcomer.clone() / "snfd/db/migrations"
        for file in migrations.glob("*.sql"):
            self.assertIn(f"snfd/db/migrations/{file.name}", names)
        for file in (newcomer.clone() / "snfd/mail/templates").glob("*.txt"):
            self.assertIn(f"snfd/mail/templates/{file.name}", names)
        self.assertIn("api/ui/dist/console.html", names)
        self.assertTrue(
            [name for name in names if name.startswith("api/ui/dist/assets/")]
        )
        self.assertEqual(
            [], [name for name in names if name.endswith(("dropin.cache", ".pyc"))]
        )

    def test_its_commands_work(self) -> None:
        programs = elsewhere() / "bin"
        self.assertIn(
            "database.pool = 8  # default", run(programs / "snfctl", "config", "show")
        )
        first = [
            line.split()[:1] for line in run(programs / "twistd", "--help").splitlines()
        ]
        self.assertIn(["snfd"], first)
        where = run(
            programs / "python",
            "-c",
            "import snfd, pocket; print(snfd.__file__, pocket.__file__)",
        )
        for path in where.split():
            self.assertTrue(path.startswith(str(elsewhere())), path)

    def test_a_cloud_runs_from_it_with_its_pages(self) -> None:
        var = (
            newcomer.private_folder("packaged", 0 if newcomer.AS_ROOT else None) / "var"
        )
        daemon = Daemon(var, twistd=elsewhere() / "bin/twistd", cwd=Path("/"))
        self.addCleanup(newcomer.forget, var)
        self.addCleanup(daemon.stop)
        daemon.start()
        page = Client(daemon.port).get("/ui/console.html")
        self.assertEqual(200, page.status)
        self.assertNotIn(b"were not built", page.body)
        self.assertEqual(200, daemon.client().get("/os/compute/v2.1/servers").status)
