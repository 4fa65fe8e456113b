"""What an operator meets at night: clear words, an end, and no secrets in logs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree, which
from typing import Any
from uuid import uuid4

import pytest
from twisted.trial.unittest import SynchronousTestCase

from snfd.db.neighbour import embedded_dsn
from snfd.db.schema import migrate, shipped
from snfd.keycheck import ring_for
from snfd.secrets import load_or_create
from tests.functional import newcomer
from tests.functional.daemon import (
    LATE,
    PASSWORD,
    ROOT,
    Client,
    Daemon,
    eventually,
)
from tests.functional.newcomer import AS_ROOT
from tests.postgres import binaries, fresh_dsn, postgres

WRONG = "wrong-hush"
ONE_TIME = re.compile(r"/vmapi/v1\.0/[a-z-]+/[\w-]{16}")
ALONE = {
    "SNFD_POCKET_ENABLED": "false",
    "SNFD_SEED_DEMO": "false",
    "SNFD_STORAGE_DRIVER": "memory",
}


class OperatorCase(SynchronousTestCase):
    """Has a directory that is removed."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="snfd-operator-"))
        self.addCleanup(rmtree, self.folder, True)


@pytest.mark.xdist_group("operator")
class RefusalTests(OperatorCase):
    """A daemon that cannot start says why in one line and ends with status 1."""

    def refused(
        self, *words: str, check: tuple[str, ...] | None = (), **variables: str
    ) -> str:
        """Its words without the introduction.

        :param check: ``snfctl config check`` says the same with these words; None
            if it cannot.
        """
        said = self.told(*words, **variables)
        if check is not None:
            self.assertEqual(
                said.removeprefix("cannot start: "),
                self.checked(*words, check=check, **variables),
            )
        return said

    def checked(self, *words: str, check: tuple[str, ...], **variables: str) -> str:
        """The words of ``snfctl config check`` without the introduction."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SNFD_")}
        var = words[words.index("--var") + 1] if "--var" in words else None
        config = words[words.index("--config") :][:2] if "--config" in words else ()
        done = subprocess.run(
            [
                Path(sys.executable).with_name("snfctl"),
                *config, "config", "check", *check,
            ],
            env={
                **kept, **ALONE, "SNFD_LOG_FILE": str(self.folder / "log"),
                "SNFD_VAR": var or str(self.folder / "var"), **variables,
            },
            cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
        return done.stderr.removeprefix("snfctl: ").rstrip("\n")

    def told(self, *words: str, **variables: str) -> str:
        """What the daemon says."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SNFD_")}
        log = self.folder / "log"
        done = subprocess.run(
            [
                Path(sys.executable).with_name("twistd"), "--nodaemon", "--pidfile=",
                "snfd", "--var", self.folder / "var", *words,
            ],
            env={**kept, **ALONE, "SNFD_LOG_FILE": str(log), **variables},
            cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(1, len(lines), done.stderr)
        self.assertRegex(lines[0], r"^snfd: \S")
        if log.exists():
            self.assertNotIn(LATE, log.read_text())
        return lines[0].removeprefix("snfd: ")

    def test_a_mistyped_setting(self) -> None:
        file = self.folder / "snfd.toml"
        file.write_text('[database]\ndns = "host=x"\n')
        said = self.refused("--config", str(file))
        self.assertEqual(
            "unknown setting database.dns; did you mean database.dsn?", said
        )

    def test_a_mistyped_variable(self) -> None:
        said = self.refused(SNFD_DATABASE_DNS="host=x")
        self.assertIn("did you mean SNFD_DATABASE_DSN?", said)

    def test_no_such_configuration(self) -> None:
        self.assertIn("/nowhere/x.toml", self.refused("--config", "/nowhere/x.toml"))

    def test_a_connection_string_that_is_none_is_not_repeated(self) -> None:
        said = self.refused(SNFD_DATABASE_DSN="host=x pasword=hush")
        self.assertIn("database.dsn", said)
        self.assertNotIn("hush", said)

    def test_postgresql_is_away(self) -> None:
        dsn = f"host={self.folder} dbname=x"
        said = self.refused(check=("--database",), SNFD_DATABASE_DSN=dsn)
        self.assertIn("cannot start: PostgreSQL: ", said)
        self.assertIn(str(self.folder), said)

    def test_postgresql_refuses_the_user(self) -> None:
        dsn = re.sub(r"user=\S+", "user=nobody_knows", fresh_dsn(self))
        said = self.refused(
            check=("--database",), SNFD_DATABASE_DSN=f"{dsn} user=nobody_knows"
        )
        self.assertIn("nobody_knows", said)

    def test_an_old_schema_names_the_command(self) -> None:
        dsn = postgres().empty_dsn()
        self.addCleanup(postgres().drop, dsn)
        said = self.refused(check=("--database",), SNFD_DATABASE_DSN=dsn)
        self.assertIn("snfctl db migrate", said)

    def test_a_schema_that_is_too_new_asks_for_a_newer_snfd(self) -> None:
        dsn = postgres().empty_dsn()
        self.addCleanup(postgres().drop, dsn)
        migrate(dsn)
        newer = max(one.number for one in shipped()) + 1
        postgres().execute(
            "INSERT INTO history.migration (number, name, sha256, supports)"
            f" VALUES ({newer}, 'x', 'x', {newer}) RETURNING 1",
            dsn,
        )
        said = self.refused(check=("--database",), SNFD_DATABASE_DSN=dsn)
        self.assertIn("newer snfd", said)

    def test_keys_that_others_can_read(self) -> None:
        keys = self.folder / "keys"
        keys.write_text("x")
        keys.chmod(0o644)
        said = self.refused(SNFD_SECRETS_KEY_FILE=str(keys))
        self.assertIn(f"run: chmod 600 {keys}", said)

    def test_keys_of_another_database_or_none(self) -> None:
        dsn = fresh_dsn(self)
        keys = self.folder / "keys"
        ring_for(self.folder / "old", dsn)
        for why in ("there is no key file", "is not the key file of this database"):
            said = self.refused(
                check=("--database",),
                SNFD_DATABASE_DSN=dsn,
                SNFD_SECRETS_KEY_FILE=str(keys),
            )
            self.assertIn(why, said)
            load_or_create(keys)

    def test_plugins_and_their_settings(self) -> None:
        dsn = fresh_dsn(self)
        file = self.folder / "snfd.toml"
        for text, why in (
            ('plugins = ["nothing"]', "no plugin nothing"),
            ('[[login]]\nkind = "ldpa"', "did you mean ldap"),
            ('[[login]]\nkind = "ldap"\nurl = "ldap://x"\nshoe = 3', "setting shoe"),
            ('[identity]\naccept = ["("]', "identity.accept"),
            ('[identity]\ntrusted_proxies = ["x"]', "identity.trusted_proxies"),
            ('[mail]\nhelpdesk = ["nobody"]', "mail.helpdesk: 'nobody' is no e-mail"),
            ('[mail]\ntemplates = "/nowhere"', "mail.templates"),
            ('[mail]\nserver = "x"\ntls_ca = "/nowhere/ca"', "mail.tls_ca"),
            ('[branding]\nimages = "/nowhere"', "branding.images"),
            ('[urls]\nbase = "cloud.example.org"', "urls.base must be an absolute"),
            (
                '[[bootstrap.cluster]]\nname = "one"\nurl = "one:5080"',
                "is no https address",
            ),
        ):
            file.write_text(text)
            said = self.refused("--config", str(file), SNFD_DATABASE_DSN=dsn)
            self.assertIn(why, said, text)

    def test_a_port_that_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            said = self.refused(
                "--port", port, check=None, SNFD_DATABASE_DSN=fresh_dsn(self)
            )
        self.assertIn(f"tcp:{port}:", said)
        self.assertIn("Address already in use", said)

    def test_a_listener_that_is_none_or_has_no_key(self) -> None:
        dsn = fresh_dsn(self)
        for text, why in (
            ("nonsense", "endpoint"),
            ("ssl:0:privateKey=/nowhere/key.pem", "/nowhere/key.pem"),
        ):
            said = self.refused(SNFD_DATABASE_DSN=dsn, SNFD_LISTEN_HTTP=text)
            self.assertIn(f"cannot listen on '{text}': ", said)
            self.assertIn(why, said)

    def test_directories_that_cannot_be_used(self) -> None:
        taken = self.folder / "taken"
        taken.write_text("")
        self.assertIn(f"{taken}: ", self.refused("--var", str(taken)))
        said = self.refused(SNFD_LOG_FILE=f"{taken}/log")
        self.assertIn(f"log.file: {taken}/log: ", said)
        said = self.refused(
            SNFD_DATABASE_DSN=fresh_dsn(self),
            SNFD_STORAGE_DRIVER="file",
            SNFD_STORAGE_DIRECTORY=f"{taken}/blocks",
        )
        self.assertIn(str(taken), said)

    def test_no_ceph_where_the_configuration_says(self) -> None:
        said = self.refused(
            check=None,
            SNFD_DATABASE_DSN=fresh_dsn(self),
            SNFD_STORAGE_DRIVER="rados",
            SNFD_STORAGE_CEPH_CONF="/nowhere/ceph.conf",
        )
        self.assertRegex(said, "/nowhere/ceph.conf|binding")

    def test_a_password_file_of_a_cluster_that_is_not_there(self) -> None:
        file = self.folder / "snfd.toml"
        file.write_text(
            '[[bootstrap.cluster]]\nname = "one"\nurl = "https://one:5080"\n'
            'password_file = "/nowhere/password"\n'
        )
        said = self.refused("--config", str(file), SNFD_DATABASE_DSN=fresh_dsn(self))
        self.assertIn("bootstrap.cluster one: /nowhere/password: ", said)


@pytest.mark.xdist_group("operator")
@pytest.mark.rig("pocket")
class NightTests(OperatorCase):
    """A daemon that runs while something about it goes wrong."""

    def daemon(self, config: Path | None = None, **variables: str) -> Daemon:
        daemon = Daemon(self.folder / "var", environment=variables, config=config)
        self.addCleanup(newcomer.forget, daemon.var)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def test_keys_are_changed_while_it_runs(self) -> None:
        daemon = self.daemon()
        for words in (("db", "check"), ("secrets", "rotate")):
            self.snfctl(daemon.var, *words)
        newcomer.server(daemon.client(), "after")
        daemon.stop()
        daemon.start()
        self.assertIn("holds one key", self.snfctl(daemon.var, "secrets", "forget"))
        newcomer.server(daemon.client(), "afterwards")

    def snfctl(self, var: Path, *words: str) -> str:
        """What it says about the embedded database below ``var``."""
        done = subprocess.run(
            [Path(sys.executable).with_name("snfctl"), *words],
            env={"PATH": os.environ["PATH"], "SNFD_VAR": str(var)},
            cwd="/", capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout

    def test_the_key_file_is_lost(self) -> None:
        daemon = self.daemon()
        newcomer.server(daemon.client(), "before")
        daemon.stop()
        keys = daemon.var / "keys"
        away = keys.rename(self.folder / "keys")
        with self.assertRaisesRegex(AssertionError, "no key file .*keys, but the data"):
            daemon.start()
        self.assertFalse(keys.exists())
        away.rename(keys)
        daemon.start().stop()
        keys.unlink()
        daemon.words = ("--abandon-lost-key",)
        daemon.start()
        newcomer.server(daemon.client(), "afterwards")
        (told,) = (one for one in log(daemon.log) if "abandoned" in one["message"])
        self.assertIn("1 in compute.cluster", told["message"])
        daemon.stop()
        daemon.words = ()
        daemon.start()

    def test_a_wrong_password_for_a_cluster(self) -> None:
        daemon = self.daemon(SNFD_METRICS_TOKEN="see")
        daemon.stop()
        daemon.config = self.folder / "snfd.toml"
        daemon.config.write_text(
            "[pocket]\nenabled = true\n"
            '[[bootstrap.cluster]]\nname = "wrong"\nusername = "snfd"\n'
            f'url = "https://127.0.0.1:{daemon.pocket_port}"\n'
            'password = "hush-hush"\n'
            f'tls_ca = "{daemon.var}/pocket/rapi-cert.pem"\n'
        )
        daemon.start()

        def figure(name: str) -> str:
            page = Client(daemon.port).get(
                "/metrics", headers={"Authorization": "Bearer see"}
            )
            found = re.search(rf"^snfd_{name} (\S+)$", page.body.decode(), re.M)
            return found[1] if found else ""

        eventually(
            lambda: (
                (figure("clusters"), figure("clusters_unreachable")) == ("2.0", "1.0")
            )
        )
        said = [
            line for line in log(daemon.log) if "does not answer" in line["message"]
        ]
        self.assertRegex(said[0]["message"], "user name|password|401|Unauthorized")
        self.assertNotIn("hush-hush", daemon.log.read_text())
        self.assertEqual(200, Client(daemon.port).get("/readyz").status)

    def test_no_room_for_blocks(self) -> None:
        with small_disk(self.folder / "blocks", "12m"):
            daemon = self.daemon(SNFD_STORAGE_DIRECTORY=str(self.folder / "blocks"))
            self.addCleanup(daemon.stop)
            client = daemon.client()
            account = f"/v1/AUTH_{client.project}"
            client.put(f"{account}/box")
            got = client.put(f"{account}/box/large", os.urandom(24 << 20))
            self.assertEqual(503, got.status)
            self.assertIn(b"the block store is full", got.body)
            self.assertEqual(
                "0", client.request("HEAD", account).headers["x-account-bytes-used"]
            )
            self.assertEqual(201, client.put(f"{account}/box/small", b"x").status)
            told = [
                one
                for one in log(daemon.log)
                if "block store is full" in one["message"]
            ]
            self.assertEqual(
                [("warn", got.headers["x-openstack-request-id"])],
                [(one["level"], one["request_id"]) for one in told],
            )
            daemon.stop()

    def test_no_room_for_postgresql(self) -> None:
        with small_disk(self.folder / "var", "140m"):
            daemon = self.daemon(
                SNFD_STORAGE_DRIVER="memory", SNFD_LOG_FILE=str(self.folder / "log")
            )
            client = daemon.client()
            account = f"/v1/AUTH_{client.project}"
            client.put(f"{account}/box")
            fill(daemon.var / "filling")

            def put() -> int:
                path, meta = f"{account}/box/{uuid4()}", {"X-Object-Meta-A": "a" * 200}
                return client.put(path, b"x", headers=meta).status

            eventually(lambda: put() == 503, every=0.0)
            self.assertEqual(200, client.get(f"{account}/box?limit=1").status)
            self.assertEqual(200, client.get("/healthz").status)
            told = [
                one
                for one in log(self.folder / "log")
                if "No space left" in one["message"]
            ]
            self.assertTrue(told)
            (daemon.var / "filling").unlink()
            eventually(lambda: put() == 201)
            daemon.stop()


@pytest.mark.xdist_group("operator")
@pytest.mark.rig("pocket")
class SecrecyTests(OperatorCase):
    """What a walk through the cloud leaves in its log and its database."""

    def test_no_secret_is_logged_or_stored_in_the_clear(self) -> None:
        daemon = Daemon(
            self.folder / "var",
            environment={
                "SNFD_LOG_LEVEL": "debug",
                "SNFD_METRICS_TOKEN": "metrics-hush",
                "SNFD_POCKET_HYPERVISOR": "screen",
            },
        )
        self.addCleanup(newcomer.forget, daemon.var)
        self.addCleanup(daemon.stop)
        daemon.start()
        secrets = {"password": PASSWORD, "metrics": "metrics-hush", **walk(daemon)}
        stored = dump(embedded_dsn(daemon.var) or "")
        daemon.stop()
        self.assertIn("COPY identity.api_token", stored)
        postgresql = b"".join(
            file.read_bytes() for file in log_files(daemon.var)
        ).decode(errors="replace")
        secrets |= kept(daemon.var)
        for place, text in (
            ("the log", daemon.log.read_text()),
            ("the database", stored),
            ("PostgreSQL's log", postgresql),
        ):
            self.assertNotRegex(text, ONE_TIME, f"a one-time address is in {place}")
            for name, secret in secrets.items():
                self.assertNotIn(secret, text, f"{name} is in {place}")


def walk(daemon: Daemon) -> dict[str, str]:
    """Log in both ways, upload, make a server, open consoles; all secrets met."""
    client = daemon.client()
    met = {"token": client.token}
    body = {"auth": {"passwordCredentials": {"username": "demo", "password": PASSWORD}}}
    got = Client(daemon.port).post("/identity/v2.0/tokens", body)
    met["v2 token"] = got.json["access"]["token"]["id"]
    assert got.status == 200, got.body
    client.get(f"/identity/v2.0/tokens/{met['v2 token']}/endpoints")
    client.get(f"/identity/v2.0//tokens/{met['v2 token']}/endpoints")
    client.get("/identity/v3/auth/tokens", headers={"X-Subject-Token": client.token})
    login = {"X-Storage-User": "demo:demo", "X-Storage-Pass": PASSWORD}
    met["v1 token"] = (
        Client(daemon.port).get("/auth/v1.0", headers=login).headers["x-auth-token"]
    )
    client.put(f"/v1/AUTH_{client.project}/box")
    client.put(f"/v1/AUTH_{client.project}/box/it", b"content")
    server = newcomer.server(client)
    shown = client.get(f"/os/compute/v2.1/servers/{server['id']}").json["server"]
    assert "adminPass" not in shown
    action = f"/os/compute/v2.1/servers/{server['id']}/action"
    got = client.post(action, {"os-getVNCConsole": {"type": "novnc"}})
    assert got.status == 200, got.body
    url = got.json["console"]["url"]
    met["ticket"] = url.rpartition("=")[2]
    client.get(f"/console/{met['ticket']}")
    got = client.post(
        f"/compute/v2.0/servers/{server['id']}/action", {"console": {"type": "vnc"}}
    )
    assert got.status == 200, got.body
    met["console password"] = got.json["console"]["password"]
    Client(daemon.port).post(
        "/identity/v2.0/tokens",
        {
            "auth": {
                "passwordCredentials": {"username": "demo", "password": "wrong-hush"}
            }
        },
    )
    return {**met, "wrong password": WRONG}


def kept(var: Path) -> dict[str, str]:
    """What the data directory keeps secret, and the one-time addresses used."""
    found = {
        f"secrets {number}": secret
        for number, secret in enumerate(
            re.findall(r'"([^"]{12,})"', (var / "secrets").read_text())
        )
    }
    key = (var / "keys").read_text().splitlines()[-1]
    token = re.findall(r"token = (\S+)", (var / "kamakirc").read_text())[0]
    return {**found, "key": key, "kamaki's token": token}


def dump(dsn: str) -> str:
    """All of the database as SQL."""
    folder = binaries()
    program = str(folder / "pg_dump") if folder is not None else which("pg_dump")
    assert program, "apt-get install postgresql"
    done = subprocess.run([program, f"--dbname={dsn}"], capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def log(file: Path) -> list[dict[str, Any]]:
    """The lines of a daemon's log."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def log_files(var: Path) -> Iterator[Path]:
    """PostgreSQL's own logs."""
    for folder in (var / "pg", newcomer.moved(var) / "pg"):
        yield from (folder / "log").glob("*")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """``folder`` as a file system of its own; skips where that may not be."""
    folder.mkdir(mode=0o755, exist_ok=True)
    folder.parent.chmod(0o755)
    mount = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size={size},mode=755",
        "tmpfs",
        str(folder),
    ]
    if not AS_ROOT or subprocess.run(mount, capture_output=True).returncode:
        if os.environ.get("CI") == "true":
            raise AssertionError("cannot mount a tmpfs")
        raise pytest.skip.Exception("only root may mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Take all the room there is."""
    with file.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(4096))
