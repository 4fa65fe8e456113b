"""Ports and floating IPs as neutron lists them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.api.test_network_openstack import NeutronCase


class PortListTests(NeutronCase):
    def setUp(self) -> None:
        super().setUp()
        self.net = self.network()
        self.sub = self.subnet(self.net)
        for name in ("b", "c", "a", "b"):
            body = {"port": {"network_id": self.net, "name": name}}
            self.assertEqual(201, self.http.post("/ports", body).status)

    def names(self, query: str) -> list[str]:
        got = self.http.get(f"/ports?{query}")
        self.assertEqual(200, got.status, got.body)
        return [one["name"] for one in got.json["ports"]]

    def test_sorting_and_pages(self) -> None:
        self.assertEqual(["b", "c", "a", "b"], self.names(""))
        self.assertEqual(["a", "b", "b", "c"], self.names("sort_key=name"))
        down = "sort_key=name&sort_dir=desc"
        self.assertEqual(["c", "b", "b", "a"], self.names(down))
        for query in (down, "sort_key=mac_address&sort_key=name", "sort_key=status"):
            whole = self.http.get(f"/ports?{query}").json["ports"]
            self.assertEqual(whole, self.turned(f"/ports?{query}&limit=1"), query)

    def turned(self, path: str) -> list[Any]:
        """All items of all pages."""
        got = self.http.get(path).json
        found: list[Any] = got["ports"]
        for link in got.get("ports_links", ()):
            found += self.turned(f"/ports?{urlsplit(link['href']).query}")
        return found

    def test_filters(self) -> None:
        server = self.server({"uuid": self.net})
        self.parts.work()
        for query, count in (
            ("name=b", 2),
            (f"network_id={self.net}", 5),
            (f"device_id={server}", 1),
            ("device_id=some-router", 0),
            ("device_owner=compute:nova", 1),
            ("device_owner=network:router_gateway", 0),
            ("device_owner=", 4),
            ("fixed_ips=ip_address=10.77.0.3", 1),
            (f"fixed_ips=subnet_id={self.sub}", 5),
            (f"fixed_ips=ip_address=10.77.0.3&fixed_ips=subnet_id={self.sub}", 1),
            ("status=ACTIVE", 1),
            ("admin_state_up=false", 0),
            (f"project_id={self.parts.project}", 5),
            ("tenant_id=nobody", 0),
        ):
            self.assertEqual(count, len(self.names(query)), query)

    def test_fields(self) -> None:
        for one in self.http.get("/ports?fields=id&fields=status").json["ports"]:
            self.assertEqual({"id", "status"}, set(one))

    def test_what_there_is_not(self) -> None:
        for path in ("/ports", "/floatingips"):
            for bad in (
                "colour=red", "sort_key=colour", "sort_dir=asc", "marker=99999",
                "marker=x", "page_reverse=true", "limit=-2",
            ):  # fmt: skip
                got = self.http.get(f"{path}?{bad}")
                self.assertEqual(400, got.status, (path, bad))
                self.assertIn("NeutronError", got.json)
        for path, kind in (
            ("/ports/99999", "PortNotFound"),
            ("/floatingips/99999", "FloatingIPNotFound"),
        ):
            got = self.http.get(path)
            self.assertEqual(
                (404, kind), (got.status, got.json["NeutronError"]["type"])
            )


class FloatingListTests(NeutronCase):
    def test_filters_sorting_and_fields(self) -> None:
        made = [
            self.http.post("/floatingips", {"floatingip": {}}).json["floatingip"]
            for _ in range(3)
        ]
        addresses = [one["floating_ip_address"] for one in made]
        down = "sort_key=floating_ip_address&sort_dir=desc"
        for query, expected in (
            ("", addresses),
            (down, addresses[::-1]),
            (f"floating_ip_address={addresses[1]}", addresses[1:2]),
            ("status=DOWN", addresses),
            ("status=ACTIVE", []),
            ("router_id=x", []),
            ("fixed_ip_address=10.0.0.1", []),
            (f"{down}&limit=1", addresses[2:]),
            (f"{down}&limit=1&marker={made[2]['id']}", addresses[1:2]),
        ):
            got = self.http.get(f"/floatingips?{query}")
            self.assertEqual(200, got.status, got.body)
            found = [one["floating_ip_address"] for one in got.json["floatingips"]]
            self.assertEqual(expected, found, query)
        for one in self.http.get("/floatingips?fields=id").json["floatingips"]:
            self.assertEqual({"id"}, set(one))
