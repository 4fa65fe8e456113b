"""A real guest, in a real QEMU, with a real screen."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from pocket.choose import socket_directory
from pocket.images import PIECE
from pocket.netdev import tap_name
from pocket.qemu import Qemu
from pocket.screen import response
from pocket.service import Pocket
from tests.lab.guest import guest, missing
from tests.pocket.rig import (
    SYSTEM_PYTHON,
    Image,
    PocketCase,
    lacking,
    new_instance,
    view,
)


@pytest.mark.rig("pocket")
class QemuTests(PocketCase):
    skip = None if os.environ.get("CI") == "true" else missing()

    async def start_qemu(self, data: Path) -> Pocket:
        return await self.start(data=data, hypervisor="qemu")

    async def serial(self, name: str, wanted: str, patience: float = 90) -> str:
        """What the guest said on its serial console, once that has `wanted`."""
        runs = self.pocket.cluster.hypervisor
        assert isinstance(runs, Qemu)
        text = ""
        for _ in range(int(patience / 0.2)):
            text += str(
                await runs.monitors[name].execute(
                    "ringbuf-read", device="serial", size=65536
                )
            )
            if wanted in text:
                return text
            await deferLater(reactor, 0.2)
        raise AssertionError(f"no {wanted} in {text[-2000:]}")

    async def boot(self, data: Path, **more: object) -> None:
        """Networks, and snf-1 from the guest's image on a larger disk."""
        await self.start_qemu(data)
        raw = guest(data).read_bytes()
        self.image = Image(raw)
        url = self.serve(self.image)
        net = {"network_name": "n", "network": "10.7.0.0/24", "gateway": "10.7.0.1"}
        await self.good("POST", "/2/networks", net)
        to = {"group_name": "default", "network_mode": "bridged"}
        await self.good("PUT", "/2/networks/n/connect", to)
        body = new_instance(
            "snf-1",
            disks=[{"size": 80, "name": "snf-vol-1"}],
            nics=[{"network": "n", "ip": "10.7.0.2", "mac": "aa:00:00:00:00:17"}],
            beparams={"minmem": 128, "maxmem": 128, "vcpus": 1},
            osparams={"img_id": url, "img_format": "diskdump"},
            **more,
        )
        await self.good("POST", "/2/instances", body)

    async def test_a_guest_boots_with_its_address_and_shuts_down(self) -> None:
        """Boots Linux; 10.7.0.2 is also where QEMU's own host would be."""
        data = self.directory()
        await self.boot(data)
        runs = self.pocket.cluster.hypervisor
        assert isinstance(runs, Qemu)
        state = await runs.monitors["snf-1"].execute("query-status")
        self.assertEqual("running", state["status"])
        _, shown = await self.call("GET", "/2/instances/snf-1")
        self.assertEqual("running", shown["status"])
        self.assertEqual("127.0.0.1", shown["hvparams"]["vnc_bind_address"])
        viewer = await view(self, shown["network_port"])
        self.assertEqual(b"RFB 003.008\n", await viewer.take(12))
        text = await self.serial("snf-1", "GUEST-ADDRESS")
        self.assertIn("GUEST-ADDRESS 10.7.0.2/24", text)
        if "GUEST-READY" not in text:
            await self.serial("snf-1", "GUEST-READY")
        runs.patience = 120.0
        await self.replug()
        [disk] = data.glob("disks/*/*")
        self.assertEqual(80 * PIECE, disk.stat().st_size)
        self.assertLess(disk.stat().st_blocks * 512, 64 * PIECE)
        await self.good("PUT", "/2/instances/snf-1/shutdown", {"timeout": 30})
        _, shown = await self.call("GET", "/2/instances/snf-1")
        self.assertEqual("ADMIN_down", shown["status"])
        self.assertEqual([], list(data.glob("run/*")))
        inside = f"{disk}?offset=34603008"
        boots = subprocess.run(
            ["debugfs", "-R", "cat /boots", inside], capture_output=True, check=True
        )
        self.assertEqual(b"1", boots.stdout.strip())
        await self.good("DELETE", "/2/instances/snf-1", {"shutdown_timeout": 0})
        self.assertEqual([], list(data.glob("disks/*")))

    async def replug(self) -> None:
        """A NIC and a disk come and go while the guest runs."""
        path = "/2/instances/snf-1/modify"
        nic, disk = {"network": "n", "ip": "pool", "name": "n2"}, {"size": 8}
        body = {"nics": [["add", "-1", nic]], "disks": [["add", "-1", disk]]}
        hot = {"hotplug_if_possible": True}
        job = await self.good("PUT", path, {**body, **hot})
        done = [value for _, value in job["opresult"][0]][-2:]
        self.assertEqual(["hotplug:done"] * 2, done)
        body = {"nics": [["remove", "n2", {}]], "disks": [["remove", "1", {}]]}
        job = await self.good("PUT", path, {**body, "hotplug": True})
        done = [value for _, value in job["opresult"][0]][-2:]
        self.assertEqual(["hotplug:done"] * 2, done)

    async def test_a_screen_with_a_password(self) -> None:
        await self.start(
            data=self.directory(), hypervisor="qemu", vnc_password="secret"
        )
        await self.good("POST", "/2/instances", new_instance("snf-1"))
        _, shown = await self.call("GET", "/2/instances/snf-1")
        viewer = await view(self, shown["network_port"])
        self.assertEqual(b"RFB 003.008\n", await viewer.take(12))
        viewer.say(b"RFB 003.008\n")
        self.assertEqual(b"\1\2", await viewer.take(2))
        viewer.say(b"\2")
        challenge = await viewer.take(16)
        viewer.say(response(challenge, "secret"))
        self.assertEqual(b"\0\0\0\0", await viewer.take(4))

    async def test_a_guest_that_ignores_the_button_is_ended(self) -> None:
        """Its disk is empty: only firmware runs, and that knows no button."""
        await self.start_qemu(self.directory())
        await self.good("POST", "/2/instances", new_instance("snf-1"))
        job = await self.good("PUT", "/2/instances/snf-1/shutdown", {"timeout": 1})
        took = job["end_ts"][0] - job["start_ts"][0]
        self.assertGreaterEqual(took, 1)
        self.assertEqual("ADMIN_down", await self.status())

    async def test_a_machine_that_does_not_start_is_a_failed_job(self) -> None:
        pocket = await self.start_qemu(self.directory())
        runs = pocket.cluster.hypervisor
        assert isinstance(runs, Qemu)
        runs.accel = "nonsense"
        job = await self.job("POST", "/2/instances", new_instance("snf-1"))
        kind, [text] = job["opresult"][0]
        self.assertEqual("OpExecError", kind)
        self.assertIn("nonsense", text)
        self.assertEqual("ERROR_down", await self.status())
        await self.good("DELETE", "/2/instances/snf-1")

    async def test_a_killed_pocket_finds_its_machines_again(self) -> None:
        """Killed with SIGKILL, below a path that is too long for sockets; the
        guest lives on, in the same process."""
        data = self.directory() / ("a-long-name" * 12)
        data.mkdir()
        self.place = socket_directory(data)
        self.addCleanup(self.sweep)
        child = await self.spawn(data, "--hypervisor=qemu")
        body = new_instance("snf-1")
        await self.good("POST", "/2/instances", body)
        pid = self.pid()
        await child.stop("KILL")
        child = await self.spawn(data, "--hypervisor=qemu")
        self.assertEqual("running", await self.status())
        self.assertEqual(pid, self.pid())
        os.kill(pid, 9)
        while await self.status() == "running":
            await deferLater(reactor, 0.02)
        self.assertEqual("ERROR_down", await self.status())
        await child.stop("KILL")
        child = await self.spawn(data, "--hypervisor=qemu")
        _, jobs = await self.call("GET", "/2/jobs")
        await self.ended(jobs[-1]["id"])
        self.assertEqual("running", await self.status())
        self.assertNotEqual(pid, self.pid())
        await child.stop()
        self.assertEqual([], list(self.place.iterdir()))

    async def test_it_runs_as_a_user_who_may_read_nothing_of_the_cloud(self) -> None:
        """As uid 65534, next to a directory that only root can enter."""
        if os.getuid() != 0 or not SYSTEM_PYTHON.exists():
            raise lacking("only root can become somebody else")
        top = self.directory()
        top.chmod(0o755)
        cloud, data = top / "cloud", top / "pocket"
        cloud.mkdir(mode=0o700)
        (cloud / "blocks").write_bytes(b"secret")
        data.mkdir(mode=0o700)
        os.chown(data, 65534, 65534)
        await self.spawn(data, "--hypervisor=qemu", uid=65534)
        url = self.serve(Image(b"image" * 1000))
        body = new_instance("snf-1", osparams={"img_id": url})
        await self.good("POST", "/2/instances", body)
        self.assertEqual("running", await self.status())
        [pid] = [int(path.read_text()) for path in data.glob("run/*.pid")]
        owners = {Path(f"/proc/{pid}").stat().st_uid} | {
            path.stat().st_uid for path in data.rglob("*") if path.name != "password"
        }
        self.assertEqual({65534}, owners)
        await self.good("DELETE", "/2/instances/snf-1", {"shutdown_timeout": 0})

    async def test_a_bridge_gets_the_nics(self) -> None:
        """With root and POCKET_BRIDGE; the tap goes when the machine goes."""
        bridge, mac = "pktest0", "aa:00:00:00:00:42"
        made = subprocess.run(["ip", "link", "add", bridge, "type", "bridge"])
        if made.returncode != 0:
            raise lacking("no bridge can be made here")
        self.addCleanup(subprocess.run, ["ip", "link", "del", bridge])
        await self.spawn(self.directory(), "--hypervisor=qemu", POCKET_BRIDGE=bridge)
        body = new_instance("snf-1", nics=[{"mac": mac, "name": "n"}])
        await self.good("POST", "/2/instances", body)
        tap = Path("/sys/class/net") / tap_name(mac)
        self.assertEqual(bridge, (tap / "master").resolve().name)
        await self.good("DELETE", "/2/instances/snf-1", {"shutdown_timeout": 0})
        self.assertFalse(tap.exists())

    def sweep(self) -> None:
        """End what a failed test has left."""
        for path in self.place.glob("*.pid"):
            os.kill(int(path.read_text()), 9)
        shutil.rmtree(self.place, True)

    def pid(self) -> int:
        [path] = self.place.glob("*.pid")
        return int(path.read_text())

    async def status(self) -> str:
        _, shown = await self.call("GET", "/2/instances/snf-1")
        return str(shown["status"])
