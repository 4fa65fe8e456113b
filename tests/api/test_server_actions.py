"""Actions on servers in both dialects: what is answered, and what follows."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.api.memory import Browser
from tests.compute.http import http_cloud
from tests.compute.kit import IMAGE


class ActionCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.nova = self.cloud.nova()
        self.cyclades = self.cloud.cyclades()
        self.small = self.parts.flavor(1, 1024)
        self.big = self.parts.flavor(2, 1024)

    def active(self, who: str = "demo") -> int:
        """A server that runs, made by Synnefo's API."""
        body = {"name": "web", "imageRef": str(IMAGE), "flavorRef": self.small}
        got = self.cloud.cyclades(who).post("/servers", {"server": body})
        self.assertEqual(202, got.status, got.body)
        self.parts.work()
        return int(got.json["server"]["id"])

    def stopped(self) -> int:
        ident = self.active()
        self.answers(202, self.cyclades, ident, "shutdown", {})
        self.parts.work()
        return ident

    def answers(
        self, status: int, http: Browser, ident: int, name: str, given: object = None
    ) -> Any:
        got = http.post(f"/servers/{ident}/action", {name: given})
        self.assertEqual(status, got.status, (name, given, got.body))
        return got

    def server(self, ident: int, http: Browser | None = None) -> Any:
        return (http or self.cyclades).get(f"/servers/{ident}").json["server"]


class ResizeTests(ActionCase):
    def test_cyclades_36_synnefo_resizes_what_is_stopped(self) -> None:
        ident = self.active()
        self.answers(400, self.cyclades, ident, "resize", {"flavorRef": self.big})
        self.answers(202, self.cyclades, ident, "shutdown", {})
        self.parts.work()
        for wrong in (self.small, self.parts.flavor(1, 512), "x"):
            self.answers(400, self.cyclades, ident, "resize", {"flavorRef": wrong})
        self.answers(400, self.cyclades, ident, "resize", {})
        self.answers(404, self.cyclades, ident, "resize", {"flavorRef": 999_999})
        self.answers(202, self.cyclades, ident, "resize", {"flavorRef": self.big})
        shown = self.server(ident)
        self.assertEqual(
            ("RESIZE", "RESIZING"), (shown["status"], shown["SNF:task_state"])
        )
        self.answers(400, self.cyclades, ident, "start", {})
        self.parts.work()
        shown = self.server(ident)
        self.assertEqual(self.big, shown["flavor"]["id"])
        self.assertEqual(("STOPPED", ""), (shown["status"], shown["SNF:task_state"]))

    def test_cyclades_36_openstack_resizes_what_runs(self) -> None:
        ident = self.active()
        self.answers(400, self.nova, ident, "resize", {"flavorRef": "999999"})
        self.answers(400, self.nova, ident, "resize", {"flavorRef": str(self.small)})
        self.answers(202, self.nova, ident, "resize", {"flavorRef": str(self.big)})
        shown = self.server(ident, self.nova)
        self.assertEqual("RESIZE", shown["status"])
        self.assertEqual("resize_prep", shown["OS-EXT-STS:task_state"])
        self.answers(409, self.nova, ident, "confirmResize")
        self.answers(409, self.nova, ident, "resize", {"flavorRef": str(self.small)})
        self.parts.work()
        shown = self.server(ident, self.nova)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual(str(self.big), shown["flavor"]["id"])
        got = self.answers(204, self.nova, ident, "confirmResize")
        self.assertEqual(b"", got.body)
        self.answers(409, self.nova, ident, "revertResize")


class BelongingTests(ActionCase):
    def test_cyclades_45_reassign(self) -> None:
        ident = self.active()
        alt = str(self.parts.caller(project="alt").project)
        for wrong in ({}, {"project": "x"}, {"project": str(IMAGE)}):
            self.answers(400, self.cyclades, ident, "reassign", wrong)
        self.answers(200, self.cyclades, ident, "reassign", {"project": alt})
        self.assertEqual(alt, self.server(ident)["tenant_id"])
        self.assertEqual({}, self.parts.usage())
        self.assertEqual(1, self.parts.usage(project="alt")["cyclades.vm"])
        other = self.cloud.cyclades("other")
        self.answers(404, other, ident, "reassign", {"project": alt})
        self.parts.people.execute("UPDATE compute.flavor SET public = false")
        home = {"project": str(self.parts.project)}
        self.answers(403, self.cyclades, ident, "reassign", home)
        self.answers(400, self.nova, ident, "reassign", home)


class InsideTests(ActionCase):
    def test_cyclades_47_rebuild(self) -> None:
        ident = self.active()
        for wrong in (
            {},
            {"imageRef": "x"},
            {"imageRef": str(IMAGE), "adminPass": "x"},
        ):
            for http in (self.nova, self.cyclades):
                self.answers(400, http, ident, "rebuild", wrong)
        absent = {"imageRef": "00000000-0000-4000-8000-000000000000"}
        self.answers(400, self.nova, ident, "rebuild", absent)
        self.answers(404, self.cyclades, ident, "rebuild", absent)
        wanted = {"imageRef": str(IMAGE), "adminPass": "Correct1Horse", "name": "new"}
        got = self.answers(202, self.nova, ident, "rebuild", wanted).json["server"]
        self.assertEqual(
            ("REBUILD", "Correct1Horse", "new", "rebuilding"),
            (
                got["status"],
                got["adminPass"],
                got["name"],
                got["OS-EXT-STS:task_state"],
            ),
        )
        self.answers(409, self.nova, ident, "rebuild", wanted)
        self.parts.work()
        self.assertNotIn("adminPass", self.server(ident, self.nova))
        self.assertEqual("ACTIVE", self.server(ident, self.nova)["status"])
        got = self.answers(
            202, self.cyclades, ident, "rebuild", {"imageRef": str(IMAGE)}
        )
        self.assertGreaterEqual(len(got.json["adminPass"]), 10)
        self.assertEqual("REBUILDING", self.server(ident)["SNF:task_state"])

    def test_cyclades_47_change_password(self) -> None:
        ident = self.active()
        for http in (self.nova, self.cyclades):
            self.answers(400, http, ident, "changePassword", {"adminPass": "short"})
            self.answers(400, http, ident, "changePassword", {})
            wanted = {"adminPass": "Correct1Horse"}
            self.answers(202, http, ident, "changePassword", wanted)
        got = self.cyclades.get(f"/servers/{ident}/password")
        self.assertEqual({"password": "Correct1Horse"}, got.json)


class RescueTests(ActionCase):
    def test_both_dialects(self) -> None:
        ident = self.active()
        self.answers(404, self.cyclades, ident, "rescue")
        self.answers(400, self.nova, ident, "rescue")
        self.parts.people.execute("UPDATE compute.cluster SET hypervisor = 'kvm'")
        self.parts.people.execute(
            "INSERT INTO compute.rescue_image (name, path, is_default)"
            " VALUES ('any', '/r/any.iso', true)"
        )
        self.answers(400, self.cyclades, ident, "rescue")
        self.answers(400, self.nova, ident, "rescue", {"rescue_image_ref": "x"})
        given = {"adminPass": "Correct1Horse"}
        got = self.answers(200, self.nova, ident, "rescue", given)
        self.assertEqual(given, got.json)
        self.assertEqual(
            "rescuing", self.server(ident, self.nova)["OS-EXT-STS:task_state"]
        )
        self.parts.work()
        shown = self.server(ident, self.nova)
        self.assertEqual(
            ("RESCUE", "rescued", 1),
            (shown["status"], shown["OS-EXT-STS:vm_state"],
             shown["OS-EXT-STS:power_state"]),
        )  # fmt: skip
        shown = self.server(ident)
        self.assertEqual(("ACTIVE", True), (shown["status"], shown["SNF:rescue"]))
        self.answers(409, self.nova, ident, "rescue")
        self.answers(400, self.cyclades, ident, "unrescue")
        self.answers(202, self.nova, ident, "unrescue")
        self.parts.work()
        self.assertEqual("ACTIVE", self.server(ident, self.nova)["status"])
        self.answers(409, self.nova, ident, "unrescue")
        self.answers(202, self.cyclades, ident, "shutdown", {})
        self.parts.work()
        self.answers(202, self.cyclades, ident, "rescue", {})
        self.assertEqual("RESCUING", self.server(ident)["SNF:task_state"])
        self.parts.work()
        self.assertTrue(self.server(ident)["SNF:rescue"])
        self.answers(202, self.cyclades, ident, "unrescue")


class RefusedTests(ActionCase):
    def test_what_this_cloud_does_not_do_says_so(self) -> None:
        ident = self.active()
        for status, names in (
            (501, ("createImage", "lock", "unlock", "pause", "unpause", "shelve",
                   "os-getSPICEConsole", "os-getRDPConsole", "createBackup")),
            (403, ("migrate", "os-migrateLive", "evacuate", "suspend", "resume")),
        ):  # fmt: skip
            for name in names:
                got = self.answers(status, self.nova, ident, name, {})
                [fault] = got.json.values()
                self.assertTrue(fault["message"])
                self.answers(404, self.nova, 999_999, name, {})
        for status, name in ((501, "os-getSPICEConsole"), (403, "suspend"),
                             (400, "createImage"), (400, "snapshot")):  # fmt: skip
            self.answers(status, self.cyclades, ident, name, {})
        for name in ("c", "fly"):
            self.answers(400, self.nova, ident, name)
            self.answers(400, self.cyclades, ident, name)

    def test_force_delete(self) -> None:
        ident = self.active()
        self.answers(202, self.nova, ident, "forceDelete")
        self.parts.work()
        self.assertEqual(404, self.nova.get(f"/servers/{ident}").status)


class HistoryTests(ActionCase):
    def test_what_was_done_is_told(self) -> None:
        ident = self.active()
        self.answers(202, self.nova, ident, "os-stop")
        self.parts.work(fail="no")
        path = f"/servers/{ident}/os-instance-actions"
        [told] = self.nova.get(path).json["instanceActions"]
        # Every request of the tests has the same id: a create, and more after it.
        self.assertEqual("create", told["action"])
        self.assertEqual(
            ("Error", "req-1", str(ident)),
            (told["message"], told["request_id"], told["instance_uuid"]),
        )
        got = self.nova.get(f"{path}/req-1").json["instanceAction"]
        events = [(one["event"], one["result"]) for one in got["events"]]
        self.assertEqual(
            [("compute__create", "Success"), ("compute__stop", "Error")], events
        )
        self.assertNotIn("events", told)
        self.assertEqual(404, self.nova.get(f"{path}/req-9").status)
        self.assertEqual(404, self.nova.get("/servers/9/os-instance-actions").status)
        stranger = self.cloud.nova("other")
        self.assertEqual(404, stranger.get(path).status)
