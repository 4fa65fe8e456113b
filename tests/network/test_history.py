"""Who had an address: what is noted, by whatever way it comes and goes."""

from __future__ import annotations

from typing import Any

from snfd.network.model import NewNetwork, NicRequest
from tests.network.kit import NetworkCase


class HistoryTests(NetworkCase):
    def noted(self, server: int) -> list[tuple[Any, ...]]:
        return list(
            self.cloud.people.sql(
                "SELECT action, host(addr), floating, reason FROM compute.ip_event "
                "WHERE server = %s ORDER BY id",
                server,
            )
        )

    def test_cyclades_67_of_a_server_s_whole_life(self) -> None:
        server = self.server(NicRequest(self.public)).id
        (one,) = self.noted(server)
        self.assertEqual(("associate", False, "server made"), (one[0], *one[2:]))
        self.cloud.work()
        self.assertEqual(1, len(self.noted(server)))
        delete = self.cloud.compute.actions.delete
        self.cloud.wait(delete(self.caller, self.scope, server))
        self.cloud.work()
        gone = ("disassociate", one[1], False, "server removed")
        self.assertEqual([one, gone], self.noted(server))

    def test_private_addresses_are_their_owners_business(self) -> None:
        server = self.server(NicRequest(self.network().id)).id
        self.cloud.work()
        self.assertEqual([], self.noted(server))

    def test_of_a_port_that_was_there_before(self) -> None:
        port = self.port(self.public)
        server = self.server(NicRequest(port=port)).id
        self.cloud.work()
        (one,) = self.noted(server)
        self.assertEqual(("associate", self.address(port)), one[:2])

    def test_whose_it_was_before_and_since(self) -> None:
        server = self.server(NicRequest(self.public)).id
        self.cloud.work()
        alt = self.cloud.caller(project="alt").project
        move = self.cloud.compute.reassigning.reassign
        self.cloud.wait(move(self.caller, self.scope, server, alt, shared=False))
        reasons = [one[0] + " " + one[3] for one in self.noted(server)[1:]]
        self.assertEqual(
            ["disassociate given to another project",
             "associate given to another project"], reasons)  # fmt: skip
        projects = self.cloud.people.sql(
            "SELECT project FROM compute.ip_event ORDER BY id"
        )
        home = self.cloud.project
        self.assertEqual([(home,), (home,), (alt,)], projects)

    def test_addresses_that_guests_give_themselves(self) -> None:
        self.cloud.people.execute(
            "INSERT INTO compute.subnet (network, ip_version, cidr, slaac) "
            "VALUES (%s, 6, '2001:db8::/64', true)",
            self.public,
        )
        server = self.server(NicRequest(self.public)).id
        self.assertEqual(1, len(self.noted(server)))
        self.cloud.work()
        self.assertIn("2001:db8::", self.noted(server)[1][1])

    def test_a_network_of_one_s_own_is_not_noted(self) -> None:
        made = self.cloud.wait(
            self.services.networks.create(self.caller, self.scope, NewNetwork("n"))
        )
        self.assertEqual([], self.noted(self.server(NicRequest(made.id)).id))
