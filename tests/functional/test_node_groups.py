"""A node group that comes later, on real Ganeti."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

import pytest

from tests.functional.daemon import Daemon, eventually
from tests.functional.lab import on_ganeti
from tests.functional.snfctl import Snfctl
from tests.lab import ganeti as real

GROUP = "latecomers"


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
@pytest.mark.timeout(400)
class NodeGroupTests(unittest.TestCase):
    """One daemon, and a network that is to be at every cluster."""

    lab: ClassVar[real.Lab]
    daemon: ClassVar[Daemon]
    snfctl: ClassVar[Snfctl]

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = real.lab()
        cls.lab.clear()
        cls.addClassCleanup(cls.lab.clear)
        cls.daemon = cls.enterClassContext(on_ganeti(cls.lab))
        cls.snfctl = Snfctl(cls.daemon.var)

    def groups(self, network: int) -> set[str]:
        """Names of the groups that Ganeti connected it to."""
        known: Any = self.lab.ask("GET", f"/2/networks/snf-net-{network}")
        return {one[0] for one in known["group_list"]}

    def test_cyclades_64_a_network_is_connected_to_a_new_node_group(self) -> None:
        words = ["network", "create", "wide", "--public", "--subnet", "127.0.0.0/16"]
        made = self.snfctl.json(*words, "--subnet6", "2001:db8:9::/64")["id"]
        eventually(lambda: self.show(made)["state"] == "ACTIVE", 120)
        before = eventually(lambda: self.groups(made), 120)
        self.assertEqual(1, len(before))
        self.lab.run("gnt-group", "add", GROUP)
        self.addCleanup(self.lab.run, "gnt-group", "remove", GROUP)
        [backend] = self.snfctl.json("backend", "list")

        def connected() -> bool:
            self.snfctl("backend", "refresh", backend["name"])
            return self.groups(made) == before | {GROUP}

        eventually(connected, 180)
        self.snfctl("network", "remove", str(made), "--yes")
        eventually(lambda: self.show(made)["state"] == "DELETED", 120)

    def show(self, network: int) -> Any:
        return self.snfctl.json("network", "show", str(network))
