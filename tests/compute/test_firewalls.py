"""Firewall profiles: what clusters are asked for, and what is recorded when."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.clock import now
from snfd.ganeti.model import Event, Job, Op, Outcome, Status
from tests.compute.http import http_cloud


class FirewallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.http = self.cloud.cyclades()
        self.server = self.parts.active().id
        self.nic = self.cards()[0]["id"]

    def cards(self) -> Any:
        return self.http.get(f"/servers/{self.server}").json["server"]["attachments"]

    def profile(self) -> str:
        return str(self.cards()[0]["firewallProfile"])

    def put(self, profile: str, status: int = 202, nic: object = None) -> None:
        given = {"profile": profile, "nic": nic or self.nic}
        path = f"/servers/{self.server}/action"
        got = self.http.post(path, {"firewallProfile": given})
        self.assertEqual(status, got.status, got.body)

    def tags(self) -> set[str]:
        held = self.parts.ganeti.world.instances[f"snf-{self.server}"].tags
        return {tag for tag in held if tag.startswith("synnefo:network:")}

    def tag(self, word: str) -> str:
        return f"synnefo:network:snf-nic-{self.nic}:{word}"

    def kinds(self) -> list[str]:
        return [one.intent.kind for one in self.parts.intents()]

    def test_cyclades_44_a_profile_is_a_tag(self) -> None:
        self.put("ENABLED")
        self.assertEqual(["OP_TAGS_SET"], self.kinds())
        self.assertEqual("DISABLED", self.profile())
        self.put("ENABLED")
        self.assertEqual(1, len(self.kinds()))
        self.parts.work()
        self.assertEqual({self.tag("protected")}, self.tags())
        self.assertEqual("ENABLED", self.profile())
        self.put("PROTECTED")
        self.assertEqual(["OP_TAGS_DEL", "OP_TAGS_SET"], self.kinds())
        self.parts.work()
        self.assertEqual({self.tag("limited")}, self.tags())
        self.assertEqual("PROTECTED", self.profile())
        self.put("DISABLED")
        self.parts.work()
        self.assertEqual((set(), "DISABLED"), (self.tags(), self.profile()))

    def test_cyclades_44_what_there_is_not(self) -> None:
        self.put("OPEN", 400)
        self.put("ENABLED", 404, nic=999_999)
        self.put("ENABLED", 404, nic=self.parts.ports(self.parts.active("b").id)[0].id)
        self.put("ENABLED", 400, nic="x")
        self.assertEqual([], self.kinds())

    def test_changes_of_mind_follow_one_another(self) -> None:
        self.put("ENABLED")
        self.put("PROTECTED")
        self.put("ENABLED")
        self.parts.work()
        self.assertEqual({self.tag("protected")}, self.tags())
        self.assertEqual("ENABLED", self.profile())

    def test_what_failed_is_not_recorded(self) -> None:
        self.put("ENABLED")
        self.parts.work(fail="no such luck")
        self.assertEqual("DISABLED", self.profile())
        self.put("ENABLED")
        self.parts.work()
        self.assertEqual("ENABLED", self.profile())

    def test_other_people_s_tags_count(self) -> None:
        for code, event, shown in (
            ("OP_TAGS_SET", Event.TAGGED, "PROTECTED"),
            ("OP_TAGS_DEL", Event.UNTAGGED, "DISABLED"),
        ):
            given = {"tags": [self.tag("limited"), "mine", "synnefo:network:x:limited"]}
            job = Job(900, Status.SUCCESS, (Op(code, Status.SUCCESS, given),))
            where = self.parts.people.sql("SELECT cluster FROM compute.server")
            outcome = Outcome(
                None, f"server:{self.server}", event, job,
                now(self.parts.people.clock), cluster=int(str(where[0][0])),
            )  # fmt: skip
            self.parts.settle(outcome)
            self.assertEqual(shown, self.profile())

    def test_the_cluster_s_tags_count_whenever_it_is_looked_at(self) -> None:
        world = self.parts.ganeti.world
        instance = world.instances[f"snf-{self.server}"]
        world.change(instance, tags=instance.tags | {self.tag("protected")})
        path = f"/servers/{self.server}/action"
        self.http.post(path, {"reboot": {"type": "HARD"}})
        self.parts.work()
        self.assertEqual("ENABLED", self.profile())

    def test_a_card_s_tag_goes_with_it(self) -> None:
        self.put("ENABLED")
        self.parts.work()
        nova = self.cloud.nova()
        path = f"/servers/{self.server}/os-interface/{self.nic}"
        self.assertEqual(202, nova.delete(path).status)
        self.assertEqual(["OP_INSTANCE_SET_PARAMS", "OP_TAGS_DEL"], self.kinds())
        self.parts.work()
        self.assertEqual((set(), []), (self.tags(), self.cards()))
