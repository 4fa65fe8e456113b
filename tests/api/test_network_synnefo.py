"""Network v2.0 as kamaki uses it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

import api.synnefo.network
from tests.compute.http import http_cloud
from tests.compute.kit import IMAGE


class CycladesNetworkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.http = self.cloud.cyclades_network()

    def network(self, **more: object) -> str:
        wanted = {"type": "MAC_FILTERED", "name": "kam", **more}
        got = self.http.post("/networks", {"network": wanted})
        self.assertEqual(201, got.status, got.body)
        return str(got.json["network"]["id"])

    def subnet(self, network: str) -> str:
        body = {"network_id": network, "cidr": "192.168.5.0/24", "ip_version": 4}
        got = self.http.post("/subnets", {"subnet": body})
        self.assertEqual(201, got.status, got.body)
        return str(got.json["subnet"]["id"])

    def test_cyclades_01_versions_need_no_token(self) -> None:
        listing = self.cloud.browser(api.synnefo.network.versions(self.cloud), "")
        self.assertEqual("v2.0", listing.get("").json["versions"][0]["id"])
        http = self.cloud.browser(api.synnefo.network.resource(self.cloud), "")
        self.assertEqual(4, len(http.get("").json["resources"]))

    def test_cyclades_56_making_networks(self) -> None:
        network = self.network()
        shown = self.http.get(f"/networks/{network}").json["network"]
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual("MAC_FILTERED", shown["type"])
        self.assertEqual([], list(self.parts.intents()))
        for status, wanted in (
            (400, {"name": "x"}),
            (400, {"type": "TUBES"}),
            (403, {"type": "PHYSICAL_VLAN"}),
            (403, {"type": "CUSTOM"}),
            (400, {"type": "MAC_FILTERED", "name": "x" * 129}),
        ):
            got = self.http.post("/networks", {"network": wanted})
            self.assertEqual(status, got.status, wanted)

    def test_cyclades_57_subnets(self) -> None:
        network = self.network()
        for status, cidr in (
            (400, "192.168.5.1/24"),
            (413, "192.168.0.0/21"),
            (413, "192.168.5.0/30"),
        ):
            body = {"subnet": {"network_id": network, "cidr": cidr}}
            self.assertEqual(status, self.http.post("/subnets", body).status)
        subnet = self.subnet(network)
        shown = self.http.get(f"/subnets/{subnet}").json["subnet"]
        self.assertEqual("192.168.5.1", shown["gateway_ip"])
        pools = [{"start": "192.168.5.2", "end": "192.168.5.254"}]
        self.assertEqual(pools, shown["allocation_pools"])
        self.assertEqual(400, self.http.delete(f"/subnets/{subnet}").status)
        path = f"/subnets/{subnet}"
        got = self.http.put(path, {"subnet": {"name": "new"}})
        self.assertEqual((200, "new"), (got.status, got.json["subnet"]["name"]))
        got = self.http.put(path, {"subnet": {"name": "new", "cidr": "10.0.0.0/24"}})
        self.assertEqual(400, got.status)

    def test_cyclades_08_strangers(self) -> None:
        network = self.network()
        self.subnet(network)
        port = self.http.post("/ports", {"port": {"network_id": network}})
        fip = self.http.post("/floatingips", {"floatingip": {}}).json["floatingip"]
        other = self.cloud.cyclades_network("other")
        for path in (
            f"/networks/{network}",
            f"/ports/{port.json['port']['id']}",
            f"/floatingips/{fip['id']}",
        ):
            self.assertEqual(404, other.get(path).status, path)
            self.assertEqual(200, self.http.get(path).status, path)

    def test_cyclades_62_a_port_on_a_server(self) -> None:
        network = self.network()
        self.subnet(network)
        server = self.parts.active()
        body = {"port": {"network_id": network, "device_id": str(server.id)}}
        got = self.http.post("/ports", body)
        self.assertEqual(201, got.status, got.body)
        port = got.json["port"]
        self.assertEqual(("BUILD", str(server.id), "vm"), (
            port["status"], port["device_id"], port["device_owner"]))  # fmt: skip
        compute = self.cloud.cyclades()
        self.parts.work()
        shown = compute.get(f"/servers/{server.id}").json["server"]
        self.assertEqual(2, len(shown["attachments"]))
        self.assertEqual(204, self.http.delete(f"/ports/{port['id']}").status)
        self.parts.work()
        self.assertEqual(404, self.http.get(f"/ports/{port['id']}").status)
        public = self.http.get(f"/ports?device_id={server.id}").json["ports"][0]
        self.assertEqual(403, self.http.delete(f"/ports/{public['id']}").status)

    def test_cyclades_65_floating_ips(self) -> None:
        got = self.http.post("/floatingips", {"floatingip": {}})
        self.assertEqual(200, got.status)
        address = got.json["floatingip"]["floating_ip_address"]
        self.assertEqual(1, self.parts.usage()["cyclades.floating_ip"])
        for status, wanted in (
            (409, {"floating_ip_address": address}),
            (400, {"floating_ip_address": "10.9.9.9"}),
            (400, {"floating_ip_address": "x"}),
            (409, {"floating_network_id": self.network()}),
            (404, {"floating_network_id": "99999"}),
        ):
            got = self.http.post("/floatingips", {"floatingip": wanted})
            self.assertEqual(status, got.status, wanted)
        for _ in range(3):
            self.http.post("/floatingips", {"floatingip": {}})
        got = self.http.post("/floatingips", {"floatingip": {}})
        self.assertEqual(413, got.status)
        listed = self.http.get("/floatingips").json["floatingips"]
        self.assertEqual(4, len(listed))
        for one in listed:
            self.assertEqual(204, self.http.delete(f"/floatingips/{one['id']}").status)
        self.assertNotIn("cyclades.floating_ip", self.parts.usage())

    def test_lists_and_renaming(self) -> None:
        network = self.network()
        for path in ("/networks", "/networks/detail"):
            names = [one["name"] for one in self.http.get(path).json["networks"]]
            self.assertEqual(["public", "kam"], names)
        got = self.http.put(f"/networks/{network}", {"network": {"name": "new"}})
        self.assertEqual((200, "new"), (got.status, got.json["network"]["name"]))
        for path in ("/subnets", "/ports", "/floatingips"):
            self.assertEqual(200, self.http.get(path).status)
        self.assertEqual(204, self.http.delete(f"/networks/{network}").status)
        public = self.http.get("/networks").json["networks"][0]["id"]
        self.assertEqual(403, self.http.delete(f"/networks/{public}").status)

    def test_a_server_with_a_fixed_address(self) -> None:
        network = self.network()
        self.subnet(network)
        wanted = {
            "name": "web",
            "imageRef": str(IMAGE),
            "flavorRef": self.parts.flavor(),
            "networks": [{"uuid": network, "fixed_ip": "192.168.5.9"}],
        }
        compute = self.cloud.cyclades()
        self.assertEqual(202, compute.post("/servers", {"server": wanted}).status)
        self.assertEqual(409, compute.post("/servers", {"server": wanted}).status)
