"""Networks, subnets and pools as administrators make, change and end them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from api.admin.faults import DIALECT
from api.admin.networks import NetworkPlacesApi, NetworksApi
from api.admin.ranges import PoolsApi, SubnetsApi
from api.dispatch import build
from snfd.admin.networks import NetworkViews
from snfd.network.administering import NetworkStaff
from snfd.network.rules import RULES
from tests.admin.test_api import AdminCase
from tests.api.memory import Browser

PUBLIC = {
    "name": "internet",
    "public": True,
    "floating_ip_pool": True,
    "subnet": "198.51.100.0/28",
    "dns": ["198.51.100.14"],
    "link": "br100",
}


class NetworkCase(AdminCase):
    """Two clusters, one of them offline, and an administrator."""

    def setUp(self) -> None:
        super().setUp()
        limits = {"cyclades.network.private": 2}
        self.lan = self.cloud.project("lan", limits, demo="member")
        for name, idx, offline in (("one", 1, False), ("two", 2, True)):
            self.cloud.execute(
                "INSERT INTO compute.cluster (name, url, username, secret, idx,"
                " offline, node_groups)"
                " VALUES (%s, 'https://x', 'u', '', %s, %s, '{a,b}')",
                name, idx, offline,
            )  # fmt: skip
        views = NetworkViews(self.cloud.db, self.services.find)
        staff = NetworkStaff.build(self.cloud.db, uuid4, RULES)
        gate: Any = self.services.staff
        served = build(
            DIALECT,
            gate,
            NetworksApi(views, staff),
            NetworkPlacesApi(views, staff),
            SubnetsApi(views, staff.subnets),
            PoolsApi(views, staff.pools),
        )
        self.web = Browser(served, self.cloud.login("admin").secret)

    def post(self, path: str, body: object, status: int = 201) -> Any:
        answer = self.web.post(path, body)
        self.assertEqual(status, answer.status, answer.body)
        return answer.json if answer.body else None

    def delete(self, path: str, status: int = 204) -> None:
        answer = self.web.delete(path)
        self.assertEqual(status, answer.status, answer.body)

    def patch(self, path: str, body: object, status: int = 200) -> Any:
        answer = self.web.request("PATCH", path, json=body)
        self.assertEqual(status, answer.status, answer.body)
        return answer.json

    def told(self) -> list[tuple[Any, ...]]:
        return self.cloud.sql("SELECT kind, cluster FROM ops.outbox ORDER BY seq")


class NetworkTests(NetworkCase):
    def test_a_public_network_goes_to_all_clusters_that_are_online(self) -> None:
        made = self.post("/networks", PUBLIC)
        self.assertEqual(("PENDING", True), (made["state"], made["everywhere"]))
        kinds = [kind for kind, _ in self.told()]
        self.assertEqual(["OP_NETWORK_ADD", *["OP_NETWORK_CONNECT"] * 2], kinds)
        (there,) = made["backends"]
        self.assertEqual(("one", "aa:00:01"), (there["backend"], there["mac_prefix"]))
        (subnet,) = made["subnets"]
        self.assertEqual((13, "198.51.100.1"), (subnet["addresses"], subnet["gateway"]))
        (shown,) = self.get("/networks?public=true&backend=one")["items"]
        self.assertEqual(("internet", 13), (shown["name"], shown["addresses_free"]))
        again = self.web.post("/networks", PUBLIC)
        self.assertEqual((409, "conflict"), self.fault(again))

    def test_a_private_one_is_somebody_s(self) -> None:
        wanted = {"name": "lan", "kind": "IP_LESS_ROUTED", "lazy": True}
        self.post("/networks", wanted, 400)
        wanted.update(owner="demo", project="lan")
        made = self.post("/networks", wanted)
        self.assertEqual(f"snf-link-{made['id']}", made["link"])
        self.assertEqual(("routed", "demo"), (made["mode"], made["owner"]))
        self.assertEqual([], self.told())
        self.post("/networks", {**wanted, "public": True}, 400)
        pooled = {**wanted, "kind": "MAC_FILTERED", "mac_prefix": "aa:00:9"}
        self.post("/networks", pooled, 400)
        self.post("/networks", {**wanted, "link": f"snf-link-{made['id']}"}, 409)
        self.delete(f"/networks/{made['id']}")
        self.get(f"/networks/{made['id']}")
        self.assertEqual([], self.get("/networks")["items"])

    def test_backends(self) -> None:
        made = self.post("/networks", {**PUBLIC, "lazy": True})
        path = f"/networks/{made['id']}/backends"
        self.assertEqual("ACTIVE", made["state"])
        self.post(path, {"backend": "two"}, 202)
        self.post(path, {"backend": "three"}, 404)
        (there,) = self.get(f"/networks/{made['id']}")["backends"]
        self.assertEqual("aa:00:02", there["mac_prefix"])
        self.delete(f"{path}/one", 404)
        self.delete(f"{path}/two")
        self.assertEqual("OP_NETWORK_REMOVE", self.told()[-1][0])

    def test_changes(self) -> None:
        made = self.post("/networks", {**PUBLIC, "lazy": True})
        path = f"/networks/{made['id']}"
        self.assertEqual("DRAINED", self.patch(path, {"drained": True})["state"])
        self.cloud.execute(
            "INSERT INTO compute.ip (subnet, network, addr, owner, project, floating) "
            "VALUES (%s, %s, '198.51.100.5', %s, %s, true)",
            made["subnets"][0]["id"], made["id"], self.demo, self.project,
        )  # fmt: skip
        self.patch(path, {"floating_ip_pool": False}, 409)
        self.delete(path, 409)
        self.assertEqual("net", self.patch(path, {"name": "net"})["name"])

    def test_cards_that_servers_get_unasked(self) -> None:
        wanted = {"forced": ["SNF:ANY_PUBLIC_IPV6"], "default": ["5,SNF:ANY_PUBLIC"]}
        for _ in range(2):
            answer = self.web.request("PUT", "/server-networks", json=wanted)
            self.assertEqual(wanted, answer.json)
        self.assertEqual(wanted, self.get("/server-networks"))
        bad = self.web.request("PUT", "/server-networks", json={"forced": ["x"]})
        self.assertEqual((400, "invalid"), self.fault(bad))

    def test_who_only_looks_changes_nothing(self) -> None:
        self.web.token = self.cloud.login("helper").secret
        self.get("/networks")
        answer = self.web.post("/networks", PUBLIC)
        self.assertEqual((403, "forbidden"), self.fault(answer))


class SubnetTests(NetworkCase):
    def setUp(self) -> None:
        super().setUp()
        made = self.post("/networks", {**PUBLIC, "lazy": True})
        self.network, self.subnet = made["id"], made["subnets"][0]["id"]
        self.path = f"/subnets/{self.subnet}"

    def test_reserved_addresses(self) -> None:
        wanted = ["198.51.100.2", "198.51.100.4-198.51.100.6"]
        self.post(f"{self.path}/reserved", {"addresses": wanted}, 204)
        self.delete(f"{self.path}/reserved/198.51.100.5")
        shown = self.get(self.path)
        held = [one["address"] for one in shown["reserved_addresses"]]
        self.assertEqual(["198.51.100.2", "198.51.100.4", "198.51.100.6"], held)
        self.assertEqual(60, shown["quarantine"])
        (row,) = self.get("/networks")["items"]
        self.assertEqual(10, row["addresses_free"])
        for bad in ("10.0.0.1", "198.51.100.6-198.51.100.4", "x", "198.51.100.2-"):
            status = 204 if bad.endswith("-") else 400
            self.post(f"{self.path}/reserved", {"addresses": [bad]}, status)

    def test_changes_and_removal(self) -> None:
        changed = {"dns": [], "quarantine": 5, "route": ["10.0.0.0/8@198.51.100.3"]}
        shown = self.patch(self.path, changed)
        self.assertEqual(([], 5), (shown["dns"], shown["quarantine"]))
        self.assertEqual(["10.0.0.0/8 via 198.51.100.3"], shown["routes"])
        self.patch(self.path, {"pool": ["198.51.100.2-198.51.100.3"]}, 409)
        self.patch(self.path, {"route": ["x"]}, 400)
        self.delete(self.path)
        self.get(self.path, 404)
        wanted = {"network": self.network, "cidr": "2001:db8:1:2::/64"}
        made = self.post("/subnets", wanted)
        self.assertEqual((6, True), (made["ip_version"], made["slaac"]))
        self.post("/subnets", wanted, 400)
        self.post("/subnets", {"network": self.network, "cidr": "10.0.0.0/15"}, 413)
        self.assertEqual(1, len(self.get("/subnets?ip_version=6")["items"]))


class PoolTests(NetworkCase):
    def test_bridges(self) -> None:
        made = self.post("/pools", {"kind": "bridge", "base": "prv", "size": 2})
        path = f"/pools/{made['id']}"
        self.post(f"{path}/reserved", {"values": ["prv1"]}, 204)
        self.post(f"{path}/reserved", {"values": ["prv3"]}, 404)
        vlan = {"kind": "PHYSICAL_VLAN", "name": "v", "owner": "demo"}
        network = self.post("/networks", {**vlan, "project": "lan", "lazy": True})
        self.assertEqual("prv2", network["link"])
        another = {**vlan, "project": "lan", "lazy": True}
        self.post("/networks", another, 503)
        self.delete(path, 409)
        self.assertEqual(1, self.patch(path, {"size": 3})["free"])
        self.patch(path, {"size": 2}, 400)
        self.delete(f"{path}/reserved/prv1")
        shown = self.get(path)["taken"]
        self.assertEqual(
            [{"value": "prv2", "state": "used", "network": network["id"]}], shown
        )

    def test_mac_prefixes(self) -> None:
        kind = "mac-prefix"
        made = self.post("/pools", {"kind": kind, "base": "ae:00:0", "size": 16})
        self.assertEqual((1, 15), (made["reserved"], made["free"]))
        for base, size, status in (
            ("aa:00:1", 1, 409), ("ff:ff:f", 2, 400), ("x", 1, 400),
            ("ab:ff:0", 16, 201),
        ):  # fmt: skip
            self.post("/pools", {"kind": kind, "base": base, "size": size}, status)
        third = self.get("/pools")["items"][2]
        self.assertEqual((16, 0), (third["reserved"], third["free"]))
        self.delete(f"/pools/{made['id']}")
