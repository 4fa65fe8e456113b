"""``snfctl``: what works without a daemon, and how it fails."""

from __future__ import annotations

import os
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from snfd import secrets
from snfd.cli import main, snfctl
from snfd.db.direct import connect
from tests.postgres import fresh_dsn, postgres


class SnfctlCase(SynchronousTestCase):
    """Runs the command in this process."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def run_it(self, *words: str, **variables: str) -> Result:
        cleared = {name: None for name in os.environ if name.startswith("SNFD_")}
        here = {"SNFD_VAR": str(self.folder), **variables}
        return CliRunner().invoke(snfctl, words, env={**cleared, **here})


class ConfigTests(SnfctlCase):
    """``snfctl config``."""

    def test_show_names_origins_and_no_secret(self) -> None:
        file = self.folder / "snfd.toml"
        file.write_text(
            '[database]\ndsn = "host=db password=hush1"\n'
            '[metrics]\ntoken = "hush2"\n'
            '[[bootstrap.cluster]]\nname = "one"\nurl = "https://one:5080"\n'
            'password = "hush3"\n'
        )
        done = self.run_it(
            "--config", str(file), "config", "show",
            SNFD_SEED_PASSWORD="hush4", SNFD_DATABASE_POOL="3",
        )  # fmt: skip
        self.assertEqual(0, done.exit_code, done.output)
        self.assertNotIn("hush", done.output)
        lines = done.output.splitlines()
        self.assertIn("database.pool = 3  # SNFD_DATABASE_POOL", lines)
        self.assertIn(f"database.dsn = (hidden)  # {file}", lines)
        self.assertIn("seed.password = (hidden)  # SNFD_SEED_PASSWORD", lines)
        self.assertIn(f"bootstrap.cluster = one  # {file}", lines)
        self.assertIn("storage.driver = file  # default", lines)

    def test_check_says_that_it_is_good(self) -> None:
        done = self.run_it("config", "check")
        self.assertEqual(0, done.exit_code, done.output)


class DatabaseTests(SnfctlCase):
    """``snfctl db``."""

    def test_migrate_may_be_repeated_and_check_agrees(self) -> None:
        dsn = postgres().empty_dsn()
        self.addCleanup(postgres().drop, dsn)
        self.assertIn(
            "applied 0001_", self.run_it("db", "migrate", SNFD_DATABASE_DSN=dsn).output
        )
        again = self.run_it("db", "migrate", SNFD_DATABASE_DSN=dsn)
        self.assertEqual("the schema is up to date\n", again.output)
        self.assertEqual(0, self.run_it("db", "check", SNFD_DATABASE_DSN=dsn).exit_code)


class SecretsTests(SnfctlCase):
    """``snfctl secrets``."""

    def test_rotate_then_forget(self) -> None:
        dsn, keys = fresh_dsn(self), self.folder / "keys"
        sealed = secrets.load_or_create(keys).seal(
            b"pw", "compute.cluster", "secret", "7"
        )
        with closing(connect(dsn)) as connection, connection:
            connection.cursor().execute(
                "INSERT INTO compute.cluster (id, name, url, username, secret, idx)"
                " OVERRIDING SYSTEM VALUE VALUES (7, 'c', 'https://c', 'u', %s, 1)",
                (sealed,),
            )
        done = self.run_it("secrets", "rotate", SNFD_DATABASE_DSN=dsn)
        self.assertEqual(0, done.exit_code, done.output)
        self.assertIn("1 secret(s) are sealed with a new key", done.output)
        self.assertIn(str(keys), done.output)
        done = self.run_it("secrets", "forget", SNFD_DATABASE_DSN=dsn)
        self.assertEqual(0, done.exit_code, done.output)
        rows = postgres().execute("SELECT secret FROM compute.cluster", dsn)
        opened = secrets.load(keys).open(
            bytes(rows[0][0]), "compute.cluster", "secret", "7"
        )
        self.assertEqual(b"pw", opened)


class FailureTests(SnfctlCase):
    """Whatever fails: status 1, one line on standard error, no traceback."""

    def fails(self, *words: str, **variables: str) -> str:
        cleared = {k: v for k, v in os.environ.items() if not k.startswith("SNFD_")}
        self.patch(os, "environ", {**cleared, "SNFD_VAR": str(self.folder)})
        os.environ.update(variables)
        self.patch(sys, "argv", ["snfctl", *words])
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = self.assertRaises(SystemExit, main)
        self.assertEqual((1, ""), (ended.code, out.getvalue()), err.getvalue())
        said = err.getvalue()
        self.assertEqual(1, len(said.splitlines()), said)
        self.assertTrue(said.startswith("snfctl: "), said)
        return said

    def test_a_wrong_configuration(self) -> None:
        said = self.fails("config", "check", SNFD_DATABSE_DSN="x")
        self.assertIn("did you mean SNFD_DATABASE_DSN?", said)

    def test_no_database(self) -> None:
        self.assertIn("SNFD_DATABASE_DSN", self.fails("db", "migrate"))

    def test_postgresql_is_away(self) -> None:
        said = self.fails("db", "migrate", SNFD_DATABASE_DSN="host=/nowhere")
        self.assertIn("/nowhere", said)

    def test_a_dsn_is_not_repeated(self) -> None:
        said = self.fails("db", "migrate", SNFD_DATABASE_DSN="pasword=hush")
        self.assertNotIn("hush", said)

    def test_keys_that_others_can_read(self) -> None:
        keys = self.folder / "keys"
        secrets.load_or_create(keys)
        keys.chmod(0o644)
        said = self.fails("secrets", "rotate", SNFD_DATABASE_DSN=fresh_dsn(self))
        self.assertIn(f"chmod 600 {keys}", said)
