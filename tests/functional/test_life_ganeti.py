"""A server's life on real Ganeti, over both dialects."""

from __future__ import annotations

import hashlib
import re
import unittest
from typing import Any

import pytest

from snfd.image.hello import hello
from tests.functional.daemon import Client, Daemon, eventually
from tests.functional.evidence import complaints, imbalance, rows
from tests.functional.lab import on_ganeti
from tests.functional.things import ok
from tests.lab import ganeti as real

OPENSTACK, SYNNEFO = "/os/compute/v2.1", "/compute/v2.0"
NETWORK = "/network/v2.0"
GIB = 1024
"""Ganeti counts in MiB."""


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(400)
class LifeTests(unittest.TestCase):
    """One daemon and one server, which every test leaves running."""

    lab: real.Lab
    daemon: Daemon
    client: Client
    image: str
    made: Any
    server: int

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = real.lab()
        cls.lab.clear()
        cls.addClassCleanup(cls.lab.clear)
        cls.daemon = cls.enterClassContext(on_ganeti(cls.lab))
        cls.client = cls.daemon.client()
        images = ok(cls.client.get("/os/image/v2/images"))["images"]
        cls.image = images[0]["id"]
        cls.made = cls.create("web", metadata={"role": "first"})
        cls.server = cls.made["id"]
        cls.until(cls.server, "ACTIVE")

    @classmethod
    def create(cls, name: str, **more: Any) -> Any:
        """The answer to Synnefo's request for a server."""
        wanted = {"name": name, "imageRef": cls.image, "flavorRef": 1, **more}
        return ok(cls.client.post(f"{SYNNEFO}/servers", {"server": wanted}), 202)[
            "server"
        ]

    @classmethod
    def show(cls, server: int) -> Any:
        return ok(cls.client.get(f"{SYNNEFO}/servers/{server}"))["server"]

    @classmethod
    def until(cls, server: int, status: str) -> Any:
        """Wait for a server's status, and for the end of its task."""

        def there() -> Any:
            found = cls.show(server)
            done = found["status"] == status and not found["SNF:task_state"]
            return found if done else None

        return eventually(there, 60)

    def act(self, status: int = 202, **action: Any) -> Any:
        path = f"{SYNNEFO}/servers/{self.server}/action"
        return ok(self.client.post(path, action), status)

    def instance(self, server: int | None = None) -> Any:
        """What Ganeti says of a server."""
        return self.lab.ask("GET", f"/2/instances/snf-{server or self.server}")

    def usage(self) -> dict[str, int]:
        held = ok(self.client.get("/account/v1.0/quotas"))[self.client.project]
        return {name: one["usage"] for name, one in held.items()}

    def last_job(self, kind: str) -> Any:
        """The newest job's first operation of a kind."""
        found = [
            op
            for job in self.lab.ask("GET", "/2/jobs?bulk=1")
            for op in job["ops"]
            if op["OP_ID"] == kind
            and op.get("instance_name") in (None, f"snf-{self.server}")
        ]
        return found[-1]

    def test_cyclades_09_a_server_is_made(self) -> None:
        self.assertEqual("BUILD", self.made["status"])
        self.assertGreaterEqual(len(self.made["adminPass"]), 10)
        shown = self.show(self.server)
        self.assertEqual(("ACTIVE", 100), (shown["status"], shown["progress"]))
        found = self.instance()
        self.assertEqual(("up", True), (found["admin_state"], found["oper_state"]))

    def test_cyclades_10_as_the_flavor_says_and_without_secrets(self) -> None:
        found = self.instance()
        beparams = found["beparams"]
        self.assertEqual(
            (1, 128, 128),
            (beparams["vcpus"], beparams["minmem"], beparams["maxmem"]),
        )
        self.assertEqual([1 * GIB], found["disk.sizes"])
        [(volume,)] = rows(
            self.daemon,
            "SELECT disk_number FROM compute.volume WHERE server = %s",
            self.server,
        )
        self.assertEqual([f"snf-vol-{volume}"], found["disk.names"])
        [tag] = found["tags"]
        self.assertRegex(tag, r"^snfd:[0-9a-f-]{36}$")
        self.no_secrets(found)

    def no_secrets(self, found: Any) -> None:
        """One-time URLs, spent by now, are all that Ganeti was told."""
        osparams = self.last_job("OP_INSTANCE_CREATE")["osparams"]
        self.assertEqual({"config_url", "img_format", "img_id"}, set(osparams))
        created = str(self.last_job("OP_INSTANCE_CREATE"))
        self.assertIn("config_url", created)
        self.assertNotIn(self.made["adminPass"], created + str(found))
        path = re.sub(r"^https?://[^/]+", "", osparams["config_url"])
        self.assertEqual(404, self.client.get(path).status)

    def test_the_disk_begins_with_the_image(self) -> None:
        """Fetched by the OS definition's script, as on any node."""
        image = hello()
        disk = f"/srv/ganeti/file-storage/snf-{self.server}/*"
        summed = self.lab.run(
            "sh", "-c", f"cat {disk} | head -c {len(image)} | sha256sum"
        )
        self.assertEqual(hashlib.sha256(image).hexdigest(), summed.split()[0])

    def test_in_both_dialects(self) -> None:
        for base, ident in ((OPENSTACK, str(self.server)), (SYNNEFO, self.server)):
            for path in ("/servers", "/servers/detail"):
                listed = ok(self.client.get(base + path))["servers"]
                self.assertIn(ident, [one["id"] for one in listed])
            shown = ok(self.client.get(f"{base}/servers/{self.server}"))["server"]
            self.assertEqual(("web", "ACTIVE"), (shown["name"], shown["status"]))
            self.assertEqual({"role": "first"}, shown["metadata"])
            [[address]] = shown["addresses"].values()
            [card] = self.instance()["nic.ips"]
            self.assertEqual(card, address["addr"])

    def test_cyclades_49_metadata(self) -> None:
        path = f"{SYNNEFO}/servers/{self.server}/metadata"
        both = ok(self.client.post(path, {"metadata": {"a": "1", "b": "2"}}), 201)
        self.assertEqual({"role": "first", "a": "1", "b": "2"}, both["metadata"])
        ok(self.client.put(f"{path}/a", {"meta": {"b": "1"}}), 400)
        ok(self.client.put(f"{path}/a", {"meta": {"a": "3"}}), 201)
        self.assertEqual({"a": "3"}, ok(self.client.get(f"{path}/a"))["meta"])
        long = {"metadata": {"c": "x" * 501}}
        ok(self.client.post(path, long), 400)
        for key in ("a", "b"):
            ok(self.client.delete(f"{path}/{key}"), 204)
            ok(self.client.get(f"{path}/{key}"), 404)

    def test_cyclades_30_shutdown(self) -> None:
        before = self.usage()
        self.act(shutdown={})
        self.assertEqual("STOPPING", self.show(self.server)["SNF:task_state"])
        self.until(self.server, "STOPPED")
        self.assertEqual("ADMIN_down", self.instance()["status"])
        after = self.usage()
        saved = {name: before[name] - after[name] for name in before}
        self.assertEqual(
            {"cyclades.cpu": 1, "cyclades.ram": 128 << 20},
            {name: amount for name, amount in saved.items() if amount},
        )
        self.act(start={})
        self.until(self.server, "ACTIVE")

    def test_cyclades_31_start(self) -> None:
        before = self.usage()
        self.act(shutdown={})
        self.until(self.server, "STOPPED")
        self.act(400, shutdown={})
        self.act(start={})
        self.until(self.server, "ACTIVE")
        self.assertEqual("running", self.instance()["status"])
        self.assertEqual(before, self.usage())

    def test_cyclades_33_reboot(self) -> None:
        for kind, timeout in (("SOFT", None), ("HARD", 0)):
            self.act(reboot={"type": kind})
            self.until(self.server, "ACTIVE")
            job = self.last_job("OP_INSTANCE_REBOOT")
            self.assertEqual("hard", job["reboot_type"])
            if timeout is None:
                self.assertGreater(job["shutdown_timeout"], 0)
            else:
                self.assertEqual(timeout, job["shutdown_timeout"])
        self.act(400, reboot={"type": "X"})

    def test_openstack_stops_and_starts(self) -> None:
        path = f"{OPENSTACK}/servers/{self.server}"
        for action, status in (("os-stop", "SHUTOFF"), ("os-start", "ACTIVE")):
            ok(self.client.post(f"{path}/action", {action: None}), 202)
            eventually(
                lambda status=status: (  # type: ignore[misc]
                    ok(self.client.get(path))["server"]["status"] == status
                )
            )
        self.until(self.server, "ACTIVE")

    def test_cyclades_38_delete(self) -> None:
        before = self.usage()
        server = self.create("brief")["id"]
        self.until(server, "ACTIVE")
        self.instance(server)
        ok(self.client.delete(f"{SYNNEFO}/servers/{server}"), 204)
        self.gone(server)
        self.assertEqual(before, self.usage())
        ok(self.client.delete(f"{SYNNEFO}/servers/{server}"), 400)

    def test_cyclades_39_delete_while_it_is_made(self) -> None:
        before = self.usage()
        server = self.create("hasty")["id"]
        ok(self.client.delete(f"{SYNNEFO}/servers/{server}"), 204)
        self.gone(server)
        self.assertEqual(before, self.usage())

    def gone(self, server: int) -> None:
        """Nothing is left of a server but its memory."""
        shown = self.until(server, "DELETED")
        self.assertTrue(shown["deleted"])
        listed = ok(self.client.get(f"{SYNNEFO}/servers"))["servers"]
        self.assertNotIn(server, [one["id"] for one in listed])
        names = [one["id"] for one in self.lab.ask("GET", "/2/instances")]
        self.assertNotIn(f"snf-{server}", names)
        left = """
            SELECT id::text FROM compute.port WHERE server = %s UNION ALL
            SELECT id::text FROM compute.volume WHERE server = %s AND NOT deleted
        """
        self.assertEqual([], rows(self.daemon, left, server, server))

    def test_cyclades_58_a_server_on_a_private_network(self) -> None:
        network = self.network("10.7.0.0/24")
        server = self.create("inner", networks=[{"uuid": str(network)}])["id"]
        self.until(server, "ACTIVE")
        known = self.lab.ask("GET", f"/2/networks/snf-net-{network}")
        self.assertTrue(
            {"nfdhcpd", "private", "private-filtered"} <= set(known["tags"]), known
        )
        self.assertEqual(
            ("10.7.0.0/24", "10.7.0.1"), (known["network"], known["gateway"])
        )
        self.assertEqual(1, len(known["group_list"]))
        found = self.instance(server)
        [ip], [mac] = found["nic.ips"], found["nic.macs"]
        self.assertTrue(ip.startswith("10.7.0."), ip)
        self.assertTrue(mac.startswith(known["mac_prefix"]), (mac, known))
        self.assertEqual([f"snf-net-{network}"], found["nic.networks.names"])
        [(port,)] = rows(
            self.daemon, "SELECT id FROM compute.port WHERE server = %s", server
        )
        self.assertEqual([f"snf-nic-{port}"], found["nic.names"])
        ok(self.client.delete(f"{NETWORK}/networks/{network}"), 409)
        ok(self.client.delete(f"{SYNNEFO}/servers/{server}"), 204)
        self.gone(server)
        self.away(network)

    def network(self, cidr: str) -> int:
        """A new private network."""
        wanted = {"network": {"name": "n", "type": "MAC_FILTERED"}}
        made = ok(self.client.post(f"{NETWORK}/networks", wanted), 201)["network"]
        subnet = {"network_id": str(made["id"]), "cidr": cidr, "ip_version": 4}
        ok(self.client.post(f"{NETWORK}/subnets", {"subnet": subnet}), 201)
        return int(made["id"])

    def away(self, network: int) -> None:
        """Delete a network; it leaves Ganeti too."""
        ok(self.client.delete(f"{NETWORK}/networks/{network}"), 204)
        eventually(
            lambda: (
                self.client.get(f"{NETWORK}/networks/{network}").status == 404
                and f"snf-net-{network}"
                not in [one["name"] for one in self.lab.ask("GET", "/2/networks")]
            )
        )

    def test_cyclades_62_a_port_comes_and_goes(self) -> None:
        network = self.network("10.8.0.0/24")
        wanted = {"network_id": str(network), "device_id": str(self.server)}
        port = ok(self.client.post(f"{NETWORK}/ports", {"port": wanted}), 201)["port"]
        self.assertEqual("BUILD", port["status"])
        path = f"{NETWORK}/ports/{port['id']}"
        eventually(lambda: ok(self.client.get(path))["port"]["status"] == "ACTIVE")
        shown = ok(self.client.get(path))["port"]
        found = self.instance()
        self.assertIn(f"snf-nic-{port['id']}", found["nic.names"])
        self.assertIn(shown["mac_address"], found["nic.macs"])
        self.until(self.server, "ACTIVE")
        ok(self.client.delete(path), 204)
        eventually(lambda: self.client.get(path).status == 404)
        self.assertNotIn(f"snf-nic-{port['id']}", self.instance()["nic.names"])
        self.until(self.server, "ACTIVE")
        self.away(network)

    def tearDown(self) -> None:
        self.assertEqual([], imbalance(self.daemon))

    @classmethod
    def tearDownClass(cls) -> None:
        found = complaints(cls.daemon)
        assert not found, found
