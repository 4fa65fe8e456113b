"""A guest boots from a disk that the OS definition made."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import unittest
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.functional.onenode import MIB, Source, create, serving, tool
from tests.lab.guest import guest, missing

PATIENCE = 200
"""Seconds that a guest may take."""

LOOK = r"""#!/bin/sh
tr '\0' '\n' < /dev/vda3 | grep -o '"local-hostname": "[^"]*"' > /dev/ttyS0
"""


@pytest.mark.rig("pocket")
@unittest.skipIf(os.environ.get("CI") != "true" and missing(), str(missing()))
class BootTests(unittest.TestCase):
    def setUp(self) -> None:
        self.place = Path(mkdtemp(prefix="snfd-boot-"))
        self.addCleanup(shutil.rmtree, self.place)

    def test_it_boots_has_room_and_finds_its_seed(self) -> None:
        image = guest(self.place)
        self.looks(image)
        disk, scratch = self.place / "disk", self.place / "tmp"
        scratch.mkdir()
        disk.touch()
        os.truncate(disk, 160 * MIB)
        source = Source(image.read_bytes())
        with serving(source) as url:
            source.document = {
                "img_id": f"{url}/image",
                "img_passwd": "Quite9Private",
                "img_properties": json.dumps({"ROOT_PARTITION": "2"}),
                "hostname": "seeded",
            }
            got = create(url, disk, scratch)
        self.assertEqual((0, "image\ncustomise\ngrow\ndone\n"), (got.code, got.output))
        said = self.boot(disk)
        self.assertIn('"local-hostname": "seeded"', said)
        room = re.search(r"GUEST-READY boots=1 .* disk=(\d+)M", said)
        assert room is not None, said
        self.assertGreater(int(room[1]), 100)

    def looks(self, image: Path) -> None:
        """Have the guest say what it finds on its third partition."""
        script = self.place / "look"
        script.write_text(LOOK)
        commands = f"cd /etc/boot.d\nwrite {script} look\nsif look mode 0100755\n"
        tool("debugfs", "-w", "-f", "-", f"{image}?offset={33 * MIB}", given=commands)

    def boot(self, disk: Path) -> str:
        """What the guest says on its serial console until it is ready."""
        said = self.place / "serial"
        command = [
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-m",
            "128",
            "-display",
            "none",
            "-nic",
            "none",
            "-monitor",
            "none",
            "-serial",
            f"file:{said}",
            "-drive",
            f"file={disk},format=raw,if=virtio",
        ]
        machine = subprocess.Popen(command)
        try:
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and machine.poll() is None:
                text = said.read_text(errors="replace") if said.exists() else ""
                if "GUEST-READY" in text:
                    return text
                time.sleep(0.3)
            raise AssertionError(f"no guest: {text[-2000:]}")
        finally:
            machine.kill()
            machine.wait()
