"""A cloud in which everything goes wrong, and what must be true once it does not.

Compute, its outbox and those who work on a cluster run in this process, on a real
PostgreSQL and on a pocket cluster over TCP. `Chaos.wrong` is the oracle: it compares
servers, addresses and quota with what the cluster says.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from pocket.service import Pocket
from snfd.audit import DAEMON
from snfd.compute import books, seed
from snfd.compute.mends import Fix, Mends
from snfd.compute.model import NewServer
from snfd.compute.service import Compute, Parts, compute
from snfd.compute.settle import settle
from snfd.compute.store import charges
from snfd.db.database import PostgresDatabase
from snfd.db.direct import DirectTransaction, connect, finish
from snfd.db.port import Transaction
from snfd.db.session import Session, hold_lock
from snfd.errors import CloudError, Conflict
from snfd.ganeti import requests, store
from snfd.ganeti.keeper import Keepers
from snfd.ganeti.model import Instance
from snfd.ganeti.port import Refused
from snfd.ganeti.rapi import Rapi
from snfd.ganeti.service import Clusters, NewCluster, connector
from snfd.ganeti.shift import Shifts
from snfd.ganeti.transport import Transport, agent
from snfd.identity.model import Caller
from snfd.network.mending import Mending
from snfd.network.scope import Scope
from snfd.quota import service as quota
from snfd.quota.integrity import Integrity, Recount
from snfd.quota.model import RESOURCES
from snfd.trust import policy
from tests.blocking import BlockingDatabase
from tests.compute.kit import IMAGE, LIMITS, FakeImages, XorSealer
from tests.ganeti.test_keeper import Plain
from tests.identity.cloud import SPACE, IdentityCloud
from tests.postgres import postgres

RECOUNT = Recount(charges.ACTUAL, charges.RESOURCES)
USER = uuid5(SPACE, "demo")
PROJECT = uuid5(SPACE, "project demo")
SERVERS_MAX = 8
SETTLED_WITHIN = 180.0
"""Seconds in which everything must have become right again; on a slow machine."""

BELIEVED_AFTER = 10
"""Looks after which an administrator says that what is missing is gone."""


class Killed(BaseException):
    """The process is killed here."""


async def nobody(tx: Transaction) -> dict[UUID, int]:
    return {}


@define(eq=False)
class Chaos:
    """One cluster and all that works on it.

    :ivar armed: the point at which the process is killed next, or empty.
    """

    case: TestCase
    dsn: str
    pocket: Pocket
    ca: str
    armed: str = ""
    sessions: list[Session] = field(factory=list)
    keepers: Keepers | None = None
    cluster: int = 0
    turns: int = 0
    db: PostgresDatabase = field(init=False)
    compute: Compute = field(init=False)
    mends: Mends = field(init=False)

    async def prepare(self) -> None:
        """People, sizes, a cluster; and somebody works on it."""
        self._people()
        self.db = PostgresDatabase(reactor, self.dsn, random.random)
        self.db.startService()
        self.case.addCleanup(self.db.stopService)
        self.compute = compute(
            Parts(
                db=self.db,
                clock=reactor,
                images=FakeImages(),
                sealer=XorSealer(),
                base_url="http://cloud.test",
                new_id=uuid4,
                draw=random.SystemRandom().randrange,
                token=lambda: random.randbytes(32),
                request_id=lambda: None,
                probe=self.probe,
            )
        )
        integrity = Integrity(self.db, nobody, RECOUNT)
        self.mends = Mends(self.db, reactor, integrity, uuid4)
        self.cluster = await Clusters(self.db, Plain()).add(
            NewCluster("one", self.pocket.url, "snfd", "secret", tls_ca=self.ca,
                       disk_templates=["file"], hypervisor="fake")
        )  # fmt: skip
        await seed.seed(self.db, seed.Demo())
        self.boot()
        self.case.addCleanup(self.kill)

    def _people(self) -> None:
        connection = connect(self.dsn)
        finish(quota.register(DirectTransaction(connection), RESOURCES))
        people = IdentityCloud(self.case, BlockingDatabase(connection))
        people.user("demo", None)
        people.project("demo", LIMITS, demo="member")
        connection.commit()
        connection.close()

    @property
    def caller(self) -> Caller:
        return Caller(
            user=USER,
            username="demo",
            project=PROJECT,
            project_name="demo",
            roles=frozenset({"reader", "member"}),
            projects=frozenset({PROJECT, USER}),
            token_hash=bytes(32),
            expires=datetime.now(UTC) + timedelta(days=1),
        )

    @property
    def rapi(self) -> Rapi:
        wire = agent(reactor, policy(self.ca))
        return Rapi(Transport(reactor, wire, self.pocket.url, "snfd", "secret"))

    # -- what may go wrong ---------------------------------------------------

    def probe(self, point: str) -> None:
        if point == self.armed:
            self.armed = ""
            raise Killed

    def boot(self) -> None:
        """A new process works on the cluster."""
        shifts = Shifts(
            reactor,
            connector(reactor, Plain()),
            settle,
            self.compute.handoffs.enrich,
            self.probe,
            Mending(uuid4),
        )
        self.keepers = Keepers(reactor, self.db, self._take, shifts, str(uuid4()))
        self.keepers.startService()

    async def _take(self, key: int) -> Session | None:
        session = await hold_lock(reactor, self.dsn, key)
        if session is not None:
            self.sessions.append(session)
        return session

    async def kill(self) -> None:
        """Nothing works on the cluster any more, from one moment to the next."""
        for session in self.sessions:
            session.close("killed")
        self.sessions.clear()
        if self.keepers is not None:
            ended, self.keepers = self.keepers, None
            await ended.stopService()

    async def reboot(self) -> None:
        await self.kill()
        self.boot()

    def cut(self) -> None:
        """PostgreSQL drops every connection to the database."""
        name = self.dsn.partition("dbname=")[2].split()[0]
        postgres().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )

    async def do(self, step: Sequence[Any]) -> None:
        """One step of a plan; that it is refused is part of life."""
        name, *given = step
        with suppress(CloudError, Refused):
            await getattr(self, f"_{name}")(*given)

    async def _pause(self, seconds: float) -> None:
        await deferLater(reactor, seconds)

    async def _fault(self, kind: str, match: str, times: int, status: int) -> None:
        self.pocket.faults.add(kind, match, times, status)

    async def _latency(self, seconds: float) -> None:
        self.pocket.jobs.latency = seconds

    async def _archive(self) -> None:
        self.pocket.jobs.archive(0.0)

    async def _rewind(self, last: int) -> None:
        self.pocket.jobs.rewind(last)

    async def _reboot(self) -> None:
        await self.reboot()

    async def _crash(self, point: str) -> None:
        self.armed = point

    async def _cut(self) -> None:
        self.cut()

    async def servers(self) -> list[int]:
        found = await self.db.read(
            "SELECT id FROM compute.server WHERE NOT deleted ORDER BY id"
        )
        return [row[0] for row in found]

    async def _create(self) -> None:
        if len(await self.servers()) < SERVERS_MAX:
            sizes = await self.db.read("SELECT min(id) FROM compute.flavor")
            spec = NewServer("web", sizes[0][0], image=IMAGE)
            caller = self.caller
            await self.compute.servers.create(caller, Scope.own(caller), spec)

    async def _act(self, verb: str, which: int) -> None:
        found = await self.servers()
        if not found:
            return
        server, caller = found[which % len(found)], self.caller
        actions, scope = self.compute.actions, Scope.own(caller)
        if verb == "reboot":
            await actions.reboot(caller, scope, server, hard=True)
        else:
            await getattr(actions, verb)(caller, scope, server)

    async def _foreign(self, verb: str, which: int) -> None:
        """An administrator of the cluster does something past us."""
        found = await self.servers()
        if not found:
            return
        server = found[which % len(found)]
        request = {
            "stop": requests.stop(server, 0),
            "start": requests.start(server),
            "remove": requests.remove(server),
            "grow": requests.resize(server, 2, 256),
        }[verb]
        await self.rapi.submit(request, "an administrator")

    # -- what must be true in the end ------------------------------------------

    async def calm(self) -> None:
        """Nothing goes wrong from now on."""
        self.pocket.faults.clear()
        self.pocket.jobs.latency = 0.0
        self.armed = ""
        if self.keepers is None:
            self.boot()

    async def settled(self) -> None:
        """Wait until everything is right.

        :raises AssertionError: it does not become so; what is wrong.
        """
        await self.reboot()
        self.turns = 0
        ends = reactor.seconds() + SETTLED_WITHIN
        wrong = ["never looked"]
        while reactor.seconds() < ends:
            try:
                wrong = await self._turn()
            except CloudError as error:
                wrong = [error.message]
            if not wrong:
                return
            await deferLater(reactor, 0.3)
        raise AssertionError("\n".join(wrong))

    async def look(self) -> None:
        """Have the cluster looked at soon, as if a minute had passed."""
        await self.db.run(self._age)
        assert self.keepers is not None
        self.keepers.reread()

    async def _turn(self) -> list[str]:
        """Have the cluster looked at; what waits, or is wrong."""
        await self.look()
        left = await self.db.read(
            "SELECT subject, kind, state FROM ops.outbox WHERE finished IS NULL"
        )
        if left:
            return [f"waits: {row}" for row in left]
        kinds = await self.db.read("SELECT DISTINCT kind FROM ops.finding")
        self.turns += 1
        if ("disbelieved",) in kinds and self.turns > BELIEVED_AFTER:
            await self.mends.fix(DAEMON, None, [Fix.STALE])
        return await self.wrong()

    async def _age(self, tx: Transaction) -> None:
        await tx.execute(
            "UPDATE ops.finding SET first_seen = first_seen - interval '61 seconds'"
        )
        await store.refresh(tx, self.cluster)

    async def wrong(self) -> list[str]:
        """The oracle: where we are not what the cluster says."""
        names = [each.name for each in await self.rapi.sightings()]
        seen = {one.name: one for one in await self.rapi.instances(names)}
        return await self.db.run(self._compared, seen)

    async def wrong_after(self, damage: str) -> list[str]:
        """What the oracle would say after some SQL, which is then undone."""
        names = [each.name for each in await self.rapi.sightings()]
        seen = {one.name: one for one in await self.rapi.instances(names)}
        told: list[str] = []

        async def work(tx: Transaction) -> None:
            await tx.execute(damage)
            told.extend(await self._compared(tx, seen))
            raise Conflict("undone")

        with suppress(Conflict):
            await self.db.run(work)
        return told

    async def _compared(self, tx: Transaction, seen: dict[str, Instance]) -> list[str]:
        rows = await tx.rows(
            "SELECT s.id, s.state, s.crashed, s.task, f.cpu, f.ram"
            " FROM compute.server s JOIN compute.flavor f ON f.id = s.flavor"
            " WHERE NOT s.deleted ORDER BY s.id"
        )
        wrong = [
            f"orphan {name}" for name in seen.keys() - {f"snf-{r[0]}" for r in rows}
        ]
        for ident, state, crashed, task, *size in rows:
            instance = seen.get(f"snf-{ident}")
            wrong += _server(ident, state, crashed, task, size, instance)
            if instance is not None and state != "ERROR":
                wrong += await self._cards(tx, ident, instance)
        wrong += [
            f"{one.subject}: {one.detail}" for one in await books.look(tx, RECOUNT)
        ]
        pending = await tx.rows("SELECT serial FROM quota.commission")
        return wrong + [f"commission {row[0]} is pending" for row in pending]

    async def _cards(
        self, tx: Transaction, server: int, instance: Instance
    ) -> list[str]:
        rows = await tx.rows(
            "SELECT 'snf-nic-' || p.id, p.mac::text, host(i.addr), p.state"
            " FROM compute.port p LEFT JOIN compute.ip i ON i.port = p.id"
            " AND NOT i.deleted AND family(i.addr) = 4"
            " WHERE p.server = %s AND p.state <> 'ERROR' ORDER BY 1",
            (server,),
        )
        ours = {tuple(row) for row in rows}
        theirs = {(nic.name, nic.mac, nic.ip, "ACTIVE") for nic in instance.nics}
        return [] if ours == theirs else [f"server {server}: {ours} is not {theirs}"]


def _server(
    ident: int, state: str, crashed: bool, task: str | None, size: Any, seen: Any
) -> list[str]:
    """What is wrong with a server."""
    if task is not None or state == "BUILD":
        return [f"server {ident} is {state}, busy with {task}"]
    if state == "ERROR":
        return []
    if seen is None:
        return [f"server {ident} is {state} and has no instance"]
    wrong = []
    if seen.oper_state != (state == "STARTED" and not crashed):
        wrong.append(f"server {ident} is {state}, its instance {seen.status}")
    if [seen.vcpus, seen.memory] != size:
        wrong.append(f"server {ident} has {size}, not {seen.vcpus, seen.memory}")
    return wrong


def in_reactor(work: Any) -> Deferred[Any]:
    """What a coroutine answers."""
    return Deferred.fromCoroutine(work)
