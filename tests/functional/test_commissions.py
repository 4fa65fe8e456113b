"""Many commissions at once, over HTTP on TCP and real connections to PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import treq
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.server import Site

from api.synnefo import account
from api.synnefo.account.commissions import CommissionsApi
from api.synnefo.account.quotas import QuotasApi
from snfd.accounts.opening import create_user
from snfd.db.port import Transaction
from snfd.errors import Unauthorized
from snfd.identity.model import Caller
from snfd.projects import service as projects
from snfd.quota import service as quota
from snfd.quota.commissions import Commissions
from snfd.quota.model import RESOURCES, Limit, Resource
from snfd.quota.reports import Reports
from snfd.registry.tokens import Components
from snfd.tokens import digest
from tests.functional.connections import eight_connections

NOW = datetime(2030, 1, 1, tzinfo=UTC)
VM, CPU = "cyclades.vm", "cyclades.cpu"
TOKEN = "t" * 43


async def _nobody(token: str | None) -> Caller:
    raise Unauthorized("only components here")


class CommissionTests(TestCase):
    """Eight connections to PostgreSQL, up to fifty to the API."""

    async def setUp(self) -> None:  # type: ignore[override]
        db = self.db = eight_connections(self)
        await db.run(quota.register, RESOURCES)
        self.user, self.project = uuid4(), uuid4()
        await db.run(create_user, self.user, "u@x.org", NOW)
        await db.run(_component)
        self.listen()

    def listen(self) -> None:
        resource = account.resource(
            _nobody,
            CommissionsApi(Commissions(self.db)),
            QuotasApi(quota.Quota(self.db), Reports(self.db)),
            components=Components(self.db, reactor),
        )
        net: Any = reactor
        port = net.listenTCP(0, Site(resource), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.base = f"http://127.0.0.1:{port.getHost().port}"
        pool = HTTPConnectionPool(reactor)
        pool.maxPersistentPerHost = 50
        self.addCleanup(pool.closeCachedConnections)
        self.agent = Agent(reactor, pool=pool)

    async def have(self, limit: int) -> None:
        """A project that grants so much, to all together and to each."""
        caps = {name: Limit(limit, limit) for name in (VM, CPU)}
        run = self.db.run
        await run(projects.create, self.project, "p", None, caps, NOW)
        await run(projects.add_member, self.project, self.user)

    def ask(self, method: str, path: str, body: object = None) -> Deferred[Any]:
        async def asked() -> tuple[int, Any]:
            response = await treq.request(
                method,
                self.base + path,
                agent=self.agent,
                headers=Headers({"X-Auth-Token": [TOKEN]}),
                json=body,
            )
            text = await response.text()
            return response.code, (await response.json()) if text else None

        return Deferred.fromCoroutine(asked())

    def parts(self, quantity: int, *names: str) -> Sequence[Mapping[str, object]]:
        project = f"project:{self.project}"
        keys = [(f"user:{self.user}", project), (project, None)]
        return [
            {"holder": who, "source": source, "resource": name, "quantity": quantity}
            for name in names
            for who, source in keys
        ]

    def issue(self, quantity: int, *names: str, **more: object) -> Deferred[Any]:
        body = {"provisions": self.parts(quantity, *names), **more}
        return self.ask("POST", "/commissions", body)

    async def numbers(self, name: str = VM) -> Mapping[str, int]:
        _, found = await self.ask("GET", f"/service_quotas?user={self.user}")
        one: Mapping[str, int] = found[str(self.user)][str(self.project)][name]
        return one

    async def test_astakos_37_fifty_at_a_limit_of_ten(self) -> None:
        await self.have(10)
        answers = await gatherResults(self.issue(1, VM) for _ in range(50))
        self.assertEqual({201: 10, 413: 40}, Counter(code for code, _ in answers))
        serials = [body["serial"] for code, body in answers if code == 201]
        self.assertEqual(10, len(set(serials)))
        data = [body["overLimit"]["data"] for code, body in answers if code == 413]
        self.assertEqual({(10, 10)}, {(one["limit"], one["usage"]) for one in data})
        found = await self.numbers()
        self.assertEqual(
            (10, 10, 10), (found["usage"], found["pending"], found["project_usage"])
        )

    async def test_two_hundred_on_one_holding_are_exact(self) -> None:
        await self.have(200)
        answers = await gatherResults(
            self.issue(1, *((VM, CPU) if n % 2 else (CPU, VM))) for n in range(200)
        )
        self.assertEqual({201: 200}, Counter(code for code, _ in answers))
        serials = [body["serial"] for _, body in answers]
        _, pending = await self.ask("GET", "/commissions")
        self.assertEqual(sorted(serials), pending)
        halves = serials[::2], serials[1::2]
        actions = [
            {"accept": halves[0][n::10], "reject": halves[1][n::10]} for n in range(10)
        ]
        done = await gatherResults(
            self.ask("POST", "/commissions/action", body)
            for body in actions
            for _ in range(2)
        )
        self.assertEqual({200}, {code for code, _ in done})
        self.assertEqual(
            [100, 100, 200],
            [
                sum(len(body[key]) for _, body in done)
                for key in ("accepted", "rejected", "failed")
            ],
        )
        for name in (VM, CPU):
            found = await self.numbers(name)
            self.assertEqual((100, 0), (found["usage"], found["pending"]))
            self.assertEqual(
                (100, 0), (found["project_usage"], found["project_pending"])
            )

    async def test_astakos_38_limits_change_while_commissions_are_issued(self) -> None:
        await self.have(1000)
        running: list[Deferred[Any]] = []
        changes: list[Deferred[Any]] = []
        for number in range(100):
            running.append(self.issue(1, VM, CPU, auto_accept=True))
            if number % 10 == 0:
                caps = {VM: Limit(1000 + number, 1000 + number)}
                changes.append(self.db.run(quota.open_project, self.project, caps))
                changes.append(
                    self.db.run(projects.add_member, self.project, self.user)
                )
        answers = await gatherResults(running)
        await gatherResults(changes)
        self.assertEqual({201: 100}, Counter(code for code, _ in answers))
        found = await self.numbers()
        self.assertEqual((100, 100), (found["usage"], found["project_usage"]))

    async def test_a_resource_is_registered_while_projects_are_made(self) -> None:
        await self.have(1)
        made = [uuid4() for _ in range(20)]
        new = [Resource("x.one", "X", None, "x", "x", 7, 7)]
        running: list[Deferred[Any]] = []
        for number, uuid in enumerate(made):
            name = f"p{number}"
            running.append(self.db.run(projects.create, uuid, name, None, {}, NOW))
            if number == 10:
                running.append(self.db.run(quota.register, new))
        await gatherResults(running)
        rows = await self.db.read(
            "SELECT count(*) FROM quota.holding WHERE resource = 'x.one'"
            " AND user_id IS NULL AND cap = 7 AND project_id = ANY(%s::uuid[])",
            (made,),
        )
        self.assertEqual([(20,)], rows)


async def _component(tx: Transaction) -> None:
    await tx.execute(
        "INSERT INTO identity.component (name, token_hash) VALUES ('one', %s)",
        (digest(TOKEN),),
    )
    await tx.execute(
        "INSERT INTO identity.service (component_id, name, type, endpoints)"
        " SELECT id, 'cyclades_compute', 'x', '[]' FROM identity.component"
    )
