"""Ports, floating IPs and their history as administrators see and change them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from api.admin.addresses import AddressHistoryApi, FloatingIpsApi, PortsApi
from api.admin.faults import DIALECT
from api.dispatch import build
from snfd.admin.addresses import AddressViews
from snfd.admin.rights import EVERYTHING, Staff
from snfd.admin.service import Finder
from snfd.audit import Actor
from snfd.network.model import NicRequest
from tests.api.memory import Browser
from tests.compute.kit import compute_cloud


class StaffTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.parts = compute_cloud(self)
        views = AddressViews(self.parts.people.db, Finder(self.parts.people.db))
        staff = self.parts.compute.address_staff
        boss = Staff(
            Actor(self.parts.caller("boss").user, "boss", "127.0.0.1"), EVERYTHING
        )

        async def gate(_: str | None) -> Staff:
            return boss

        opened: Any = gate
        self.web = Browser(
            build(
                DIALECT,
                opened,
                PortsApi(views, staff),
                FloatingIpsApi(views, staff),
                AddressHistoryApi(views),
            ),
            "boss",
        )

    def get(self, path: str, status: int = 200) -> Any:
        got = self.web.get(path)
        self.assertEqual(status, got.status, got.body)
        return got.json

    def post(self, path: str, body: object, status: int = 202) -> Any:
        got = self.web.post(path, body)
        self.assertEqual(status, got.status, got.body)
        return got.json if got.body else None

    def delete(self, path: str, status: int) -> None:
        got = self.web.delete(path)
        self.assertEqual(status, got.status, got.body)

    def audited(self) -> list[Any]:
        found = self.parts.people.sql("SELECT action FROM ops.audit ORDER BY id")
        return [one for (one,) in found]

    def test_a_floating_ip_from_the_pool_and_back(self) -> None:
        wanted = {"owner": "demo", "project": "demo"}
        made = self.post("/floating-ips", wanted, 201)
        self.assertEqual({"cyclades.floating_ip": 1}, self.parts.usage())
        self.post("/floating-ips", {**wanted, "address": made["address"]}, 409)
        self.post("/floating-ips", {**wanted, "owner": "nobody"}, 404)
        server, path = self.parts.active().id, f"/floating-ips/{made['id']}"
        self.delete(f"{path}/server", 400)
        self.post(f"{path}/server", {"server": 99_999}, 404)
        self.post(f"{path}/server", {"server": server})
        self.parts.work()
        self.assertEqual(server, self.get(path)["server"])
        for query, count in (
            ("", 1), ("?free=true", 0), ("?user=demo", 1), ("?user=other", 0),
            (f"?server={server}", 1), (f"?address={made['address']}", 1),
        ):  # fmt: skip
            found = self.get(f"/floating-ips{query}")["items"]
            self.assertEqual(count, len(found), query)
        self.delete(path, 409)
        self.delete(f"{path}/server", 202)
        self.parts.work()
        self.delete(path, 204)
        self.get(path, 404)
        self.assertNotIn("cyclades.floating_ip", self.parts.usage())
        self.assertEqual(
            ["create", "attach", "detach", "remove"],
            [one.removeprefix("floating-ip.") for one in self.audited()],
        )

    def test_ports(self) -> None:
        server = self.parts.active().id
        (port,) = self.get(f"/ports?server={server}")["items"]
        facts = self.get(f"/ports/{port['id']}")
        self.assertEqual(("ACTIVE", server), (facts["state"], facts["server"]))
        for query in (f"address={port['addresses'][0]}", f"mac={port['mac'].upper()}"):
            self.assertEqual([port], self.get(f"/ports?{query}")["items"])
        self.assertEqual([], self.get("/ports?state=ERROR")["items"])
        self.get("/ports?address=x", 400)
        self.get("/ports/99999", 404)
        self.delete(f"/ports/{port['id']}", 202)
        self.parts.work()
        self.get(f"/ports/{port['id']}", 404)
        self.delete(f"/ports/{port['id']}", 404)
        self.assertEqual(["port.remove"], self.audited())

    def test_who_had_an_address_then(self) -> None:
        server = self.parts.active(nics=[NicRequest()])
        address = server.attachments[0].addresses[0].addr
        caller, scope = self.parts.caller(), self.parts.scope()
        self.parts.wait(self.parts.compute.actions.delete(caller, scope, server.id))
        self.parts.work()
        left, came = self.get(f"/address-history?address={address}")["items"]
        self.assertEqual(
            [("disassociate", "server removed"), ("associate", "server made")],
            [(one["action"], one["reason"]) for one in (left, came)],
        )
        self.assertEqual(("demo", "demo"), (came["owner"], came["project"]))
        self.assertEqual([], self.get(f"/addresses/{address}/holders")["items"])
        then = came["at"].replace("+00:00", "Z")
        path = f"/addresses/{address}/holders?at={then}"
        self.assertEqual([came], self.get(path)["items"])
        before = datetime.now(UTC) - timedelta(days=1)
        path = f"/addresses/{address}/holders?at={before:%Y-%m-%dT%H:%M:%SZ}"
        self.assertEqual([], self.get(path)["items"])
        self.get("/addresses/x/holders", 400)
        for query, count in (
            ("user=demo", 2), ("user=other", 0), (f"server={server.id}", 2),
            (f"until={then}", 0), (f"since={then}", 2), ("limit=1", 1),
        ):  # fmt: skip
            found = self.get(f"/address-history?{query}")["items"]
            self.assertEqual(count, len(found), query)
