"""What is done to real Ganeti past us: it is noticed, and told by snfctl."""

from __future__ import annotations

import json
import unittest
from typing import Any

import pytest

from snfd.ganeti import requests
from snfd.ganeti.requests import NewDisk, NewInstance
from tests.functional.daemon import Client, Daemon, eventually
from tests.functional.evidence import imbalance
from tests.functional.lab import on_ganeti
from tests.functional.snfctl import Snfctl
from tests.functional.things import ok
from tests.lab import ganeti as real

SYNNEFO = "/compute/v2.0"


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(600)
class ReconcileTests(unittest.TestCase):
    """One daemon on one cluster."""

    lab: real.Lab
    daemon: Daemon
    client: Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = real.lab()
        cls.lab.clear()
        cls.addClassCleanup(cls.lab.clear)
        cls.daemon = cls.enterClassContext(on_ganeti(cls.lab))
        cls.client = cls.daemon.client()

    def make(self) -> int:
        image = ok(self.client.get("/os/image/v2/images"))["images"][0]["id"]
        wanted = {"name": "web", "imageRef": image, "flavorRef": 1}
        made = ok(self.client.post(f"{SYNNEFO}/servers", {"server": wanted}), 202)
        ident: int = made["server"]["id"]
        self.until(ident, "ACTIVE")
        return ident

    def until(self, server: int, status: str, seconds: float = 90) -> Any:
        def there() -> Any:
            shown = ok(self.client.get(f"{SYNNEFO}/servers/{server}"))["server"]
            return shown if shown["status"] == status else None

        return eventually(there, seconds)

    def usage(self) -> dict[str, int]:
        held = ok(self.client.get("/account/v1.0/quotas"))[self.client.project]
        return {name: one["usage"] for name, one in held.items()}

    def names(self) -> list[str]:
        return [one["id"] for one in self.lab.ask("GET", "/2/instances")]

    def balanced(self) -> None:
        eventually(lambda: not imbalance(self.daemon), 30)

    def test_cyclades_40_an_instance_that_was_removed_is_gone(self) -> None:
        before = self.usage()
        server = self.make()
        self.lab.run("gnt-instance", "remove", "-f", "--shutdown-timeout=0",
                     f"snf-{server}")  # fmt: skip
        self.until(server, "DELETED")
        self.assertEqual(before, self.usage())
        self.balanced()

    def test_cyclades_41_an_instance_that_was_stopped_is_down(self) -> None:
        server = self.make()
        before = self.usage()
        self.lab.run("gnt-instance", "shutdown", "--timeout=0", f"snf-{server}")
        self.until(server, "STOPPED")
        self.assertEqual(before["cyclades.cpu"] - 1, self.usage()["cyclades.cpu"])
        self.assertEqual(before["cyclades.vm"], self.usage()["cyclades.vm"])
        self.balanced()

    def test_cyclades_78_an_orphan_is_told_and_stays(self) -> None:
        by_hand = requests.create(
            NewInstance(
                999999, "fake", "snf-image+default", "file", 1, 64, [NewDisk(9, 16)]
            )
        )
        self.lab.ask("POST", "/2/instances", dict(by_hand.body))
        eventually(lambda: "snf-999999" in self.names(), 60)
        told = Snfctl(self.daemon.var).run("reconcile", "run", "-o", "json")
        self.assertEqual(8, told.status, told.err)
        found = [one["subject"] for one in json.loads(told.out)
                 if one["kind"] == "orphan"]  # fmt: skip
        self.assertEqual(["server:999999"], found)
        self.assertIn("snf-999999", self.names())

    def test_cyclades_81_a_job_that_was_archived_is_settled(self) -> None:
        server = self.make()
        path = f"{SYNNEFO}/servers/{server}/action"
        ok(self.client.post(path, {"shutdown": {}}), 202)

        def archived() -> Any:
            self.lab.run("gnt-job", "autoarchive", "all")
            shown = ok(self.client.get(f"{SYNNEFO}/servers/{server}"))["server"]
            return shown["status"] == "STOPPED" and not shown["SNF:task_state"]

        eventually(archived, 90)
        self.balanced()
