"""Networks and subnets from the request to the clusters, which are in memory."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from api.synnefo.compute.views import AttachmentView
from snfd.db.port import Transaction
from snfd.errors import Conflict, Forbidden, Invalid, OverQuota, Unavailable
from snfd.network import presence
from snfd.network.mending import Flaw, Mending
from snfd.network.model import (
    Filter,
    Kind,
    Network,
    NewNetwork,
    NewPort,
    NewSubnet,
    NicRequest,
    SubnetChange,
)
from snfd.network.rules import Rules
from snfd.network.service import NetworkServices
from snfd.network.store import networks
from tests.network.kit import NetworkCase, slaac


class KindTests(NetworkCase):
    def allow(self, *kinds: Kind) -> None:
        rules = Rules(enabled=kinds)
        people = self.cloud.people
        self.services = NetworkServices.build(people.db, self.cloud.new_id, rules)

    def test_users_make_what_the_operator_enabled(self) -> None:
        for kind in (Kind.CUSTOM, Kind.IP_LESS_ROUTED, Kind.PHYSICAL_VLAN):
            made = self.services.networks.create(
                self.caller, self.scope, NewNetwork(kind=kind)
            )
            self.cloud.fails(made, Forbidden)
        self.allow(Kind.CUSTOM)
        self.assertIs(Kind.CUSTOM, self.network().kind)

    def test_each_kind_is_built_its_own_way(self) -> None:
        self.allow(*Kind)
        custom = self.network(kind=Kind.CUSTOM)
        routed = self.network(kind=Kind.IP_LESS_ROUTED)
        self.assertEqual(("bridged", "br0", "aa:00:0"), _built(custom))
        self.assertEqual(("routed", f"snf-link-{routed.id}", "aa:00:0"), _built(routed))
        self.assertEqual(
            ("bridged", "prv0", "aa:00:1"), _built(self.network(kind=Kind.MAC_FILTERED))
        )
        for network, tag in ((routed, "ip-less-routed"), (custom, "private")):
            self.server(NicRequest(network.id))
            self.assertIn(tag, self.told("OP_NETWORK_ADD")[-1]["body"]["tags"])

    def test_bridges_come_from_a_pool_and_go_back(self) -> None:
        self.allow(Kind.PHYSICAL_VLAN)
        wanted = self.services.networks.create(
            self.caller, self.scope, NewNetwork(kind=Kind.PHYSICAL_VLAN)
        )
        self.cloud.fails(wanted, Unavailable)
        self.cloud.people.execute(
            "WITH p AS (INSERT INTO compute.pool (kind, base, size) VALUES "
            "('bridge', 'vlan', 1) RETURNING id) INSERT INTO compute.pool_slot "
            "(pool, idx, value) SELECT id, 1, 'vlan1' FROM p"
        )
        for _ in range(2):
            made = self.network(None, kind=Kind.PHYSICAL_VLAN)
            self.assertEqual("vlan1", made.link)
            self.cloud.wait(
                self.services.networks.delete(self.caller, self.scope, made.id)
            )

    def test_several_are_made_or_none(self) -> None:
        made = self.services.networks.create_all(
            self.caller, self.scope, [NewNetwork(f"n{i}") for i in range(5)]
        )
        self.cloud.fails(made, OverQuota)
        found = self.cloud.wait(
            self.services.networks.list(self.scope, Filter(public=False))
        )
        self.assertEqual([], found)


def _built(network: Network) -> tuple[str, str, str]:
    return network.mode, network.link, network.mac_prefix


class SubnetTests(NetworkCase):
    def test_cyclades_61_no_subnet_once_a_server_joined(self) -> None:
        network = self.network(None)
        self.server(NicRequest(network.id))
        new = NewSubnet(network.id, "10.9.0.0/24")
        made = self.services.subnets.create(self.caller, self.scope, new)
        self.cloud.fails(made, Invalid)

    def test_ipv6_is_told_once_the_card_is_there(self) -> None:
        network = self.network()
        self.subnet(network.id, "fd00:5::/64")
        new = NewSubnet(network.id, "fd00:6::/64", version=6)
        self.cloud.fails(
            self.services.subnets.create(self.caller, self.scope, new), Invalid
        )
        server = self.server(NicRequest(network.id))
        body = self.told("OP_NETWORK_ADD")[0]["body"]
        self.assertEqual("fd00:5::/64", body["network6"])
        self.assertEqual("fd00:5::1", body["gateway6"])
        (port,) = self.cloud.ports(server.id)
        self.assertEqual(["10.77.0.2"], [one.addr for one in port.addresses])
        self.cloud.work()
        (port,) = self.cloud.ports(server.id)
        self.assertEqual("10.77.0.2", port.addresses[0].addr)
        self.assertEqual(slaac("fd00:5::", port.mac), port.addresses[1].addr)
        shown = self.cloud.show(server.id)
        addresses = shown.attachments[0].addresses
        self.assertEqual([4, 6], [one.version for one in addresses])
        card = AttachmentView.of(shown.attachments[0])
        self.assertEqual([card.ipv4, card.ipv6], [one.addr for one in addresses])

    def test_a_network_without_ipv4_has_a_dummy_at_its_cluster(self) -> None:
        network = self.network("fd00:5::/64")
        server = self.server(NicRequest(network.id))
        self.assertEqual(
            "10.0.0.0/29", self.told("OP_NETWORK_ADD")[0]["body"]["network"]
        )
        nic = self.told("OP_INSTANCE_CREATE")[0]["body"]["nics"][0]
        self.assertIsNone(nic["ip"])
        self.cloud.work()
        (port,) = self.cloud.ports(server.id)
        self.assertEqual([slaac("fd00:5::", port.mac)], [
            one.addr for one in port.addresses])  # fmt: skip

    def test_pools_grow_and_never_shrink(self) -> None:
        network = self.network(None)
        subnet = self.subnet(
            network.id, "10.7.0.0/29", pools=[("10.7.0.2", "10.7.0.2")]
        )
        self.port(network.id)
        with self.assertRaises(Conflict):
            raise self.cloud.fails(self._port(network.id), Conflict)
        self.change(subnet, pools=[("10.7.0.2", "10.7.0.4")])
        self.assertEqual("10.7.0.3", self.address(self.port(network.id)))
        less = SubnetChange(pools=[("10.7.0.3", "10.7.0.4")])
        self.cloud.fails(
            self.services.subnets.update(self.caller, self.scope, subnet, less),
            Conflict,
        )

    def _port(self, network: int) -> Any:
        return self.services.ports.create(
            self.caller, self.scope, NewPort(network), NicRequest(network)
        )

    def change(self, subnet: int, **values: Any) -> Any:
        change = SubnetChange(**values)
        return self.cloud.wait(
            self.services.subnets.update(self.caller, self.scope, subnet, change)
        )

    def test_clusters_hear_what_guests_shall_get(self) -> None:
        network = self.network(None)
        subnet = self.subnet(
            network.id, "10.7.0.0/24", dns=("10.7.0.53", "fd00::53"),
            routes=[("10.8.0.0/16", "10.7.0.9")],
        )  # fmt: skip
        self.server(NicRequest(network.id))
        tags = self.told("OP_NETWORK_ADD")[0]["body"]["tags"]
        self.assertEqual(
            ["snfd:dns:10.7.0.53", "snfd:dns:fd00::53",
             "snfd:route:10.8.0.0/16@10.7.0.9"],
            [one for one in tags if one.startswith("snfd:")])  # fmt: skip
        self.cloud.work()
        self.change(subnet, dns=["10.7.0.54"], routes=[])
        self.cloud.work()
        known = self.cloud.ganeti.world.networks[f"snf-net-{network.id}"].tags
        self.assertIn("snfd:dns:10.7.0.54", known)
        self.assertNotIn("snfd:dns:10.7.0.53", known)
        self.assertIn("nfdhcpd", known)
        dhcp = SubnetChange(dhcp=False)
        self.cloud.fails(
            self.services.subnets.update(self.caller, self.scope, subnet, dhcp),
            Conflict,
        )


class PresenceTests(NetworkCase):
    def test_cyclades_63_another_cluster_has_another_digit(self) -> None:
        network = self.network()
        self.server(NicRequest(network.id))
        self.cloud.work()
        two = self.cloud.cluster("two", 10)
        self.assertEqual([], self.told("OP_NETWORK_ADD"))
        self.cloud.people.execute(
            "UPDATE compute.cluster SET drained = (id <> %s)", two
        )
        self.server(NicRequest(network.id))
        (add,) = self.told("OP_NETWORK_ADD")
        self.assertEqual("aa:00:1a", add["body"]["mac_prefix"])
        nic = self.told("OP_INSTANCE_CREATE")[0]["body"]["nics"][0]
        self.assertTrue(nic["mac"].startswith("aa:00:1a:"))

    def mend(self, cluster: int | None = None) -> list[Flaw]:
        seen = list(self.cloud.ganeti.world.networks.values())
        mending = Mending(self.cloud.new_id)
        found = self.run_(mending, cluster or self.one, seen)
        return [each.flaw for each in found]

    @property
    def one(self) -> int:
        found = self.cloud.people.sql("SELECT id FROM compute.cluster WHERE idx = 1")
        return int(str(found[0][0]))

    def test_cyclades_64_a_new_node_group_is_connected(self) -> None:
        network = self.network()
        self.server(NicRequest(network.id))
        self.cloud.work()
        self.assertEqual([], self.mend())
        self.cloud.ganeti.world.groups = ("default", "more")
        self.cloud.people.execute(
            "UPDATE compute.cluster SET node_groups = '{default,more}'"
        )
        self.assertEqual([Flaw.HANGING], self.mend())
        self.assertEqual([], self.mend())
        self.cloud.work()
        known = self.cloud.ganeti.world.networks[f"snf-net-{network.id}"]
        self.assertEqual(("default", "more"), known.groups)
        self.assertEqual([], self.mend())

    def test_what_a_cluster_lost_is_made_anew_if_servers_use_it(self) -> None:
        used, unused = self.network(), self.network()
        self.server(NicRequest(used.id))
        gone = self.server(NicRequest(unused.id))
        self.cloud.work()
        self.cloud.wait(
            self.cloud.compute.actions.delete(self.caller, self.scope, gone.id)
        )
        self.cloud.work()
        self.cloud.ganeti.world.networks.clear()
        self.assertEqual([Flaw.MISSING, Flaw.MISSING], self.mend())
        (add,) = self.told("OP_NETWORK_ADD")
        self.assertEqual(f"snf-net-{used.id}", add["name"])
        self.cloud.work()
        self.assertEqual([], self.mend())

    def test_orphans_are_told_and_left_alone(self) -> None:
        network = self.network()
        self.server(NicRequest(network.id))
        self.cloud.work()
        world = self.cloud.ganeti.world
        mine = world.networks[f"snf-net-{network.id}"]
        for name in ("snf-net-999999", "somebody's"):
            world.networks[name] = evolve(mine, name=name)
        self.cloud.people.execute("DELETE FROM compute.cluster_network")
        self.assertEqual([Flaw.PARTED, Flaw.ORPHAN], self.mend())
        self.assertEqual([Flaw.ORPHAN], self.mend())
        self.assertEqual([], list(self.cloud.intents()))

    def spread(self, network: int) -> None:
        async def work(tx: Transaction) -> None:
            await networks.update(tx, network, everywhere=True)
            locked = await networks.lock(tx, None, network)
            assert locked is not None
            await presence.spread(tx, locked, self.cloud.new_id)

        self.run_(work)

    def test_a_public_network_waits_for_what_clusters_keep_for_themselves(self) -> None:
        self.cloud.ganeti.world.reserved = ("203.0.113.2", "203.0.113.3", "10.1.1.1")
        self.spread(self.public)
        taken = self.services.ports.create(
            self.caller, self.scope, NewPort(self.public), NicRequest(self.public)
        )
        self.cloud.fails(taken, Conflict)
        self.cloud.work()
        self.assertEqual("203.0.113.4", self.address(self.port(self.public)))
        self.cloud.ganeti.world.networks[f"snf-net-{self.public}"] = evolve(
            self.cloud.ganeti.world.networks[f"snf-net-{self.public}"], reserved=()
        )
        self.mend()
        self.assertEqual("203.0.113.2", self.address(self.port(self.public)))

    def test_what_is_everywhere_comes_to_new_clusters_by_itself(self) -> None:
        self.spread(self.public)
        self.cloud.work()
        two = self.cloud.cluster("two", 10)
        self.cloud.ganeti.world.networks.clear()
        self.assertEqual([Flaw.MISSING], self.mend(two))
        self.assertEqual(1, len(self.told("OP_NETWORK_ADD")))
