"""Network v2.0 as openstackclient and its like use it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

import api.openstack.network
from tests.compute.http import http_cloud
from tests.compute.kit import IMAGE


class NeutronCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.http = self.cloud.neutron()

    def network(self, **more: object) -> str:
        wanted = {"name": "net", "admin_state_up": True, **more}
        got = self.http.post("/networks", {"network": wanted})
        self.assertEqual(201, got.status, got.body)
        return str(got.json["network"]["id"])

    def subnet(self, network: str, cidr: str = "10.77.0.0/24", **more: object) -> str:
        wanted = {"network_id": network, "cidr": cidr, "ip_version": 4, **more}
        got = self.http.post("/subnets", {"subnet": wanted})
        self.assertEqual(201, got.status, got.body)
        return str(got.json["subnet"]["id"])

    def server(self, *networks: object, status: int = 202) -> str:
        body = {
            "name": "web",
            "imageRef": str(IMAGE),
            "flavorRef": str(self.parts.flavor()),
            "networks": list(networks),
        }
        got = self.cloud.nova().post("/servers", {"server": body})
        self.assertEqual(status, got.status, got.body)
        return str(got.json["server"]["id"]) if status == 202 else ""


class NetworkTests(NeutronCase):
    def test_a_network_with_its_subnet(self) -> None:
        network = self.network()
        self.assertEqual(1, self.parts.usage()["cyclades.network.private"])
        subnet = self.subnet(network, name="sub")
        shown = self.http.get(f"/networks/{network}").json["network"]
        self.assertEqual(("ACTIVE", [subnet]), (shown["status"], shown["subnets"]))
        self.assertNotIn("SNF", str(shown))
        shown = self.http.get(f"/subnets/{subnet}").json["subnet"]
        self.assertEqual("10.77.0.1", shown["gateway_ip"])
        self.assertEqual(
            [{"start": "10.77.0.2", "end": "10.77.0.254"}], shown["allocation_pools"]
        )
        self.assertEqual([], list(self.parts.intents()))
        self.assertEqual(204, self.http.delete(f"/subnets/{subnet}").status)
        self.assertEqual(204, self.http.delete(f"/networks/{network}").status)
        self.assertEqual(404, self.http.get(f"/networks/{network}").status)
        self.assertEqual({}, self.parts.usage())

    def test_cyclades_57_subnets_that_cannot_be(self) -> None:
        network = self.network()
        for status, wanted in (
            (400, {"cidr": "10.0.0.1/24"}),
            (400, {"cidr": "10.0.0.0/21"}),
            (400, {"cidr": "10.0.0.0/30"}),
            (400, {"cidr": "10.0.0.0"}),
            (400, {"cidr": "fe80::/64", "ip_version": 6}),
            (400, {"cidr": "10.0.0.0/24", "gateway_ip": "10.0.1.1"}),
            (400, {}),
            (409, {"cidr": "10.0.0.0/24", "allocation_pools": [
                {"start": "10.0.0.1", "end": "10.0.0.9"}]}),
            (409, {"cidr": "10.0.0.0/24", "allocation_pools": [
                {"start": "10.0.0.9", "end": "10.0.0.20"},
                {"start": "10.0.0.20", "end": "10.0.0.30"}]}),
        ):  # fmt: skip
            body = {"subnet": {"network_id": network, **wanted}}
            got = self.http.post("/subnets", body)
            self.assertEqual(status, got.status, (wanted, got.body))
            self.assertIn("NeutronError", got.json)
        self.subnet(network, gateway_ip=None, allocation_pools=[
            {"start": "10.77.0.9", "end": "10.77.0.9"}])  # fmt: skip
        body = {"subnet": {"network_id": network, "cidr": "10.1.0.0/24"}}
        self.assertEqual(400, self.http.post("/subnets", body).status)

    def test_cyclades_58_a_cluster_hears_of_a_network_with_its_first_server(
        self,
    ) -> None:
        network = self.network()
        self.subnet(network)
        server = self.server({"uuid": network})
        kinds = [one.intent.kind for one in self.parts.intents()]
        self.assertEqual(
            ["OP_NETWORK_ADD", "OP_NETWORK_CONNECT", "OP_INSTANCE_CREATE"], kinds
        )
        add, connect, create = self.parts.intents()
        body = add.intent.request["body"]
        self.assertEqual(["private-filtered", "nfdhcpd", "private"], body["tags"])
        self.assertEqual("aa:00:11", body["mac_prefix"])
        self.assertEqual({add.intent.id, connect.intent.id}, set(create.intent.depends))
        nic = create.intent.request["body"]["nics"][0]
        self.assertEqual("10.77.0.2", nic["ip"])
        self.assertTrue(nic["mac"].startswith("aa:00:11:"))
        self.parts.work()
        shown = self.cloud.nova().get(f"/servers/{server}").json["server"]
        self.assertEqual("10.77.0.2", shown["addresses"]["net"][0]["addr"])
        self.server({"uuid": network})
        kinds = [one.intent.kind for one in self.parts.intents()]
        self.assertEqual(["OP_INSTANCE_CREATE"], kinds)

    def test_cyclades_59_networks_differ_and_return_their_prefix(self) -> None:
        first, second = self.network(), self.network()
        prefixes = self.parts.people.sql(
            "SELECT mac_prefix FROM compute.network WHERE NOT public ORDER BY id"
        )
        self.assertEqual([("aa:00:1",), ("aa:00:2",)], prefixes)
        self.http.delete(f"/networks/{first}")
        self.network()
        self.assertEqual(
            [("aa:00:1",)],
            self.parts.people.sql(
                "SELECT mac_prefix FROM compute.network ORDER BY id DESC LIMIT 1"
            ),
        )
        self.assertEqual(200, self.http.get(f"/networks/{second}").status)

    def test_a_used_network_stays_and_leaves_its_clusters_later(self) -> None:
        network = self.network()
        self.subnet(network)
        server = self.server({"uuid": network})
        self.parts.work()
        got = self.http.delete(f"/networks/{network}")
        self.assertEqual((409, "NetworkInUse"), (got.status, _type(got.json)))
        body = {"subnet": {"network_id": network, "cidr": "10.1.0.0/24"}}
        self.assertEqual(400, self.http.post("/subnets", body).status)
        self.cloud.nova().delete(f"/servers/{server}")
        self.parts.work()
        self.assertEqual(204, self.http.delete(f"/networks/{network}").status)
        self.assertEqual(404, self.http.get(f"/networks/{network}").status)
        self.assertEqual({"cyclades.network.private": 1}, self.parts.usage())
        self.parts.work()
        self.assertEqual({}, self.parts.usage())
        self.assertEqual(
            [(0,)],
            self.parts.people.sql("SELECT count(*) FROM compute.cluster_network"),
        )

    def test_a_subnet_leaves_its_clusters_and_another_may_come(self) -> None:
        network = self.network()
        subnet = self.subnet(network)
        server = self.server({"uuid": network})
        self.parts.work()
        path = f"/subnets/{subnet}"
        got = self.http.delete(path)
        self.assertEqual((409, "SubnetInUse"), (got.status, _type(got.json)))
        self.cloud.nova().delete(f"/servers/{server}")
        self.parts.work()
        self.assertEqual(204, self.http.delete(path).status)
        self.subnet(network, "10.78.0.0/24")
        server = self.server({"uuid": network})
        kinds = [one.intent.kind for one in self.parts.intents()]
        self.assertEqual(
            ["OP_NETWORK_DISCONNECT", "OP_NETWORK_REMOVE", "OP_NETWORK_ADD",
             "OP_NETWORK_CONNECT", "OP_INSTANCE_CREATE"], kinds)  # fmt: skip
        self.parts.work()
        shown = self.cloud.nova().get(f"/servers/{server}").json["server"]
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual("10.78.0.2", shown["addresses"]["net"][0]["addr"])
        rows = self.parts.people.sql(
            "SELECT state FROM compute.cluster_network WHERE network = %s", network
        )
        self.assertEqual([("ACTIVE",)], rows)

    def test_cyclades_60_addresses(self) -> None:
        network = self.network()
        self.subnet(network, "10.77.0.0/29", allocation_pools=[
            {"start": "10.77.0.2", "end": "10.77.0.3"}])  # fmt: skip
        wanted = {"uuid": network, "fixed_ip": "10.77.0.3"}
        self.server(wanted)
        self.server(wanted, status=409)
        self.server({"uuid": network, "fixed_ip": "10.77.0.9"}, status=400)
        self.server({"uuid": network, "fixed_ip": "x"}, status=400)
        self.server({"uuid": network})
        self.server({"uuid": network}, status=409)

    def test_lists(self) -> None:
        network = self.network(name="mine")
        names = [one["name"] for one in self.http.get("/networks").json["networks"]]
        self.assertEqual(["public", "mine"], names)
        for query, expected in (
            ("name=mine", ["mine"]),
            ("router:external=True", ["public"]),
            ("router%3Aexternal=False", ["mine"]),
            (f"id={network}", ["mine"]),
            ("id=in:1,2,x", None),
            ("name=none", []),
            ("fields=id&fields=name&name=mine", ["mine"]),
            ("limit=1", ["public"]),
        ):
            got = self.http.get(f"/networks?{query}")
            self.assertEqual(200, got.status, got.body)
            if expected is not None:
                found = [one["name"] for one in got.json["networks"]]
                self.assertEqual(expected, found, query)
        for bad in ("marker=9999", "marker=x", "limit=-2", "shared=perhaps"):
            self.assertEqual(400, self.http.get(f"/networks?{bad}").status, bad)

    def test_who_sees_what(self) -> None:
        network = self.network()
        subnet = self.subnet(network)
        other, reader = self.cloud.neutron("other"), self.cloud.neutron("watcher")
        for path in (f"/networks/{network}", f"/subnets/{subnet}"):
            self.assertEqual(404, other.get(path).status)
            self.assertEqual(404, other.delete(path).status)
            self.assertEqual(200, reader.get(path).status)
            self.assertEqual(403, reader.delete(path).status)
        public = self.http.get("/networks?name=public").json["networks"][0]["id"]
        self.assertEqual(403, self.http.delete(f"/networks/{public}").status)
        self.assertEqual(404, self.http.get("/networks/public").status)


class PortTests(NeutronCase):
    def test_a_loose_port_becomes_a_server_s_card(self) -> None:
        network = self.network()
        self.subnet(network)
        got = self.http.post("/ports", {"port": {"network_id": network, "name": "p"}})
        self.assertEqual(201, got.status, got.body)
        port = got.json["port"]
        self.assertEqual(("DOWN", "", "p"), tuple(
            port[key] for key in ("status", "device_id", "name")))  # fmt: skip
        server = self.server({"port": port["id"]})
        self.server({"port": port["id"]}, status=409)
        self.parts.work()
        shown = self.http.get(f"/ports/{port['id']}").json["port"]
        self.assertEqual(("ACTIVE", server), (shown["status"], shown["device_id"]))
        self.assertEqual(port["fixed_ips"], shown["fixed_ips"])
        found = self.http.get(f"/ports?device_id={server}").json["ports"]
        self.assertEqual([port["id"]], [one["id"] for one in found])
        mac = shown["mac_address"]
        self.assertEqual(
            1, len(self.http.get(f"/ports?mac_address={mac}").json["ports"])
        )

    def test_cyclades_62_cards_come_and_go(self) -> None:
        network = self.network()
        self.subnet(network)
        server = self.server()
        self.parts.work()
        body = {"port": {"network_id": network, "device_id": server}}
        got = self.http.post("/ports", body)
        self.assertEqual((201, "BUILD"), (got.status, got.json["port"]["status"]))
        port = got.json["port"]["id"]
        nova = self.cloud.nova()
        addresses = nova.get(f"/servers/{server}").json["server"]["addresses"]
        self.assertEqual({"public"}, set(addresses))
        self.parts.work()
        addresses = nova.get(f"/servers/{server}").json["server"]["addresses"]
        self.assertEqual({"public", "net"}, set(addresses))
        self.assertEqual(204, self.http.delete(f"/ports/{port}").status)
        self.parts.work()
        self.assertEqual(404, self.http.get(f"/ports/{port}").status)
        got = self.http.post("/ports", body)
        self.parts.work(fail="no slot left")
        shown = self.http.get(f"/ports/{got.json['port']['id']}").json["port"]
        self.assertEqual(("ERROR", []), (shown["status"], shown["fixed_ips"]))
        self.assertEqual(204, self.http.delete(f"/ports/{shown['id']}").status)

    def test_a_deleted_port_s_address_is_used_last(self) -> None:
        network = self.network()
        self.subnet(network)
        body = {"port": {"network_id": network}}
        first = self.http.post("/ports", body).json["port"]
        self.http.delete(f"/ports/{first['id']}")
        second = self.http.post("/ports", body).json["port"]
        self.assertEqual("10.77.0.2", first["fixed_ips"][0]["ip_address"])
        self.assertEqual("10.77.0.3", second["fixed_ips"][0]["ip_address"])


class FloatingTests(NeutronCase):
    def test_floating_ips(self) -> None:
        public = self.http.get("/networks?name=public").json["networks"][0]["id"]
        body = {"floatingip": {"floating_network_id": public}}
        got = self.http.post("/floatingips", body)
        self.assertEqual(201, got.status, got.body)
        made = got.json["floatingip"]
        self.assertEqual(("DOWN", None), (made["status"], made["port_id"]))
        self.assertEqual({"cyclades.floating_ip": 1}, self.parts.usage())
        server = self.server({"uuid": public})
        self.parts.work()
        shown = self.cloud.nova().get(f"/servers/{server}").json["server"]
        address = shown["addresses"]["public"][0]
        self.assertEqual("floating", address["OS-EXT-IPS:type"])
        self.assertEqual(made["floating_ip_address"], address["addr"])
        path = f"/floatingips/{made['id']}"
        self.assertEqual(409, self.http.delete(path).status)
        self.cloud.nova().delete(f"/servers/{server}")
        self.parts.work()
        self.assertIsNone(self.http.get(path).json["floatingip"]["port_id"])
        self.assertEqual(204, self.http.delete(path).status)
        self.assertEqual({}, self.parts.usage())
        self.assertEqual([], self.http.get("/floatingips").json["floatingips"])
        private = {"floatingip": {"floating_network_id": self.network()}}
        self.assertEqual(409, self.http.post("/floatingips", private).status)

    def test_cyclades_69_a_floating_ip_on_a_port(self) -> None:
        network = self.network()
        self.subnet(network)
        server = self.server({"uuid": network})
        self.parts.work()
        port = self.http.get(f"/ports?device_id={server}").json["ports"][0]["id"]
        public = self.http.get("/networks?name=public").json["networks"][0]["id"]
        body = {"floatingip": {"floating_network_id": public}}
        made = self.http.post("/floatingips", body).json["floatingip"]
        path = f"/floatingips/{made['id']}"
        put = {"floatingip": {"port_id": port}}
        got = self.http.put(path, put)
        self.assertEqual(200, got.status, got.body)
        shown = got.json["floatingip"]
        self.assertEqual((port, "10.77.0.2", "ACTIVE"), (
            shown["port_id"], shown["fixed_ip_address"], shown["status"]))  # fmt: skip
        self.assertEqual(200, self.http.put(path, put).status)
        self.assertEqual(
            ["OP_NETWORK_ADD", "OP_NETWORK_CONNECT", "OP_INSTANCE_SET_PARAMS"],
            [one.intent.kind for one in self.parts.intents()],
        )
        self.parts.work()
        found = self.cloud.nova().get(f"/servers/{server}").json["server"]["addresses"]
        self.assertEqual(made["floating_ip_address"], found["public"][0]["addr"])
        listed = self.http.get(f"/floatingips?port_id={port}").json["floatingips"]
        self.assertEqual([made["id"]], [one["id"] for one in listed])
        got = self.http.put(path, {"floatingip": {"port_id": None}})
        self.assertEqual(200, got.status)
        self.parts.work()
        shown = self.http.get(path).json["floatingip"]
        self.assertEqual((None, None), (shown["port_id"], shown["fixed_ip_address"]))
        self.assertEqual(204, self.http.delete(path).status)
        loose = self.http.post("/ports", {"port": {"network_id": network}}).json
        made = self.http.post("/floatingips", body).json["floatingip"]
        got = self.http.put(
            f"/floatingips/{made['id']}",
            {"floatingip": {"port_id": loose["port"]["id"]}},
        )
        self.assertEqual(409, got.status)


class OtherTests(NeutronCase):
    def test_what_clients_ask_besides(self) -> None:
        for path in (
            "/extensions",
            "/extensions/external-net",
            "/routers",
            "/security-groups?fields=id&fields=name",
            "/security-group-rules",
            f"/quotas/{self.parts.project}",
            f"/quotas/{self.parts.project}/details.json",
            "",
        ):
            self.assertEqual(200, self.http.get(path).status, path)
        got = self.http.get("/extensions/tag-ports-during-bulk-creation")
        self.assertEqual(404, got.status)
        self.assertEqual(501, self.http.post("/routers", {}).status)
        listing = self.cloud.browser(api.openstack.network.versions(self.cloud), "")
        self.assertEqual("v2.0", listing.get("").json["versions"][0]["id"])

    def test_over_quota(self) -> None:
        for _ in range(4):
            self.network()
        got = self.http.post("/networks", {"network": {"name": "fifth"}})
        self.assertEqual((409, "OverQuota"), (got.status, _type(got.json)))
        self.assertEqual(4, self.parts.usage()["cyclades.network.private"])


def _type(body: dict[str, dict[str, str]]) -> str:
    return body["NeutronError"]["type"]
