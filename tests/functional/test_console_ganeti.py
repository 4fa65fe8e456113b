"""A guest on real Ganeti, its image in real RADOS, its screen in a browser."""

from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

import pytest

from storage.hashmap import block_hash
from tests.functional.daemon import eventually
from tests.functional.lab import on_ganeti
from tests.functional.openstack import Openstack
from tests.functional.test_boot import LOGIN, PATIENCE, lacking, shot
from tests.lab import ceph, guest
from tests.lab import ganeti as real
from tests.web import browser

BLOCK = 4 << 20


@pytest.mark.rig("ganeti-kvm", "rados")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(900)
class ConsoleTests(unittest.TestCase):
    """All parts are real; the machine is emulated, and so it boots anywhere."""

    def setUp(self) -> None:
        if why := lacking():
            self.skipTest(why)
        self.rados = ceph.cluster()
        self.lab = real.start(kvm="tcg", bridges=real.BRIDGES)
        self.addCleanup(self.lab.stop)
        self.daemon = self.enterContext(
            on_ganeti(
                self.lab,
                hypervisor="kvm",
                SNFD_STORAGE_DRIVER="rados",
                SNFD_STORAGE_POOL=self.rados.pool,
                SNFD_STORAGE_CEPH_CONF=self.rados.conf,
                SNFD_STORAGE_CEPH_USER=self.rados.user,
                SNFD_STORAGE_CEPH_KEYRING=self.rados.keyring,
            )
        )
        self.openstack = Openstack(self.daemon)

    def test_a_linux_boots_and_somebody_logs_in(self) -> None:
        disk = self.upload()
        self.assertIn(block_hash(disk.read_bytes()[:BLOCK]).hex(), self.blocks())
        self.openstack("server create --image guest --flavor C1R128D1file --wait one")
        found = self.lab.ask("GET", "/2/instances/snf-1")
        self.assertEqual("running", found["status"])
        self.assertEqual("disabled", found["hvparams"]["kvm_flag"])  # emulated
        text = self.log_in()
        self.assertIn("root login on 'tty1'", text)
        self.openstack("server delete --wait one")
        eventually(lambda: self.left() == "", 30)

    def upload(self) -> Path:
        """The image's file, uploaded by a client."""
        disk = guest.guest(self.daemon.var)
        self.openstack(
            "image create --disk-format raw --container-format bare guest --file",
            str(disk),
        )
        return disk

    def blocks(self) -> str:
        """Names of the objects in the pool."""
        command = ["rados", "--conf", self.rados.conf, "-p", self.rados.pool, "ls"]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def log_in(self) -> str:
        """What the screen shows once somebody has logged in there."""
        shown = self.openstack.json("console url show one")
        seen = browser.visit_and_wait(
            shown["url"],
            "wait-for-text=GUEST-READY boots=1",
            *LOGIN,
            "type=cat /proc/cmdline\\n",
            "wait-for-text=net.ifnames",
            *shot("console-ganeti"),
            "text",
            limit=PATIENCE + 60,
            wait=PATIENCE,
        )
        self.assertEqual([], seen.problems)
        return str(seen.values[-1])

    def left(self) -> str:
        """Machines and disks at the cluster."""
        return self.lab.run(
            "sh", "-c", "ps -eo comm= | grep ^qemu; ls /srv/ganeti/file-storage"
        ).strip()
