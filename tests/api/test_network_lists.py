"""Networks and subnets as neutron lists, makes and changes them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from tests.api.test_network_openstack import NeutronCase


class ListTests(NeutronCase):
    def setUp(self) -> None:
        super().setUp()
        for name in ("b", "c", "a", "b"):
            self.network(name=name)

    def names(self, query: str) -> list[str]:
        got = self.http.get(f"/networks?router:external=false&{query}")
        self.assertEqual(200, got.status, got.body)
        return [one["name"] for one in got.json["networks"]]

    def test_sorting(self) -> None:
        self.assertEqual(["b", "c", "a", "b"], self.names(""))
        self.assertEqual(["a", "b", "b", "c"], self.names("sort_key=name"))
        down = "sort_key=name&sort_dir=desc"
        self.assertEqual(["c", "b", "b", "a"], self.names(down))
        both = "sort_key=status&sort_dir=asc&sort_key=name&sort_dir=desc"
        self.assertEqual(["c", "b", "b", "a"], self.names(both))

    def test_pages_follow_the_sorting(self) -> None:
        for query in (
            "sort_key=name",
            "sort_key=name&sort_dir=desc",
            "sort_key=project_id&sort_key=name",
            "sort_key=project_id&sort_dir=desc&sort_key=name&sort_dir=asc",
        ):
            whole = self.http.get(f"/networks?{query}").json["networks"]
            self.assertEqual(5, len(whole))
            self.assertEqual(whole, self.turned(f"/networks?{query}&limit=2"), query)

    def turned(self, path: str) -> list[Any]:
        """All items of all pages."""
        got = self.http.get(path).json
        found: list[Any] = got["networks"]
        for link in got.get("networks_links", ()):
            parts = urlsplit(link["href"])
            self.assertIn("marker", parse_qs(parts.query))
            found += self.turned(f"/networks?{parts.query}")
        return found

    def test_filters_that_are_unknown_or_impossible(self) -> None:
        for bad in (
            "colour=red", "sort_key=colour", "sort_key=name&sort_dir=up",
            "sort_dir=asc", "admin_state_up=perhaps", "page_reverse=true",
            "marker=99999",
        ):  # fmt: skip
            got = self.http.get(f"/networks?{bad}")
            self.assertEqual(400, got.status, bad)
            self.assertIn("NeutronError", got.json)
        for none in (
            "description=x", "mtu=9000", "status=DOWN", "project_id=x",
            "provider:network_type=CUSTOM", "admin_state_up=false",
        ):  # fmt: skip
            self.assertEqual([], self.names(none), none)
        for every in ("status=ACTIVE", "mtu=1500", "admin_state_up=true"):
            self.assertEqual(4, len(self.names(every)), every)

    def test_fields(self) -> None:
        got = self.http.get("/networks?fields=id&fields=name&fields=x&name=c")
        (one,) = got.json["networks"]
        self.assertEqual({"id", "name"}, set(one))
        got = self.http.get("/subnets?fields=cidr")
        self.assertEqual([{"cidr": "203.0.113.0/24"}], got.json["subnets"])

    def test_filters_of_subnets(self) -> None:
        network = self.http.get("/networks?name=c").json["networks"][0]["id"]
        mine = self.subnet(network, "10.7.0.0/24", enable_dhcp=False)
        six = self.subnet(network, "fd00:7::/64", ip_version=6, gateway_ip=None)
        for query, expected in (
            (f"network_id={network}", [mine, six]),
            ("ip_version=6", [six]),
            ("cidr=10.7.0.0/24", [mine]),
            ("gateway_ip=10.7.0.1", [mine]),
            ("enable_dhcp=false", [mine]),
            ("ipv6_ra_mode=slaac", [six]),
            ("shared=false&sort_key=cidr&sort_dir=desc", [six, mine]),
            ("network_id=x", []),
        ):
            got = self.http.get(f"/subnets?{query}")
            self.assertEqual(200, got.status, got.body)
            found = [one["id"] for one in got.json["subnets"]]
            self.assertEqual(expected, found, query)
        self.assertEqual(400, self.http.get("/subnets?device_id=1").status)


class MakingTests(NeutronCase):
    def test_several_at_once(self) -> None:
        body = {"networks": [{"name": "a"}, {"name": "b"}]}
        got = self.http.post("/networks", body)
        self.assertEqual(201, got.status, got.body)
        one, two = (each["id"] for each in got.json["networks"])
        wanted = [
            {"network_id": two, "cidr": "10.2.0.0/24", "ip_version": 4},
            {"network_id": one, "cidr": "10.1.0.0/24", "ip_version": 4},
        ]
        got = self.http.post("/subnets", {"subnets": wanted})
        self.assertEqual(
            ["10.2.0.0/24", "10.1.0.0/24"],
            [each["cidr"] for each in got.json["subnets"]],
        )
        for path, bad in (
            ("/networks", {}),
            ("/networks", {"networks": []}),
            ("/networks", {"network": {}, "networks": [{}]}),
            ("/networks", {"networks": [{}] * 51}),
            ("/networks", {"networks": [{"name": "x"}, {"shared": True}]}),
            ("/subnets", {"subnets": [*wanted]}),
        ):
            self.assertEqual(400, self.http.post(path, bad).status, bad)
        many = {"networks": [{"name": f"n{number}"} for number in range(9)]}
        got = self.http.post("/networks", many)
        self.assertEqual((409, "OverQuota"), (got.status, _type(got.json)))
        self.assertEqual(3, len(self.http.get("/networks").json["networks"]))

    def test_ipv6(self) -> None:
        network = self.network()
        modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
        subnet = self.subnet(network, "fd00:1::/64", ip_version=6, **modes)
        shown = self.http.get(f"/subnets/{subnet}").json["subnet"]
        self.assertLessEqual(modes.items(), shown.items())
        self.assertEqual(("fd00:1::1", []), (
            shown["gateway_ip"], shown["allocation_pools"]))  # fmt: skip
        other = self.network()
        for bad in (
            {"cidr": "fd00:1::/48", "ip_version": 6},
            {"cidr": "fd00:1::/64"},
            {"cidr": "10.0.0.0/24", "ip_version": 6},
            {"cidr": "10.0.0.0/24", **modes},
            {"cidr": "fd00::/64", "ip_version": 6, "ipv6_ra_mode": "dhcpv6-stateful"},
            {"cidr": "fd00::/64", "ip_version": 6, "gateway_ip": "fe80::1%eth0"},
            {"cidr": "fd00::/64", "ip_version": 5},
        ):
            body = {"subnet": {"network_id": other, **bad}}
            self.assertEqual(400, self.http.post("/subnets", body).status, bad)

    def test_changes_of_a_subnet(self) -> None:
        network = self.network()
        pool = [{"start": "10.77.0.10", "end": "10.77.0.19"}]
        subnet = self.subnet(network, allocation_pools=pool)
        path = f"/subnets/{subnet}"
        more = [{"start": "10.77.0.10", "end": "10.77.0.29"}]
        change = {
            "name": "sub",
            "dns_nameservers": ["10.77.0.53"],
            "host_routes": [{"destination": "10.0.0.0/8", "nexthop": "10.77.0.9"}],
            "enable_dhcp": False,
            "allocation_pools": more,
        }
        got = self.http.put(path, {"subnet": change})
        self.assertEqual(200, got.status, got.body)
        self.assertLessEqual(change.items(), got.json["subnet"].items())
        mixed = {"destination": "fd00::/8", "nexthop": "10.0.0.1"}
        for status, bad in (
            (409, {"allocation_pools": pool}),
            (409, {"allocation_pools": [{"start": "10.77.0.1", "end": "10.77.0.29"}]}),
            (400, {"allocation_pools": [{"start": "x", "end": "10.77.0.29"}]}),
            (400, {"dns_nameservers": ["x"]}),
            (400, {"dns_nameservers": ["10.0.0.1"] * 6}),
            (400, {"host_routes": [mixed]}),
        ):
            got = self.http.put(path, {"subnet": bad})
            self.assertEqual(status, got.status, (bad, got.body))
        self.server({"uuid": network})
        got = self.http.put(path, {"subnet": {"enable_dhcp": True}})
        self.assertEqual((409, "SubnetInUse"), (got.status, _type(got.json)))
        got = self.http.put(path, {"subnet": {"enable_dhcp": False, "name": "x"}})
        self.assertEqual(200, got.status)

    def test_errors_have_neutron_s_types(self) -> None:
        for path, kind in (
            ("/networks/99", "NetworkNotFound"),
            ("/subnets/99", "SubnetNotFound"),
        ):
            got = self.http.get(path)
            self.assertEqual((404, kind), (got.status, _type(got.json)))
            self.assertEqual(404, self.http.delete(path).status)
        body = {"network": {"provider:network_type": "vxlan"}}
        got = self.http.post("/networks", body)
        self.assertEqual((400, "BadRequest"), (got.status, _type(got.json)))
        body = {"network": {"provider:network_type": "CUSTOM"}}
        self.assertEqual(403, self.http.post("/networks", body).status)

    def test_only_administrators_see_how_networks_are_built(self) -> None:
        network = self.network()
        path = f"/networks/{network}"
        self.assertNotIn("provider", str(self.http.get(path).json))
        shown = self.cloud.neutron("boss").get(path).json["network"]
        self.assertEqual("MAC_FILTERED", shown["provider:network_type"])


class ReassigningTests(NeutronCase):
    def test_another_project_pays(self) -> None:
        network = self.network()
        http = self.cloud.cyclades_network()
        alt = str(self.parts.caller("other", "alt").project)
        path = f"/networks/{network}/action"
        wanted = {"reassign": {"project": alt, "shared_to_project": True}}
        got = http.post(path, wanted)
        self.assertEqual((200, alt), (got.status, got.json["network"]["tenant_id"]))
        self.assertEqual({}, self.parts.usage())
        used = self.parts.usage("demo", "alt")
        self.assertEqual({"cyclades.network.private": 1}, used)
        other = self.cloud.cyclades_network("other")
        self.assertEqual(200, other.get(f"/networks/{network}").status)
        self.assertEqual(403, other.post(path, wanted).status)
        stranger = {"reassign": {"project": str(UUID(int=5))}}
        self.assertEqual(400, http.post(path, stranger).status)
        bad: object
        for bad in ({}, {"reassign": {}}, {"add": {}}):
            self.assertEqual(400, http.post(path, bad).status)
        public = self.http.get("/networks?name=public").json["networks"][0]["id"]
        path = f"/networks/{public}/action"
        self.assertEqual(403, http.post(path, wanted).status)


def _type(body: Any) -> str:
    return str(body["NeutronError"]["type"])
