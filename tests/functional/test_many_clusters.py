"""One daemon and three clusters: where servers go, and what stops nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, ClassVar
from unittest import TestCase

import pytest

from tests.functional.daemon import Daemon, Reply, eventually, running
from tests.functional.snfctl import Snfctl
from tests.functional.things import COMPUTE, NETWORK, ok
from tests.lab.pockets import PASSWORD, PocketCluster, pockets

FIRST, SECOND, THIRD = "pocket", "athens", "berlin"


@pytest.mark.rig("pocket")
class ManyClustersTests(TestCase):
    """The embedded cluster and two of which it is told by ``snfctl backend``."""

    daemon: ClassVar[Daemon]
    second: ClassVar[PocketCluster]
    third: ClassVar[PocketCluster]
    snfctl: ClassVar[Snfctl]
    image: ClassVar[str]
    flavor: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        stack = cls.enterClassContext(ExitStack())
        cls.second, cls.third = stack.enter_context(pockets(SECOND, THIRD))
        cls.daemon = stack.enter_context(running())
        cls.snfctl = Snfctl(cls.daemon.var)
        for one in (cls.second, cls.third):
            cls.snfctl(
                *("backend", "add", one.name, "--url", one.url, "--username", "snfd"),
                *("--hypervisor", "fake", "--tls-ca", str(one.certificate)),
                "--password-stdin",
                stdin=PASSWORD + "\n",
            )
            eventually(lambda one=one: cls.info(one.name)["as_of"])  # type: ignore[misc]
        client = cls.daemon.client()
        images = ok(client.get("/os/image/v2/images"))["images"]
        cls.image = images[0]["id"]
        flavors = ok(client.get(f"{COMPUTE}/flavors/detail"))["flavors"]
        cls.flavor = min(flavors, key=lambda one: one["ram"])["id"]

    def setUp(self) -> None:
        self.client = self.daemon.client()
        for name in (FIRST, SECOND, THIRD):
            self.snfctl("backend", "modify", name, "--drained", "no")

    @classmethod
    def info(cls, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = cls.snfctl.json("backend", "info", name)
        return found

    def only(self, *names: str) -> None:
        """Let new servers go to these clusters alone."""
        for name in (FIRST, SECOND, THIRD):
            drained = "no" if name in names else "yes"
            self.snfctl("backend", "modify", name, "--drained", drained)

    def post(self, name: str, **more: Any) -> Reply:
        server = {
            "name": name,
            "imageRef": self.image,
            "flavorRef": self.flavor,
            "networks": "none",
            **more,
        }
        if server["networks"] == "none":
            server["networks"] = []
        return self.client.post(f"{COMPUTE}/servers", {"server": server})

    def create(self, name: str, **more: Any) -> str:
        ident: str = ok(self.post(name, **more), 202)["server"]["id"]
        return ident

    def status(self, ident: str) -> str:
        got = self.client.get(f"{COMPUTE}/servers/{ident}")
        return "GONE" if got.status == 404 else got.json["server"]["status"]

    def becomes(self, ident: str, status: str) -> None:
        eventually(lambda: self.status(ident) == status, 180)

    def delete(self, *idents: str) -> None:
        for ident in idents:
            self.assertEqual(
                204, self.client.delete(f"{COMPUTE}/servers/{ident}").status
            )
        for ident in idents:
            self.becomes(ident, "GONE")

    def where(self) -> dict[str, str]:
        """The cluster of each instance that any of them has."""
        mine = self.daemon.rapi("GET", "/2/instances")
        found = {one["id"]: FIRST for one in mine}
        for cluster in (self.second, self.third):
            found.update(dict.fromkeys(cluster.instances(), cluster.name))
        return found

    def test_cyclades_36_28_parallel_creates_spread_over_all(self) -> None:
        with ThreadPoolExecutor(12) as pool:
            idents = list(pool.map(self.create, [f"s{n}" for n in range(12)]))
        for ident in idents:
            self.becomes(ident, "ACTIVE")
        where = self.where()
        spread = Counter(where[f"snf-{ident}"] for ident in idents)
        self.assertEqual(12, sum(spread.values()))
        self.assertEqual({FIRST, SECOND, THIRD}, set(spread))
        self.assertLessEqual(max(spread.values()) - min(spread.values()), 2, spread)
        self.delete(*idents)

    def test_cyclades_36_24_all_drained(self) -> None:
        self.only()
        got = self.post("nowhere")
        self.assertEqual((503, "30"), (got.status, got.headers["retry-after"]))

    def test_cyclades_36_25_a_cluster_that_is_down_is_skipped(self) -> None:
        self.only(SECOND)
        there = self.create("there")
        self.becomes(there, "ACTIVE")
        self.second.stop()
        try:
            eventually(lambda: self.state(SECOND) == "unreachable")
            got = self.post("nowhere")
            self.assertEqual(503, got.status, got.body)
            self.only(FIRST, SECOND, THIRD)
            elsewhere = [self.create(f"else{n}") for n in range(2)]
            for ident in elsewhere:
                self.becomes(ident, "ACTIVE")
            where = self.where_up()
            self.assertNotIn(SECOND, {where[f"snf-{one}"] for one in elsewhere})
            self.assertEqual("ACTIVE", self.status(there))
            got = self.client.delete(f"{COMPUTE}/servers/{there}")
            self.assertEqual(204, got.status, got.body)
        finally:
            self.second.start()
        self.becomes(there, "GONE")
        self.assertNotIn(f"snf-{there}", self.second.instances())
        self.delete(*elsewhere)

    def state(self, name: str) -> str:
        return str(self.snfctl.json("backend", "show", name)["state"])

    def where_up(self) -> dict[str, str]:
        mine = self.daemon.rapi("GET", "/2/instances")
        found = {one["id"]: FIRST for one in mine}
        return found | dict.fromkeys(self.third.instances(), THIRD)

    def test_cyclades_36_63_a_network_comes_to_the_second_cluster_when_needed(
        self,
    ) -> None:
        network = ok(
            self.client.post(f"{NETWORK}/networks", {"network": {"name": "mine"}}), 201
        )["network"]["id"]
        body = {"network_id": network, "cidr": "10.9.0.0/24", "ip_version": 4}
        ok(self.client.post(f"{NETWORK}/subnets", {"subnet": body}), 201)
        known = f"snf-net-{network}"
        self.only(SECOND)
        one = self.create("one", networks=[{"uuid": network}])
        self.becomes(one, "ACTIVE")
        self.assertIn(known, self.second.networks())
        self.assertNotIn(known, self.third.networks())
        self.only(THIRD)
        two = self.create("two", networks=[{"uuid": network}])
        self.becomes(two, "ACTIVE")
        prefixes = [
            each.networks()[known]["mac_prefix"] for each in (self.second, self.third)
        ]
        self.assertEqual(prefixes[0][:-1], prefixes[1][:-1])
        self.assertNotEqual(prefixes[0], prefixes[1])
        for cluster, ident in ((self.second, one), (self.third, two)):
            [mac] = cluster.instances()[f"snf-{ident}"]["nic.macs"]
            self.assertEqual(cluster.networks()[known]["mac_prefix"], mac[:8])
        self.delete(one, two)

    def test_a_cluster_is_dedicated_taken_offline_and_removed(self) -> None:
        self.snfctl("backend", "modify", THIRD, "--public", "no")
        self.snfctl("backend", "dedicate", THIRD, "demo")
        ident = self.create("ours")
        self.becomes(ident, "ACTIVE")
        self.assertIn(f"snf-{ident}", self.third.instances())
        refused = self.snfctl.run("backend", "remove", THIRD, "--yes")
        self.assertEqual(6, refused.status, refused)
        self.delete(ident)
        self.snfctl("backend", "release", THIRD, "demo")
        self.snfctl("backend", "modify", THIRD, "--public", "yes")
        shown = self.snfctl("backend", "show", THIRD) + self.snfctl("backend", "list")
        self.assertNotIn(PASSWORD, shown)
        self.assertNotIn(PASSWORD, self.daemon.log.read_text())

    def make(self, name: str, disk: str | None, *, start: bool) -> None:
        """An instance at the third cluster that no daemon asked for."""
        body = {
            "__version__": 1,
            "mode": "create",
            "name": name,
            "disk_template": "file",
            "disks": [{"size": 1024, **({"name": disk} if disk else {})}],
            "nics": [],
            "os": "noop",
            "hypervisor": "fake",
            "beparams": {"vcpus": 1, "minmem": 128, "maxmem": 128},
            "start": start,
        }
        self.third.rapi("POST", "/2/instances", body)
        eventually(lambda: name in self.third.instances())

    def test_instances_of_others_are_taken_over(self) -> None:
        self.make("snf-90000", "snf-vol-90000", start=True)
        self.make("db.example.org", None, start=False)
        words = ("backend", "adopt", THIRD)
        whose = ("--user", "demo", "--project", "demo")
        told = self.snfctl.json(*words, *whose, "--dry-run")
        self.assertEqual(["would be adopted"], [one["outcome"] for one in told])
        self.snfctl(*words, *whose)
        self.assertEqual("ACTIVE", self.status("90000"))
        [done] = self.snfctl.json(*words, "db.example.org", *whose, "--rename")
        server = str(done["server"])
        self.assertEqual("SHUTOFF", self.status(server))
        self.assertIn(f"snf-{server}", self.third.instances())
        self.assertNotIn("db.example.org", self.third.instances())
        self.delete("90000", server)
        self.assertNotIn("snf-90000", self.third.instances())
