"""Public addresses are everybody's: nobody takes them all."""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.model import NewServer
from snfd.errors import OverQuota
from snfd.network.addressing import SPARE
from snfd.network.model import NewPort, NicRequest, Port
from snfd.network.scope import Scope
from tests.compute.kit import IMAGE, compute_cloud


class PublicAddressTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        found = self.cloud.people.sql("SELECT id FROM compute.network WHERE public")
        self.public = int(str(found[0][0]))
        self.caller = self.cloud.caller()
        self.scope = Scope.project(self.caller)

    def port(self) -> Awaitable[Port]:
        return self.cloud.networks.ports.create(
            self.caller, self.scope, NewPort(self.public), NicRequest(self.public)
        )

    def test_ports_without_servers_have_few(self) -> None:
        for _ in range(SPARE):
            self.cloud.wait(self.port())
        self.cloud.fails(self.port(), OverQuota)

    def test_each_server_has_one_all_the_same(self) -> None:
        for _ in range(SPARE):
            self.cloud.wait(self.port())
        for index in range(3):
            server = self.cloud.active(f"s{index}")
            self.assertEqual(1, len(server.attachments[0].addresses))

    def test_a_server_with_many_cards_has_no_more(self) -> None:
        cards = [NicRequest(self.public)] * (SPARE + 2)
        spec = NewServer("many", self.cloud.flavor(), image=IMAGE, nics=cards)
        made = self.cloud.compute.servers.create(self.caller, self.scope, spec)
        self.cloud.fails(made, OverQuota)
