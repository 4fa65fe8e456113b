"""Cards that servers get unasked."""

from __future__ import annotations

from typing import Any

from snfd.compute.model import NewServer
from snfd.errors import CloudError, Conflict, Unavailable
from snfd.network import standard
from snfd.network.model import NicRequest
from snfd.network.store import standard as cards
from tests.compute.kit import IMAGE
from tests.network.kit import NetworkCase, slaac


class StandardTests(NetworkCase):
    def standard(self, forced: bool, *wanted: tuple[str, ...]) -> None:
        self.run_(cards.set_cards, forced, wanted)

    def use_up(self) -> None:
        self.cloud.people.execute("UPDATE compute.ip_slot SET state = 'used'")

    def refused(self, kind: type[CloudError], nics: Any = None) -> None:
        spec = NewServer("web", self.cloud.flavor(), image=IMAGE, nics=nics)
        made = self.cloud.compute.servers.create(self.caller, self.scope, spec)
        self.cloud.fails(made, kind)

    def test_cyclades_70_forced_networks_without_room(self) -> None:
        self.standard(True, (standard.ANY4,))
        mine = self.network()
        server = self.server(NicRequest(mine.id))
        ports = self.cloud.ports(server.id)
        self.assertEqual([self.public, mine.id], [one.network for one in ports])
        self.use_up()
        self.refused(Unavailable, [NicRequest(mine.id)])

    def test_default_networks_are_tried_in_turn(self) -> None:
        mine = self.network("10.5.0.0/29")
        self.standard(False, (standard.ANY4, str(mine.id)))
        self.assertEqual([self.public], self.on(self.cloud.create()))
        self.cloud.people.execute(
            "UPDATE compute.ip_slot SET state = 'used' WHERE addr << '203.0.113.0/24'"
        )
        self.assertEqual([mine.id], self.on(self.cloud.create()))
        self.assertEqual([], self.on(self.server()))
        self.use_up()
        self.refused(Conflict)

    def test_a_card_for_ipv6_takes_no_ipv4(self) -> None:
        self.standard(False, (standard.ANY6,))
        self.refused(Conflict)
        self.cloud.people.execute(
            "INSERT INTO compute.subnet (network, ip_version, cidr, slaac) "
            "VALUES (%s, 6, 'fd00:9::/64', true)",
            self.public,
        )
        server = self.cloud.active()
        (port,) = self.cloud.ports(server.id)
        self.assertEqual([slaac("fd00:9::", port.mac)], [
            one.addr for one in port.addresses])  # fmt: skip

    def on(self, server: Any) -> list[int]:
        return [one.network for one in self.cloud.ports(server.id)]
