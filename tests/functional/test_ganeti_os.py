"""The OS definition for Ganeti nodes, run for real on disks that are files."""

from __future__ import annotations

import hmac
import json
import os
import shutil
import subprocess
import unittest
from base64 import b64encode
from email import message_from_string
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.functional.onenode import (
    MIB,
    OS,
    PATH,
    Ran,
    Source,
    an_image,
    create,
    partitions,
    seed_of,
    serving,
    tool,
)

PASSWORD, SECRET = "Tr0ub4dor-Pass", "a very private file"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI laptop"
LENDS = """
import os, signal, sys
from snfd_os import __main__ as main, programs
signal.signal(signal.SIGTERM, main.stop)
file = os.open(sys.argv[1], os.O_RDWR)
with programs._lent(file, False):
    print(os.fstat(file).st_uid != 0, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
"""
_TOOLS = ("sfdisk", "mformat", "mke2fs", "setpriv", "openssl", "resize2fs")
MISSING = [one for one in _TOOLS if not shutil.which(one, path=PATH)]


@unittest.skipIf(MISSING, f"{', '.join(MISSING)} missing")
class CreateTests(unittest.TestCase):
    def setUp(self) -> None:
        self.place = Path(mkdtemp(prefix="snfd-os-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.scratch = self.place / "tmp"
        self.scratch.mkdir()
        self.disk = self.place / "disk"
        self.source = Source()
        self.url = self.enterContext(serving(self.source))

    def told(self, **more: str) -> dict[str, str]:
        """A document as the daemon writes it."""
        files = [
            {"path": "/root/x", "contents": b64encode(SECRET.encode()).decode()},
            {"path": "/srv/y", "contents": "", "owner": "www", "mode": 384},
        ]
        return {
            "img_id": f"{self.url}/image",
            "img_format": "diskdump",
            "img_passwd": PASSWORD,
            "img_personality": json.dumps(files),
            "img_properties": json.dumps({"USERS": "root debian"}),
            "auth_keys": KEY,
            "cloud_userdata": b64encode(b"#!/bin/sh\necho hi\n").decode(),
            "hostname": "My web.Server",
            "progress_url": f"{self.url}/progress",
            **more,
        }

    def run_on(self, size: int, **more: Any) -> Ran:
        """Run ``create`` on a disk of ``size`` MiB."""
        with self.disk.open("ab") as disk:
            disk.truncate(size * MIB)
        told = more.pop("told", None)
        self.source.document = self.told() if told is None else told
        got = create(self.url, self.disk, self.scratch, **more)
        self.assertEqual([], list(self.scratch.iterdir()))
        for secret in (PASSWORD, SECRET, KEY, "/image", "/progress", "/document"):
            self.assertNotIn(secret, got.output)
        return got

    def test_the_image_grows_and_finds_what_its_owner_gave(self) -> None:
        for table in ("dos", "gpt"):
            with self.subTest(table):
                self.disk.unlink(missing_ok=True)
                self.source.told.clear()
                self.source.image = an_image(self.place / table, table)
                got = self.run_on(64)
                self.assertEqual(0, got.code, got.output)
                self.grown()
                self.seeded()
                self.reported()

    def grown(self) -> None:
        """The partition and its file system reach up to the seed."""
        self.assertEqual([(1, 58), (59, 4)], partitions(self.disk))
        place = f"{self.disk}?offset={MIB}"
        tool("e2fsck", "-f", "-n", place)
        told = tool("dumpe2fs", "-h", place)
        blocks = next(x for x in told.splitlines() if x.startswith("Block count"))
        each = next(x for x in told.splitlines() if x.startswith("Block size"))
        length = int(blocks.split()[-1]) * int(each.split()[-1])
        self.assertEqual(58 * MIB, length)
        self.assertEqual("image\n", tool("debugfs", "-R", "cat /etc/hostname", place))
        with self.disk.open("rb") as disk:
            self.assertEqual(b"\xfaboot code", disk.read(10))

    def seeded(self) -> None:
        """cloud-init finds all that the document said."""
        found = seed_of(self.disk)
        meta = json.loads(found["meta-data"])
        self.assertEqual("my-web-server", meta["local-hostname"])
        self.assertEqual([KEY], meta["public-keys"])
        self.assertEqual("#!/bin/sh\necho hi\n", found["user-data"])
        head, _, config = found["vendor-data"].partition("\n")
        self.assertEqual("#cloud-config", head)
        vendor = json.loads(config)
        users = {one["name"]: one["password"] for one in vendor["chpasswd"]["users"]}
        self.assertEqual({"root", "debian"}, set(users))
        salt = users["root"].split("$")[2]
        hashed = tool("openssl", "passwd", "-6", "-salt", salt, PASSWORD).strip()
        self.assertEqual(hashed, users["root"])
        first, second = vendor["write_files"]
        self.assertEqual(
            ("/root/x", "root:root", "0440"),
            (first["path"], first["owner"], first["permissions"]),
        )
        self.assertEqual(
            ("www:root", "0600", True),
            (second["owner"], second["permissions"], second["defer"]),
        )
        for text in found.values():
            self.assertNotIn(PASSWORD, text)

    def reported(self) -> None:
        progress = [one["progress"] for one in self.source.told
                    if one["type"] == "image-copy-progress"]  # fmt: skip
        self.assertEqual((sorted(progress), 100.0), (progress, progress[-1]))
        tasks = [one["task"] for one in self.source.told
                 if one["type"] == "image-helper"]  # fmt: skip
        self.assertEqual(["image", "customise", "grow"], tasks)
        self.assertEqual([], self.source.messages("image-warning"))

    def test_files_of_the_request_and_of_the_user_data_are_both_written(self) -> None:
        self.source.image = an_image(self.place / "image", "dos")
        mine = "#cloud-config\nwrite_files:\n- {path: /etc/mine, content: καλά}\n"
        told = self.told(cloud_userdata=b64encode(mine.encode()).decode())
        self.assertEqual(0, self.run_on(64, told=told).code)
        found = seed_of(self.disk)
        whole = message_from_string(found["user-data"])
        ours, theirs = (one.get_payload(decode=True) for one in whole.walk()
                        if not one.is_multipart())  # fmt: skip
        assert isinstance(ours, bytes)
        self.assertIn(b'"/root/x"', ours)
        self.assertEqual(mine.encode(), theirs)
        self.assertIn("X-Merge-Type: list(append)", found["user-data"])
        self.assertNotIn("write_files", found["vendor-data"])

    def test_holes_stay_holes(self) -> None:
        self.source.image = an_image(self.place / "image", "dos", 32)
        self.disk.write_bytes(b"x" * 64 * MIB)
        self.assertEqual(0, self.run_on(64).code)
        self.assertLess(self.disk.stat().st_blocks * 512, 24 * MIB)
        with self.disk.open("rb") as disk:
            disk.seek(63 * MIB)
            self.assertEqual(bytes(MIB), disk.read())

    def test_a_transfer_goes_on_where_it_broke_off(self) -> None:
        self.source.image = an_image(self.place / "image", "dos")
        self.source.breaks = [3 * MIB + 17, 0, 5 * MIB]
        got = self.run_on(32)
        self.assertEqual(0, got.code, got.output)
        first, second, third, fourth = self.source.ranges
        self.assertEqual((None, second), (first, third))
        self.assertEqual(f"bytes={3 * MIB + 17}-", second)
        self.assertEqual(f"bytes={8 * MIB + 17}-", fourth)
        self.assertEqual("my-web-server", json.loads(
            seed_of(self.disk)["meta-data"])["local-hostname"])  # fmt: skip

    def test_failures_are_told(self) -> None:
        self.source.image = an_image(self.place / "image", "dos")
        cases: list[tuple[str, dict[str, str], int]] = [
            ("the image is larger than the disk", {}, 8),
            ("the image cannot be had: the answer is 404",
             {"img_id": f"{self.url}/elsewhere"}, 32),
            ("images of format 'ntfsdump' are not known here",
             {"img_format": "ntfsdump"}, 32),
        ]  # fmt: skip
        for why, wrong, size in cases:
            with self.subTest(why):
                self.disk.unlink(missing_ok=True)
                self.source.told.clear()
                got = self.run_on(size, told=self.told(**wrong))
                self.assertEqual(1, got.code)
                self.assertEqual([why], self.source.messages("image-error"))

    def test_a_wrong_image_is_no_server(self) -> None:
        self.source.image = an_image(self.place / "image", "dos")
        self.source.digest = "0" * 64
        self.assertEqual(1, self.run_on(32).code)
        [text] = self.source.messages("image-error")
        self.assertRegex(text, "the image's SHA-256 is [0-9a-f]{64}, not 0{64}")

    def test_without_its_document_nothing_happens(self) -> None:
        got = self.run_on(8, told={})
        self.assertEqual(1, got.code)
        self.assertIn("the hand-off cannot be had: the answer is 404", got.output)
        self.assertEqual(bytes(8 * MIB), self.disk.read_bytes())
        got = self.run_on(8, OSP_CONFIG_URL="")
        self.assertEqual(1, got.code)
        self.assertIn("OSP_CONFIG_URL is not given", got.output)

    def test_an_image_without_a_table_is_only_written(self) -> None:
        self.source.image = b"just bytes" * 1000
        got = self.run_on(8)
        self.assertEqual(0, got.code, got.output)
        self.assertEqual(10_000, len(self.disk.read_bytes().rstrip(b"\0")))
        self.assertEqual(
            ["the image has no partition table: nothing is put into the server"],
            self.source.messages("image-warning"),
        )

    def test_a_server_that_keeps_its_disk_gets_a_new_seed(self) -> None:
        self.source.image = an_image(self.place / "image", "dos")
        self.assertEqual(0, self.run_on(64).code)
        before, meta = partitions(self.disk), seed_of(self.disk)["meta-data"]
        told = self.told(img_id="null", hostname="renamed", img_passwd="Another-1")
        got = self.run_on(64, told=told)
        self.assertEqual(0, got.code, got.output)
        self.assertEqual(before, partitions(self.disk))
        found = seed_of(self.disk)
        self.assertEqual("renamed", json.loads(found["meta-data"])["local-hostname"])
        self.assertNotEqual(meta, found["meta-data"])
        self.assertIn('"ssh_deletekeys": false', found["vendor-data"])

    def test_a_crafted_table_ends_in_words(self) -> None:
        image = bytearray(an_image(self.place / "image", "gpt"))
        image[512 + 72 : 512 + 84] = b"\xff" * 12
        image[1024:2048] = b"\xa5" * 1024
        self.source.image = bytes(image)
        got = self.run_on(32)
        self.assertEqual(0, got.code, got.output)
        self.assertEqual(1, len(self.source.messages("image-warning")))

    def test_a_root_that_is_not_last_does_not_grow(self) -> None:
        self.source.image = an_image(self.place / "image", "dos")
        told = self.told(img_properties=json.dumps({"ROOT_PARTITION": "3"}))
        self.assertEqual(0, self.run_on(64, told=told).code)
        self.assertEqual([(1, 14), (59, 4)], partitions(self.disk))
        self.assertEqual([], self.source.messages("image-warning"))

    def test_logical_partitions_and_full_tables(self) -> None:
        logical = "label: dos\n2048,8192,83\n10240,20480,5\n12288,16384,83\n"
        full = "label: dos\n" + "".join(f"{2048 * n},2048,83\n" for n in range(1, 5))
        crowded = "the image's partition table is full: nothing is put into the server"
        cases: list[tuple[str, list[str]]] = [(logical, []), (full, [crowded])]
        for script, told in cases:
            with self.subTest(script):
                self.disk.unlink(missing_ok=True)
                self.source.told.clear()
                raw = self.place / "raw"
                raw.write_bytes(bytes(16 * MIB))
                tool("sfdisk", "-q", raw, given=script)
                self.source.image = raw.read_bytes()
                self.assertEqual(0, self.run_on(64).code)
                self.assertEqual(4, len(partitions(self.disk)))
                self.assertEqual(told, self.source.messages("image-warning"))
        self.assertEqual(self.source.image, self.disk.read_bytes()[: 16 * MIB])

    @unittest.skipIf(os.geteuid(), "needs root to be somebody else")
    def test_nobody_in_particular_can_run_it(self) -> None:
        self.source.image = an_image(self.place / "image", "gpt")
        self.disk.write_bytes(b"")
        self.place.chmod(0o755)
        for path in (self.disk, self.scratch):
            os.chown(path, 12345, 12345)
        got = self.run_on(64, uid=12345)
        self.assertEqual(0, got.code, got.output)
        self.grown()

    def on_a_device(self) -> Ran:
        """Run ``create`` on a block device of 64 MiB, full of other things."""
        self.disk.write_bytes(b"x" * 64 * MIB)
        try:
            device = tool("losetup", "--find", "--show", self.disk).strip()
        except (OSError, subprocess.CalledProcessError):
            raise unittest.SkipTest("there are no loop devices here") from None
        try:
            self.source.document = self.told()
            got = create(self.url, Path(device), self.scratch)
            self.assertEqual(0, Path(device).stat().st_uid)
        finally:
            tool("losetup", "--detach", device)
        self.assertEqual(0, got.code, got.output)
        return got

    def test_a_block_device_is_written_over(self) -> None:
        """Its old content is not taken for holes."""
        image = b"first" + bytes(5 * MIB) + b"then" + bytes(3 * MIB + 1)
        self.source.image = image
        self.on_a_device()
        found = self.disk.read_bytes()
        self.assertEqual((image, b"x"), (found[: len(image)], found[len(image) :][:1]))
        self.source.image = an_image(self.place / "image", "gpt", 32)
        self.on_a_device()
        self.grown()
        self.seeded()

    def test_certificates_are_verified(self) -> None:
        key, cert, both = (self.place / one for one in ("key", "cert", "both"))
        tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", key, "-out", cert)  # fmt: skip
        both.write_text(key.read_text() + cert.read_text())
        self.url = self.enterContext(serving(self.source, both))
        self.source.image = an_image(self.place / "image", "dos")
        got = self.run_on(32)
        self.assertEqual(1, got.code)
        self.assertIn("the certificate is not trusted here", got.output)
        got = self.run_on(32, SNFD_OS_CA=str(cert))
        self.assertEqual(0, got.code, got.output)
        self.assertEqual(2, len(partitions(self.disk)))

    @unittest.skipIf(os.geteuid(), "only root lends")
    def test_who_is_told_to_stop_takes_back_what_was_lent(self) -> None:
        self.disk.touch()
        done = subprocess.run(
            ["/usr/bin/python3", "-c", LENDS, self.disk],
            env={"PYTHONPATH": str(OS / "lib"), "PATH": PATH},
            capture_output=True,
            text=True,
        )
        self.assertEqual((1, "True\n"), (done.returncode, done.stdout), done.stderr)
        self.assertEqual(0, self.disk.stat().st_uid)

    def test_messages_of_snf_image_are_handed_on(self) -> None:
        conf = self.place / "progress.conf"
        conf.write_text(f"url = {self.url}\nsecret = {'ab' * 32}\n")
        lines = [
            '{"type": "image-copy-progress", "progress": 12.5, "timestamp": 1.5}',
            "no JSON",
            '{"type": "image-error", "messages": ["disk full"]}',
        ]
        monitor = OS.parent / "snfd-progress"
        tool(monitor, "snf-7", conf, given="\n".join(lines))
        mac = hmac.new(bytes.fromhex("ab" * 32), b"snf-7", "sha256").hexdigest()
        first, second = self.source.told
        self.assertEqual((12.5, 1.5), (first["progress"], first["event_time"]))
        self.assertEqual(["disk full"], second["messages"])
        self.assertEqual([f"/vmapi/v1.0/progress/snf-7.{mac}"] * 2, self.source.posted)

    def test_nodes_that_lack_nothing_are_fit(self) -> None:
        self.assertEqual("", tool(OS / "verify"))
