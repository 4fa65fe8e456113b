"""A program of somebody else's beside a real daemon: it registers, and charges."""

from __future__ import annotations

import unittest

import pytest

from tests.functional.daemon import Client, Daemon, running

DEFINITION: dict[str, object] = {
    "balancer": {
        "type": "load-balancer",
        "component": "balance",
        "prefix": "lb",
        "public": True,
        "endpoints": [{"versionId": "v1", "publicURL": None}],
        "resources": {
            "one": {
                "name": "balance.one",
                "desc": "Load balancers",
                "service_type": "load-balancer",
                "service_origin": "balancer",
            }
        },
    }
}
OWN = {
    "astakos_account", "astakos_identity", "cyclades_compute", "cyclades_network",
    "pithos_object-store",
}  # fmt: skip


@pytest.mark.xdist_group("daemon")
@pytest.mark.rig("pocket")
class RegistryTests(unittest.TestCase):
    def services(self, daemon: Daemon) -> set[str]:
        found = daemon.client("admin").get("/admin/v1/services").json
        return {one["name"] for one in found["items"]}

    def introduce(self, daemon: Daemon) -> str:
        """Make the component and register its service; its token."""
        admin = daemon.client("admin")
        made = admin.post(
            "/admin/v1/components",
            {"name": "balance", "base_url": "https://b.test/"},
        )
        self.assertEqual(201, made.status, made.body)
        done = admin.post("/admin/v1/services", {"services": DEFINITION})
        self.assertEqual(200, done.status, done.body)
        self.assertEqual(["balance.one"], done.json["resources"])
        token: str = made.json["token"]
        return token

    def charge(self, user: Client, token: str) -> None:
        """Have one used, and look at it from both sides."""
        own = user.user
        program = Client(user.port, token)
        parts: list[dict[str, object]] = [
            {"holder": f"user:{own}", "source": f"project:{own}"},
            {"holder": f"project:{own}", "source": None},
        ]
        body = {
            "provisions": [
                {**part, "resource": "balance.one", "quantity": 1} for part in parts
            ]
        }
        made = program.post("/account/v1.0/commissions", body)
        self.assertEqual(201, made.status, made.body)
        path = f"/account/v1.0/commissions/{made.json['serial']}/action"
        self.assertEqual(200, program.post(path, {"accept": ""}).status)
        mine = user.get("/account/v1.0/quotas").json[own]["balance.one"]
        self.assertEqual((1, 1), (mine["usage"], mine["project_usage"]))
        told = program.get(f"/account/v1.0/service_quotas?user={own}").json
        self.assertEqual({"balance.one": mine}, told[own][own])
        self.assertEqual(401, program.get("/account/v1.0/quotas").status)
        self.assertEqual(401, user.get("/account/v1.0/commissions").status)

    def test_a_component_registers_charges_and_outlives_a_restart(self) -> None:
        with running() as daemon:
            self.assertLess(OWN, self.services(daemon))
            token = self.introduce(daemon)
            self.charge(daemon.client(), token)
            before = self.services(daemon)
            daemon.stop()
            daemon.start()
            self.assertEqual(before, self.services(daemon))
            user = daemon.client()
            catalog = user.get("/identity/v3/auth/catalog").json["catalog"]
            (found,) = [one for one in catalog if one["type"] == "load-balancer"]
            urls = {end["url"] for end in found["endpoints"]}
            self.assertEqual({"https://b.test/lb/v1"}, urls)
            old = user.post(
                "/identity/v2.0/tokens", {"auth": {"token": {"id": user.token}}}
            )
            types = [one["type"] for one in old.json["access"]["serviceCatalog"]]
            self.assertIn("load-balancer", types)
            self.assertEqual(len(types), len(set(types)))
            self.assertEqual([], list(daemon.complaints()))
