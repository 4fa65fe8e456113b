"""Floating IPs on servers and off them, in both dialects; who may put what where."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.network.groups import groups
from tests.api.memory import Browser
from tests.compute.http import http_cloud


class CarryingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.cyclades = self.cloud.cyclades()
        self.nova = self.cloud.nova()
        self.network = self.cloud.cyclades_network()
        self.neutron = self.cloud.neutron()
        self.server = self.parts.active().id

    def floating(self, **more: object) -> Any:
        got = self.network.post("/floatingips", {"floatingip": more})
        self.assertEqual(200, got.status, got.body)
        return got.json["floatingip"]

    def shown(self, ident: str) -> Any:
        return self.network.get(f"/floatingips/{ident}").json["floatingip"]

    def act(
        self, http: Browser, does: str, status: int = 202, server: int = 0, **given: Any
    ) -> None:
        path = f"/servers/{server or self.server}/action"
        got = http.post(path, {does: given})
        self.assertEqual(status, got.status, (does, given, got.body))

    def cards(self) -> list[Any]:
        path = f"/ports?device_id={self.server}"
        return list(self.neutron.get(path).json["ports"])


class ActionTests(CarryingCase):
    def test_cyclades_67_put_on_and_taken_off(self) -> None:
        made = self.floating()
        address, path = made["floating_ip_address"], f"/floatingips/{made['id']}"
        self.act(self.cyclades, "addFloatingIp", address=address)
        (asked,) = self.parts.intents()
        self.assertTrue(asked.intent.request["body"]["hotplug_if_possible"])
        self.assertEqual("BUILD", self.cards()[-1]["status"])
        self.parts.work()
        self.assertEqual(str(self.server), self.shown(made["id"])["instance_id"])
        held = self.cyclades.get(f"/servers/{self.server}").json["server"]
        self.assertIn(address, [one["ipv4"] for one in held["attachments"]])
        self.assertEqual(409, self.network.delete(path).status)
        self.act(self.cyclades, "addFloatingIp", 409, address=address)
        self.act(self.cyclades, "removeFloatingIp", address=address)
        self.parts.work()
        self.assertEqual(1, len(self.cards()))
        self.assertIsNone(self.shown(made["id"])["instance_id"])
        self.assertEqual(204, self.network.delete(path).status)

    def test_cyclades_67_what_there_is_not(self) -> None:
        made = self.floating()
        address = made["floating_ip_address"]
        for http, name, status, given in (
            (self.cyclades, "addFloatingIp", 404, "203.0.113.250"),
            (self.cyclades, "addFloatingIp", 404, "x"),
            (self.cyclades, "removeFloatingIp", 404, "203.0.113.250"),
            (self.cyclades, "removeFloatingIp", 400, address),
            (self.nova, "addFloatingIp", 404, "203.0.113.250"),
            (self.nova, "removeFloatingIp", 400, address),
            (self.cloud.cyclades("other"), "addFloatingIp", 404, address),
        ):
            self.act(http, name, status, address=given)
        self.act(self.cyclades, "addFloatingIp", 400)
        self.act(self.cyclades, "addFloatingIp", 404, server=99_999, address=address)
        self.assertEqual([], list(self.parts.intents()))

    def test_a_card_that_could_not_be_made_is_in_error_and_the_address_free(
        self,
    ) -> None:
        made = self.floating()
        self.act(self.cyclades, "addFloatingIp", address=made["floating_ip_address"])
        self.parts.work(fail="no slot left")
        self.assertEqual(["ACTIVE", "ERROR"], [one["status"] for one in self.cards()])
        self.assertIsNone(self.shown(made["id"])["port_id"])
        self.act(self.cyclades, "addFloatingIp", address=made["floating_ip_address"])

    def test_cyclades_68_it_survives_its_server(self) -> None:
        made = self.floating()
        self.act(self.cyclades, "addFloatingIp", address=made["floating_ip_address"])
        self.parts.work()
        self.assertEqual(204, self.cyclades.delete(f"/servers/{self.server}").status)
        self.parts.work()
        shown = self.shown(made["id"])
        self.assertEqual((None, None), (shown["port_id"], shown["instance_id"]))
        self.assertEqual({"cyclades.floating_ip": 1}, self.parts.usage())

    def test_nova_shows_it_with_the_server_s_first_card(self) -> None:
        made = self.floating(shared_to_project=True)
        address = made["floating_ip_address"]
        (first,) = self.cards()
        fixed = first["fixed_ips"][0]["ip_address"]
        self.act(
            self.nova, "addFloatingIp", 400, address=address, fixed_address="1.2.3.4"
        )
        self.act(self.nova, "addFloatingIp", address=address, fixed_address=fixed)
        shown = self.neutron.get(f"/floatingips/{made['id']}").json["floatingip"]
        self.assertEqual(
            (first["id"], fixed), (shown["port_id"], shown["fixed_ip_address"])
        )

    def test_cyclades_69_the_card_that_carries_it(self) -> None:
        server = self._shared()
        first = self.neutron.get(f"/ports?device_id={server}").json["ports"][0]
        got = self.neutron.post(
            "/floatingips", {"floatingip": {"port_id": first["id"]}}
        )
        self.assertEqual(201, got.status, got.body)
        made = got.json["floatingip"]
        self.assertEqual(first["id"], made["port_id"])
        self.parts.work()
        cards = self.neutron.get(f"/ports?device_id={server}").json["ports"]
        self.assertEqual(
            ["compute:nova", "network:floatingip"],
            [one["device_owner"] for one in cards],
        )
        usage = self.parts.usage()
        got = self.neutron.post(
            "/floatingips", {"floatingip": {"port_id": cards[1]["id"]}}
        )
        self.assertEqual(409, got.status, got.body)
        self.assertEqual(usage, self.parts.usage())
        self.act(
            self.nova, "removeFloatingIp", server=server,
            address=made["floating_ip_address"],
        )  # fmt: skip
        self.parts.work()
        self.act(
            self.nova, "addFloatingIp", server=server,
            address=made["floating_ip_address"],
            fixed_address=first["fixed_ips"][0]["ip_address"],
        )  # fmt: skip
        shown = self.neutron.get(f"/floatingips/{made['id']}").json["floatingip"]
        self.assertEqual(first["id"], shown["port_id"])

    def _shared(self) -> int:
        body = {
            "name": "web", "imageRef": str(UUID(int=7)),
            "flavorRef": str(self.parts.flavor()),
        }  # fmt: skip
        made = self.nova.post("/servers", {"server": body}).json["server"]["id"]
        self.parts.work()
        return int(made)

    def test_old_clients(self) -> None:
        self.assertEqual(200, self.nova.get("/os-floating-ip-pools").status)
        got = self.nova.post("/os-floating-ips", {"pool": "public"})
        self.assertEqual(200, got.status, got.body)
        made = got.json["floating_ip"]
        self.assertIsNone(made["instance_id"])
        path = f"/os-floating-ips/{made['id']}"
        self.assertEqual(made, self.nova.get(path).json["floating_ip"])
        self.assertEqual(1, len(self.nova.get("/os-floating-ips").json["floating_ips"]))
        self.assertEqual(202, self.nova.delete(path).status)
        self.assertEqual(404, self.nova.get(path).status)
        self.assertEqual(404, self.nova.post("/os-floating-ips", {"pool": "x"}).status)


class SharingTests(CarryingCase):
    def test_what_is_shared_stays_in_its_project(self) -> None:
        alt = str(self.parts.caller(project="alt").project)
        for shared, status in ((True, 409), (False, 202)):
            made = self.floating(project=alt, shared_to_project=shared)
            address = made["floating_ip_address"]
            self.act(self.cyclades, "addFloatingIp", status, address=address)
        self.parts.work()
        path = f"/floatingips/{made['id']}/action"
        move = {"reassign": {"project": alt, "shared_to_project": True}}
        self.assertEqual(409, self.network.post(path, move).status)

    def test_reassigned(self) -> None:
        made, alt = self.floating(), str(self.parts.caller(project="alt").project)
        path = f"/floatingips/{made['id']}/action"
        move = {"reassign": {"project": alt, "shared_to_project": True}}
        self.assertEqual(200, self.network.post(path, move).status)
        self.assertNotIn("cyclades.floating_ip", self.parts.usage())
        self.assertEqual(1, self.parts.usage(project="alt")["cyclades.floating_ip"])
        other = self.cloud.cyclades_network("other")
        self.assertEqual(403, other.post(path, move).status)
        for wrong in ({}, {"project": str(UUID(int=9))}):
            got = self.network.post(path, {"reassign": wrong})
            self.assertEqual(400, got.status, got.body)

    def test_cyclades_66_ports_on_public_networks_are_floating_ips(self) -> None:
        made = self.floating()
        port = {"network_id": made["floating_network_id"], "device_id": self.server}
        free = [{"ip_address": "203.0.113.200"}]
        for status, more in (
            (400, {}),
            (400, {"fixed_ips": free}),
            (201, {"fixed_ips": [{"ip_address": made["floating_ip_address"]}]}),
            (400, {"fixed_ips": [{"ip_address": "fe80::1"}]}),
            (400, {"fixed_ips": free * 2}),
        ):
            got = self.network.post("/ports", {"port": {**port, **more}})
            self.assertEqual(status, got.status, (more, got.body))
            self.parts.work()
        again = {**port, "fixed_ips": [{"ip_address": made["floating_ip_address"]}]}
        self.assertEqual(409, self.network.post("/ports", {"port": again}).status)


class GroupTests(CarryingCase):
    def group(self, name: str) -> str:
        (found,) = (one for one in groups(self.parts.project) if one.name == name)
        return str(found.id)

    def test_groups_are_profiles(self) -> None:
        found = self.neutron.get("/security-groups").json["security_groups"]
        self.assertEqual(4, len(found))
        for one in found:
            path = f"/security-groups/{one['id']}"
            self.assertEqual(one, self.neutron.get(path).json["security_group"])
            self.assertEqual(501, self.neutron.delete(path).status)
        query = "/security-groups?name=firewall-enabled"
        (one,) = self.neutron.get(query).json["security_groups"]
        self.assertEqual(self.group("firewall-enabled"), one["id"])

    def test_a_port_s_group_is_its_profile(self) -> None:
        net = self.neutron.post("/networks", {"network": {"name": "n"}}).json["network"]
        enabled, default = self.group("firewall-enabled"), self.group("default")
        wanted = {"network_id": net["id"], "security_groups": [default, enabled]}
        got = self.neutron.post("/ports", {"port": wanted})
        self.assertEqual(201, got.status, got.body)
        port = got.json["port"]
        self.assertEqual([enabled], port["security_groups"])
        body = {"interfaceAttachment": {"port_id": port["id"]}}
        got = self.nova.post(f"/servers/{self.server}/os-interface", body)
        self.assertEqual(200, got.status, got.body)
        self.parts.work()
        tag = f"synnefo:network:snf-nic-{port['id']}:protected"
        world = self.parts.ganeti.world
        self.assertIn(tag, world.instances[f"snf-{self.server}"].tags)
        path = f"/ports/{port['id']}"
        for status, ids in (
            (404, [str(UUID(int=5))]),
            (400, [enabled, self.group("firewall-protected")]),
            (400, ["x"]),
            (200, [default]),
        ):
            got = self.neutron.put(path, {"port": {"security_groups": ids}})
            self.assertEqual(status, got.status, got.body)
        self.parts.work()
        self.assertNotIn(tag, world.instances[f"snf-{self.server}"].tags)
        self.assertEqual(
            [default], self.neutron.get(path).json["port"]["security_groups"]
        )

    def test_a_new_server_has_its_port_s_profile(self) -> None:
        net = self.neutron.post("/networks", {"network": {"name": "n"}}).json["network"]
        wanted = {
            "network_id": net["id"],
            "security_groups": [self.group("firewall-protected")],
        }
        port = self.neutron.post("/ports", {"port": wanted}).json["port"]["id"]
        body = {
            "name": "web", "imageRef": str(UUID(int=7)),
            "flavorRef": str(self.parts.flavor()), "networks": [{"port": port}],
        }  # fmt: skip
        self.nova.post("/servers", {"server": body})
        (asked,) = (
            one for one in self.parts.intents()
            if one.intent.kind == "OP_INSTANCE_CREATE"
        )  # fmt: skip
        self.assertIn(
            f"synnefo:network:snf-nic-{port}:limited",
            asked.intent.request["body"]["tags"],
        )

    def test_nova_puts_servers_in_groups(self) -> None:
        self.act(self.nova, "addSecurityGroup", 404, name="mine")
        self.act(self.nova, "addSecurityGroup", name="default")
        self.act(self.nova, "removeSecurityGroup", 404, name="firewall-enabled")
        self.act(self.nova, "addSecurityGroup", name="firewall-enabled")
        self.parts.work()
        shown = self.nova.get(f"/servers/{self.server}").json["server"]
        self.assertEqual([{"name": "firewall-enabled"}], shown["security_groups"])
        path = f"/servers/{self.server}/os-security-groups"
        (one,) = self.nova.get(path).json["security_groups"]
        self.assertEqual("firewall-enabled", one["name"])
        self.act(self.nova, "removeSecurityGroup", name="firewall-enabled")
        self.parts.work()
        shown = self.nova.get(f"/servers/{self.server}").json["server"]
        self.assertEqual([{"name": "default"}], shown["security_groups"])

    def test_what_stays_of_a_port(self) -> None:
        port = self.cards()[0]
        path = f"/ports/{port['id']}"
        for status, change in (
            (400, {"device_id": "99"}),
            (501, {"fixed_ips": [{"ip_address": "10.0.0.9"}]}),
            (200, {"device_id": str(self.server), "name": "new"}),
        ):
            got = self.neutron.put(path, {"port": change})
            self.assertEqual(status, got.status, got.body)
