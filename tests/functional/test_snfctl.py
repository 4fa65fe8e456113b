"""``snfctl`` beside a real daemon: its socket, its statuses, each of its nouns."""

from __future__ import annotations

import csv
import errno
import json
import os
import pwd
import socket
import struct
import tempfile
import unittest
from collections.abc import Callable
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from tests.functional.daemon import Daemon, running
from tests.functional.snfctl import Snfctl

AS_ROOT = os.geteuid() == 0
LISTS = (
    "user", "group", "project", "quota", "commission", "resource", "token",
    "session", "mail", "audit", "service", "component", "terms", "login-policy",
    "oauth2-client",
)  # fmt: skip


def as_nobody() -> None:
    """Become the user nobody, for good."""
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


@pytest.mark.xdist_group("daemon")
@pytest.mark.rig("pocket")
class SnfctlCase(unittest.TestCase):
    """One daemon for all tests of a class."""

    stack: ClassVar[ExitStack]
    daemon: ClassVar[Daemon]

    @classmethod
    def setUpClass(cls) -> None:
        cls.stack = ExitStack()
        cls.daemon = cls.stack.enter_context(running())

    @classmethod
    def tearDownClass(cls) -> None:
        cls.stack.close()

    def setUp(self) -> None:
        self.ctl = Snfctl(self.daemon.var)

    def fails(
        self,
        status: int,
        *words: str,
        stdin: str = "",
        before: Callable[[], None] | None = None,
    ) -> str:
        """What a command says that must end with ``status``."""
        done = self.ctl.run(*words, stdin=stdin, before=before)
        self.assertEqual(status, done.status, done)
        return done.err


class SocketTests(SnfctlCase):
    """Who may use the socket, and what becomes of its file."""

    def test_it_is_ours_alone(self) -> None:
        file = self.daemon.var / "snfd.sock"
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assertEqual(os.geteuid(), file.stat().st_uid)

    @unittest.skipUnless(AS_ROOT, "only root can become somebody else")
    def test_others_cannot_connect(self) -> None:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            as_nobody()
            with socket.socket(socket.AF_UNIX) as one:
                told = one.connect_ex(str(self.daemon.var / "snfd.sock"))
            os.write(writer, struct.pack("i", told))
            os._exit(0)
        os.waitpid(child, 0)
        (found,) = struct.unpack("i", os.read(reader, 4))
        os.close(reader)
        os.close(writer)
        self.assertEqual(errno.EACCES, found)

    @unittest.skipUnless(AS_ROOT, "only root can become somebody else")
    def test_others_are_refused_even_where_the_file_lets_them(self) -> None:
        """The kernel says who they are."""
        file = self.daemon.var / "snfd.sock"
        reader, writer = os.pipe()
        file.chmod(0o666)
        try:
            child = os.fork()
            if not child:
                as_nobody()
                with socket.socket(socket.AF_UNIX) as one:
                    one.connect(str(file))
                    one.sendall(b"GET /admin/v1/users HTTP/1.0\r\n\r\n")
                    os.write(writer, one.recv(4096))
                os._exit(0)
            os.waitpid(child, 0)
        finally:
            file.chmod(0o600)
        told = os.read(reader, 4096)
        os.close(reader)
        os.close(writer)
        self.assertIn(b" 403 ", told.splitlines()[0])
        self.assertIn(b'"code":"forbidden"', told)
        self.assertNotIn(b"demo", told)

    def test_only_the_admin_api_is_served_there(self) -> None:
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(self.daemon.var / "snfd.sock"))
            one.sendall(b"GET /identity/v3 HTTP/1.0\r\n\r\n")
            self.assertIn(b" 404 ", one.recv(4096).splitlines()[0])


class SocketFileTests(unittest.TestCase):
    """What a daemon does about files that others left."""

    @pytest.mark.xdist_group("daemon")
    @pytest.mark.rig("pocket")
    def test_a_dead_daemon_s_file_is_replaced_and_ours_removed(self) -> None:
        with running() as daemon:
            ctl = Snfctl(daemon.var)
            daemon.kill()
            self.assertEqual(3, ctl.run("user", "list").status)
            daemon.start()
            self.assertIn("demo", ctl("user", "list"))
            daemon.stop()
            self.assertFalse((daemon.var / "snfd.sock").exists())
            done = ctl.run("user", "list")
            self.assertEqual(3, done.status)
            self.assertIn("is the daemon running?", done.err)

    @pytest.mark.xdist_group("daemon")
    @pytest.mark.rig("pocket")
    def test_a_path_too_long_for_a_socket_s_address(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o711)
            var = Path(folder, "v" * 120)
            daemon = Daemon(var)
            try:
                daemon.start()
                self.assertIn("demo", Snfctl(var)("user", "list"))
            finally:
                daemon.stop()


class StatusTests(SnfctlCase):
    """Statuses that scripts can tell apart (W37)."""

    def test_each_says_what_it_was(self) -> None:
        self.assertEqual(0, self.ctl.run("user", "list").status)
        self.assertIn("column", self.fails(2, "user", "list", "-c", "shoe_size"))
        self.assertIn("No such command", self.fails(2, "user", "dance"))
        self.assertIn("no user nobody", self.fails(4, "user", "show", "nobody"))
        self.assertIn("no cloud", self.fails(1, "--cloud", "none", "user", "list"))
        self.assertIn(
            "only for members", self.fails(5, "--cloud", "demo", "user", "list")
        )

    def test_a_user_who_administers_does_so_from_afar(self) -> None:
        there = json.loads(self.ctl("--cloud", "admin", "user", "list", "-o", "json"))
        self.assertEqual(self.ctl.json("user", "list"), there)

    def test_over_http_only_administrators(self) -> None:
        self.assertEqual(200, self.daemon.client("admin").get("/admin/v1/users").status)
        self.assertEqual(403, self.daemon.client("demo").get("/admin/v1/users").status)


class FormTests(SnfctlCase):
    """Every list, in every form."""

    def test_lists_are_json_csv_yaml_and_tables(self) -> None:
        for noun in LISTS:
            with self.subTest(noun=noun):
                found = self.ctl.json(noun, "list", "--most", "5")
                self.assertIsInstance(found, list)
                text = self.ctl(noun, "list", "--most", "5", "-o", "yaml")
                self.assertEqual(found, yaml.safe_load(text))
                text = self.ctl(noun, "list", "--most", "5", "-o", "csv")
                rows = list(csv.DictReader(StringIO(text)))
                self.assertEqual(len(found), len(rows))
                table = self.ctl(noun, "list", "--most", "5")
                self.assertEqual(len(found) + 1, len(table.splitlines()))

    def test_things_are_shown(self) -> None:
        user = self.ctl.json("user", "show", "demo")
        self.assertEqual("demo", user["username"])
        self.assertIn("projects:", self.ctl("user", "show", user["uuid"]))
        project = self.ctl.json("project", "show", "demo")
        limits = {one["resource"]: one["member"] for one in project["limits"]}
        self.assertEqual(20, limits["cyclades.vm"])
        members = self.ctl.json("project", "members", "demo")
        self.assertEqual({"demo", "reader"}, {one["username"] for one in members})

    def test_quotas_of_one_user(self) -> None:
        rows = self.ctl.json(
            "quota", "list", "--user", "demo", "--project", "demo", "-f", "limit>=1G"
        )
        self.assertEqual(
            {"cyclades.disk", "cyclades.ram", "pithos.diskspace"},
            {one["resource"] for one in rows if one["unit"] == "bytes"}
            - {"cyclades.total_ram"},
        )
        text = self.ctl("quota", "list", "--user", "demo", "--project", "demo")
        self.assertIn("100G", text)
