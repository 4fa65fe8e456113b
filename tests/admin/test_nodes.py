"""Clusters' nodes, as administrators bind hand-offs to them."""

from __future__ import annotations

from typing import Any

from api.admin.faults import DIALECT
from api.admin.nodes import NodesApi
from api.dispatch import build
from snfd.compute.nodes import Nodes
from snfd.compute.progress import Reports
from tests.admin.test_api import AdminCase
from tests.api.memory import Browser
from tests.compute.kit import XorSealer


class NodesTests(AdminCase):
    def setUp(self) -> None:
        super().setUp()
        db = self.cloud.db
        reports = Reports(db, self.cloud.clock, XorSealer(), lambda: b"s" * 32)
        gate: Any = self.services.staff
        resource = build(DIALECT, gate, NodesApi(Nodes(db, reports)))
        self.web = Browser(resource, self.cloud.login("admin").secret)
        self.cloud.execute(
            "INSERT INTO compute.cluster (name, url, username, secret, idx) "
            "VALUES ('athens', 'https://ganeti.test:5080', 'snfd', '', 1)"
        )

    def test_hand_offs_are_bound_to_nodes(self) -> None:
        path = "/backends/athens/nodes"
        self.assertEqual({"networks": []}, self.web.get(path).json)
        wanted = {"networks": ["192.0.2.9/28", "2001:db8::1"]}
        self.assertEqual(204, self.web.put(path, wanted).status)
        told = self.web.get(path).json["networks"]
        self.assertEqual(["192.0.2.0/28", "2001:db8::1/128"], told)
        self.assertEqual(400, self.web.put(path, {"networks": ["nodes"]}).status)
        self.assertEqual(404, self.web.put("/backends/none/nodes", wanted).status)
        self.assertEqual(204, self.web.put(path, {}).status)
        self.assertEqual({"networks": []}, self.web.get(path).json)

    def test_the_secret_stays_the_same_and_is_stored_sealed(self) -> None:
        path = "/backends/athens/nodes/secret"
        secret = self.web.post(path).json["secret"]
        self.assertEqual((b"s" * 32).hex(), secret)
        self.assertEqual(secret, self.web.post(path).json["secret"])
        [(kept,)] = self.cloud.sql("SELECT report_secret FROM compute.cluster")
        self.assertNotIn(b"s" * 32, bytes(kept))  # type: ignore[call-overload]
        told = self.cloud.sql("SELECT action FROM ops.audit WHERE target LIKE 'back%'")
        self.assertIn(("backend.node-secret",), told)
        self.assertNotIn(secret, str(self.cloud.sql("SELECT a::text FROM ops.audit a")))
