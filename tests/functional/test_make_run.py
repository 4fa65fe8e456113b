"""``make run`` from a clean clone, as a newcomer does it.

One clone is installed once, for real, by an ordinary user; all tests use it.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.functional import newcomer
from tests.functional.daemon import eventually
from tests.functional.newcomer import AS_ROOT, Start, clouds, login, page
from tests.lab.ports import free_port
from tests.postgres import postgres


def ordinary() -> int | None:
    """The uid to switch to for what an ordinary user does."""
    return newcomer.owner() if AS_ROOT else None


def root_only(what: str) -> Callable[[Any], Any]:
    """Such a test needs root; in CI there must be root."""
    missing = not AS_ROOT and os.environ.get("CI") != "true"
    return pytest.mark.skipif(missing, reason=f"only root can {what}")


@cache
def installed() -> tuple[Start, Path]:
    """The first ``make run`` of a clean clone, ended by Ctrl-C, and its VAR."""
    var = newcomer.home() / "cloud"
    start = Start(
        [f"VAR={var}", f"PYTHON={newcomer.system_python()}"], uid=ordinary()
    ).ready(newcomer.INSTALL_SECONDS)
    family = start.family
    try:
        assert not start.end(), "Ctrl-C left processes"
    finally:
        newcomer.end_all(family)
    return start, var


def in_clone(command: str) -> str:
    """What a command that was printed prints."""
    words = ["bash", "-c", command]
    return subprocess.run(
        words, cwd=newcomer.clone(), capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.xdist_group("make-run")
@pytest.mark.rig("pocket")
@pytest.mark.timeout(600)
class MakeRunCase(SynchronousTestCase):
    """Ends what a test started, and removes data that had to go elsewhere."""

    def start(self, *words: str, **more: Any) -> Start:
        installed()
        start = Start(words, **more)
        self.addCleanup(self.clean_up, start)
        return start

    def clean_up(self, start: Start) -> None:
        family = start.family
        start.kill()
        newcomer.end_all(family)
        for word in start.words:
            if word.startswith("VAR="):
                newcomer.forget(Path(word.removeprefix("VAR=")))

    def var(self, uid: int | None = None, longer_than: int = 0) -> Path:
        """A data directory to be made, below one that is 0700."""
        folder = newcomer.private_folder(f"private-{uuid4()}", uid or os.geteuid())
        return folder / ("v" * max(3, longer_than - len(str(folder))))


class FirstTests(MakeRunCase):
    """What a clean clone becomes."""

    def test_an_ordinary_user_gets_a_cloud_and_ctrl_c_leaves_nothing(self) -> None:
        start, var = installed()
        self.assertIn(f"ready: http://127.0.0.1:{start.port}/", start.output)
        self.assertNotIn("Traceback", start.output)
        if AS_ROOT:
            self.assertEqual(newcomer.ORDINARY, var.stat().st_uid)
        self.assertEqual(0o700, stat.S_IMODE(var.stat().st_mode))
        for name in ("clouds.yaml", "kamakirc", "snfd.log", "keys", "secrets"):
            mode = stat.S_IMODE((var / name).stat().st_mode)
            self.assertEqual(0o600, mode, name)
        self.assertEqual(["admin", "demo"], sorted(clouds(var)))
        for cloud in clouds(var).values():
            self.assertIn(cloud["password"], start.output, "it tells the passwords")
        self.assertIn(str(var / "clouds.yaml"), start.output)
        self.assertIn(str(var / "kamakirc"), start.output)

    def test_twistd_knows_it_from_any_directory(self) -> None:
        installed()
        said = subprocess.run(
            [newcomer.clone() / ".venv/bin/twistd", "--help"],
            cwd="/", capture_output=True, text=True, check=True,
        )  # fmt: skip
        names = [line.split()[0] for line in said.stdout.splitlines() if line.split()]
        self.assertIn("snfd", names)
        self.assertIn("snfd-pocket", names)


class LaterTests(MakeRunCase):
    """Starts after the first."""

    def test_the_second_start_is_quick_and_works_offline(self) -> None:
        _, var = installed()
        stamp = newcomer.clone() / ".stamps" / "venv-embedded"
        before = stamp.stat().st_mtime_ns
        start = self.start(f"VAR={var}", "SEED=accounts", uid=ordinary(), offline=True)
        start.ready(10)
        self.assertNotIn("installing", start.output)
        self.assertNotIn("building", start.output)
        self.assertEqual(before, stamp.stat().st_mtime_ns)
        everybody = ["admin", "alt", "altreader", "demo", "reader"]
        self.assertEqual(everybody, sorted(clouds(var)))
        (line,) = (one for one in start.output.splitlines() if "snfctl" in one)
        command = line.removeprefix("  administrators").strip()
        self.assertIn("altreader@localhost", in_clone(command))

    def test_a_killed_daemon_is_taken_over_and_one_var_has_one_daemon(self) -> None:
        var = self.var()
        first = self.start(f"VAR={var}").ready()
        postgresql = first.member("postgres", "-D")
        left = first.kill()
        self.assertIn(postgresql, left)
        second = self.start(f"VAR={var}").ready()
        self.assertEqual(left[postgresql], newcomer.command(postgresql))
        pocket = second.member("snfd-pocket")
        status, said = self.start(f"VAR={var}").ended()
        self.assertNotEqual(0, status)
        self.assertIn(f"cannot start: another snfd is using {var}", said)
        self.assertIn("snfd-pocket", newcomer.command(pocket), "its servers go on")
        login(second.port, clouds(var)["demo"])
        self.assertEqual({}, second.end())
        self.assertEqual({}, newcomer.survivors(left))

    @root_only("become another user")
    def test_an_ordinary_user_without_qemu_and_node(self) -> None:
        uid = ordinary()
        var = self.var(uid, longer_than=150)
        bare = newcomer.path_without("qemu", "node", "npm")
        start = self.start(
            f"VAR={var}", "SEED=accounts", "SEED_PASSWORD=it's a pass word", uid=uid,
            environment={"PATH": bare},
        ).ready()  # fmt: skip
        self.assertGreater(len(str(var)), 150)
        for cloud in clouds(var).values():
            self.assertEqual("it's a pass word", cloud["password"])
            login(start.port, cloud)
        newcomer.server(login(start.port, clouds(var)["demo"]))
        self.assertFalse([1 for line in start.family.values() if "qemu" in line[0]])
        self.assertEqual({}, start.end(signal.SIGHUP), "the terminal was closed")

    def test_guests_of_qemu_end_with_it(self) -> None:
        if shutil.which("qemu-system-x86_64") is None:
            self.assertNotEqual("true", os.environ.get("CI"))
            self.skipTest("apt-get install qemu-system-x86")
        var = self.var(longer_than=150)
        start = self.start(f"VAR={var}").ready()
        newcomer.server(login(start.port, clouds(var)["demo"]))
        start.member("qemu-system")
        self.assertIn("<html", page(start.port, "/ui/console.html"))
        self.assertEqual({}, start.end())

    def test_ctrl_c_while_it_starts_leaves_nothing(self) -> None:
        start = self.start(f"VAR={self.var()}")
        start.member("postgres", "-D")
        self.assertEqual({}, start.end())
        self.assertNotIn("Traceback", start.output)


class ConfigurationTests(MakeRunCase):
    """``make run CONFIG=``: PostgreSQL and a cluster of somebody else's."""

    def test_a_given_configuration_is_run_as_it_is(self) -> None:
        folder, port, rapi = self.var(), free_port(), free_port()
        folder.mkdir()
        (folder / "password").write_text("rapi-password\n")
        cluster = self.cluster(folder, rapi)
        dsn = postgres().empty_dsn()
        self.addCleanup(postgres().drop, dsn)
        file = folder / "snfd.toml"
        file.write_text(
            f'var = "{folder}/var"\n'
            f'[listen]\nhttp = ["tcp:{port}:interface=127.0.0.1"]\n'
            f'[urls]\nbase = "http://localhost:{port}"\n'
            f'[database]\ndsn = "{dsn}"\nmigrate = true\n'
            '[[bootstrap.cluster]]\nname = "real"\nusername = "snfd"\n'
            f'url = "https://localhost:{rapi}"\n'
            f'password_file = "{folder}/password"\n'
            f'tls_ca = "{folder}/pocket/rapi-cert.pem"\ndisk_templates = ["file"]\n'
        )
        start = self.start(f"CONFIG={file}").ready()
        self.assertIn(f"ready: http://localhost:{port}/", start.output)
        self.assertEqual("ready\n", page(port, "/readyz"))
        self.assertFalse((folder / "var" / "clouds.yaml").exists(), "no demo")
        names = " ".join(" ".join(line) for line in start.family.values())
        self.assertNotIn("postgres", names)
        self.assertNotIn("snfd-pocket", names)

        def polled() -> bool:
            rows = postgres().execute(
                "SELECT reachable FROM compute.cluster"
                " WHERE name = 'real' AND last_poll IS NOT NULL",
                dsn,
            )
            return rows == [(True,)]

        eventually(polled, 30)
        self.assertEqual({}, start.end())
        self.assertEqual([], [line for line in cluster() if line])

    def cluster(self, folder: Path, port: int) -> Callable[[], list[str]]:
        """A pocket cluster of its own; ends it, and tells what it wrote last."""
        process = subprocess.Popen(
            [
                newcomer.clone() / ".venv/bin/twistd", "--nodaemon", "--pidfile=",
                "snfd-pocket", f"--data={folder}/pocket",
                f"--port=tcp:{port}:interface=127.0.0.1", "--hypervisor=fake",
                f"--password-file={folder}/password",
            ],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        certificate = folder / "pocket" / "rapi-cert.pem"

        def end() -> list[str]:
            process.terminate()
            process.wait(30)
            return newcomer.command(process.pid)

        self.addCleanup(end)
        eventually(certificate.exists, 30)
        return end


class MissingTests(MakeRunCase):
    """What is missing is named, with the line that installs it."""

    def test_no_python(self) -> None:
        status, said = self.start(
            uid=ordinary(), environment={"PATH": newcomer.path_without("python")}
        ).ended()
        self.assertNotEqual(0, status)
        self.assertIn("apt-get install python3 python3-venv", said)

    def test_no_venv(self) -> None:
        fake = newcomer.desk() / "no-venv"
        fake.write_text(
            '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec python3 "$@"\n'
        )
        fake.chmod(0o755)
        status, said = self.start(
            f"PYTHON={fake}", uid=ordinary(), where=newcomer.clone("bare"),
            target="docs",
        ).ended()  # fmt: skip
        self.assertNotEqual(0, status)
        self.assertIn("apt-get install python3-venv", said)

    def test_mistyped_words(self) -> None:
        for word, right in (
            ("SEED=demo", "there is only SEED=accounts"),
            ("PORT=http", "a port is a number from 1 to 65535"),
        ):
            status, said = self.start(word, uid=ordinary()).ended()
            self.assertNotEqual(0, status)
            self.assertIn(right, said)

    def test_no_node_and_no_wheel_of_it(self) -> None:
        start = self.start(
            uid=ordinary(), where=newcomer.clone("bare"), target="web",
            environment={
                "PATH": newcomer.path_without("node", "npm"), "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": "",
            },
        )  # fmt: skip
        status, said = start.ended(120)
        self.assertEqual(0, status, said)
        self.assertIn("apt-get install nodejs npm", said)
        self.assertFalse((newcomer.clone("bare") / "web" / "dist").exists())

    @root_only("become another user")
    def test_a_clone_of_somebody_else(self) -> None:
        status, said = self.start(uid=ordinary() or 0, where=self.foreign()).ended()
        self.assertNotEqual(0, status)
        self.assertIn("git clone", said)

    def foreign(self) -> Path:
        folder = newcomer.clone("foreign")
        subprocess.run(["chown", "-R", "root", str(folder)], check=True)
        return folder

    @pytest.mark.long
    def test_no_node_but_its_wheel(self) -> None:
        """Long: takes sixty megabytes from the package index."""
        start = self.start(
            uid=ordinary(), where=newcomer.clone("wheel"), target="web",
            environment={"PATH": newcomer.path_without("node", "npm")},
        )  # fmt: skip
        status, said = start.ended(newcomer.INSTALL_SECONDS)
        self.assertEqual(0, status, said)
        dist = newcomer.clone("wheel") / "web" / "dist"
        self.assertTrue((dist / "console.html").is_file(), said)
