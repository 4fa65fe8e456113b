"""Ranges of addresses, and MAC addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Conflict, Invalid, TooLarge
from snfd.network import pools
from snfd.network.model import NewSubnet

NET = IPv4Network("10.0.0.0/24")


def networks() -> st.SearchStrategy[IPv4Network]:
    return st.builds(
        lambda number, length: IPv4Network((number, length), strict=False),
        st.integers(0, 2**32 - 1),
        st.integers(22, 29),
    )


class PoolTests(SynchronousTestCase):
    @given(networks(), st.data())
    def test_the_default_pools_are_all_hosts_but_the_gateway(
        self, net: IPv4Network, data: st.DataObject
    ) -> None:
        hosts = list(net.hosts())
        gate = data.draw(st.one_of(st.none(), st.sampled_from(hosts)))
        found = list(pools.slots(pools.pools(None, net, gate)))
        assert found == [host for host in hosts if host != gate]

    def test_given_pools_are_sorted(self) -> None:
        wanted = [("10.0.0.20", "10.0.0.30"), ("10.0.0.5", "10.0.0.9")]
        found = pools.pools(wanted, NET, IPv4Address("10.0.0.1"))
        self.assertEqual("10.0.0.5", str(found[0][0]))

    def test_pools_that_cannot_be(self) -> None:
        gate = IPv4Address("10.0.0.1")
        for error, wanted in (
            (Conflict, [("10.0.0.1", "10.0.0.2")]),
            (Conflict, [("10.0.0.0", "10.0.0.2")]),
            (Conflict, [("10.0.0.9", "10.0.0.255")]),
            (Conflict, [("10.0.0.9", "10.0.1.9")]),
            (Conflict, [("10.0.0.5", "10.0.0.9"), ("10.0.0.9", "10.0.0.12")]),
            (Invalid, [("10.0.0.9", "10.0.0.5")]),
            (Invalid, [("10.0.0.9", "nine")]),
        ):
            with self.assertRaises(error):
                pools.pools(wanted, NET, gate)

    def test_ranges(self) -> None:
        for text in ("10.0.0.1/24", "10.0.0.0", "x/24", "10.0.0.0/33", "10.0.0.0/x"):
            with self.assertRaises(Invalid):
                pools.user_cidr(text)
        for text in ("10.0.0.0/21", "10.0.0.0/30"):
            with self.assertRaises(TooLarge):
                pools.user_cidr(text)

    def test_gateways(self) -> None:
        self.assertEqual("10.0.0.1", str(pools.gateway(pools.FIRST, NET)))
        self.assertIsNone(pools.gateway(None, NET))
        for text in ("10.0.0.0", "10.0.0.255", "10.0.1.1", "x"):
            with self.assertRaises(Invalid):
                pools.gateway(text, NET)

    def test_subnets_as_a_whole(self) -> None:
        plan = pools.checked(NewSubnet(1, "10.0.0.0/29"))
        self.assertEqual(5, len(list(pools.slots(plan.pools))))
        plan = pools.checked(NewSubnet(1, "fd00:1:2:3::/64", version=6))
        self.assertEqual(("fd00:1:2:3::1", True), (str(plan.gateway), plan.slaac))
        for cidr in (
            "fe80::/64",
            "ff02::/64",
            "fd00::/48",
            "fd00::1/64",
            "10.0.0.0/24",
        ):
            with self.assertRaises(Invalid):
                pools.checked(NewSubnet(1, cidr, version=6))
        with self.assertRaises(Conflict):
            some = [("fd00::5", "fd00::9")]
            pools.checked(NewSubnet(1, "fd00::/64", version=6, pools=some))
        for more in ({"dns": ("x",)}, {"routes": [("10.1.0.0/24", "x")]}):
            with self.assertRaises(Invalid):
                pools.checked(NewSubnet(1, "10.0.0.0/29", **more))


class MacTests(SynchronousTestCase):
    @given(st.integers(0, 2**24 - 1), st.integers(0, 15))
    def test_macs_lie_below_their_prefix_and_differ(
        self, number: int, cluster: int
    ) -> None:
        prefix = pools.cluster_prefix("aa:00:1", cluster)
        made = pools.mac(prefix, number)
        assert made.startswith(prefix + ":")
        assert int(made.replace(":", ""), 16) & 0xFFFFFF == number
        assert len(made) == 17
