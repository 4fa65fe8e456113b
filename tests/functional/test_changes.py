"""What a poller of servers is told: every change of what is shown, and no other."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from tests.functional.daemon import Client, eventually, running
from tests.functional.things import ok

SERVERS = "/compute/v2.0/servers"


@pytest.mark.timeout(300)
class ChangesTests(unittest.TestCase):
    """Two servers on the pocket cluster, one of which changes."""

    client: ClassVar[Client]

    @classmethod
    def setUpClass(cls) -> None:
        cls.client = cls.enterClassContext(running()).client()

    def make(self, name: str) -> str:
        flavor = ok(self.client.get("/compute/v2.0/flavors"))["flavors"][0]["id"]
        image = ok(self.client.get("/os/image/v2/images"))["images"][0]["id"]
        wanted = {"name": name, "imageRef": image, "flavorRef": flavor}
        made = ok(self.client.post(SERVERS, {"server": wanted}), 202)["server"]["id"]
        path = f"{SERVERS}/{made}"
        eventually(
            lambda: ok(self.client.get(path))["server"]["status"] == "ACTIVE", 120
        )
        return path

    def changed(self, since: datetime) -> Any:
        got = self.client.get(
            f"{SERVERS}/detail?changes-since={quote(since.isoformat())}"
        )
        if got.status == 304:
            self.assertEqual(b"", got.body)
            return []
        told = ok(got)["servers"]  # what changed just before comes along
        return [x for x in told if datetime.fromisoformat(x["updated"]) >= since]

    def latest(self) -> datetime:
        """A moment after every change so far."""
        listed = ok(self.client.get(f"{SERVERS}/detail"))["servers"]
        times = [datetime.fromisoformat(one["updated"]) for one in listed]
        return max(times) + timedelta(microseconds=1)

    def test_cyclades_51_every_change_is_told(self) -> None:
        self.make("other")
        path = self.make("mine")
        rename = {"server": {"name": "new"}}
        changes: list[Callable[[], Any]] = [
            lambda: self.client.put(path, rename),
            lambda: self.client.post(f"{path}/metadata", {"metadata": {"a": "b"}}),
            lambda: self.client.delete(f"{path}/metadata/a"),
            lambda: self.client.put(f"{path}/tags/t"),
        ]
        for change in changes:
            since = self.latest()
            self.assertEqual([], self.changed(since))
            self.assertLess(change().status, 300)
            self.assertEqual(["new"], [one["name"] for one in self.changed(since)])
        eventually(lambda: ok(self.client.get(path))["server"]["tags"] == ["t"], 60)
        since = self.latest()
        ok(self.client.delete(path), 204)
        gone = eventually(
            lambda: [one for one in self.changed(since) if one["deleted"]], 60
        )
        self.assertEqual([("new", "DELETED")], [(x["name"], x["status"]) for x in gone])
