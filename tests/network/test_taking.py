"""Which addresses are given out, and that none gets lost."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snfd.errors import CloudError, Conflict
from snfd.network.floating import NewFloatingIp
from snfd.network.model import NewNetwork, NewPort, NewSubnet, NicRequest
from tests.compute.kit import ComputeCloud
from tests.network.kit import NetworkCase


class AddressTests(NetworkCase):
    def test_the_address_that_was_released_longest_ago_comes_first(self) -> None:
        network = self.network("10.5.0.0/29")
        held = [self.port(network.id) for _ in range(5)]
        taken = [self.address(port) for port in held]
        for index in (3, 0):
            self.free(held[index])
        again = [self.address(self.port(network.id)) for _ in range(2)]
        self.assertEqual([taken[3], taken[0]], again)

    def test_public_addresses_rest(self) -> None:
        port = self.port(self.public)
        address = self.address(port)
        self.free(port)
        self.assertNotEqual(address, self.address(self.port(self.public)))
        self.cloud.people.execute(
            "UPDATE compute.ip_slot SET state = 'used' WHERE state = 'free' "
            "AND released_at IS NULL"
        )
        taken = self.services.ports.create(
            self.caller, self.scope, NewPort(self.public), NicRequest(self.public)
        )
        self.cloud.fails(taken, Conflict)
        self.cloud.people.execute(
            "UPDATE compute.ip_slot SET released_at = now() - interval '61 seconds' "
            "WHERE released_at IS NOT NULL"
        )
        self.assertEqual(address, self.address(self.port(self.public)))

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.integers(0, 999), min_size=250, max_size=250))
    def test_cyclades_83_used_slots_are_the_addresses_in_use(
        self, dice: list[int]
    ) -> None:
        walk = Walk(self)
        for number in dice:
            walk.step(number)
        walk.check()
        walk.end()


class Walk:
    """Networks, ports and floating IPs that come and go at random."""

    def __init__(self, case: NetworkCase) -> None:
        self.case = case
        self.cloud: ComputeCloud = case.cloud
        self.networks: list[int] = []
        self.ports: list[int] = []
        self.floating: list[int] = []

    def step(self, number: int) -> None:
        kind, which = number % 7, number // 7
        steps = (
            self.add_network, self.add_port, self.add_port, self.drop_port,
            self.drop_network, self.add_floating, self.drop_floating,
        )  # fmt: skip
        with contextlib.suppress(CloudError):
            steps[kind](which)

    def _run(self, awaitable: Any) -> Any:
        """The result, or its `CloudError`."""
        done: list[Any] = []

        async def whole() -> None:
            try:
                done.append(await awaitable)
            except CloudError as error:
                done.append(error)

        self.cloud.wait(whole())
        if isinstance(done[0], CloudError):
            raise done[0]
        return done[0]

    def add_network(self, which: int) -> None:
        case = self.case
        made = self._run(case.services.networks.create(
            case.caller, case.scope, NewNetwork("n")))  # fmt: skip
        self.networks.append(made.id)
        new = NewSubnet(made.id, f"10.{which}.0.0/29")
        self._run(case.services.subnets.create(case.caller, case.scope, new))

    def add_port(self, which: int) -> None:
        case, every = self.case, [*self.networks, self.case.public]
        network = every[which % len(every)]
        new, request = NewPort(network), NicRequest(network)
        made = self._run(
            case.services.ports.create(case.caller, case.scope, new, request)
        )
        self.ports.append(made.id)

    def drop_port(self, which: int) -> None:
        if self.ports:
            gone = self.ports.pop(which % len(self.ports))
            self._run(self.case.services.ports.delete(
                self.case.caller, self.case.scope, gone))  # fmt: skip

    def drop_network(self, which: int) -> None:
        if self.networks:
            gone = self.networks[which % len(self.networks)]
            self._run(self.case.services.networks.delete(
                self.case.caller, self.case.scope, gone))  # fmt: skip
            self.networks.remove(gone)

    def add_floating(self, which: int) -> None:
        made = self._run(self.case.services.floating.create(
            self.case.caller, self.case.scope, NewFloatingIp()))  # fmt: skip
        self.floating.append(made.id)

    def drop_floating(self, which: int) -> None:
        if self.floating:
            gone = self.floating[which % len(self.floating)]
            self._run(self.case.services.floating.delete(
                self.case.caller, self.case.scope, gone))  # fmt: skip
            self.floating.remove(gone)

    def check(self) -> None:
        people = self.cloud.people
        wrong = people.sql(
            "SELECT * FROM (SELECT subnet, addr FROM compute.ip_slot "
            "WHERE state = 'used') s FULL JOIN (SELECT subnet, addr FROM compute.ip "
            "WHERE NOT deleted) i USING (subnet, addr) "
            "WHERE s.subnet IS NULL OR i.subnet IS NULL"
        )
        prefixes = people.sql(
            "SELECT * FROM (SELECT value FROM compute.pool_slot s JOIN compute.pool p "
            "ON p.id = s.pool WHERE s.state = 'used' AND p.kind = 'mac-prefix') s "
            "FULL JOIN (SELECT mac_prefix AS value FROM compute.network "
            "WHERE NOT deleted AND kind = 'MAC_FILTERED') n USING (value) "
            "WHERE s.value IS NULL OR n.value IS NULL"
        )
        self.case.assertEqual(([], []), (wrong, prefixes))

    def end(self) -> None:
        while self.ports:
            self.drop_port(0)
        while self.floating:
            self.drop_floating(0)
        while self.networks:
            self.drop_network(0)
        self.check()
        self.case.assertEqual({}, self.cloud.usage())
