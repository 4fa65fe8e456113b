"""Servers of everybody, as administrators see and change them."""

from __future__ import annotations

from snfd.compute.states import Footprint, State, usage
from snfd.network.floating import NewFloatingIp
from snfd.network.model import NicRequest
from tests.admin.servers_case import ServersCase

SIZE = Footprint(1, 128, 1)


def held(state: State) -> dict[str, int]:
    return {name: use for name, use in usage(state, SIZE).items() if use}


class ListTests(ServersCase):
    def test_servers_by_what_they_are(self) -> None:
        web = self.parts.active("web")
        mail = self.parts.create("mail", "other", project=self.uuid("project alt"))
        (card,) = web.attachments
        address = card.addresses[0].addr
        for query, found in (
            ("", [web, mail]), ("?owner=demo", [web]), ("?owner=other", [mail]),
            ("?project=alt", [mail]), ("?backend=one", [web, mail]),
            ("?backend=none", []), ("?state=STARTED", [web]), ("?busy=true", [mail]),
            ("?node=node1", [web]), ("?suspended=true", []), ("?name=EB", [web]),
            (f"?flavor={web.flavor.id}", [web, mail]), (f"?image={web.image}",
            [web, mail]), (f"?address={address}", [web]), (f"?mac={card.mac}", [web]),
            (f"?network={card.network}&owner=demo", [web]), ("?deleted=true", []),
            (f"?search=snf-{mail.id}", [mail]), (f"?search={web.id}", [web]),
            (f"?search={address}", [web]), ("?search=mai", [mail]),
            (f"?search={card.mac.upper().replace(':', '-')}", [web]),
        ):  # fmt: skip
            self.assertEqual([one.id for one in found], self.ids(query), query)
        self.get("/servers?owner=nobody", 404)
        for wrong in ("address=x", "mac=x", "state=x", "flavor=x", "image=x"):
            self.get(f"/servers?{wrong}", 400)

    def test_pages(self) -> None:
        made = [self.parts.create(f"s{n}").id for n in range(5)]
        found: list[int] = []
        marker = ""
        while True:
            page = self.get(f"/servers?limit=2{marker}")
            found += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            marker = f"&marker={page['next']}"
        self.assertEqual(made, found)

    def test_one_with_all_its_parts_and_no_secret(self) -> None:
        server = self.parts.active("web", password="a-Secret-9-word")
        shown = self.get(f"/servers/{server.id}")
        self.assertEqual(
            ("web", "demo", "one", "node1", "STARTED", None),
            tuple(
                shown[key]
                for key in ("name", "owner", "backend", "node", "state", "task")
            ),
        )
        self.assertEqual([server.attachments[0].mac], [n["mac"] for n in shown["nics"]])
        self.assertEqual([1], [disk["size"] for disk in shown["disks"]])
        self.assertEqual(["OP_INSTANCE_CREATE"], [j["kind"] for j in shown["jobs"]])
        self.assertNotIn("a-Secret-9-word", str(shown))
        self.get("/servers/999", 404)


class ActTests(ServersCase):
    def test_stop_start_reboot_delete_each_told(self) -> None:
        ident = self.parts.active().id
        path = f"/servers/{ident}"
        self.post(f"{path}/stop")
        self.post(f"{path}/stop", status=409)
        self.parts.work()
        self.post(f"{path}/start")
        self.parts.work()
        self.post(f"{path}/reboot", {"hard": True})
        self.parts.work()
        self.ask("PATCH", path, body={"name": "mail"})
        self.assertEqual(("mail", State.STARTED), self.state(ident))
        self.ask("DELETE", path, 202)
        self.parts.work()
        self.post(f"{path}/start", status=400)
        target = f"server:{ident}"
        self.assertEqual(
            [
                ("chief", f"server.{name}", target)
                for name in ("stop", "start", "reboot", "rename", "delete")
            ],
            self.audited(),
        )
        self.assertEqual({}, self.parts.usage())
        self.assertEqual([ident], self.ids("?deleted=true"))
        self.assertEqual([ident], self.ids("?state=DESTROYED"))
        for name in ("start", "stop", "suspend"):
            self.post(f"/servers/999/{name}", status=404)

    def state(self, ident: int) -> tuple[str, State]:
        found = self.parts.show(ident)
        return found.name, found.state

    def test_suspended_servers_obey_administrators_alone(self) -> None:
        ident = self.parts.active().id
        self.post(f"/servers/{ident}/suspend", status=204)
        self.assertEqual([ident], self.ids("?suspended=true"))
        actions = self.parts.compute.actions
        who, scope = self.parts.caller(), self.parts.scope()
        error = self.people.fails(actions.stop(who, scope, ident))
        self.assertIn("suspended", str(error))
        self.post(f"/servers/{ident}/stop")
        self.parts.work()
        self.assertIs(State.STOPPED, self.parts.show(ident).state)
        self.post(f"/servers/{ident}/unsuspend", status=204)
        self.assertEqual([], self.ids("?suspended=true"))

    def test_another_flavor_counts_for_the_owner(self) -> None:
        small, big = self.parts.flavor(1, 1024), self.parts.flavor(2, 1024)
        ident = self.parts.active(flavor=small).id
        self.post(f"/servers/{ident}/resize", {"flavor": big}, 409)
        self.post(f"/servers/{ident}/resize", {"flavor": big, "running": True})
        self.parts.work()
        self.assertEqual(big, self.parts.show(ident).flavor.id)
        self.assertEqual(2, self.parts.usage()["cyclades.cpu"])

    def test_another_project_of_the_owner(self) -> None:
        ident = self.parts.active().id
        path = f"/servers/{ident}/reassign"
        self.post(path, {"project": "chief"}, 404)
        lone = self.people.project("lone", {"cyclades.vm": 9}, other="member")
        self.post(path, {"project": str(lone)}, 400)
        shown = self.post(path, {"project": "alt", "shared": True}, 200)
        self.assertEqual(("alt", True), (shown["project"], shown["shared"]))
        self.assertEqual({}, self.parts.usage())
        self.assertEqual(held(State.STARTED), self.parts.usage(project="alt"))


class OwnerTests(ServersCase):
    """Appendix D: everything goes along, quota too."""

    def test_a_server_and_all_that_is_its_goes_to_another_owner(self) -> None:
        new, who = NewFloatingIp(), (self.parts.caller(), self.parts.scope())
        floating = self.parts.wait(self.parts.networks.floating.create(*who, new))
        server = self.parts.active(
            nics=[NicRequest(floating.network, fixed_ip=floating.addr)],
            password="a-Secret-9-word",
        )
        given = {"owner": "other@example.org", "project": "alt"}
        shown = self.post(f"/servers/{server.id}/owner", given, 200)
        self.assertEqual(("other", "alt"), (shown["owner"], shown["project"]))
        self.assertEqual({}, self.parts.usage())
        self.assertEqual(
            {**held(State.STARTED), "cyclades.floating_ip": 1},
            self.parts.usage("other", "alt"),
        )
        for table, where in (
            ("server", "id"), ("volume", "server"), ("port", "server"),
        ):  # fmt: skip
            rows = self.people.sql(
                f"SELECT owner, project, shared FROM compute.{table}"
                f" WHERE {where} = %s",
                server.id,
            )
            self.assertEqual({(self.uuid("other"), self.uuid("project alt"), False)},
                             set(rows), table)  # fmt: skip
        addresses = self.people.sql("SELECT owner FROM compute.ip WHERE NOT deleted")
        self.assertEqual([(self.uuid("other"),)], addresses)
        kept = self.people.sql("SELECT count(*) FROM compute.server_password")
        self.assertEqual([(0,)], kept)
        history = self.people.sql(
            "SELECT action, owner, reason FROM compute.ip_event ORDER BY id DESC"
            " LIMIT 2"
        )
        why = "given to somebody else"
        self.assertEqual(
            [("associate", self.uuid("other"), why),
             ("disassociate", self.uuid("demo"), why)],
            history,
        )  # fmt: skip
        target = f"server:{server.id}"
        self.assertEqual([("chief", "server.change-owner", target)], self.audited())

    def test_within_one_project_the_whole_of_it_uses_as_much_as_before(self) -> None:
        server = self.parts.active(project=self.uuid("project alt"))
        given = {"owner": "other", "project": "alt"}
        self.post(f"/servers/{server.id}/owner", given, 200)
        whole = self.people.sql(
            "SELECT usage_min, usage_max FROM quota.holding WHERE project_id = %s"
            " AND user_id IS NULL AND resource = 'cyclades.vm'",
            self.uuid("project alt"),
        )
        self.assertEqual([(1, 1)], whole)
        self.assertEqual({}, self.parts.usage(project="alt"))
        self.assertEqual(held(State.STARTED), self.parts.usage("other", "alt"))

    def test_what_is_refused_changes_nothing(self) -> None:
        server = self.parts.active()
        path = f"/servers/{server.id}/owner"
        before = self.parts.usage()
        self.post(path, {"owner": "nobody"}, 404)
        self.post(path, {"owner": "demo"}, 400)
        self.post(path, {"owner": "other", "project": "demo"}, 400)
        self.post(path, {"owner": "watcher", "project": "demo"}, 400)
        self.post("/servers/999/owner", {"owner": "other"}, 404)
        self.people.execute(
            "UPDATE quota.holding SET cap = 0 WHERE user_id = %s", self.uuid("other")
        )
        self.post(path, {"owner": "other", "project": "alt"}, 409)
        self.post(f"/servers/{server.id}/stop")
        self.post(path, {"owner": "boss", "project": "demo"}, 409)
        self.parts.work()
        self.assertEqual("demo", self.get(f"/servers/{server.id}")["owner"])
        self.assertEqual(before["cyclades.vm"], self.parts.usage()["cyclades.vm"])


class HelperTests(ServersCase):
    """What the helpdesk may do with servers, and what not."""

    def test_it_starts_stops_and_suspends(self) -> None:
        ident = self.parts.active().id
        for name, status in (
            ("stop", 202), ("start", 202), ("suspend", 204), ("unsuspend", 204),
        ):  # fmt: skip
            self.post(f"/servers/{ident}/{name}", status=status, who="helper")
            self.parts.work()
        done = [action for who, action, _ in self.audited() if who == "helper"]
        self.assertEqual(
            ["server.stop", "server.start", "server.suspend", "server.release"], done
        )

    def test_it_does_no_more_and_leaves_those_alone_who_look_after_the_cloud(
        self,
    ) -> None:
        ident = self.parts.active().id
        path = f"/servers/{ident}"
        for method, rest, body in (
            ("POST", "/reboot", {}), ("DELETE", "", None), ("PATCH", "", {"name": "x"}),
            ("POST", "/resize", {"flavor": 1}), ("POST", "/owner", {"owner": "helper"}),
            ("POST", "/reassign", {"project": "alt"}), ("POST", "/rescue", {}),
            ("POST", "/unrescue", {}),
        ):  # fmt: skip
            self.ask(method, path + rest, 403, body, "helper")
        for name in ("start", "stop", "suspend", "unsuspend"):
            self.post(f"{path}/{name}", status=403, who="reader")
        boss = self.parts.create("tower", "boss").id
        for name in ("start", "stop", "suspend", "unsuspend"):
            self.post(f"/servers/{boss}/{name}", status=403, who="helper")
        self.assertEqual([], self.audited())
        self.assertIs(State.STARTED, self.parts.show(ident).state)

    def test_what_it_looks_at_is_told(self) -> None:
        ident = self.parts.active().id
        self.get("/servers", who="helper")
        self.get(f"/servers/{ident}", who="reader")
        self.get(f"/servers/{ident}")
        self.assertEqual(
            [("helper", "server.list", "server:*"),
             ("reader", "server.show", f"server:{ident}")],
            self.audited(),
        )  # fmt: skip
