"""Compute v2.1 as openstackclient and its like use it."""

from __future__ import annotations

from uuid import uuid5

from twisted.trial.unittest import SynchronousTestCase

import api.openstack.compute
from snfd.ganeti.model import Event
from tests.compute.http import http_cloud
from tests.compute.kit import IMAGE
from tests.identity.cloud import SPACE

KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq4hCyJrWpRqoFGzK3dDkUkNyMsVqZzqZtYcCbGf8xd"
    " me@here"
)
BODY = {
    "name": "oscli-srv",
    "imageRef": str(IMAGE),
    "min_count": 1,
    "max_count": 1,
    "networks": [],
    "block_device_mapping_v2": [
        {
            "uuid": str(IMAGE),
            "boot_index": 0,
            "source_type": "image",
            "destination_type": "local",
            "delete_on_termination": True,
        }
    ],
}


class NovaCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.http = self.cloud.nova()
        self.body = {**BODY, "flavorRef": str(self.parts.flavor())}

    def create(self, **more: object) -> str:
        got = self.http.post("/servers", {"server": {**self.body, **more}})
        self.assertEqual(202, got.status, got.body)
        return str(got.json["server"]["id"])

    def active(self, **more: object) -> str:
        ident = self.create(**more)
        self.parts.work()
        return ident

    def status(self, ident: str) -> object:
        got = self.http.get(f"/servers/{ident}")
        return got.json["server"]["status"] if got.status == 200 else got.status


class LifeTests(NovaCase):
    def test_a_server_from_image_and_flavor_alone(self) -> None:
        got = self.http.post("/servers", {"server": self.body})
        self.assertEqual(202, got.status, got.body)
        made = got.json["server"]
        self.assertEqual(
            {"id", "links", "OS-DCF:diskConfig", "adminPass", "security_groups"},
            set(made),
        )
        self.assertTrue(got.headers["location"].endswith(f"/servers/{made['id']}"))
        self.assertEqual("BUILD", self.status(made["id"]))
        self.parts.work()
        shown = self.http.get(f"/servers/{made['id']}").json["server"]
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual({"public"}, set(shown["addresses"]))
        self.assertEqual("fixed", shown["addresses"]["public"][0]["OS-EXT-IPS:type"])
        self.assertEqual(1, shown["OS-EXT-STS:power_state"])
        self.assertIsNone(shown["OS-EXT-STS:task_state"])
        self.assertNotIn("SNF", got.body.decode())
        self.assertNotIn("attachments", shown)

    def test_stop_start_reboot_and_delete(self) -> None:
        ident = self.active()
        path = f"/servers/{ident}/action"
        self.assertEqual(202, self.http.post(path, {"os-stop": None}).status)
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual("powering-off", shown["OS-EXT-STS:task_state"])
        self.assertEqual(409, self.http.post(path, {"os-stop": None}).status)
        self.parts.work()
        self.assertEqual("SHUTOFF", self.status(ident))
        self.assertEqual(409, self.http.post(path, {"os-stop": None}).status)
        self.assertEqual(202, self.http.post(path, {"os-start": None}).status)
        self.parts.work()
        self.assertEqual("ACTIVE", self.status(ident))
        self.http.post(path, {"reboot": {"type": "HARD"}})
        self.assertEqual("HARD_REBOOT", self.status(ident))
        self.parts.work()
        self.assertEqual("ACTIVE", self.status(ident))
        self.assertEqual(204, self.http.delete(f"/servers/{ident}").status)
        self.assertEqual(204, self.http.delete(f"/servers/{ident}").status)
        self.parts.work()
        self.assertEqual(404, self.status(ident))
        self.assertEqual(404, self.http.delete(f"/servers/{ident}").status)

    def test_wrong_actions(self) -> None:
        ident = self.active()
        path = f"/servers/{ident}/action"
        wrong: tuple[object, ...] = (
            {},
            {"os-stop": None, "os-start": None},
            {"fly": {}},
            [],
            1,
        )
        for body in wrong:
            self.assertEqual(400, self.http.post(path, body).status, body)
        self.assertEqual(400, self.http.post(path, {"reboot": {"type": "X"}}).status)
        self.assertEqual(400, self.http.post(path, {"reboot": None}).status)
        self.assertEqual(501, self.http.post(path, {"shelve": {}}).status)
        self.assertEqual(403, self.http.post(path, {"suspend": None}).status)

    def test_an_error_tells_its_fault(self) -> None:
        ident = self.create()
        self.parts.work(fail="no room at the inn")
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual("ERROR", shown["status"])
        self.assertIn("inn", shown["fault"]["message"])

    def test_everybody_in_the_project_manages_its_servers(self) -> None:
        ident = self.active()
        boss, reader = self.cloud.nova("boss"), self.cloud.nova("watcher")
        other = self.cloud.nova("other")
        for http, status in ((boss, 200), (reader, 200), (other, 404)):
            self.assertEqual(status, http.get(f"/servers/{ident}").status)
        action = f"/servers/{ident}/action"
        self.assertEqual(403, reader.post(action, {"os-stop": None}).status)
        self.assertEqual(403, reader.delete(f"/servers/{ident}").status)
        self.assertEqual(403, reader.post("/servers", {"server": self.body}).status)
        self.assertEqual([], other.get("/servers").json["servers"])
        self.assertEqual(1, len(reader.get("/servers").json["servers"]))
        self.assertEqual(202, boss.post(action, {"os-stop": None}).status)

    def test_console_urls_carry_the_ticket_in_the_fragment(self) -> None:
        ident = self.active()
        got = self.http.post(
            f"/servers/{ident}/action", {"os-getVNCConsole": {"type": "novnc"}}
        )
        self.assertEqual(200, got.status)
        url = got.json["console"]["url"]
        self.assertTrue(url.startswith("http://cloud.test/ui/console.html#ticket="))
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        got = self.http.post(f"/servers/{ident}/remote-consoles", remote)
        self.assertEqual("novnc", got.json["remote_console"]["type"])
        self.parts.seen(int(ident), Event.STOPPED)
        got = self.http.post(f"/servers/{ident}/remote-consoles", remote)
        self.assertEqual(409, got.status)

    def test_a_cluster_that_does_not_answer(self) -> None:
        running, stopped = self.active(), self.active()
        self.http.post(f"/servers/{stopped}/action", {"os-stop": None})
        self.parts.work()
        self.parts.people.execute("UPDATE compute.cluster SET reachable = false")
        got = self.http.post(f"/servers/{stopped}/action", {"os-start": None})
        self.assertEqual((503, "30"), (got.status, got.headers["retry-after"]))
        got = self.http.post(f"/servers/{running}/action", {"reboot": {"type": "SOFT"}})
        self.assertEqual(503, got.status)
        got = self.http.post(f"/servers/{running}/action", {"os-stop": None})
        self.assertEqual(202, got.status)
        self.assertEqual(204, self.http.delete(f"/servers/{stopped}").status)
        got = self.http.post("/servers", {"server": self.body})
        self.assertEqual((503, "30"), (got.status, got.headers["retry-after"]))
        self.assertEqual(200, self.http.get("/servers/detail").status)


class ListTests(NovaCase):
    def names(self, query: str) -> list[str]:
        got = self.http.get(f"/servers/detail{query}")
        self.assertEqual(200, got.status, got.body)
        return [one["name"] for one in got.json["servers"]]

    def test_filters(self) -> None:
        first = self.active(name="alpha")
        self.active(name="alphabet")
        self.create(name="beta%")
        self.assertEqual(["alpha", "alphabet", "beta%"], self.names("?deleted=False"))
        self.assertEqual(["alpha", "alphabet"], self.names("?name=alpha"))
        self.assertEqual(["alpha"], self.names("?name=^alpha$"))
        self.assertEqual(["beta%"], self.names("?name=%25"))
        self.assertEqual(["beta%"], self.names("?status=BUILD"))
        self.assertEqual([], self.names("?status=NONSENSE"))
        self.assertEqual(["alpha", "alphabet"], self.names("?status=active"))
        self.assertEqual(3, len(self.names(f"?flavor={self.parts.flavor()}")))
        self.assertEqual([], self.names("?flavor=none"))
        self.assertEqual(3, len(self.names(f"?image={IMAGE}")))
        self.assertEqual(["alpha"], self.names(f"?uuid={first}"))
        self.assertEqual(["alpha"], self.names("?ip=203.0.113.2$"))

    def test_pages(self) -> None:
        for name in "abc":
            self.create(name=name)
        got = self.http.get("/servers?limit=2").json
        self.assertEqual(["a", "b"], [one["name"] for one in got["servers"]])
        following = got["servers_links"][0]
        self.assertEqual("next", following["rel"])
        path = following["href"].partition("/os/compute/v2.1")[2]
        got = self.http.get(path).json
        self.assertEqual(["c"], [one["name"] for one in got["servers"]])
        self.assertNotIn("servers_links", got)
        self.assertEqual(["c", "b", "a"], self.names("?sort_dir=desc"))
        self.assertEqual(
            ["c", "b", "a"], self.names("?sort_key=display_name&sort_dir=desc")
        )
        for bad in ("marker=999", "marker=x", "limit=-1", "limit=x", "sort_key=x"):
            self.assertEqual(400, self.http.get(f"/servers?{bad}").status, bad)

    def test_what_changed(self) -> None:
        ident = self.active(name="old")
        at = self.http.get("/servers").headers["date"]
        self.assertTrue(at.endswith("GMT"))
        self.http.delete(f"/servers/{ident}")
        self.parts.work()
        self.assertEqual([], self.names(""))
        self.assertEqual(["old"], self.names("?changes-since=2020-01-01T00:00:00Z"))
        self.assertEqual([], self.names("?changes-since=2100-01-01T00:00:00Z"))
        self.assertEqual(400, self.http.get("/servers?changes-since=yesterday").status)

    def test_all_tenants_is_for_administrators(self) -> None:
        self.create(name="mine")
        self.assertEqual(403, self.http.get("/servers?all_tenants=1").status)
        boss = self.cloud.nova("boss@alt")
        self.assertEqual([], boss.get("/servers").json["servers"])
        self.assertEqual(1, len(boss.get("/servers?all_tenants=True").json["servers"]))


class CreateTests(NovaCase):
    def refused(self, status: int, /, **more: object) -> None:
        got = self.http.post("/servers", {"server": {**self.body, **more}})
        self.assertEqual(status, got.status, got.body)
        self.assertEqual([], self.http.get("/servers").json["servers"])
        self.assertEqual({}, self.parts.usage())

    def test_what_is_wrong_is_refused(self) -> None:
        missing = str(uuid5(SPACE, "nothing"))
        wrong: tuple[dict[str, object], ...] = (
            {"name": ""},
            {"name": "x" * 256},
            {"name": 1},
            {"flavorRef": "999999"},
            {"flavorRef": "x"},
            {"flavorRef": None},
            {"imageRef": missing, "block_device_mapping_v2": None},
            {"imageRef": "x"},
            {"key_name": "none"},
            {"networks": [{"uuid": "999"}]},
            {"networks": [{}]},
            {"networks": "all"},
            {"max_count": 2},
            {"adminPass": "short"},
            {"user_data": "!!"},
            {"metadata": {"a": 1}},
            {"metadata": {str(n): "" for n in range(11)}},
            {"personality": [{"path": "/x"}]},
        )
        for more in wrong:
            self.refused(400, **more)

    def test_no_network_if_none_is_wanted(self) -> None:
        ident = self.active(networks="none")
        shown = self.http.get(f"/servers/{ident}").json["server"]
        self.assertEqual({}, shown["addresses"])

    def test_over_quota_is_forbidden(self) -> None:
        self.parts.people.execute(
            "UPDATE quota.holding SET cap = 0 WHERE resource = 'cyclades.vm'"
        )
        self.refused(403)
        self.assertEqual([], list(self.parts.intents()))

    def test_an_image_must_fit_its_disk(self) -> None:
        from attrs import evolve

        big = evolve(self.parts.images.known[IMAGE], size=2 << 30)
        self.parts.images.known[IMAGE] = big
        self.refused(400)


class OtherTests(NovaCase):
    def test_versions_need_no_token(self) -> None:
        http = self.cloud.browser(api.openstack.compute.resource(self.cloud), "")
        version = http.get("").json["version"]
        self.assertEqual(("v2.1", "2.1"), (version["id"], version["version"]))
        self.assertEqual(401, http.get("/servers").status)
        listing = self.cloud.browser(api.openstack.compute.versions(self.cloud), "")
        self.assertEqual("v2.1", listing.get("").json["versions"][0]["id"])

    def test_microversions(self) -> None:
        def get(**headers: str) -> tuple[int, str]:
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            got = self.http.get("/servers", headers=named)
            return got.status, got.headers.get("openstack-api-version", "")

        self.assertEqual((200, "compute 2.1"), get())
        self.assertEqual(
            (200, "compute 2.1"), get(OpenStack_API_Version="compute latest")
        )
        self.assertEqual((200, "compute 2.1"), get(OpenStack_API_Version="volume 3.70"))
        self.assertEqual(406, get(OpenStack_API_Version="compute 2.90")[0])
        self.assertEqual(406, get(X_OpenStack_Nova_API_Version="2.2")[0])
        self.assertEqual(400, get(OpenStack_API_Version="compute two")[0])

    def test_unknown_paths_and_ids(self) -> None:
        for path in ("/nosuch", "/servers/x", "/servers/99", "/flavors/x"):
            got = self.http.get(path)
            self.assertEqual(404, got.status, path)
            self.assertEqual(404, got.json["itemNotFound"]["code"])
        self.assertEqual(405, self.http.request("PATCH", "/servers").status)

    def test_flavors(self) -> None:
        listed = self.http.get("/flavors/detail?is_public=None").json["flavors"]
        names = [one["name"] for one in self.http.get("/flavors").json["flavors"]]
        self.assertEqual([one["name"] for one in listed], names)
        self.assertRegex(names[0], r"^C\d+R\d+D\d+\w+$")
        self.assertIsInstance(listed[0]["id"], str)
        self.assertNotIn("SNF", str(listed))
        page = self.http.get("/flavors?limit=2").json
        self.assertIn("flavors_links", page)
        ident = listed[0]["id"]
        got = self.http.get(f"/flavors/{ident}/os-extra_specs").json
        self.assertEqual({"extra_specs": {}}, got)

    def test_cyclades_55_key_pairs(self) -> None:
        wanted = {"keypair": {"name": "laptop", "public_key": KEY}}
        got = self.http.post("/os-keypairs", wanted)
        self.assertEqual(200, got.status, got.body)
        self.assertNotIn("private_key", got.json["keypair"])
        self.assertEqual(409, self.http.post("/os-keypairs", wanted).status)
        made = self.http.post("/os-keypairs", {"keypair": {"name": "new"}}).json
        self.assertIn("PRIVATE KEY", made["keypair"]["private_key"])
        self.assertEqual(2, len(self.http.get("/os-keypairs").json["keypairs"]))
        shown = self.http.get("/os-keypairs/laptop").json["keypair"]
        self.assertEqual(KEY, shown["public_key"])
        self.assertEqual(404, self.cloud.nova("boss").get("/os-keypairs/new").status)
        self.assertEqual(202, self.http.delete("/os-keypairs/new").status)
        self.assertEqual(404, self.http.get("/os-keypairs/new").status)
        junk = {"keypair": {"name": "junk", "public_key": "ssh-rsa AAAA"}}
        self.assertEqual(400, self.http.post("/os-keypairs", junk).status)
        for number in range(9):
            self.http.post("/os-keypairs", {"keypair": {"name": f"k{number}"}})
        got = self.http.post("/os-keypairs", {"keypair": {"name": "eleventh"}})
        self.assertEqual(403, got.status)

    def test_limits_and_quotas(self) -> None:
        self.active()
        absolute = self.http.get("/limits?reserved=False").json["limits"]["absolute"]
        self.assertEqual(1, absolute["totalInstancesUsed"])
        self.assertEqual(20, absolute["maxTotalInstances"])
        self.assertEqual(128, absolute["totalRAMUsed"])
        project = self.parts.project
        quota = self.http.get(f"/os-quota-sets/{project}").json["quota_set"]
        self.assertEqual((20, 40), (quota["instances"], quota["cores"]))
        detail = self.http.get(f"/os-quota-sets/{project}/detail").json["quota_set"]
        self.assertEqual(1, detail["instances"]["in_use"])

    def test_small_things_that_clients_ask(self) -> None:
        for path in (
            "/os-availability-zone",
            "/os-server-groups",
            "/extensions",
            "/images",
            "/images/detail",
        ):
            self.assertEqual(200, self.http.get(path).status, path)
        for path in ("/os-availability-zone/detail", "/os-hypervisors"):
            self.assertEqual(403, self.http.get(path).status, path)

    def test_metadata(self) -> None:
        ident = self.create(metadata={"a": "1"})
        path = f"/servers/{ident}/metadata"
        got = self.http.post(path, {"metadata": {"b": "2"}})
        self.assertEqual(
            (200, {"a": "1", "b": "2"}), (got.status, got.json["metadata"])
        )
        got = self.http.put(f"{path}/a", {"meta": {"a": "3"}})
        self.assertEqual({"meta": {"a": "3"}}, got.json)
        self.assertEqual(400, self.http.put(f"{path}/a", {"meta": {"x": ""}}).status)
        self.assertEqual(204, self.http.delete(f"{path}/a").status)
        self.assertEqual(404, self.http.delete(f"{path}/a").status)
        self.assertEqual(404, self.http.get(f"{path}/a").status)
        got = self.http.put(path, {"metadata": {"z": ""}})
        self.assertEqual({"z": ""}, self.http.get(path).json["metadata"])

    def test_rename(self) -> None:
        ident = self.create()
        got = self.http.put(f"/servers/{ident}", {"server": {"name": "other"}})
        self.assertEqual((200, "other"), (got.status, got.json["server"]["name"]))
        self.assertEqual(
            400, self.http.put(f"/servers/{ident}", {"server": {"name": ""}}).status
        )

    def test_cards_and_disks(self) -> None:
        ident = self.active()
        cards = self.http.get(f"/servers/{ident}/os-interface").json
        card = cards["interfaceAttachments"][0]
        self.assertEqual("ACTIVE", card["port_state"])
        self.assertEqual("203.0.113.2", card["fixed_ips"][0]["ip_address"])
        one = self.http.get(f"/servers/{ident}/os-interface/{card['port_id']}")
        self.assertEqual(card, one.json["interfaceAttachment"])
        disks = self.http.get(f"/servers/{ident}/os-volume_attachments").json
        self.assertEqual("/dev/vda", disks["volumeAttachments"][0]["device"])
        volume = disks["volumeAttachments"][0]["id"]
        got = self.http.get(f"/servers/{ident}/os-volume_attachments/{volume}")
        self.assertEqual(200, got.status)
        got = self.http.get(f"/servers/{ident}/ips").json
        self.assertEqual(
            [{"version": 4, "addr": "203.0.113.2"}], got["addresses"]["public"]
        )
        self.assertEqual(200, self.http.get(f"/servers/{ident}/ips/public").status)
        self.assertEqual(404, self.http.get(f"/servers/{ident}/ips/none").status)
