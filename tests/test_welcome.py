"""What a first start leaves for people."""

from __future__ import annotations

import shlex
import stat
from configparser import ConfigParser
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from snfd import private
from snfd.welcome import (
    Account,
    clouds_yaml,
    greeting,
    kamakirc,
    remember,
    remembered,
)

ACCOUNTS = {"admin": Account("a\"'\n b", "system"), "demo": Account("secret", "demo")}


class WelcomeTests(SynchronousTestCase):
    def test_no_password_breaks_out_of_its_line(self) -> None:
        text = clouds_yaml("http://h/v3", "r", ACCOUNTS)
        self.assertIn('      password: "a\\"\'\\n b"\n', text)
        self.assertEqual(2, text.count("password:"))

    def test_kamaki_finds_its_cloud(self) -> None:
        parser = ConfigParser()
        parser.read_string(kamakirc("http://h/identity/v2.0", "token"))
        self.assertEqual("token", parser['cloud "demo"']["token"])
        self.assertEqual("demo", parser["global"]["default_cloud"])

    def test_its_commands_can_be_pasted_wherever_the_data_is(self) -> None:
        var = Path("/a b/it's")
        lines = greeting("http://h", var, ACCOUNTS, "small")
        (line,) = (line for line in lines if "OS_CLIENT_CONFIG_FILE" in line)
        words = shlex.split(line)
        self.assertIn(f"OS_CLIENT_CONFIG_FILE={var}/clouds.yaml", words)
        self.assertTrue(lines[-1].startswith("ready: http://h/ "))
        (line,) = (line for line in lines if "SNFD_VAR" in line)
        self.assertEqual([f"SNFD_VAR={var}", "snfctl"], shlex.split(line)[1:3])
        self.assertNotIn("also", "\n".join(lines))

    def test_where_the_passwords_of_more_users_stand(self) -> None:
        more = {**ACCOUNTS, "reader": Account("x", "demo"), "alt": Account("y", "alt")}
        text = "\n".join(greeting("http://h", Path("/v"), more, "small"))
        self.assertIn("reader, alt: see /v/clouds.yaml", text)
        self.assertNotIn(" x", text)

    def test_without_accounts_there_is_no_word_of_them(self) -> None:
        text = "\n".join(greeting("http://h", Path("/v"), {}, "small"))
        self.assertNotIn("password", text)
        self.assertIn("ready: ", text)

    def test_files_are_private_from_the_first_byte_on(self) -> None:
        path = Path(self.mktemp())
        path.write_text("old")
        path.chmod(0o644)
        private.write(path, "new")
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        self.assertEqual("new", path.read_text())

    def test_accounts_are_remembered(self) -> None:
        var = Path(self.mktemp())
        var.mkdir()
        self.assertEqual({}, remembered(var))
        remember(var, ACCOUNTS)
        self.assertEqual(ACCOUNTS, remembered(var))
