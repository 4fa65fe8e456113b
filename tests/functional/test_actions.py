"""Actions on servers, from HTTP to what the cluster has in the end."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

import pytest

from tests.functional.daemon import Client, Daemon, eventually, running
from tests.functional.evidence import complaints, imbalance
from tests.functional.lab import on_ganeti
from tests.functional.things import ok
from tests.lab import ganeti as real

OPENSTACK, SYNNEFO = "/os/compute/v2.1", "/compute/v2.0"
PASSWORD = "Correct1Horse"
BOUNDS = (
    "min:disk-size=1,cpu-count=1,disk-count=0,memory-size=1,nic-count=0,spindle-use=0"
    "/max:disk-size=1048576,cpu-count={cpu},disk-count=16,memory-size=1048576,"
    "nic-count=8,spindle-use=64"
)


class ActionsCase(unittest.TestCase):
    """One daemon and one server, which every test leaves running and small."""

    __test__ = False
    daemon: ClassVar[Daemon]
    client: ClassVar[Client]
    server: ClassVar[int]
    small: ClassVar[int]
    big: ClassVar[int]
    image: ClassVar[str]

    @classmethod
    def begin(cls, daemon: Daemon) -> None:
        cls.daemon, cls.client = daemon, daemon.client()
        listed = ok(cls.client.get(f"{SYNNEFO}/flavors/detail"))["flavors"]
        sizes = {(one["vcpus"], one["ram"]): one["id"] for one in listed}
        cls.small, cls.big = sizes[1, 1024], sizes[2, 1024]
        cls.image = ok(cls.client.get("/os/image/v2/images"))["images"][0]["id"]
        wanted = {"name": "web", "imageRef": cls.image, "flavorRef": cls.small}
        made = ok(cls.client.post(f"{SYNNEFO}/servers", {"server": wanted}), 202)
        cls.server = made["server"]["id"]
        cls.until("ACTIVE")

    @classmethod
    def show(cls) -> Any:
        return ok(cls.client.get(f"{SYNNEFO}/servers/{cls.server}"))["server"]

    @classmethod
    def until(cls, status: str, flavor: int | None = None) -> Any:
        """Wait for the server's status, and for the end of its task."""

        def there() -> Any:
            found = cls.show()
            right = flavor is None or found["flavor"]["id"] == flavor
            done = found["status"] == status and not found["SNF:task_state"]
            return found if done and right else None

        return eventually(there, 120)

    def act(self, base: str, name: str, given: object = None, status: int = 202) -> Any:
        path = f"{base}/servers/{self.server}/action"
        got = self.client.post(path, {name: given})
        self.assertEqual(status, got.status, got.body)
        return got

    def usage(self) -> dict[str, int]:
        held = ok(self.client.get("/account/v1.0/quotas"))[self.client.project]
        return {name: one["usage"] for name, one in held.items()}

    def history(self) -> list[str]:
        path = f"{OPENSTACK}/servers/{self.server}/os-instance-actions"
        return [one["action"] for one in ok(self.client.get(path))["instanceActions"]]

    def balanced(self) -> None:
        self.assertEqual([], imbalance(self.daemon))
        self.assertEqual([], complaints(self.daemon))

    def test_cyclades_36_resized_while_it_is_stopped(self) -> None:
        before = self.usage()
        self.act(SYNNEFO, "resize", {"flavorRef": self.big}, 400)
        self.act(SYNNEFO, "shutdown", {})
        self.until("STOPPED")
        self.act(SYNNEFO, "resize", {"flavorRef": self.big})
        self.until("STOPPED", self.big)
        self.act(SYNNEFO, "resize", {"flavorRef": self.small})
        self.until("STOPPED", self.small)
        self.act(SYNNEFO, "start", {})
        self.until("ACTIVE")
        self.assertEqual(before, self.usage())

    def test_cyclades_36_resized_while_it_runs(self) -> None:
        before = self.usage()
        for flavor in (self.big, self.small):
            self.act(OPENSTACK, "resize", {"flavorRef": str(flavor)})
            self.until("ACTIVE", flavor)
            self.act(OPENSTACK, "confirmResize", status=204)
            self.act(OPENSTACK, "revertResize", status=409)
            self.assertEqual("resize", self.history()[0])
        self.assertEqual(before, self.usage())
        self.balanced()

    def test_cyclades_47_rebuilt(self) -> None:
        before = self.show()
        wanted = {"imageRef": self.image, "adminPass": PASSWORD}
        told = self.act(OPENSTACK, "rebuild", wanted).json["server"]
        self.assertEqual(("REBUILD", PASSWORD), (told["status"], told["adminPass"]))
        after = self.until("ACTIVE")
        for same in ("volumes", "addresses", "attachments", "diagnostics"):
            self.assertEqual(before[same], after[same])
        self.assertEqual("rebuild", self.history()[0])
        self.balanced()

    def test_cyclades_47_another_password(self) -> None:
        before = self.show()["diagnostics"]
        self.act(OPENSTACK, "changePassword", {"adminPass": PASSWORD})
        kept = ok(self.client.get(f"{SYNNEFO}/servers/{self.server}/password"))
        self.assertEqual({"password": PASSWORD}, kept)
        self.act(SYNNEFO, "reboot", {})
        self.assertEqual(before, self.until("ACTIVE")["diagnostics"])
        self.assertEqual("changePassword", self.history()[0])
        self.act(SYNNEFO, "reboot", {})
        self.until("ACTIVE")
        self.assertEqual("reboot", self.history()[0])


@pytest.mark.timeout(300)
class PocketTests(ActionsCase):
    """On the cluster that the daemon brings along."""

    __test__ = True

    @classmethod
    def setUpClass(cls) -> None:
        cls.begin(cls.enterClassContext(running()))


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(600)
class GanetiTests(ActionsCase):
    """On real Ganeti."""

    __test__ = True
    lab: ClassVar[real.Lab]

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = real.lab()
        cls.lab.clear()
        cls.addClassCleanup(cls.lab.clear)
        cls.begin(cls.enterClassContext(on_ganeti(cls.lab)))

    def instance(self) -> Any:
        return self.lab.ask("GET", f"/2/instances/snf-{self.server}")

    def size(self) -> tuple[int, int]:
        found = self.instance()["beparams"]
        return found["vcpus"], found["maxmem"]

    def last_job(self, kind: str) -> Any:
        """The newest job with an operation of a kind."""
        jobs = [
            job
            for job in self.lab.ask("GET", "/2/jobs?bulk=1")
            if any(op["OP_ID"] == kind for op in job["ops"])
        ]
        return max(jobs, key=lambda job: int(job["id"]))

    def test_cyclades_36_the_cluster_has_the_size(self) -> None:
        self.act(OPENSTACK, "resize", {"flavorRef": str(self.big)})
        self.until("ACTIVE", self.big)
        self.assertEqual((2, 1024), self.size())
        self.act(OPENSTACK, "resize", {"flavorRef": str(self.small)})
        self.until("ACTIVE", self.small)
        self.assertEqual((1, 1024), self.size())
        self.assertEqual("running", self.instance()["status"])

    def test_cyclades_37_a_policy_that_forbids_the_size(self) -> None:
        before = self.usage()
        self.bounds(1)
        try:
            self.act(OPENSTACK, "resize", {"flavorRef": str(self.big)})
            shown = self.until("ACTIVE")
        finally:
            self.bounds(64)
        self.assertEqual(self.small, shown["flavor"]["id"])
        self.assertEqual("ganeti-modify-failed", shown["diagnostics"][0]["source"])
        self.assertEqual(before, self.usage())
        self.assertEqual((1, 1024), self.size())
        self.balanced()

    def bounds(self, cpu: int) -> None:
        """Set how many processors an instance may have."""
        policy = f"--ipolicy-bounds-specs={BOUNDS.format(cpu=cpu)}"
        self.lab.run("gnt-cluster", "modify", policy)

    def test_cyclades_42_somebody_else_changes_the_size(self) -> None:
        before = self.usage()
        name = f"snf-{self.server}"
        self.lab.run("gnt-instance", "modify", "-B", "vcpus=2", name)
        self.until("ACTIVE", self.big)
        self.assertEqual(before["cyclades.cpu"] + 1, self.usage()["cyclades.cpu"])
        self.lab.run("gnt-instance", "modify", "-B", "vcpus=3", name)
        eventually(lambda: self.usage()["cyclades.cpu"] == before["cyclades.cpu"] + 2)
        other = self.show()["flavor"]["id"]
        shown = ok(self.client.get(f"{SYNNEFO}/flavors/{other}"))["flavor"]
        self.assertEqual((3, 1024), (shown["vcpus"], shown["ram"]))
        self.lab.run("gnt-instance", "modify", "-B", "vcpus=1", name)
        self.until("ACTIVE", self.small)
        self.assertEqual(before, self.usage())
        self.balanced()

    def test_a_rebuild_is_one_job_known_by_its_url(self) -> None:
        self.act(SYNNEFO, "rebuild", {"imageRef": self.image, "adminPass": PASSWORD})
        self.until("ACTIVE")
        job = self.last_job("OP_INSTANCE_REINSTALL")
        self.assertEqual(
            ["OP_INSTANCE_SHUTDOWN", "OP_INSTANCE_REINSTALL", "OP_INSTANCE_STARTUP"],
            [op["OP_ID"] for op in job["ops"]],
        )
        url = job["ops"][1]["osparams"]["config_url"]
        self.assertRegex(url, r"/vmapi/v1\.0/server-params/[^#]+#snfd:[0-9a-f-]{36}$")
        self.assertNotIn(PASSWORD, str(job))
