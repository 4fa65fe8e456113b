"""Hand-offs to clusters, and what is to be found of them afterwards: nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import unittest
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.functional.daemon import Client, Daemon, eventually, running
from tests.functional.evidence import complaints, imbalance
from tests.functional.lab import on_ganeti
from tests.functional.onenode import MIB, OS, an_image, partitions, seed_of, tool
from tests.functional.test_operator import dump
from tests.functional.things import ok
from tests.lab import ganeti as real

SERVERS = "/compute/v2.0/servers"
PASSWORD = "Quite9Private"
FILE, USER_DATA = b"a file for root only\n", b"#!/bin/sh\n# private user data\n"
KEY = (
    "ssh-ed25519 "
    + b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(range(32))).decode()
)


def given(client: Client, image: str, **more: Any) -> dict[str, Any]:
    """A request for a server with everything that is private."""
    pair = {"keypair": {"name": "laptop", "public_key": KEY}}
    ok(client.post("/compute/v2.0/os-keypairs", pair), 200, 201, 409)
    file = {"path": "/root/x", "contents": b64encode(FILE).decode(), "mode": 256}
    return {
        "name": "private",
        "imageRef": image,
        "flavorRef": 1,
        "adminPass": PASSWORD,
        "personality": [file],
        "user_data": b64encode(USER_DATA).decode(),
        "key_name": "laptop",
        **more,
    }


def needles() -> dict[str, str]:
    """What must be found nowhere, as it is and as it may be written."""
    plain = {"password": PASSWORD.encode(), "file": FILE, "user data": USER_DATA}
    found = {"key": KEY.split()[1]}
    for name, data in plain.items():
        found[name] = data.decode().strip().splitlines()[-1]
        found[f"{name} in base64"] = b64encode(data).decode().rstrip("=")[:-1]
        found[f"{name} in hex"] = data.hex()
    return found


def leaks(places: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Which of the wanted are where."""
    return [
        f"{what} in {where}"
        for where, text in places.items()
        for what, needle in wanted.items()
        if needle in text
    ]


def texts(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """What is in files; in those that go meanwhile, nothing."""
    for file in files:
        try:
            if file.is_file():
                yield str(file), file.read_bytes().decode("latin-1")
        except FileNotFoundError:
            continue


def database(daemon: Daemon) -> str:
    """A dump of the daemon's database."""
    secret = re.search(
        r'postgresql_password = "([^"]+)"', (daemon.var / "secrets").read_text()
    )
    assert secret is not None
    place = f"host={daemon.var / 'pg'} dbname=snfd user=snfd password={secret[1]}"
    return dump(place)


def logs(daemon: Daemon) -> dict[str, str]:
    """All that a daemon and its PostgreSQL write down of what happens."""
    files = [daemon.log, *(daemon.var / "pg").glob("log/*")]
    return dict(texts(files))


class Case(unittest.TestCase):
    daemon: Daemon
    client: Client

    def build(self, image: str, **more: Any) -> int:
        """A server with all that is private; its dump while it is made is clean."""
        wanted = {"server": given(self.client, image, **more)}
        made = ok(self.client.post(SERVERS, wanted), 202)["server"]
        self.clean({"the dump meanwhile": database(self.daemon)}, keys=False)
        ident: int = made["id"]
        return ident

    def show(self, ident: int) -> Any:
        return ok(self.client.get(f"{SERVERS}/{ident}"))["server"]

    def until(self, ident: int, status: str, seconds: float = 120) -> Any:
        def there() -> Any:
            shown = self.show(ident)
            if shown["status"] == "ERROR" != status:
                told = self.client.get(f"{SERVERS}/{ident}/diagnostics").json
                raise AssertionError(told)
            done = shown["status"] == status and not shown["SNF:task_state"]
            return shown if done else None

        return eventually(there, seconds)

    def clean(
        self,
        places: Mapping[str, str],
        more: Mapping[str, str] | None = None,
        *,
        keys: bool = True,
    ) -> None:
        """Nothing private is there; public keys are kept as key pairs, of course."""
        wanted = {**needles(), **(more or {})}
        if not keys:
            del wanted["key"]
        self.assertEqual([], leaks(places, wanted))

    def tokens(self, jobs: str) -> dict[str, str]:
        """One-time tokens that a cluster was told."""
        found = re.findall(r"/vmapi/v1\.0/[a-z-]+/([A-Za-z0-9_-]{20,})", jobs)
        self.assertTrue(found)
        return {f"token {number}": one for number, one in enumerate(found)}


@pytest.mark.rig("pocket")
class PocketTests(Case):
    def setUp(self) -> None:
        self.daemon = self.enterContext(running(SNFD_POCKET_LATENCY="2.0"))
        self.client = self.daemon.client()

    def test_cyclades_90_nothing_private_is_written_down(self) -> None:
        """Grepped in the cluster, its jobs, our logs and a dump."""
        images = ok(self.client.get("/os/image/v2/images"))["images"]
        ident = self.build(images[0]["id"])
        url = eventually(self.config_url)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(self.client.get, [url] * 8))
        told = [one for one in answers if one.status != 404]
        if told:  # unless the machine is so slow that the job has ended
            [got] = told
            self.assertEqual(PASSWORD, ok(got)["img_passwd"])
            self.assertIn(KEY, got.json["auth_keys"])
        self.assertEqual(404, self.client.get(url).status)
        self.until(ident, "ACTIVE")
        jobs = self.jobs()
        instances = json.dumps(self.daemon.rapi("GET", "/2/instances?bulk=1"))
        self.clean({"jobs": jobs, "instances": instances})
        tokens = self.tokens(jobs)
        self.clean(logs(self.daemon), tokens)
        self.clean({"the dump": database(self.daemon)}, tokens, keys=False)
        files = (self.daemon.var / "pocket").glob("**/*")
        kept = dict(texts(one for one in files if "disks" not in one.parts))
        self.assertTrue(kept)
        self.clean(kept)
        got = self.client.get(f"{SERVERS}/{ident}/password")
        self.assertEqual(PASSWORD, got.json["password"])
        self.assertEqual([], complaints(self.daemon))

    def jobs(self) -> str:
        found = self.daemon.rapi("GET", "/2/jobs?bulk=1")
        return json.dumps([self.daemon.rapi("GET", f"/2/jobs/{one['id']}")
                           for one in found])  # fmt: skip

    def config_url(self) -> str:
        """Where the document is; empty before the job is submitted."""
        found = re.search(r'"config_url": "https?://[^/]+(/[^"]+)"', self.jobs())
        return found[1] if found else ""


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(600)
@pytest.mark.long
class GanetiTests(Case):
    """Our OS definition under real Ganeti; long: two builds, one with a resize."""

    lab: real.Lab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = real.lab()
        cls.lab.clear()
        cls.addClassCleanup(cls.lab.clear)
        cls.os = cls.lab.directory / "c1" / "srv" / "os" / "snfd"
        shutil.rmtree(cls.os, ignore_errors=True)
        shutil.copytree(OS, cls.os, ignore=shutil.ignore_patterns("__pycache__"))
        cls.addClassCleanup(shutil.rmtree, cls.os)
        cls.daemon = cls.enterClassContext(on_ganeti(cls.lab, os_name="snfd+default"))
        cls.client = cls.daemon.client()
        scratch = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.image = cls.upload(an_image(scratch / "image", "gpt", 32))

    os: Path
    image: str

    @classmethod
    def upload(cls, data: bytes) -> str:
        wanted = {"name": "ext", "disk_format": "raw", "container_format": "bare"}
        made: str = ok(cls.client.post("/os/image/v2/images", wanted), 201)["id"]
        headers = {"Content-Type": "application/octet-stream"}
        path = f"/os/image/v2/images/{made}/file"
        ok(cls.client.put(path, data, headers=headers), 204)
        return made

    def test_cyclades_09_10_90_a_server_of_our_own_definition(self) -> None:
        ident = self.build(self.image)
        self.until(ident, "ACTIVE")
        [disk] = (self.lab.directory / "c1/srv/file-storage").glob(f"snf-{ident}/*")
        self.assertEqual([(1, 1018), (1019, 4)], partitions(disk))
        place = f"{disk}?offset={MIB}"
        tool("e2fsck", "-f", "-n", place)
        self.assertEqual("image\n", tool("debugfs", "-R", "cat /etc/hostname", place))
        seed = seed_of(disk)
        meta = json.loads(seed["meta-data"])
        self.assertEqual("private", meta["local-hostname"])
        self.assertEqual([KEY], [" ".join(k.split()[:2]) for k in meta["public-keys"]])
        self.assertEqual(USER_DATA.decode(), seed["user-data"])
        self.assertIn(b64encode(FILE).decode(), seed["vendor-data"])
        told = ok(self.client.get(f"{SERVERS}/{ident}/diagnostics"))
        self.assertEqual(
            ["grow", "customise", "image"], [one["message"] for one in told]
        )
        self.everywhere()

    def test_a_rebuild_and_a_new_password(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            other = self.upload(an_image(Path(scratch, "image"), "dos", 48))
        ident = self.build(self.image, name="again")
        self.until(ident, "ACTIVE")
        [disk] = (self.lab.directory / "c1/srv/file-storage").glob(f"snf-{ident}/*")
        first = seed_of(disk)
        self.act(ident, {"rebuild": {"imageRef": other, "adminPass": "Another1Pass"}})
        self.until(ident, "ACTIVE")
        self.assertIn("label: dos", tool("sfdisk", "--dump", disk))
        self.assertEqual([(1, 1018), (1019, 4)], partitions(disk))
        second = seed_of(disk)
        self.assertNotEqual(first["vendor-data"], second["vendor-data"])
        self.opens(second, "Another1Pass")
        self.act(ident, {"changePassword": {"adminPass": "YetAnother2"}})
        self.act(ident, {"reboot": {"type": "HARD"}})
        self.until(ident, "ACTIVE")
        eventually(lambda: seed_of(disk)["meta-data"] != second["meta-data"])
        third = seed_of(disk)
        self.opens(third, "YetAnother2")
        self.assertIs(False, self.vendor(third)["ssh_deletekeys"])
        got = self.client.get(f"{SERVERS}/{ident}/password")
        self.assertEqual("YetAnother2", got.json["password"])
        self.everywhere({"second": "Another1Pass", "third": "YetAnother2"})

    def act(self, ident: int, action: dict[str, Any]) -> None:
        ok(self.client.post(f"{SERVERS}/{ident}/action", action), 202)

    def vendor(self, seed: Mapping[str, str]) -> Any:
        return json.loads(seed["vendor-data"].partition("\n")[2])

    def opens(self, seed: Mapping[str, str], password: str) -> None:
        """The seed has that password's hash."""
        kept = self.vendor(seed)["password"]
        salt = kept.split("$")[2]
        hashed = tool("openssl", "passwd", "-6", "-salt", salt, password).strip()
        self.assertEqual(hashed, kept)

    def everywhere(self, more: Mapping[str, str] | None = None) -> None:
        """Nothing private is in Ganeti's files, our log, or a dump."""
        node = self.lab.directory / "c1" / "n1"
        kept = dict(texts((node / "lib").glob("**/*")))
        self.assertTrue(any(name.endswith("config.data") for name in kept))
        self.assertTrue(any("/queue/" in name for name in kept))
        self.clean(kept, more)
        self.clean(dict(texts((node / "log").glob("**/*"))), more)
        queue = "".join(text for name, text in kept.items() if "/queue/" in name)
        tokens = {**self.tokens(queue), **(more or {})}
        self.clean(logs(self.daemon), tokens)
        self.clean({"the dump": database(self.daemon)}, tokens, keys=False)

    def test_cyclades_26_a_script_that_fails(self) -> None:
        script = self.os / "create"
        good = script.read_text()
        self.addCleanup(script.write_text, good)
        script.write_text("#!/bin/sh\necho nothing works here\nexit 1\n")
        ident = self.build(self.image, name="failing")
        shown = self.until(ident, "ERROR")
        [newest] = shown["diagnostics"]
        self.assertEqual("ERROR", newest["level"])
        self.assertIn("nothing works here", newest["message"] + newest["details"])
        ok(self.client.delete(f"{SERVERS}/{ident}"), 204)
        eventually(lambda: self.show(ident)["status"] == "DELETED", 120)
        self.assertEqual([], imbalance(self.daemon))


@pytest.mark.rig("ganeti")
class VerifyTests(unittest.TestCase):
    def test_every_script_that_ganeti_wants_is_there(self) -> None:
        for name in ("create", "import", "export", "rename", "verify"):
            self.assertTrue((OS / name).stat().st_mode & 0o111, name)
        self.assertEqual("20\n", (OS / "ganeti_api_version").read_text())

    def test_disks_leave_and_return_whole(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            first, second = Path(scratch, "first"), Path(scratch, "second")
            first.write_bytes(bytes(range(256)) * 5000)
            second.write_bytes(bytes(2 * MIB))
            taken = subprocess.run([OS / "export"], capture_output=True, check=True,
                                   env={"EXPORT_DEVICE": str(first)})  # fmt: skip
            subprocess.run([OS / "import"], input=taken.stdout, check=True,
                           env={"IMPORT_DEVICE": str(second)})  # fmt: skip
            self.assertEqual(first.read_bytes(), second.read_bytes()[: 256 * 5000])
