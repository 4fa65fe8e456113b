"""Addresses that many want at once, on real connections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, DeferredList
from twisted.trial.unittest import TestCase

from snfd.accounts.opening import create_user
from snfd.db.port import Transaction
from snfd.errors import Conflict
from snfd.identity.model import Caller
from snfd.network.model import NewNetwork, NewPort, NewSubnet, NicRequest, Port
from snfd.network.scope import Scope
from snfd.network.service import NetworkServices
from snfd.projects import service as projects
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES, Limit
from tests.functional.connections import eight_connections

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WANTED = 50


class AddressTests(TestCase):
    """Eight connections; every transaction is a real one."""

    async def setUp(self) -> None:  # type: ignore[override]
        self.db = eight_connections(self)
        self.networks = NetworkServices.build(self.db, uuid4)
        self.user, self.project = uuid4(), uuid4()
        await self.db.run(quota.register, RESOURCES)
        await self.db.run(create_user, self.user, "u@x.example", NOW)
        caps = {"cyclades.network.private": Limit(9, 9)}
        await self.db.run(projects.create, self.project, "p", None, caps, NOW)
        await self.db.run(projects.add_member, self.project, self.user)
        self.caller = Caller(
            self.user, "u", self.project, "p", frozenset({"reader", "member"}),
            frozenset({self.project, self.user}), b"", NOW,
        )  # fmt: skip
        self.scope = Scope.own(self.caller)

    async def network(self, cidr: str) -> int:
        made = await self.networks.networks.create(
            self.caller, self.scope, NewNetwork("n")
        )
        wanted = NewSubnet(made.id, cidr)
        await self.networks.subnets.create(self.caller, self.scope, wanted)
        return made.id

    def port(self, network: int, fixed: str | None = None) -> Deferred[Port]:
        new, request = NewPort(network), NicRequest(network, fixed_ip=fixed)
        return Deferred.fromCoroutine(
            self.networks.ports.create(self.caller, self.scope, new, request)
        )

    async def all(self, running: list[Deferred[Any]]) -> tuple[list[Any], list[Any]]:
        """What succeeded, and the errors of the rest."""
        ended = await DeferredList(running, consumeErrors=True)
        good = [result for well, result in ended if well]
        return good, [result.value for well, result in ended if not well]

    async def test_fifty_at_once_get_fifty_addresses(self) -> None:
        network = await self.network("10.0.0.0/26")
        made, errors = await self.all([self.port(network) for _ in range(WANTED)])
        self.assertEqual([], errors)
        self.assertEqual(WANTED, len({port.addresses[0].addr for port in made}))
        rows = await self.db.read(
            "SELECT count(*) FROM compute.ip_slot WHERE state = 'used'"
        )
        self.assertEqual(WANTED, rows[0][0])

    async def test_fifty_at_once_share_five(self) -> None:
        network = await self.network("10.0.0.0/29")
        made, errors = await self.all([self.port(network) for _ in range(WANTED)])
        self.assertEqual({Conflict}, {type(error) for error in errors})
        self.assertEqual(5, len(made))
        self.assertEqual(5, len({port.addresses[0].addr for port in made}))

    async def test_of_fifty_who_want_the_same_one_gets_it(self) -> None:
        network = await self.network("10.0.0.0/29")
        made, errors = await self.all(
            [self.port(network, "10.0.0.4") for _ in range(WANTED)]
        )
        self.assertEqual((1, WANTED - 1), (len(made), len(errors)))

    async def test_what_others_gave_up_is_not_lost(self) -> None:
        """All addresses are locked by those who then fail."""
        network = await self.network("10.0.0.0/29")
        held: Deferred[None] = Deferred()
        taken: Deferred[None] = Deferred()

        async def hold(tx: Transaction) -> None:
            await tx.execute("UPDATE compute.ip_slot SET state = 'used'")
            taken.callback(None)
            await held
            raise Conflict("not after all")

        holding = self.db.run(hold)
        await taken
        wanted = [self.port(network) for _ in range(4)]
        held.callback(None)
        await self.assertFailure(holding, Conflict)
        made, errors = await self.all(wanted)
        self.assertEqual((4, []), (len(made), errors))

    async def test_networks_at_once_have_prefixes_of_their_own(self) -> None:
        running = [
            Deferred.fromCoroutine(
                self.networks.networks.create(
                    self.caller, self.scope, NewNetwork(f"n{number}")
                )
            )
            for number in range(20)
        ]
        made, errors = await self.all(running)
        self.assertEqual((9, 11), (len(made), len(errors)))
        self.assertEqual(9, len({network.mac_prefix for network in made}))
        rows = await self.db.read(
            "SELECT count(*) FROM compute.pool_slot WHERE state = 'used'"
        )
        self.assertEqual(9, rows[0][0])
