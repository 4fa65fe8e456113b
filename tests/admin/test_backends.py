"""Clusters as administrators register, change and remove them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from api.admin.backends import BackendsApi, ServedApi
from api.admin.faults import DIALECT
from api.dispatch import build
from snfd.admin.backends import BackendViews
from snfd.compute.backends import Backends
from snfd.ganeti import store
from snfd.sealed import CLUSTER_PASSWORD
from tests.admin.test_api import AdminCase
from tests.api.memory import Browser
from tests.compute.kit import XorSealer

PIN = "sha256:" + "0f" * 32
SECRET = "rapi-secret-word"
NEW = {
    "name": "athens",
    "url": "https://ganeti.test:5080/",
    "username": "snfd",
    "password": SECRET,
    "tls_ca": PIN,
    "weight": 2.5,
}


class BackendTests(AdminCase):
    """One cluster, athens, unless a test begins otherwise."""

    def setUp(self) -> None:
        super().setUp()
        views = BackendViews(self.cloud.db, self.services.find)
        backends = Backends(self.cloud.db, XorSealer(), uuid4)
        gate: Any = self.services.staff
        self.web = Browser(
            build(
                DIALECT,
                gate,
                BackendsApi(views, backends),
                ServedApi(views, backends),
            ),
            self.cloud.login("admin").secret,
        )

    def add(self, **more: Any) -> dict[str, Any]:
        answer = self.web.post("/backends", {**NEW, **more})
        self.assertEqual(201, answer.status, answer.body)
        found: dict[str, Any] = answer.json
        return found

    def change(self, path: str, body: object) -> Any:
        return self.web.request("PATCH", path, json=body)

    def refused(self, answer: Any, status: int, *words: str) -> None:
        self.assertEqual(status, answer.status, answer.body)
        for word in words:
            self.assertIn(word, answer.json["error"]["message"])

    def row(self, name: str = "athens") -> store.Cluster:
        async def look(tx: Any) -> store.Cluster | None:
            return await store.locked(tx, name)

        found = self.cloud.wait(self.cloud.db.run(look))
        assert found is not None
        return found

    def server(self, cluster: int, state: str = "STOPPED") -> None:
        execute = self.cloud.execute
        execute(
            "INSERT INTO compute.volume_type (name, disk_template) VALUES ('t', 'file')"
            " ON CONFLICT DO NOTHING"
        )
        execute(
            "INSERT INTO compute.flavor (cpu, ram, disk, volume_type) SELECT 1, 64, 1,"
            " id FROM compute.volume_type ON CONFLICT DO NOTHING"
        )
        execute(
            "INSERT INTO compute.server (name, owner, project, cluster, flavor, state)"
            " SELECT 'web', %s, %s, %s, id, %s FROM compute.flavor",
            self.demo,
            self.project,
            cluster,
            state,
        )

    def test_it_is_added_sealed_and_shown_without_its_password(self) -> None:
        made = self.add()
        self.assertEqual(
            ("athens", "https://ganeti.test:5080", "ok", PIN, 0, 2.5),
            tuple(
                made[name]
                for name in ("name", "url", "state", "tls", "digit", "weight")
            ),
        )
        row = self.row()
        plain = XorSealer().open(row.secret, *CLUSTER_PASSWORD.at(row.id))
        self.assertEqual(SECRET, plain.decode())
        for path in ("", "/athens", f"/{row.id}", "/athens/info"):
            answer = self.web.get(f"/backends{path}")
            self.assertEqual(200, answer.status)
            self.assertNotIn(SECRET.encode(), answer.body)
        audit = repr(self.cloud.sql("SELECT action, details FROM ops.audit"))
        self.assertIn("backend.add", audit)
        self.assertNotIn(SECRET, audit)
        self.assertNotIn(SECRET, repr(row))

    def test_what_is_wrong_is_said(self) -> None:
        self.add()
        post = self.web.post
        self.refused(post("/backends", NEW), 409, "already")
        for wrong in (
            {"name": "42"},
            {"name": "a b"},
            {"url": "ganeti.test"},
            {"url": "https://a/b/c"},
            {"tls_ca": "nonsense"},
            {"password": ""},
            {"password": None},
            {"weight": 0},
            {"hypervisor": "vmware"},
            {"username": 7},
        ):
            answer = post("/backends", {**NEW, "name": "other", **wrong})
            self.refused(answer, 400)
        self.refused(self.web.get("/backends/nosuch"), 404, "nosuch")
        self.refused(self.change("/backends/athens", {"url": "x"}), 400, "https")
        self.refused(self.change("/backends/athens", {"password": ""}), 400)

    def test_there_are_sixteen_digits(self) -> None:
        digits = [self.add(name=f"c{number}")["digit"] for number in range(16)]
        self.assertEqual(list(range(16)), digits)
        answer = self.web.post("/backends", {**NEW, "name": "c16"})
        self.refused(answer, 409, "16")

    def test_it_is_changed(self) -> None:
        self.add()
        answer = self.change(
            "/backends/athens",
            {"drained": True, "public": False, "tls_ca": "", "password": "other"},
        )
        self.assertEqual(200, answer.status, answer.body)
        self.assertEqual(
            ("drained", False, "system", 2.5),
            tuple(answer.json[name] for name in ("state", "public", "tls", "weight")),
        )
        row = self.row()
        plain = XorSealer().open(row.secret, *CLUSTER_PASSWORD.at(row.id))
        self.assertEqual(b"other", plain)
        self.assertTrue(row.stale)
        self.change("/backends/athens", {"offline": True})
        self.refused(self.web.post("/backends/athens/refresh"), 409, "offline")
        self.assertEqual(
            ["offline"], [one["state"] for one in self.get("/backends")["items"]]
        )
        self.assertEqual([], self.get("/backends?offline=false")["items"])

    def test_refresh_is_noted_for_whoever_works_on_it(self) -> None:
        self.add()
        self.assertFalse(self.row().stale)
        self.assertEqual(202, self.web.post("/backends/athens/refresh").status)
        self.assertTrue(self.row().stale)

    def test_remove_refuses_with_live_servers_and_keeps_deleted_ones(self) -> None:
        self.add()
        cluster = self.row().id
        self.server(cluster)
        self.refused(self.web.delete("/backends/athens"), 409, "1 server(s)")
        self.cloud.execute("UPDATE compute.server SET state = 'DESTROYED'")
        self.assertEqual(204, self.web.delete("/backends/athens").status)
        self.assertEqual(
            [(None,)], [tuple(row) for row in self.cloud.sql(
                "SELECT cluster FROM compute.server")]
        )  # fmt: skip
        self.refused(self.web.get("/backends/athens"), 404)

    def test_networks_are_taken_away_before_it_goes(self) -> None:
        self.add()
        cluster = self.row().id
        self.cloud.execute(
            "INSERT INTO compute.network (id, owner, project, kind, mode, link,"
            " mac_prefix) VALUES (5, %s, %s, 'MAC_FILTERED', 'bridged', 'prv0',"
            " 'aa:00:1')",
            self.demo,
            self.project,
        )
        self.cloud.execute(
            "INSERT INTO compute.cluster_network (network, cluster, mac_prefix, state,"
            " added) VALUES (5, %s, 'aa:00:10', 'ACTIVE', true)",
            cluster,
        )
        self.assertEqual(204, self.web.delete("/backends/athens").status)
        self.assertEqual("removing", self.get("/backends/athens")["state"])
        kinds = [row[0] for row in self.cloud.sql("SELECT kind FROM ops.outbox")]
        self.assertEqual(["OP_NETWORK_DISCONNECT", "OP_NETWORK_REMOVE"], kinds)
        done = self.cloud.wait(self.cloud.db.run(store.leave_if_done, cluster))
        self.assertFalse(done)
        self.cloud.execute("UPDATE ops.outbox SET state = 'success', finished = now()")
        self.cloud.execute("DELETE FROM compute.cluster_network")
        done = self.cloud.wait(self.cloud.db.run(store.leave_if_done, cluster))
        self.assertTrue(done)
        self.refused(self.web.get("/backends/athens"), 404)

    def test_projects_and_people_are_sent_there_and_no_longer(self) -> None:
        self.add()
        for path, body in (("projects", {"project": "demo"}),
                           ("people", {"user": "demo"})):  # fmt: skip
            for _ in range(2):
                answer = self.web.post(f"/backends/athens/{path}", body)
                self.assertEqual(204, answer.status, answer.body)
            wrong = dict.fromkeys(body, "nobody")
            self.refused(self.web.post(f"/backends/athens/{path}", wrong), 404)
        found = self.get("/backends/athens")
        self.assertEqual(["demo"], [one["name"] for one in found["projects"]])
        self.assertEqual([self.demo], [UUID(one["uuid"]) for one in found["people"]])
        self.assertEqual(1, len(self.get("/backends?project=demo")["items"]))
        for path in ("projects/demo", "people/demo"):
            self.assertEqual(204, self.web.delete(f"/backends/athens/{path}").status)
            self.refused(self.web.delete(f"/backends/athens/{path}"), 404)

    def test_helpers_look_and_change_nothing(self) -> None:
        self.add()
        self.web.token = self.cloud.login("helper").secret
        self.assertEqual(200, self.web.get("/backends").status)
        for answer in (
            self.web.post("/backends", {**NEW, "name": "b"}),
            self.change("/backends/athens", {"drained": True}),
            self.web.delete("/backends/athens"),
            self.web.post("/backends/athens/refresh"),
        ):
            self.refused(answer, 403)
