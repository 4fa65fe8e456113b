"""From the outbox to a cluster and back, on real PostgreSQL, TCP and TLS."""

from __future__ import annotations

import hashlib
import signal
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from pocket.service import Pocket
from pocket.tap import Settings, make_pocket
from pocket.users import WRITE, User
from snfd import outbox
from snfd.db.database import PostgresDatabase
from snfd.db.port import Transaction
from snfd.db.session import Session, hold_lock
from snfd.errors import Unavailable
from snfd.ganeti import requests
from snfd.ganeti.keeper import Keepers
from snfd.ganeti.model import Outcome
from snfd.ganeti.rapi import Rapi
from snfd.ganeti.requests import NewDisk, NewInstance, Request
from snfd.ganeti.service import Clusters, NewCluster, connector
from snfd.ganeti.shift import Shifts
from snfd.ganeti.transport import Transport, agent
from snfd.intent import Intent
from snfd.trust import policy
from tests.functional.wire import close_all
from tests.ganeti.test_keeper import Plain
from tests.lab import ganeti as real
from tests.postgres import fresh_dsn


def new(server: int) -> Request:
    return requests.create(
        NewInstance(
            server, "fake", "snf-image+default", "file", 1, 64, [NewDisk(server, 16)]
        )
    )


class Flow(TestCase):
    """A database, a cluster in it, and processes that work on it."""

    url: str
    user = "snfd"
    password = "secret"
    ca: str

    async def prepare(self) -> None:
        close_all(self)
        self.outcomes: list[Outcome] = []
        self.dsn = fresh_dsn(self)
        self.database = PostgresDatabase(reactor, self.dsn, Random(1).random)
        self.database.startService()
        self.addCleanup(self.database.stopService)
        self.sessions: list[Session] = []
        self.clusters = Clusters(self.database, Plain())
        self.cluster = await self.clusters.add(
            NewCluster("one", self.url, self.user, self.password, tls_ca=self.ca)
        )

    async def take(self, key: int) -> Session | None:
        session = await hold_lock(reactor, self.dsn, key)
        if session is not None:
            self.sessions.append(session)
        return session

    async def settle(self, tx: Transaction, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def process(self, name: str = "a") -> Keepers:
        shifts = Shifts(reactor, connector(reactor, Plain()), self.settle)
        keepers = Keepers(reactor, self.database, self.take, shifts, name)
        keepers.startService()
        self.addCleanup(keepers.stopService)
        return keepers

    async def put(self, request: Request) -> Intent:
        intent = requests.intent(
            uuid4(), self.cluster, request.name.replace("snf-", "server:"), request
        )
        await self.database.run(outbox.put, intent)
        return intent

    async def until(self, good: Callable[[], bool], seconds: float = 30) -> None:
        for _ in range(int(seconds / 0.02)):
            if good():
                return
            await deferLater(reactor, 0.02)
        raise AssertionError(f"not within {seconds} s: {self.events}")

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(each.subject, each.event.value) for each in self.outcomes]

    async def one(self, sql: str) -> Any:
        [row] = await self.database.read(sql)
        return row[0]

    def rapi(self, **more: Any) -> Rapi:
        wire = agent(reactor, policy(more.pop("ca", self.ca)))
        given = (self.url, self.user, self.password)
        return Rapi(Transport(reactor, wire, *given, **more))


@pytest.mark.rig("pocket")
class PocketFlowTests(Flow):
    async def setUp(self) -> None:  # type: ignore[override]
        data = Path(self.mktemp())
        data.mkdir(parents=True)
        self.pocket: Pocket = make_pocket(
            Settings(
                data=data,
                port="tcp:0:interface=127.0.0.1",
                users=(User("snfd", "secret", frozenset({WRITE})),),
                hypervisor="fake",
            ),
            reactor,
        )
        self.pocket.startService()
        self.addCleanup(self.pocket.stopService)
        await self.pocket.ready
        self.url = self.pocket.url
        [pem] = data.glob("**/*cert*.pem")
        self.ca = "".join(pem.read_text().partition("-----BEGIN CERTIFICATE-----")[1:])
        await self.prepare()

    async def test_twenty_servers_are_made_once_each(self) -> None:
        keepers = self.process()
        intents = [await self.put(new(server)) for server in range(1, 21)]
        keepers.heard_intent(str(self.cluster))
        await self.until(lambda: len(self.outcomes) == 20)
        self.assertEqual({"created"}, {event for _, event in self.events})
        self.assertEqual(
            {each.id for each in intents},
            {each.intent.id for each in self.outcomes if each.intent},
        )
        self.assertEqual(20, len(await self.rapi().sightings()))
        await keepers.stopService()
        self.assertEqual(20, await self.one("SELECT count(*) FROM ops.outbox"
                                            " WHERE state = 'success'"))  # fmt: skip

    async def test_answers_lost_and_broken_make_no_second_job(self) -> None:
        keepers = self.process()
        await self.until(lambda: bool(keepers.works_on))
        for kind in ("lose", "reset", "error", "lose-hang"):
            self.pocket.faults.add(kind, "POST /2/instances", status=502)
        for server in range(1, 9):
            await self.put(new(server))
        keepers.heard_intent(str(self.cluster))
        await self.until(lambda: len(self.outcomes) == 8, 40)
        self.assertEqual({"created"}, {event for _, event in self.events})
        jobs = await self.rapi().statuses(0, [])
        self.assertEqual(8, len(jobs))

    async def test_a_broken_lock_connection_passes_the_cluster_on(self) -> None:
        first, second = self.process("a"), self.process("b")
        await self.until(lambda: bool(first.works_on or second.works_on))
        self.pocket.jobs.latency = 0.5
        for server in range(1, 11):
            await self.put(new(server))
        self.reread(first, second)
        await deferLater(reactor, 0.3)
        holder, other = (first, second) if first.works_on else (second, first)
        await self.database.read(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
        await self.until(lambda: not holder.works_on, 2)
        await holder.stopService()
        await self.until(lambda: len(self.outcomes) == 10)
        self.assertEqual(frozenset({self.cluster}), other.works_on)
        self.assertEqual(10, len(await self.rapi().statuses(0, [])))
        self.assertEqual(2, await self.one("SELECT epoch FROM compute.cluster_lease"))

    @staticmethod
    def reread(*keepers: Keepers) -> None:
        for each in keepers:
            each.reread()

    async def test_a_silent_cluster_becomes_unreachable_and_recovers(self) -> None:
        keepers = self.process()
        await self.put(new(1))
        keepers.reread()
        await self.until(lambda: len(self.outcomes) == 1)
        self.pocket.faults.add("hang", "*", times=None)
        await self.put(requests.stop(1, 0))
        await self.put(requests.start(1))
        keepers.reread()
        reach = partial(self.one, "SELECT reachable FROM compute.cluster")
        for _ in range(200):
            if not await reach():
                break
            await deferLater(reactor, 0.1)
        self.assertFalse(await reach())
        self.pocket.faults.clear()
        await self.until(lambda: len(self.outcomes) == 3)
        self.assertEqual(
            [("server:1", "created"), ("server:1", "stopped"),
             ("server:1", "started")],
            self.events,
        )  # fmt: skip
        self.assertTrue(await reach())

    async def test_cyclades_81_jobs_archived_at_once_are_settled(self) -> None:
        keepers = self.process()
        self.pocket.jobs.latency = 0.2
        await self.put(new(1))
        keepers.reread()
        for _ in range(100):
            self.pocket.jobs.archive(0.0)
            await deferLater(reactor, 0.02)
            if self.outcomes:
                break
        await self.until(lambda: self.events == [("server:1", "created")])

    async def test_cyclades_78_an_instance_made_by_hand_is_reported(self) -> None:
        await self.rapi().submit(new(999999), "an administrator")
        keepers = self.process()
        for _ in range(200):
            rows = await self.database.read("SELECT subject, kind FROM ops.finding")
            if rows:
                break
            await deferLater(reactor, 0.1)
        self.assertEqual([("server:999999", "orphan")], rows)
        await keepers.stopService()
        self.assertEqual(
            ["snf-999999"], [each.name for each in await self.rapi().sightings()]
        )

    async def test_certificates_that_are_not_the_clusters(self) -> None:
        der = ssl.PEM_cert_to_DER_cert(self.ca)
        pin = "sha256:" + hashlib.sha256(der).hexdigest()
        self.assertEqual(0, await self.rapi(ca=pin).newest())
        wrong = pin[:-2] + ("00" if pin[-2:] != "00" else "11")
        for bad in (wrong, None):
            with self.assertRaises(Unavailable) as caught:
                await self.rapi(ca=bad).newest()
            self.assertIn("certificate verify failed", caught.exception.message)

    async def test_a_name_that_the_certificate_does_not_bear(self) -> None:
        port = self.url.rpartition(":")[2]
        self.url = f"https://127.0.0.2:{port}"
        pocket = self.pocket
        self.assertIsNotNone(pocket)
        with self.assertRaises(Unavailable):
            await self.rapi().newest()

    async def test_what_waits_for_a_connection_is_bounded(self) -> None:
        self.pocket.faults.add("hang", "*", times=None)
        rapi = self.rapi(waiting_max=5, timeout=0.5)
        asked = [Deferred.fromCoroutine(rapi.newest()) for _ in range(20)]
        refused = 0
        for each in asked:
            try:
                await each
            except Unavailable as error:
                refused += "too many requests" in error.message
        self.assertEqual(11, refused)
        self.pocket.faults.clear()


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
class RealFlowTests(Flow):
    async def setUp(self) -> None:  # type: ignore[override]
        self.lab = real.lab()
        self.url, self.ca = self.lab.url, self.lab.ca
        self.user, self.password = self.lab.user, self.lab.password
        await self.prepare()
        self.first = 5000

    async def gone(self, *servers: int) -> None:
        for server in servers:
            await self.put(requests.remove(server))

    async def test_servers_live_and_die(self) -> None:
        keepers = self.process()
        servers = range(self.first, self.first + 4)
        for server in servers:
            await self.put(new(server))
            await self.put(requests.stop(server, 0))
            await self.put(requests.remove(server))
        keepers.reread()
        await self.until(lambda: len(self.outcomes) == 12, 90)
        for server in servers:
            mine = [event for subject, event in self.events
                    if subject == f"server:{server}"]  # fmt: skip
            self.assertEqual(["created", "stopped", "removed"], mine)
        names = {each.name for each in await self.rapi().sightings()}
        self.assertFalse(names & {f"snf-{server}" for server in servers})

    async def test_rapi_stops_and_comes_back(self) -> None:
        keepers = self.process()
        await self.until(lambda: bool(keepers.works_on))
        self.lab.daemons(signal.SIGSTOP)
        server = self.first + 10
        try:
            await self.put(new(server))
            await self.put(requests.remove(server))
            keepers.reread()
            await deferLater(reactor, 8)
            self.assertFalse(await self.one("SELECT reachable FROM compute.cluster"))
        finally:
            self.lab.daemons(signal.SIGCONT)
        await self.until(lambda: len(self.outcomes) == 2, 90)
        self.assertEqual(
            [(f"server:{server}", "created"), (f"server:{server}", "removed")],
            self.events,
        )
        self.assertTrue(await self.one("SELECT reachable FROM compute.cluster"))
