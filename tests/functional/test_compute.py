"""Many servers at once, on real connections."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.trial.unittest import TestCase

from snfd.accounts.opening import create_user
from snfd.compute import seed
from snfd.compute.model import NewServer
from snfd.compute.service import Parts, compute
from snfd.db.port import Transaction
from snfd.errors import Conflict, OverQuota
from snfd.identity.model import Caller
from snfd.network.model import NewNetwork, NewSubnet, NicRequest
from snfd.network.scope import Scope
from snfd.network.seed import PublicNetwork
from snfd.network.service import NetworkServices
from snfd.projects import service as projects
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES, Limit
from tests.compute.kit import IMAGE, LIMITS, FakeImages, XorSealer
from tests.functional.connections import eight_connections

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class ConcurrencyTests(TestCase):
    """Eight connections; every transaction is a real one."""

    async def setUp(self) -> None:  # type: ignore[override]
        self.db = eight_connections(self)
        self.networks = NetworkServices.build(self.db, uuid4)
        self.compute = compute(
            Parts(
                db=self.db,
                clock=reactor,
                images=FakeImages(),
                sealer=XorSealer(),
                base_url="http://cloud.test",
                new_id=uuid4,
                draw=secrets.randbelow,
                token=lambda: secrets.token_bytes(32),
                request_id=lambda: None,
            )
        )
        self.user, self.project = uuid4(), uuid4()
        await self.db.run(quota.register, RESOURCES)
        await self.db.run(create_user, self.user, "u@x.example", NOW)
        caps = {name: Limit(cap, cap) for name, cap in LIMITS.items()}
        await self.db.run(projects.create, self.project, "p", None, caps, NOW)
        await self.db.run(projects.add_member, self.project, self.user)
        await self.db.run(self._cluster)
        small = PublicNetwork(cidr="203.0.113.0/27")  # 29 addresses to give
        await seed.seed(self.db, seed.Demo(network=small))
        rows = await self.db.read("SELECT min(id) FROM compute.flavor")
        self.flavor = rows[0][0]

    async def _cluster(self, tx: Transaction) -> None:
        for number in (1, 2):
            await tx.execute(
                "INSERT INTO compute.cluster (name, url, username, secret, idx, "
                "disk_templates) VALUES (%s, 'https://x', 'u', '', %s, '{file}')",
                (f"c{number}", number),
            )

    def caller(self) -> Caller:
        return Caller(
            self.user, "u", self.project, "p", frozenset({"reader", "member"}),
            frozenset({self.project, self.user}), b"", NOW,
        )  # fmt: skip

    def create(self, nics: Any = None) -> Deferred[Any]:
        spec = NewServer("web", self.flavor, image=IMAGE, nics=nics)
        scope = Scope.own(self.caller())
        return Deferred.fromCoroutine(
            self.compute.servers.create(self.caller(), scope, spec)
        )

    async def all(self, running: list[Deferred[Any]]) -> tuple[list[Any], list[Any]]:
        """What succeeded, and the errors of the rest."""
        results = await DeferredList(running, consumeErrors=True)
        good = [result for well, result in results if well]
        return good, [result.value for well, result in results if not well]

    async def distinct(self, count: int) -> None:
        for column, table in (
            ("addr", "ip WHERE NOT deleted"),
            ("mac", "port"),
            ("id", "server"),
        ):
            rows = await self.db.read(
                f"SELECT count(*), count(DISTINCT {column}) FROM compute.{table}"
            )
            self.assertEqual((count, count), rows[0], table)

    async def test_cyclades_28_twenty_at_once_share_nothing(self) -> None:
        made, errors = await self.all([self.create() for _ in range(20)])
        self.assertEqual(([], 20), (errors, len(made)))
        await self.distinct(20)
        rows = await self.db.read(
            "SELECT kind, cluster, count(*) FROM ops.outbox GROUP BY 1, 2 ORDER BY 1, 2"
        )
        networks = [row for row in rows if row[0].startswith("OP_NETWORK")]
        self.assertEqual({1}, {count for _, _, count in networks})
        creates = [row[2] for row in rows if row[0] == "OP_INSTANCE_CREATE"]
        self.assertEqual([10, 10], creates)
        usage = await quota.Quota(self.db).usage_in(self.caller(), self.project)
        self.assertEqual(20, usage["cyclades.vm"].usage)

    async def test_the_last_addresses_are_given_out_once(self) -> None:
        await self.db.run(self._spend, 24)
        made, errors = await self.all([self.create() for _ in range(12)])
        self.assertEqual((5, 7), (len(made), len(errors)))
        self.assertEqual({Conflict}, {type(error) for error in errors})
        await self.distinct(5)

    async def _spend(self, tx: Transaction, count: int) -> None:
        await tx.execute(
            "UPDATE compute.ip_slot SET reserved = true WHERE addr IN "
            "(SELECT addr FROM compute.ip_slot ORDER BY addr LIMIT %s)",
            (count,),
        )

    async def test_a_limit_holds_and_refused_ones_leave_nothing(self) -> None:
        await self.db.run(self._limit, 3)
        made, errors = await self.all([self.create() for _ in range(10)])
        self.assertEqual((3, 7), (len(made), len(errors)))
        self.assertEqual({OverQuota}, {type(error) for error in errors})
        await self.distinct(3)
        rows = await self.db.read(
            "SELECT count(*) FROM compute.ip_slot WHERE state = 'used'"
        )
        self.assertEqual(3, rows[0][0])

    async def _limit(self, tx: Transaction, cap: int) -> None:
        await tx.execute(
            "UPDATE quota.holding SET cap = %s WHERE resource = 'cyclades.vm'", (cap,)
        )

    async def test_a_network_that_goes_while_servers_join(self) -> None:
        caller = self.caller()
        scope = Scope.own(caller)
        network = await self.networks.networks.create(caller, scope, NewNetwork("n"))
        wanted = NewSubnet(network.id, "10.0.0.0/24")
        await self.networks.subnets.create(caller, scope, wanted)
        card = [NicRequest(network.id)]
        going = Deferred.fromCoroutine(
            self.networks.networks.delete(caller, scope, network.id)
        )
        running = [self.create(card) for _ in range(5)]
        await self.all([going, *running])
        rows = await self.db.read(
            "SELECT count(*) FROM compute.port p JOIN compute.network n "
            "ON n.id = p.network WHERE n.deleted"
        )
        self.assertEqual(0, rows[0][0])

    async def test_updated_is_the_end_of_the_transaction(self) -> None:
        server, _ = await self.create()

        async def slowly(tx: Transaction, ident: int) -> Any:
            await tx.execute("SELECT pg_sleep(0.05)")
            change = "UPDATE compute.server SET progress = 7 WHERE id = %s"
            await tx.execute(change, (ident,))
            await tx.execute("SELECT pg_sleep(0.2)")
            row = await tx.row("SELECT clock_timestamp()")
            assert row is not None
            return row[0]

        last = await self.db.run(slowly, server.id)
        rows = await self.db.read(
            "SELECT updated FROM compute.server WHERE id = %s", (server.id,)
        )
        self.assertGreater(rows[0][0], last)
