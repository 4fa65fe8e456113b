"""Tags of servers, over HTTP and at their cluster."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from snfd.compute import rules
from snfd.errors import Invalid
from snfd.ganeti import names
from tests.compute.http import http_cloud
from tests.compute.kit import IMAGE

GANETI = re.compile(r"[A-Za-z0-9_.+*/:@-]+\Z")


class NamesTests(SynchronousTestCase):
    def test_as_synnefo_has_them(self) -> None:
        for text, encoded in (
            ("db", "db"),
            ("a b", "a+b"),
            ("a_b:c", "a*b:c"),
            ("ä", "/C3/A4"),
            ("~%*+", "/7E/25/2A/2B"),
        ):
            self.assertEqual(f"cyclades:user:{encoded}", names.user_tag(text))

    def test_ganeti_takes_them(self) -> None:
        for number in range(1, 0x2FF):
            self.assertRegex(names.user_tag(chr(number)), GANETI)

    def test_cyclades_50_limits(self) -> None:
        rules.tags(["x" * 60, *map(str, range(49))])
        bad = [["x" * 61], [""], ["a/b"], ["a,b"], ["a\0"], ["\N{SNOWMAN}" * 13]]
        for wanted in (*bad, [str(n) for n in range(51)]):
            self.assertRaises(Invalid, rules.tags, wanted)


class TagTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = http_cloud(self)
        self.parts = self.cloud.parts
        self.http = self.cloud.cyclades()
        self.server = self.parts.active().id
        self.path = f"/servers/{self.server}/tags"

    def tags(self) -> dict[str, str]:
        shown = self.http.get(self.path).json
        return dict(zip(shown["tags"], shown["statuses"], strict=True))

    def at_cluster(self, server: int | None = None) -> set[str]:
        name = f"snf-{server or self.server}"
        held = self.parts.ganeti.world.instances[name].tags
        return {tag for tag in held if tag.startswith("cyclades:")}

    def status(self, method: str, tag: str) -> int:
        return self.http.request(method, f"{self.path}/{quote(tag, safe='')}").status

    def shown(self) -> Any:
        return self.http.get(f"/servers/{self.server}").json["server"]

    def test_cyclades_50_added_shown_removed(self) -> None:
        for tag in ("db", "größe 1_a", "a:b~"):
            self.assertEqual(201, self.status("PUT", tag))
            self.assertEqual(204, self.status("PUT", tag))
            self.assertEqual("PENDADD", self.tags()[tag])
            self.assertNotIn(tag, self.shown()["tags"])
            self.parts.work()
            self.assertIn(tag, self.shown()["tags"])
            got = self.http.get(f"{self.path}/{quote(tag, safe='')}")
            self.assertEqual((204, "ACTIVE"), (got.status, got.headers["tag-status"]))
            self.assertEqual({names.user_tag(tag)}, self.at_cluster())
            self.assertEqual(204, self.status("DELETE", tag))
            self.assertEqual({}, self.tags())
            self.assertEqual(404, self.status("GET", tag))
            self.assertEqual(404, self.status("DELETE", tag))
            self.parts.work()
            self.assertEqual(set(), self.at_cluster())

    def test_cyclades_50_what_is_refused(self) -> None:
        for tag in ("a/b", "a,b", "x" * 61):
            self.assertEqual(400, self.status("PUT", tag), tag)
        for wanted in (["a/b"], [5], [str(n) for n in range(51)]):
            self.assertEqual(400, self.http.put(self.path, {"tags": wanted}).status)
        full = [str(n) for n in range(50)]
        self.assertEqual(200, self.http.put(self.path, {"tags": full}).status)
        self.assertEqual(400, self.status("PUT", "one more"))
        self.assertEqual(204, self.status("DELETE", "7"))
        self.assertEqual(201, self.status("PUT", "one more"))

    def test_replaced_and_cleared(self) -> None:
        self.assertEqual(404, self.http.delete(self.path).status)
        self.http.put(self.path, {"tags": ["a", "b"]})
        self.parts.work()
        got = self.http.put(self.path, {"tags": ["c", "b"]}).json
        self.assertEqual({"tags": ["b", "c"], "statuses": ["ACTIVE", "PENDADD"]}, got)
        self.parts.work()
        self.assertEqual({"b": "ACTIVE", "c": "ACTIVE"}, self.tags())
        self.assertEqual(204, self.http.delete(self.path).status)
        self.parts.work()
        self.assertEqual(({}, set()), (self.tags(), self.at_cluster()))

    def test_failures_show_what_the_cluster_has(self) -> None:
        self.status("PUT", "kept")
        self.parts.work()
        self.status("PUT", "new")
        self.status("DELETE", "kept")
        self.parts.work(fail="no")
        self.assertEqual({"kept": "ACTIVE"}, self.tags())

    def test_removed_and_added_while_under_way(self) -> None:
        self.status("PUT", "a")
        self.status("DELETE", "a")
        self.assertEqual(201, self.status("PUT", "a"))
        self.assertEqual("PENDADD", self.tags()["a"])
        self.parts.work()
        self.assertEqual({"a": "ACTIVE"}, self.tags())
        self.assertEqual({"cyclades:user:a"}, self.at_cluster())

    def test_a_removal_that_fails_leaves_no_tag_waiting(self) -> None:
        self.status("PUT", "a")
        self.assertEqual(204, self.http.delete(f"/servers/{self.server}").status)
        self.parts.work(fail="no")
        self.assertEqual({}, self.tags())
        self.assertEqual(201, self.status("PUT", "a"))

    def test_cyclades_50_given_at_create(self) -> None:
        wanted = {
            "name": "x", "flavorRef": self.parts.flavor(), "imageRef": str(IMAGE),
            "tags": ["ä", "b", "b"],
        }  # fmt: skip
        bad = {"server": {**wanted, "tags": ["a/b"]}}
        self.assertEqual(400, self.http.post("/servers", bad).status)
        made = self.http.post("/servers", {"server": wanted}).json["server"]["id"]
        self.assertEqual([], self.http.get(f"/servers/{made}").json["server"]["tags"])
        self.parts.work()
        shown = self.http.get(f"/servers/{made}").json["server"]
        self.assertEqual(["b", "ä"], shown["tags"])
        self.assertEqual(
            {"cyclades:user:/C3/A4", "cyclades:user:b"}, self.at_cluster(made)
        )

    def test_cyclades_51_a_tag_is_a_change(self) -> None:
        def updated() -> object:
            # Tests share one transaction; what happens at its end happens here.
            self.parts.people.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return self.parts.show(self.server).updated

        before = updated()
        self.status("PUT", "a")
        asked = updated()
        self.parts.work()
        self.assertEqual(3, len({before, asked, updated()}))

    def test_others_and_readers(self) -> None:
        path = f"{self.path}/a"
        self.assertEqual(404, self.cloud.cyclades("other").put(path).status)
        self.assertEqual(404, self.cloud.cyclades("other").get(self.path).status)
        self.assertEqual(403, self.cloud.cyclades("watcher").put(path).status)
