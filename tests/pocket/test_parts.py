"""Small parts: networks, parameters, users, NICs for QEMU, KVM, faults."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import md5
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from pocket import netdev, networks
from pocket.errors import OpError, OpExecError, OpPrereqError, Refusal
from pocket.faults import Faults
from pocket.hypervisor import Port
from pocket.kvm import TCG, accelerator
from pocket.model import Network
from pocket.params import fill, masked, summary
from pocket.users import User, authenticate, read_users


def network(**more: Any) -> Network:
    body = {"network": "10.0.0.0/29", "gateway": "10.0.0.1", **more}
    op = fill("OP_NETWORK_ADD", body, {"network_name": "n", "reason": []})
    return networks.added(op, "uuid", 1.0, ())


class NetworkTests(SynchronousTestCase):
    def test_first_last_gateway_and_reserved_are_external(self) -> None:
        made = network(add_reserved_ips=["10.0.0.5"])
        self.assertEqual(
            {"10.0.0.0", "10.0.0.1", "10.0.0.5", "10.0.0.7"}, made.external
        )

    def test_what_cannot_be_a_network_is_refused(self) -> None:
        for more in (
            {"network": "10.0.0.1/29"}, {"network": "x"}, {"network": None},
            {"network": "10.0.0.0/8"}, {"network": "10.0.0.0/31"},
            {"gateway": "10.0.1.1"}, {"gateway": "x"}, {"mac_prefix": "aa:00"},
            {"add_reserved_ips": ["10.0.0.1"]}, {"tags": ["with space"]},
        ):  # fmt: skip
            self.assertRaises(OpError, network, **more)

    def test_the_lowest_free_address_is_picked(self) -> None:
        made = network()
        self.assertEqual("10.0.0.2", networks.pick(made, "pool", (), True))
        used = {f"10.0.0.{n}" for n in range(2, 6)}
        self.assertEqual("10.0.0.6", networks.pick(made, "pool", used, True))
        used.add("10.0.0.6")
        full = self.assertRaises(OpPrereqError, networks.pick, made, "pool", used, True)
        self.assertEqual("insufficient_resources", full.args[1])

    def test_an_address_is_given_once_and_from_the_network(self) -> None:
        made = network()
        self.assertEqual("10.0.0.3", networks.pick(made, "10.0.0.3", (), True))
        for ip, used in (
            ("10.0.0.3", {"10.0.0.3"}),
            ("10.0.1.1", ()),
            ("10.0.0.1", ()),
        ):
            error = self.assertRaises(
                OpPrereqError, networks.pick, made, ip, used, True
            )
            self.assertEqual("resource_not_unique", error.args[1])
        self.assertEqual("10.0.0.1", networks.pick(made, "10.0.0.1", (), False))

    def test_macs_have_the_prefix_and_are_unique(self) -> None:
        octets = iter([1, 2, 3, 1, 2, 3, 4, 5, 6])
        pick = networks.pick_mac
        first = pick("auto", "aa:00:13", (), lambda: next(octets))
        self.assertEqual("aa:00:13:01:02:03", first)
        second = pick("generate", "aa:00:13", {first}, lambda: next(octets))
        self.assertEqual("aa:00:13:04:05:06", second)
        self.assertRaises(OpPrereqError, pick, first, "aa:00:13", {first}, lambda: 0)
        self.assertRaises(OpPrereqError, pick, "nonsense", "aa:00:13", (), lambda: 0)
        self.assertRaises(
            OpPrereqError, pick, "auto", "aa:00:13", {"aa:00:13:00:00:00"}, lambda: 0
        )


class ParameterTests(SynchronousTestCase):
    def test_unknown_missing_and_wrong_parameters_are_refused(self) -> None:
        static = {"instance_name": "a", "reason": []}
        for body in (
            {"memory": 5}, {"timeout": "x"}, {"timeout": -1}, {"instance_name": "b"},
            {"depends": [[1]]}, {"depends": [[1, ["done"]]]}, {"depends": 1},
        ):  # fmt: skip
            refusal = self.assertRaises(
                Refusal, fill, "OP_INSTANCE_SHUTDOWN", body, static
            )
            self.assertEqual(400, refusal.status)
        self.assertRaises(Refusal, fill, "OP_NETWORK_ADD", {}, {"reason": []})

    def test_defaults_are_not_shared(self) -> None:
        static = {"instance_name": "a", "reason": []}
        first = fill("OP_INSTANCE_SET_PARAMS", {}, static)
        first["nics"].append("x")
        self.assertEqual([], fill("OP_INSTANCE_SET_PARAMS", {}, static)["nics"])

    def test_secrets_are_masked_and_the_subject_is_in_the_summary(self) -> None:
        body = {"osparams_private": {"pw": "x"}, "mode": "create"}
        static = {"instance_name": "a", "reason": []}
        op = fill("OP_INSTANCE_CREATE", {**body, "disks": [], "nics": []}, static)
        self.assertEqual({"pw": None}, masked(op)["osparams_private"])
        self.assertEqual({"pw": "x"}, op["osparams_private"])
        self.assertEqual("INSTANCE_CREATE(a)", summary(op))


class UserTests(SynchronousTestCase):
    def test_a_users_file(self) -> None:
        users = read_users(
            "# comment\nann secret write\nbob looks\n"
            "eve {HA1}0d96ccb0c7f6dc03a1d0fb9a7c1b0ac0 write\nbroken\n"
        )
        self.assertEqual({"ann", "bob", "eve"}, set(users))
        self.assertIn("write", users["ann"].options)
        self.assertNotIn("write", users["bob"].options)
        self.assertTrue(users["ann"].knows("secret"))
        self.assertFalse(users["eve"].knows("secret"))

    def test_a_hashed_password(self) -> None:
        digest = md5(b"ann:Ganeti Remote API:secret").hexdigest()
        self.assertFalse(User("ann", "{HA1}" + digest).knows("other"))
        self.assertTrue(User("ann", "{HA1}" + digest).knows("secret"))
        self.assertFalse(User("ann", "{OTHER}secret").knows("secret"))

    def test_wrong_headers_are_refused(self) -> None:
        users = {"ann": User("ann", "secret")}
        for header in (None, "", "Bearer x", "Basic !!", "Basic /w==", "Basic YQ=="):
            refusal = self.assertRaises(Refusal, authenticate, users, header)
            self.assertEqual(401, refusal.status)


class NetdevTests(SynchronousTestCase):
    @given(
        some.integers(16, 30).flatmap(
            lambda length: some.tuples(
                some.just(length), some.integers(1, (1 << (32 - length)) - 2)
            )
        ),
        some.booleans(),
    )
    def test_guest_host_and_names_have_addresses_of_their_own(
        self, place: tuple[int, int], with_gateway: bool
    ) -> None:
        length, number = place
        ip = f"10.0.{number >> 8}.{number & 255}"
        subnet = f"10.0.0.0/{length}"
        gateway = "10.0.0.1" if with_gateway else None
        port = Port("aa:00:00:00:00:01", ip, subnet, gateway)
        [_, text, _, _] = netdev.arguments((port,), None)
        parts = dict(part.partition("=")[::2] for part in text.split(","))
        self.assertEqual((subnet, ip), (parts["net"], parts["dhcpstart"]))
        self.assertEqual("on", parts["restrict"])
        self.assertEqual(3, len({parts["host"], parts["dns"], ip}))
        self.assertNotIn("hostfwd", text)

    def test_a_nic_without_an_address_is_alone(self) -> None:
        [_, text, _, _] = netdev.arguments((Port("aa:00:00:00:00:01"),), None)
        self.assertEqual("hubport,id=nicaa0000000001,hubid=1", text)

    def test_a_bridge_gets_taps_with_short_names(self) -> None:
        found = netdev.arguments((Port("aa:00:00:00:00:01"),), "br0")
        self.assertIn("tap,id=nicaa0000000001,ifname=pk", found[1])
        self.assertLessEqual(len(netdev.tap_name("aa:00:00:00:00:01")), 15)


class KvmTests(SynchronousTestCase):
    def directory(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="pocket-"))
        self.addCleanup(shutil.rmtree, path)
        return path

    def host(self, module: str, flags: str) -> Path:
        root = self.directory()
        (root / "sys/module" / module).mkdir(parents=True)
        (root / "dev").mkdir()
        (root / "dev/kvm").touch()
        (root / "proc").mkdir()
        (root / "proc/cpuinfo").write_text(f"flags : fpu {flags}\n")
        return root

    def test_kvm_only_where_a_linux_boots(self) -> None:
        self.assertEqual("kvm", accelerator("probe", self.host("kvm_intel", "vmx")))
        self.assertEqual("kvm", accelerator("probe", self.host("kvm_amd", "svm")))
        self.assertEqual(TCG, accelerator("probe", self.host("kvm_pvm", "vmx")))
        self.assertEqual(TCG, accelerator("probe", self.host("kvm_intel", "")))
        self.assertEqual(TCG, accelerator("off", self.host("kvm_intel", "vmx")))
        self.assertEqual(TCG, accelerator("probe", self.directory()))


class FaultTests(SynchronousTestCase):
    def test_a_fault_is_met_as_often_as_it_says(self) -> None:
        faults = Faults()
        faults.add("reset", "POST /2/instances", times=2)
        kinds = ("reset", "hang")
        self.assertIsNone(faults.meet("GET /2/instances", kinds))
        self.assertIsNone(faults.meet("POST /2/instances", ("lose",)))
        self.assertIsNotNone(faults.meet("POST /2/instances", kinds))
        self.assertIsNotNone(faults.meet("POST /2/instances", kinds))
        self.assertIsNone(faults.meet("POST /2/instances", kinds))
        self.assertEqual([("reset", "POST /2/instances")] * 2, faults.hits)

    def test_an_operation_can_be_made_to_fail(self) -> None:
        faults = Faults()
        faults.add("fail", "OP_INSTANCE_STARTUP(snf-7)")
        op = fill("OP_INSTANCE_STARTUP", {}, {"instance_name": "snf-7", "reason": []})
        self.assertRaises(OpExecError, faults.operation, op)
        faults.operation(op)

    def test_an_unknown_fault_is_refused(self) -> None:
        self.assertRaises(Refusal, Faults().add, "explode")
