"""Wrong answers and outages, on a pocket cluster over TCP."""

from __future__ import annotations

import json
import unittest
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from snfd.errors import Unavailable
from snfd.network.scope import Scope
from tests.functional.daemon import running
from tests.functional.snfctl import Snfctl
from tests.functional.test_chaos import ChaosCase
from tests.functional.things import ok


@pytest.mark.rig("pocket")
@pytest.mark.timeout(300)
class ReconcileTests(ChaosCase):
    timeout = 290

    async def states(self) -> list[str]:
        rows = await self.chaos.db.read("SELECT state FROM compute.server ORDER BY id")
        return [row[0] for row in rows]

    async def until(self, sql: str, *wanted: Any) -> None:
        for _ in range(1000):
            if await self.chaos.db.read(sql) == [wanted]:
                return
            await deferLater(reactor, 0.1)
        raise AssertionError(f"{sql} is never {wanted}")

    async def test_cyclades_79_an_empty_answer_deletes_nothing(self) -> None:
        await self.survives([("create",), ("create",)])
        self.pocket.faults.add("empty", "PUT /2/query/instance", None)
        for _ in range(3):
            await self.chaos.look()
            await deferLater(reactor, 0.5)
        await self.until(
            "SELECT count(*) FROM ops.finding WHERE kind = 'disbelieved'", 1
        )
        self.assertEqual(["STARTED", "STARTED"], await self.states())
        self.pocket.faults.clear()
        await self.chaos.look()
        await self.until("SELECT count(*) FROM ops.finding", 0)
        self.assertEqual([], await self.chaos.wrong())
        self.assertEqual(["STARTED", "STARTED"], await self.states())

    async def test_cyclades_80_rapi_is_away_while_a_job_runs(self) -> None:
        await self.survives([("create",), ("create",)])
        [_, server] = await self.chaos.servers()
        self.pocket.jobs.latency = 1.0
        await self.chaos.do(("act", "stop", 0))
        await self.until("SELECT state FROM ops.outbox ORDER BY seq DESC LIMIT 1",
                         "running")  # fmt: skip
        self.pocket.faults.add("reset", "*", None)
        await self.until("SELECT reachable FROM compute.cluster", False)
        caller = self.chaos.caller
        scope, parts = Scope.own(caller), self.chaos.compute
        shown = await parts.servers.show(scope, server)
        self.assertEqual("web", shown.name)
        with self.assertRaises(Unavailable):
            await parts.actions.reboot(caller, scope, server, hard=True)
        await self.survives([])
        self.assertEqual(["STOPPED", "STARTED"], await self.states())


@pytest.mark.rig("pocket")
@pytest.mark.timeout(300)
class SnfctlTests(unittest.TestCase):
    def test_jobs_are_listed_and_nothing_disagrees(self) -> None:
        with running() as daemon:
            client, snfctl = daemon.client(), Snfctl(daemon.var)
            images = ok(client.get("/os/image/v2/images"))["images"]
            wanted = {"name": "web", "imageRef": images[0]["id"], "flavorRef": 1}
            made = ok(client.post("/compute/v2.0/servers", {"server": wanted}), 202)
            subject = f"server:{made['server']['id']}"
            told = json.loads(snfctl("job", "list", "--subject", subject, "-o", "json"))
            self.assertEqual(["OP_INSTANCE_CREATE"], [one["kind"] for one in told])
            self.assertEqual("demo", told[0]["actor"])
            shown = json.loads(snfctl("job", "show", told[0]["id"], "-o", "json"))
            self.assertEqual(subject, shown["subject"])
            self.assertEqual("", snfctl("reconcile", "run", "--no-headers"))
