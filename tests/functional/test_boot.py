"""Machines that really boot, and people at their screens."""

from __future__ import annotations

import os
import re
import unittest
from pathlib import Path
from typing import Any

import pytest

from tests.functional.daemon import Daemon, eventually, running
from tests.functional.openstack import Openstack
from tests.functional.processes import users_of
from tests.lab import guest
from tests.web import browser

PATIENCE = 240
"""Seconds that a guest gets to boot; emulation on a busy machine is slow."""

LOGIN = (
    "type=root\\n",
    "wait-for-text=Password",
    "type=test\\n",
    "wait-for-text=built-in shell",
)


def shot(name: str) -> list[str]:
    """A command that takes a screenshot where ``SNFD_SHOTS`` wants them."""
    folder = os.environ.get("SNFD_SHOTS")
    return [f"screenshot={folder}/{name}.png"] if folder else []


def lacking() -> str | None:
    """What is not here to boot a machine and look at it."""
    if os.environ.get("CI") == "true":
        return None
    return guest.missing() or browser.missing()


@pytest.mark.rig("pocket")
@pytest.mark.xdist_group("boot")
@pytest.mark.timeout(900)
class BootTests(unittest.TestCase):
    daemon: Daemon
    openstack: Openstack

    def setUp(self) -> None:
        if why := lacking():
            self.skipTest(why)
        self.daemon = self.enterContext(running(SNFD_POCKET_HYPERVISOR="auto"))
        self.openstack = Openstack(self.daemon)

    def watch(self, server: str, *commands: str) -> list[Any]:
        """Do something at a server's console page, which must not complain."""
        shown = self.openstack.json("console url show", server)
        seen = browser.visit_and_wait(
            shown["url"], *commands, limit=PATIENCE + 60, wait=PATIENCE
        )
        self.assertEqual([], seen.problems)
        return list(seen.values)

    def status(self, server: str, wanted: str) -> None:
        """Wait until openstackclient says that a server is so."""
        show = f"server show -f value -c status {server}"
        eventually(lambda: self.openstack(show).strip() == wanted, 180, 0.5)

    @property
    def disks(self) -> list[Path]:
        return [
            path for path in self.daemon.var.glob("pocket/disks/**/*") if path.is_file()
        ]

    @property
    def machines(self) -> list[str]:
        """Command lines of the QEMUs of this cloud."""
        found = []
        for pid in users_of(self.daemon.var / "pocket"):
            line = Path(f"/proc/{pid}/cmdline").read_text()
            if line.startswith("qemu-system") or "/qemu-system" in line.split("\0")[0]:
                found.append(line)
        return found

    def test_a_linux_boots_and_somebody_logs_in(self) -> None:
        self.upload()
        address = self.create()
        self.log_in(address)
        self.stop_and_start()
        self.reboot()
        self.delete()

    def upload(self) -> None:
        disk = guest.guest(self.daemon.var)
        made = self.openstack.json(
            "image create --disk-format raw --container-format bare guest --file",
            str(disk),
        )
        self.assertEqual(
            ("active", disk.stat().st_size), (made["status"], made["size"])
        )

    def create(self) -> str:
        """A running server's address."""
        made = self.openstack.json(
            "server create --image guest --flavor C1R128D1file --wait first"
        )
        self.assertEqual("ACTIVE", made["status"])
        self.assertEqual(1, len(self.machines))
        [[address]] = self.openstack.json("server show first")["addresses"].values()
        return str(address)

    def log_in(self, address: str) -> None:
        self.watch("first", "wait-for-text=GUEST-READY boots=1", *shot("console-boot"))
        *_, text, _ = self.watch(
            "first",
            "wait-for-text=GUEST-ADDRESS",
            *LOGIN,
            "type=ip -4 addr show eth0\\n",
            "wait-for-text=inet ",
            *shot("console-login"),
            "text",
            "type=exit\\n",
        )
        screen = text if isinstance(text, str) else ""
        self.assertIn("root login on 'tty1'", screen)
        told = re.search(r"GUEST-ADDRESS ([0-9.]+)/", screen)
        assert told is not None, screen
        self.assertEqual(address, told[1])
        self.assertIn(f"inet {address}/", screen)

    def stop_and_start(self) -> None:
        """The disk keeps what the guest wrote: it counts its boots there."""
        self.openstack("server stop first")
        self.status("first", "SHUTOFF")
        self.assertEqual([], self.machines)
        self.openstack("server start first")
        self.status("first", "ACTIVE")
        self.watch("first", "wait-for-text=GUEST-READY boots=2")

    def reboot(self) -> None:
        self.openstack("server reboot --wait first")
        self.watch("first", "wait-for-text=GUEST-READY boots=3")

    def delete(self) -> None:
        self.assertEqual(1, len(self.disks))
        self.openstack("server delete --wait first")
        self.assertEqual([], self.openstack.json("server list"))
        eventually(lambda: not self.machines and not self.disks, 30)

    def test_the_demo_image_says_hello_and_listens(self) -> None:
        """The very command that a start prints makes a server."""
        [command] = [line for line in self.daemon.printed if "server create" in line]
        self.openstack(command.split(maxsplit=1)[1])
        *_, text = self.watch(
            "hi",
            "wait-for-text=Hello from snfd!",
            *shot("console-hello"),
            "type=it works 42",
            "wait-for-text=it works 42",
            "text",
        )
        self.assertRegex(text, r"Type: it works 42")
        self.openstack("server stop hi")
        self.status("hi", "SHUTOFF")
