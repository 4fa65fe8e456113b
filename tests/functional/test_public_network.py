"""A public network that an administrator makes: from ``snfctl`` to a server on it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar
from unittest import TestCase

import pytest

from tests.functional.daemon import Daemon, eventually, running
from tests.functional.snfctl import Snfctl
from tests.functional.things import COMPUTE, NETWORK, ok


@pytest.mark.rig("pocket")
class PublicNetworkTests(TestCase):
    """The embedded cluster, whose node is 127.0.0.1."""

    daemon: ClassVar[Daemon]
    snfctl: ClassVar[Snfctl]

    @classmethod
    def setUpClass(cls) -> None:
        stack = cls.enterClassContext(ExitStack())
        cls.daemon = stack.enter_context(running())
        cls.snfctl = Snfctl(cls.daemon.var)

    def show(self, ident: int) -> Any:
        return self.snfctl.json("network", "show", str(ident))

    def test_nobody_gets_the_address_of_a_node(self) -> None:
        made = self.snfctl.json(
            *("network", "create", "internet", "--public", "--floating-ip-pool"),
            *("--subnet", "127.0.0.0/24", "--gateway", "127.0.0.254"),
            *("--subnet6", "2001:db8:7::/64", "--dns", "2001:db8:7::53"),
        )
        number = made["id"]
        eventually(lambda: self.show(number)["state"] == "ACTIVE", 120)
        there = self.daemon.rapi("GET", f"/2/networks/snf-net-{number}")
        self.assertLessEqual({"public", "nfdhcpd"}, set(there["tags"]))
        self.assertIn("snfd:dns:2001:db8:7::53", there["tags"])
        [four] = [one for one in self.show(number)["subnets"] if ":" not in one["cidr"]]
        held = self.snfctl.json("subnet", "show", str(four["id"]))
        [mine] = held["reserved_addresses"]
        self.assertEqual("127.0.0.1", mine["address"])
        client = self.daemon.client()
        image = ok(client.get("/os/image/v2/images"))["images"][0]["id"]
        flavors = ok(client.get(f"{COMPUTE}/flavors/detail"))["flavors"]
        body = {
            "name": "web",
            "imageRef": image,
            "flavorRef": min(flavors, key=lambda one: one["ram"])["id"],
            "networks": [{"uuid": str(number)}],
        }
        server = ok(client.post(f"{COMPUTE}/servers", {"server": body}), 202)["server"]
        path = f"{COMPUTE}/servers/{server['id']}"
        eventually(lambda: ok(client.get(path))["server"]["status"] == "ACTIVE", 180)
        [port] = ok(client.get(f"{NETWORK}/ports?device_id={server['id']}"))["ports"]
        four, six = (one["ip_address"] for one in port["fixed_ips"])
        self.assertEqual("127.0.0.2", four)
        self.assertTrue(six.startswith("2001:db8:7:"))
        self.assertTrue(six.endswith(_tail(port["mac_address"])), (six, port))
        self.snfctl("network", "modify", str(number), "--drained", "yes")
        body["networks"] = [{"uuid": str(number)}]
        got = client.post(f"{COMPUTE}/servers", {"server": body})
        self.assertEqual(409, got.status)
        refused = self.snfctl.run("network", "remove", str(number), "--yes")
        self.assertNotEqual(0, refused.status, refused.out)
        self.assertEqual(204, client.delete(path).status)
        eventually(lambda: client.get(path).status == 404, 180)
        self.snfctl("network", "remove", str(number), "--yes")
        eventually(lambda: self.show(number)["state"] == "DELETED", 120)
        names = [one["name"] for one in self.daemon.rapi("GET", "/2/networks?bulk=1")]
        self.assertNotIn(f"snf-net-{number}", names)


def _tail(mac: str) -> str:
    """The last group of an address that a host makes of its MAC address."""
    return f"{int(mac[12:14] + mac[15:17], 16):x}"
