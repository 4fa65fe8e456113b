"""Tags of servers, from HTTP to what the cluster has in the end."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from snfd.ganeti import names
from tests.functional.daemon import Client, Daemon, eventually, running
from tests.functional.evidence import complaints
from tests.functional.lab import on_ganeti
from tests.functional.things import ok
from tests.lab import ganeti as real

TAGS = ("db", "größe 1_a", "a:b~*+%", "\N{SNOWMAN}")


class TagsCase(unittest.TestCase):
    """One daemon and one server that was made with a tag."""

    __test__ = False
    daemon: ClassVar[Daemon]
    client: ClassVar[Client]
    server: ClassVar[str]

    @classmethod
    def begin(cls, daemon: Daemon) -> None:
        cls.daemon, cls.client = daemon, daemon.client()
        flavor = ok(cls.client.get("/compute/v2.0/flavors"))["flavors"][0]["id"]
        image = ok(cls.client.get("/os/image/v2/images"))["images"][0]["id"]
        wanted = {"name": "x", "imageRef": image, "flavorRef": flavor, "tags": ["é 1"]}
        made = ok(cls.client.post("/compute/v2.0/servers", {"server": wanted}), 202)
        cls.server = f"/compute/v2.0/servers/{made['server']['id']}"
        eventually(lambda: cls.show()["status"] == "ACTIVE", 120)

    @classmethod
    def show(cls) -> Any:
        return ok(cls.client.get(cls.server))["server"]

    def at_cluster(self) -> set[str]:
        name = f"snf-{self.server.rpartition('/')[2]}"
        held = self.rapi("GET", f"/2/instances/{name}")["tags"]
        return {tag for tag in held if tag.startswith("cyclades:")}

    def rapi(self, method: str, path: str) -> Any:
        return self.daemon.rapi(method, path)

    def test_cyclades_50_tags_are_on_the_instance(self) -> None:
        self.assertEqual(["é 1"], self.show()["tags"])
        for tag in TAGS:
            path = f"{self.server}/tags/{quote(tag, safe='')}"
            self.assertEqual(201, self.client.put(path).status)
            self.assertEqual(204, self.client.put(path).status)
        wanted = sorted((*TAGS, "é 1"))
        eventually(lambda: self.show()["tags"] == wanted, 60)
        self.assertEqual({names.user_tag(tag) for tag in wanted}, self.at_cluster())
        ok(self.client.delete(f"{self.server}/tags"), 204)
        eventually(lambda: not self.at_cluster(), 60)
        self.assertEqual([], complaints(self.daemon))


@pytest.mark.timeout(300)
class PocketTagsTests(TagsCase):
    """On the pocket cluster."""

    __test__ = True

    @classmethod
    def setUpClass(cls) -> None:
        cls.begin(cls.enterClassContext(running()))


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(600)
class GanetiTagsTests(TagsCase):
    """On real Ganeti."""

    __test__ = True
    lab: ClassVar[real.Lab]

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = real.lab()
        cls.lab.clear()
        cls.addClassCleanup(cls.lab.clear)
        cls.begin(cls.enterClassContext(on_ganeti(cls.lab)))

    def rapi(self, method: str, path: str) -> Any:
        return self.lab.ask(method, path)
