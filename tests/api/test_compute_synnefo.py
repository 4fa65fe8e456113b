"""Compute v2.0 as kamaki uses it: exact codes, Synnefo's own keys."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote
from uuid import uuid5

from twisted.trial.unittest import SynchronousTestCase

import api.synnefo.compute
from snfd.clock import now
from snfd.ganeti.model import Event
from snfd.ganeti.requests import Request
from tests.compute.http import BASE, http_cloud
from tests.compute.kit import IMAGE
from tests.identity.cloud import SPACE

KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq4hCyJrWpRqoFGzK3dDkUkNyMsVqZzqZtYcCbGf8xd"
    " me@here"
)


class CycladesCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.http = self.cloud.cyclades()
        self.body = {
            "name": "kam",
            "imageRef": str(IMAGE),
            "flavorRef": self.parts.flavor(),
        }

    def create(self, **more: object) -> int:
        got = self.http.post("/servers", {"server": {**self.body, **more}})
        self.assertEqual(202, got.status, got.body)
        return int(got.json["server"]["id"])

    def active(self, **more: object) -> int:
        ident = self.create(**more)
        self.parts.work()
        return ident

    def refused(self, status: int, fault: str = "", /, **more: object) -> None:
        wanted = {**self.body, **more}
        wanted = {key: value for key, value in wanted.items() if value != "absent"}
        got = self.http.post("/servers", {"server": wanted})
        self.assertEqual(status, got.status, (more, got.body))
        if fault:
            self.assertIn(fault, got.json)
        self.assertEqual([], self.http.get("/servers").json["servers"])
        self.assertEqual({}, self.parts.usage())
        self.assertEqual([], list(self.parts.intents()))

    def act(self, ident: int, body: object) -> int:
        return self.http.post(f"/servers/{ident}/action", body).status


class VersionTests(CycladesCase):
    def test_cyclades_01_versions_need_no_token(self) -> None:
        http = self.cloud.browser(api.synnefo.compute.versions(self.cloud), "")
        version = http.get("").json["versions"][0]
        self.assertEqual("v2.0", version["id"])
        self.assertEqual(f"{BASE}/compute/v2.0/", version["links"][0]["href"])

    def test_cyclades_02_03_tokens(self) -> None:
        for token in ("", "garbage"):
            got = self.cloud.cyclades(token).get("/servers")
            self.assertEqual((401, 401), (got.status, got.json["unauthorized"]["code"]))

    def test_cyclades_04_05_paths_and_methods(self) -> None:
        got = self.http.get("/nosuch")
        self.assertEqual((400, 400), (got.status, got.json["badRequest"]["code"]))
        got = self.http.request("PATCH", "/servers")
        self.assertEqual(405, got.status)
        self.assertIn("GET", got.headers["allow"])
        self.assertIn("POST", got.headers["allow"])

    def test_cyclades_06_07_bodies(self) -> None:
        data = json.dumps({"server": self.body}).encode()
        plain = {"Content-Type": "text/plain"}
        got = self.http.request("POST", "/servers", data=data, headers=plain)
        self.assertEqual(400, got.status)
        self.assertEqual(400, self.http.request("POST", "/servers", data=b"{").status)

    def test_cyclades_08_strangers_see_nothing(self) -> None:
        ident = self.active()
        other = self.cloud.cyclades("other")
        self.assertEqual(404, other.get(f"/servers/{ident}").status)
        boss = self.cloud.cyclades("boss")
        self.assertEqual(404, boss.get(f"/servers/{ident}").status)
        shared = self.active(shared_to_project=True)
        self.assertEqual(200, boss.get(f"/servers/{shared}").status)
        self.assertEqual(404, other.get(f"/servers/{shared}").status)
        reader = self.cloud.cyclades("watcher")
        self.assertEqual(200, reader.get(f"/servers/{shared}").status)
        got = reader.post(f"/servers/{shared}/action", {"shutdown": {}})
        self.assertEqual(403, got.status)


class CreateTests(CycladesCase):
    def test_cyclades_09_build_to_active(self) -> None:
        got = self.http.post("/servers", {"server": self.body})
        made = got.json["server"]
        self.assertEqual((202, "BUILD"), (got.status, made["status"]))
        self.assertEqual("BUILDING", made["SNF:task_state"])
        self.assertGreaterEqual(len(made["adminPass"]), 10)
        self.assertEqual(([], {}), (made["attachments"], made["addresses"]))
        self.parts.work()
        shown = self.http.get(f"/servers/{made['id']}").json["server"]
        self.assertEqual(("ACTIVE", 100), (shown["status"], shown["progress"]))
        self.assertNotIn("adminPass", shown)
        card = shown["attachments"][0]
        self.assertEqual("203.0.113.2", card["ipv4"])
        network = card["network_id"]
        self.assertEqual("203.0.113.2", shown["addresses"][network][0]["addr"])
        self.assertIsInstance(shown["id"], int)

    def test_cyclades_10_what_the_cluster_is_asked_for(self) -> None:
        self.create(user_data=b64encode(b"hello").decode())
        intent = self.parts.intents()[-1].intent
        request = self.parts.wait(
            self.parts.compute.handoffs.enrich(Request.of(intent), intent)
        )
        body = request.body
        self.assertEqual(
            {"auto_balance": True, "vcpus": 1, "minmem": 128, "maxmem": 128},
            body["beparams"],
        )
        self.assertEqual(1024, body["disks"][0]["size"])
        self.assertRegex(body["disks"][0]["name"], r"^snf-vol-\d+$")
        params = body["osparams"]
        self.assertEqual({"img_id", "img_format", "config_url"}, set(params))
        self.assertTrue(params["img_id"].startswith(f"{BASE}/vmapi/v1.0/image/"))
        stored = json.dumps(self.parts.people.sql("SELECT request FROM ops.outbox"))
        self.assertNotIn("vmapi", stored)

    def test_cyclades_11_12_13_14_what_is_needed(self) -> None:
        for key in ("name", "imageRef", "flavorRef"):
            self.refused(400, "badRequest", **{key: "absent"})
        self.refused(404, "itemNotFound", flavorRef=999999)
        self.refused(400, flavorRef="x")
        self.refused(404, imageRef=str(uuid5(SPACE, "none")))
        self.refused(400, name="x" * 256)
        self.refused(400, metadata={str(n): "" for n in range(11)})
        self.refused(400, metadata={"k" * 51: ""})
        self.refused(400, metadata={"k": "v" * 501})
        self.create(name="x" * 255, metadata={str(n): "" for n in range(10)})

    def test_cyclades_12_closed_flavors(self) -> None:
        flavor = self.parts.flavor(1, 256)
        change = self.parts.people.execute
        change("UPDATE compute.flavor SET public = false WHERE id = %s", flavor)
        self.refused(404, flavorRef=flavor)
        alt = uuid5(SPACE, "project alt")
        change("INSERT INTO compute.flavor_access VALUES (%s, %s)", flavor, alt)
        self.refused(403, flavorRef=flavor)
        change("UPDATE compute.flavor SET allow_create = false")
        self.refused(403, "forbidden")
        change("UPDATE compute.flavor SET allow_create = true")
        self.create(flavorRef=flavor, project=str(alt))

    def test_cyclades_15_personality(self) -> None:
        good = {"path": "/x", "contents": ""}
        self.refused(413, personality=[good] * 6)
        big = b64encode(b"x" * 10240).decode()
        self.refused(413, personality=[{"path": "/x", "contents": big}])
        self.refused(400, personality=[{**good, "colour": "red"}])
        self.refused(400, personality=[{"path": "/x"}])
        self.create(personality=[{**good, "mode": 288, "owner": "root"}])

    def test_cyclades_16_17_18_secrets_and_keys(self) -> None:
        self.refused(400, adminPass="short")
        self.refused(400, adminPass="alllowercase1")
        self.refused(400, user_data="!!")
        self.refused(404, key_name="none")
        self.refused(400, key_name="a", **{"SNF:key_names": ["b"]})
        wanted = {**self.body, "adminPass": "Abcdefghi1"}
        got = self.http.post("/servers", {"server": wanted})
        self.assertEqual("Abcdefghi1", got.json["server"]["adminPass"])

    def test_cyclades_21_the_password_is_kept_until_confirmed(self) -> None:
        ident = self.active(adminPass="Abcdefghi1")
        path = f"/servers/{ident}/password"
        self.assertEqual({"password": "Abcdefghi1"}, self.http.get(path).json)
        self.assertEqual(204, self.http.delete(path).status)
        self.assertEqual(404, self.http.get(path).status)
        self.assertEqual(404, self.http.delete(path).status)

    def test_cyclades_22_projects(self) -> None:
        self.refused(400, project=str(uuid5(SPACE, "none")))
        own = uuid5(SPACE, "demo")
        server = self.create(project=str(own))
        shown = self.http.get(f"/servers/{server}").json["server"]
        self.assertEqual(str(own), shown["tenant_id"])
        self.assertEqual({}, self.parts.usage())

    def test_cyclades_23_over_quota(self) -> None:
        self.parts.people.execute(
            "UPDATE quota.holding SET cap = 0 WHERE resource = 'cyclades.vm'"
        )
        self.refused(413, "overLimit")
        used = "SELECT count(*) FROM compute.ip_slot WHERE state = 'used'"
        self.assertEqual([(0,)], self.parts.people.sql(used))

    def test_cyclades_24_25_no_cluster(self) -> None:
        self.parts.people.execute("UPDATE compute.cluster SET drained = true")
        self.refused(503, "serviceUnavailable")
        self.parts.people.execute(
            "UPDATE compute.cluster SET drained = false, reachable = false"
        )
        self.refused(503)
        self.parts.cluster("two", 2)
        self.create()

    def test_cyclades_27_disks(self) -> None:
        root = {"source_type": "image", "uuid": str(IMAGE), "volume_size": 2}
        blank = {"source_type": "blank", "volume_size": 1}
        self.refused(400, block_device_mapping_v2=[blank])
        other = {**root, "uuid": str(uuid5(SPACE, "none"))}
        self.refused(400, block_device_mapping_v2=[other])
        self.refused(400, block_device_mapping_v2=[root] + [blank] * 8)
        self.refused(400, block_device_mapping_v2=[{**root, "volume_size": 0}])
        ident = self.create(block_device_mapping_v2=[root, blank])
        body = self.parts.intents()[-1].intent.request["body"]
        self.assertEqual([2048, 1024], [disk["size"] for disk in body["disks"]])
        self.assertEqual(3 << 30, self.parts.usage()["cyclades.disk"])
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual(2, len(shown["volumes"]))

    def test_cyclades_26_a_failed_build(self) -> None:
        ident = self.create()
        self.parts.work(fail="the OS script exited with 1")
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual("ERROR", shown["status"])
        self.assertIn("OS script", shown["diagnostics"][0]["message"])
        found = self.http.get(f"/servers/{ident}/diagnostics").json
        self.assertEqual(shown["diagnostics"], found)
        self.assertEqual(204, self.http.delete(f"/servers/{ident}").status)
        self.parts.work()
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual(("DELETED", True), (shown["status"], shown["deleted"]))
        self.assertEqual({}, self.parts.usage())

    def test_no_network_is_given_where_none_is_asked_for(self) -> None:
        ident = self.active(networks=[])
        self.assertEqual(
            [], self.http.get(f"/servers/{ident}").json["server"]["attachments"]
        )

    def test_cyclades_66_public_networks_need_a_floating_ip(self) -> None:
        network = self.cloud.cyclades_network()
        public = network.get("/networks").json["networks"][0]["id"]
        self.refused(409, "conflict", networks=[{"uuid": public}])
        self.refused(400, networks=[{"uuid": public, "fixed_ip": None}])
        got = network.post("/floatingips", {"floatingip": {}})
        self.assertEqual(200, got.status)
        ident = self.active(networks=[{"uuid": public}])
        card = self.http.get(f"/servers/{ident}").json["server"]["attachments"][0]
        self.assertEqual("floating", card["OS-EXT-IPS:type"])
        self.assertEqual(got.json["floatingip"]["floating_ip_address"], card["ipv4"])


class ActionTests(CycladesCase):
    def test_cyclades_30_31_32_stop_and_start(self) -> None:
        ident = self.active()
        self.assertEqual(202, self.act(ident, {"shutdown": {}}))
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual("STOPPING", shown["SNF:task_state"])
        self.assertEqual(400, self.act(ident, {"start": {}}))
        self.parts.work()
        self.assertEqual(
            "STOPPED", self.http.get(f"/servers/{ident}").json["server"]["status"]
        )
        self.assertEqual(400, self.act(ident, {"shutdown": {}}))
        caps = "UPDATE quota.holding SET cap = %s WHERE resource = 'cyclades.cpu'"
        self.parts.people.execute(caps, 0)
        got = self.http.post(f"/servers/{ident}/action", {"start": {}})
        self.assertEqual((413, True), (got.status, "overLimit" in got.json))
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual(("STOPPED", ""), (shown["status"], shown["SNF:task_state"]))
        self.parts.people.execute(caps, 10)
        self.assertEqual(202, self.act(ident, {"start": {}}))
        self.parts.work()
        self.assertEqual(1, self.parts.usage()["cyclades.cpu"])

    def test_cyclades_33_reboot(self) -> None:
        ident = self.active()
        for how, timeout in (
            ({"type": "HARD"}, 0),
            ({"type": "SOFT"}, None),
            ({}, None),
        ):
            self.assertEqual(202, self.act(ident, {"reboot": how}))
            intent = self.parts.intents()[-1].intent
            self.assertEqual("OP_INSTANCE_REBOOT", intent.kind)
            self.assertEqual(timeout, intent.request["body"].get("shutdown_timeout"))
            shown = self.http.get(f"/servers/{ident}").json["server"]
            self.assertEqual("REBOOT", shown["status"])
            self.parts.work()
        self.assertEqual(400, self.act(ident, {"reboot": {"type": "X"}}))

    def test_cyclades_34_35_one_thing_at_a_time(self) -> None:
        ident = self.create()
        got = self.http.post(f"/servers/{ident}/action", {"start": {}})
        self.assertEqual((409, True), (got.status, "buildInProgress" in got.json))
        self.parts.work()
        wrong: tuple[object, ...] = ({"start": {}, "shutdown": {}}, {}, {"fly": {}}, [])
        for body in wrong:
            self.assertEqual(400, self.act(ident, body), body)
        self.assertEqual(202, self.act(ident, {"os-stop": None}))

    def test_cyclades_38_39_delete(self) -> None:
        ident = self.active()
        self.assertEqual(204, self.http.delete(f"/servers/{ident}").status)
        self.assertEqual(204, self.http.delete(f"/servers/{ident}").status)
        self.parts.work()
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual(("DELETED", True), (shown["status"], shown["deleted"]))
        self.assertEqual([], self.http.get("/servers").json["servers"])
        self.assertEqual(400, self.http.delete(f"/servers/{ident}").status)
        young = self.create()
        self.parts.one(self.parts.intents()[0])  # the cluster has heard of it
        self.assertEqual(204, self.http.delete(f"/servers/{young}").status)
        self.parts.work()
        self.assertEqual({}, self.parts.usage())

    def test_cyclades_43_suspended(self) -> None:
        ident = self.active()
        self.parts.people.execute("UPDATE compute.server SET suspended = true")
        wrong: tuple[object, ...] = (
            {"shutdown": {}},
            {"reboot": {}},
            {"console": {"type": "vnc"}},
        )
        for body in wrong:
            self.assertEqual(403, self.act(ident, body))
        rename = {"server": {"name": "new"}}
        self.assertEqual(403, self.http.put(f"/servers/{ident}", rename).status)
        self.assertEqual(403, self.http.delete(f"/servers/{ident}").status)
        self.assertEqual(200, self.http.get(f"/servers/{ident}").status)
        self.parts.people.execute("UPDATE compute.server SET suspended = false")
        self.assertEqual(202, self.act(ident, {"shutdown": {}}))

    def test_cyclades_46_console(self) -> None:
        ident = self.active()
        self.assertEqual(400, self.act(ident, {"console": {"type": "foo"}}))
        body = {"console": {"type": "vnc-wss"}}
        got = self.http.post(f"/servers/{ident}/action", body)
        self.assertEqual(200, got.status, got.body)
        console = got.json["console"]
        self.assertEqual(("cloud.test", 80, 8), (
            console["host"], console["port"], len(console["password"])))  # fmt: skip
        self.assertTrue(console["path"].startswith("console/"))
        self.parts.seen(ident, Event.STOPPED)
        self.assertEqual(400, self.act(ident, body))

    def test_cyclades_47_48_what_is_not_served(self) -> None:
        ident = self.active()
        for name in ("os-getSPICEConsole", "os-getRDPConsole"):
            self.assertEqual(501, self.act(ident, {name: {}}))
        self.assertEqual(403, self.act(ident, {"suspend": {}}))
        self.assertEqual(400, self.act(ident, {"createImage": {}}))

    def test_rename(self) -> None:
        ident = self.create()
        body = {"server": {"name": "kamb"}}
        got = self.http.put(f"/servers/{ident}", body)
        self.assertEqual((204, b""), (got.status, got.body))
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual("kamb", shown["name"])


class DataTests(CycladesCase):
    def test_cyclades_49_metadata(self) -> None:
        ident = self.create(metadata={"os": "debian"})
        path = f"/servers/{ident}/metadata"
        got = self.http.post(path, {"metadata": {"role": "db"}})
        self.assertEqual((201, {"os": "debian", "role": "db"}), (
            got.status, got.json["metadata"]))  # fmt: skip
        got = self.http.put(f"{path}/role", {"meta": {"role": "web"}})
        self.assertEqual((201, {"meta": {"role": "web"}}), (got.status, got.json))
        for meta in ({"x": "1"}, {}, {"role": "a", "x": "b"}):
            got = self.http.put(f"{path}/role", {"meta": meta})
            self.assertEqual(400, got.status)
        self.assertEqual(404, self.http.get(f"{path}/none").status)
        self.assertEqual(204, self.http.delete(f"{path}/role").status)
        big = {"metadata": {"k": "v" * 501}}
        self.assertEqual(400, self.http.post(path, big).status)

    def test_cyclades_51_what_changed(self) -> None:
        db = self.parts.people.db
        at = self.parts.wait(db.read("SELECT now()"))[0][0]
        self.parts.people.clock.advance(
            (at - now(self.parts.people.clock)).total_seconds()
        )

        def changed(seconds: float, form: str = "") -> int:
            since = form or (at + timedelta(seconds=seconds)).isoformat()
            path = f"/servers/detail?changes-since={quote(since)}"
            return self.http.get(path).status

        self.assertEqual(304, changed(0))
        self.create()
        self.assertEqual(200, changed(0))
        self.assertEqual(400, changed(3600))
        self.assertEqual(400, changed(-7200))
        self.assertEqual(400, changed(0, "2030-01-01T00:00:00"))
        self.assertEqual(400, changed(0, "yesterday"))

    def test_cyclades_52_flavors(self) -> None:
        listed = self.http.get("/flavors").json["flavors"]
        detail = self.http.get("/flavors/detail?is_public=false").json["flavors"]
        self.assertEqual([one["id"] for one in listed], [one["id"] for one in detail])
        for one in detail:
            self.assertRegex(one["name"], r"^C\d+R\d+D\d+\w+$")
            self.assertTrue(one["os-flavor-access:is_public"])
        got = self.http.get("/flavors?SNF:is_public=false").json["flavors"]
        self.assertEqual([], got)
        self.assertEqual(400, self.http.get("/flavors/x").status)

    def test_cyclades_55_key_pairs(self) -> None:
        body = {"keypair": {"name": "kam", "public_key": KEY}}
        self.assertEqual(201, self.http.post("/os-keypairs", body).status)
        self.assertEqual(409, self.http.post("/os-keypairs", body).status)
        made = self.http.post("/os-keypairs", {"keypair": {"name": "gen"}})
        self.assertIn("private_key", made.json["keypair"])
        self.assertEqual(204, self.http.delete("/os-keypairs/gen").status)
        self.assertEqual(404, self.http.get("/os-keypairs/gen").status)
        for number in range(9):
            self.http.post("/os-keypairs", {"keypair": {"name": f"k{number}"}})
        got = self.http.post("/os-keypairs", {"keypair": {"name": "more"}})
        self.assertEqual(413, got.status)
