"""Taking over what Synnefo made: numbers, addresses, flavors, quota."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID, uuid5

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.adopting import Adopting
from snfd.errors import Unavailable
from snfd.ganeti import adoption_store, reconcile, store
from snfd.ganeti.adopter import Adopter
from snfd.ganeti.adoption import Card, adoptee, chosen, gib, obstacles
from snfd.ganeti.adoption_store import Wanted
from snfd.ganeti.lease import Tenure
from snfd.ganeti.model import Disk, Instance, Network, Nic, Sighting
from tests.compute.kit import ComputeCloud, compute_cloud
from tests.identity.cloud import SPACE

MAC = "aa:00:10:00:00:0{}"


def instance(number: int, **more: Any) -> Instance:
    """A server of Synnefo's, which runs, with a card on network 77."""
    found = Instance(
        name=f"snf-{number}",
        uuid=f"uuid-{number}",
        admin_state="up",
        oper_state=True,
        status="running",
        serial=3,
        node="node1",
        port=None,
        vcpus=2,
        memory=2048,
        disk_template="file",
        nics=(
            Nic(
                f"snf-nic-{number}1",
                "snf-net-77",
                f"10.7.0.{number % 200}",
                MAC.format(number % 10),
                "bridged",
                "prv0",
            ),
        ),
        disks=(Disk(f"snf-vol-{number}2", 20480), Disk(f"snf-vol-{number}3", 1500)),
        tags=frozenset({f"synnefo:network:snf-nic-{number}1:protected", "other"}),
    )
    return evolve(found, **more)


NETWORK = Network(
    "snf-net-77",
    "uuid-77",
    "10.7.0.0/24",
    "10.7.0.1",
    "aa:00:10",
    ("default",),
    (),
    frozenset({"private-filtered", "nfdhcpd", "private"}),
)


class PureTests(SynchronousTestCase):
    def test_an_instance_is_read(self) -> None:
        one = adoptee(instance(42))
        assert one is not None
        self.assertEqual((42, 2, 2048, True), (one.server, one.vcpus, one.memory,
                                               one.runs))  # fmt: skip
        card = Card(421, 77, "10.7.0.42", MAC.format(2), "bridged", "prv0", "ENABLED")
        self.assertEqual((card,), one.cards)
        self.assertEqual([422, 423], [disk.number for disk in one.disks])
        self.assertEqual(22, one.gib)
        self.assertEqual([], obstacles(one))
        self.assertIsNone(adoptee(instance(42, name="web.example.org")))

    def test_what_stands_in_the_way_is_told(self) -> None:
        for more, word in (
            ({"oper_state": None}, "runs"),
            ({"status": "ERROR_nodedown"}, "runs"),
            ({"disks": ()}, "disk"),
            ({"nics": (Nic(None, "snf-net-7", None, MAC, ""),)}, "snf-nic"),
            ({"nics": (Nic("snf-nic-1", "lan", None, MAC, ""),)}, "snf-net"),
            ({"nics": (Nic("snf-nic-1", "snf-net-1", None, None),)}, "MAC"),
        ):
            one = adoptee(instance(42, **more))
            assert one is not None
            [why] = obstacles(one)
            self.assertIn(word, why)

    def test_what_is_asked_for_is_looked_for(self) -> None:
        seen = [
            Sighting(name, "up", True, "running", 1)
            for name in ("snf-10", "snf-9", "snf-8", "db")
        ]
        known = frozenset({"server:8"})
        self.assertEqual(("snf-9", "snf-10"), chosen([], seen, known).names)
        asked = chosen(["snf-10", "snf-8", "db", "no"], seen, known)
        self.assertEqual(("snf-10",), asked.names)
        self.assertEqual({"snf-8", "db", "no"}, set(asked.vain))
        self.assertEqual([1, 1, 2], [gib(mib) for mib in (1, 1024, 1025)])


class AdoptingTests(SynchronousTestCase):
    """Three servers of Synnefo's at cluster one."""

    def setUp(self) -> None:
        self.cloud: ComputeCloud = compute_cloud(self)
        self.world = self.cloud.ganeti.world
        for number in (42, 43, 1000):
            self.world.instances[f"snf-{number}"] = instance(number)
        self.world.networks["snf-net-77"] = NETWORK
        found = self.cloud.people.sql("SELECT id FROM compute.cluster")
        self.cluster = int(str(found[0][0]))
        self.clock = Clock()
        self.clock.advance(1_790_000_000)
        db = self.cloud.people.db
        epoch = self.cloud.wait(db.run(store.begin, self.cluster, "test"))
        self.ids = count(1)
        self.adopter = Adopter(
            self.clock,
            self.cloud.ganeti,
            Tenure(db, self.cluster, epoch),
            Adopting(lambda: UUID(int=900 + next(self.ids))).adopt,
            lambda: True,
        )
        self.adopter.startService()
        self.addCleanup(lambda: self.adopter.stopService())

    def adopt(self, **more: Any) -> list[dict[str, Any]]:
        wanted = Wanted(
            **{
                "owner": uuid5(SPACE, "demo"),
                "project": self.cloud.project,
                "networks": True,
                **more,
            }
        )
        db = self.cloud.people.db
        ident = self.cloud.wait(db.run(adoption_store.ask, self.cluster, wanted))
        self.adopter.wake()
        self.clock.advance(1)
        row = self.cloud.people.sql(
            "SELECT finished, results FROM compute.adoption WHERE id = %s", ident
        )[0]
        self.assertIsNotNone(row[0])
        results: Any = row[1]
        return list(results)

    def outcomes(self, results: list[dict[str, Any]]) -> dict[str, str]:
        return {one["instance"]: one["outcome"] for one in results}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.cloud.people.sql(sql)]

    def test_all_of_a_cluster_with_all_their_numbers(self) -> None:
        results = self.adopt()
        self.assertEqual(
            {"snf-42": "adopted", "snf-43": "adopted", "snf-1000": "adopted"},
            self.outcomes(results),
        )
        self.assertIn("made network 77", results[0]["detail"])
        self.assertEqual("", results[2]["detail"])
        server = self.cloud.show(42)
        self.assertEqual("snf-42", server.name)
        self.assertEqual("STARTED", server.state.value)
        self.assertEqual(
            [(42, 421, "10.7.0.42", "ACTIVE", "ENABLED")],
            self.rows(
                "SELECT p.server, p.id, host(i.addr), p.state, p.firewall"
                " FROM compute.port p JOIN compute.ip i ON i.port = p.id"
                " WHERE p.server = 42"
            ),
        )
        self.assertEqual(
            [(422, 0, 20), (423, 1, 2)],
            self.rows(
                "SELECT disk_number, idx, size FROM compute.volume WHERE server = 42"
                " ORDER BY idx"
            ),
        )
        self.assertEqual(
            [("MAC_FILTERED", "aa:00:1", "10.7.0.0/24", "used", 253)],
            self.rows(
                "SELECT n.kind, n.mac_prefix, u.cidr::text, s.state,"
                " (SELECT count(*) FROM compute.ip_slot WHERE subnet = u.id)"
                " FROM compute.network n JOIN compute.subnet u ON u.network = n.id"
                " JOIN compute.pool_slot s ON s.value = n.mac_prefix WHERE n.id = 77"
            ),
        )
        use = self.cloud.usage()
        self.assertEqual(
            (3, 6, 6 << 30, 66 << 30, 1),
            tuple(
                use[f"cyclades.{name}"]
                for name in ("vm", "cpu", "ram", "disk", "network.private")
            ),
        )

    def test_new_things_get_numbers_beyond(self) -> None:
        self.adopt()
        server = self.cloud.create()
        self.assertGreater(server.id, 1000)
        [(port,)] = self.rows("SELECT max(id) FROM compute.port")
        self.assertGreater(int(str(port)), 10001)

    def test_a_rehearsal_leaves_nothing(self) -> None:
        before = self.rows("SELECT last_value FROM compute.server_id_seq")
        results = self.adopt(dry_run=True)
        self.assertEqual({"would be adopted"}, set(self.outcomes(results).values()))
        for table in ("server", "port", "volume"):
            self.assertEqual([(0,)], self.rows(f"SELECT count(*) FROM compute.{table}"))
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(
            before, self.rows("SELECT last_value FROM compute.server_id_seq")
        )

    def test_asked_for_again_nothing_happens(self) -> None:
        self.adopt(instances=["snf-42"])
        results = self.adopt(instances=["snf-42", "snf-43", "nosuch"])
        self.assertEqual(
            {"snf-42": "refused", "snf-43": "adopted", "nosuch": "refused"},
            self.outcomes(results),
        )
        self.assertEqual({"snf-1000": "adopted"}, self.outcomes(self.adopt()))
        self.assertEqual([], self.adopt())

    def test_limits_do_not_stop_what_runs(self) -> None:
        self.world.instances["snf-42"] = instance(42, vcpus=64, memory=64 << 10)
        self.adopt(instances=["snf-42"])
        self.assertEqual(64, self.cloud.usage()["cyclades.cpu"])

    def test_flavors_are_found_or_made_closed(self) -> None:
        self.adopt()
        made = (
            "SELECT count(*) FROM compute.flavor WHERE NOT public AND NOT allow_create"
        )
        self.assertEqual([(0,)], self.rows(made))  # C2R2048D20file is a demo flavor
        self.world.instances["snf-44"] = instance(44, memory=777)
        results = self.adopt()
        self.assertIn("made flavor", results[0]["detail"])
        self.assertEqual([(1,)], self.rows(made))

    def test_networks_that_are_not_known_are_made_only_if_wanted(self) -> None:
        results = self.adopt(networks=False)
        self.assertEqual({"refused"}, set(self.outcomes(results).values()))
        self.assertIn("no network 77", results[0]["detail"])
        self.assertEqual({}, self.cloud.usage())

    def test_what_is_taken_is_refused_and_leaves_nothing(self) -> None:
        self.adopt(instances=["snf-42"])
        twin = instance(43, nics=instance(42).nics)
        self.world.instances["snf-43"] = twin
        address = evolve(instance(1000).nics[0], ip="10.7.0.42")
        self.world.instances["snf-1000"] = instance(1000, nics=(address,))
        results = self.adopt()
        self.assertEqual({"refused"}, set(self.outcomes(results).values()))
        self.assertIn("port 421", results[0]["detail"])
        self.assertIn("in use", results[1]["detail"])
        self.assertEqual([(1,)], self.rows("SELECT count(*) FROM compute.server"))
        self.assertEqual(1, self.cloud.usage()["cyclades.vm"])

    def test_someone_who_is_no_member_gets_nothing(self) -> None:
        results = self.adopt(owner=uuid5(SPACE, "other"))
        self.assertEqual({"refused"}, set(self.outcomes(results).values()))

    def test_stopped_and_crashed_ones(self) -> None:
        self.world.instances["snf-42"] = instance(
            42, admin_state="down", oper_state=False, status="ADMIN_down"
        )
        self.world.instances["snf-43"] = instance(
            43, oper_state=False, status="ERROR_down"
        )
        self.adopt(instances=["snf-42", "snf-43"])
        self.assertEqual(
            [(42, "STOPPED", False), (43, "STARTED", True)],
            self.rows("SELECT id, state, crashed FROM compute.server ORDER BY id"),
        )
        self.assertEqual(2, self.cloud.usage()["cyclades.cpu"])
        self.assertEqual(4, self.cloud.usage()["cyclades.total_cpu"])

    def test_floating_ips_of_public_networks(self) -> None:
        public = evolve(
            NETWORK,
            name="snf-net-5000",
            network="198.51.100.0/24",
            gateway="198.51.100.1",
            mac_prefix="aa:00:00",
            tags=frozenset({"public", "nfdhcpd"}),
        )
        self.world.networks["snf-net-5000"] = public
        nic = evolve(
            instance(42).nics[0], network="snf-net-5000", ip="198.51.100.9", link="br0"
        )
        self.world.instances["snf-42"] = instance(42, nics=(nic,))
        [result] = self.adopt(instances=["snf-42"])
        self.assertEqual("adopted", result["outcome"], result)
        self.assertEqual(1, self.cloud.usage()["cyclades.floating_ip"])
        self.assertEqual(
            [(True, True, None)],
            self.rows(
                "SELECT i.floating, n.public, n.owner FROM compute.ip i"
                " JOIN compute.network n ON n.id = i.network"
            ),
        )

    def test_reconciliation_looks_at_it_and_it_works_like_any_other(self) -> None:
        self.adopt(instances=["snf-42"])
        [(state, serial)] = self.rows("SELECT state, serial_no FROM compute.server")
        known = reconcile.Known("server:42", str(state), int(str(serial)))
        seen = [self.world.instances["snf-42"].sighting()]
        found = reconcile.findings([known], frozenset({"server:42"}), seen)
        self.assertEqual([reconcile.Kind.CHANGED], [one.kind for one in found])
        self.cloud.wait(
            self.cloud.compute.actions.stop(self.cloud.caller(), self.cloud.scope(), 42)
        )
        self.cloud.work()
        self.assertEqual("STOPPED", self.cloud.show(42).state.value)
        self.assertEqual(0, self.cloud.usage().get("cyclades.cpu", 0))

    def test_while_the_database_is_away_nothing_counts_as_refused(self) -> None:
        def away(tx: Any, one: Any, terms: Any) -> Any:
            raise Unavailable("no database")

        self.adopter.adopt = away
        with self.assertRaises(AssertionError):
            self.adopt(instances=["snf-42"])
        self.assertEqual([([],)], self.rows("SELECT results FROM compute.adoption"))
        self.adopter.adopt = Adopting(lambda: UUID(int=5000 + next(self.ids))).adopt
        self.clock.advance(2)
        self.assertEqual([(1,)], self.rows("SELECT count(*) FROM compute.server"))

    def foreign(self, **more: Any) -> None:
        """A stopped instance of somebody else's, with one card on our network."""
        nics = (
            Nic(None, None, None, MAC.format(8), "bridged", "br7"),
            Nic(None, "snf-net-77", "10.7.0.90", MAC.format(9), "bridged", "prv0"),
        )
        given = {
            "name": "db.example.org",
            "admin_state": "down",
            "oper_state": False,
            "status": "ADMIN_down",
            "nics": nics,
            "disks": (Disk(None, 20480),),
            **more,
        }
        self.world.instances["db.example.org"] = instance(1, **given)
        self.cloud.ganeti.queue.work = True

    def take(self, **more: Any) -> list[dict[str, Any]]:
        """Ask for it and let its jobs run."""
        wanted = Wanted(
            owner=uuid5(SPACE, "demo"),
            project=self.cloud.project,
            networks=True,
            instances=["db.example.org"],
            **more,
        )
        run = self.cloud.people.db.run
        self.cloud.wait(run(adoption_store.ask, self.cluster, wanted))
        self.adopter.wake()
        for _ in range(30):
            self.cloud.ganeti.queue.step()
            self.clock.advance(1)
        sql = "SELECT results FROM compute.adoption ORDER BY id DESC LIMIT 1"
        found: Any = self.cloud.people.sql(sql)[0][0]
        return list(found)

    def test_others_are_renamed_when_they_are_stopped(self) -> None:
        self.foreign()
        [refused] = self.take()
        self.assertIn("--rename", refused["detail"])
        [refused] = self.take(rename=True)
        self.assertIn("--strip-nics", refused["detail"])
        [told] = self.take(rename=True, strip_nics=True, dry_run=True)
        self.assertEqual("would be adopted", told["outcome"])
        self.assertIn("db.example.org", self.world.instances)
        [done] = self.take(rename=True, strip_nics=True)
        self.assertEqual("adopted", done["outcome"], done)
        name = f"snf-{done['server']}"
        self.assertNotIn("db.example.org", self.world.instances)
        [card] = self.world.instances[name].nics
        [disk] = self.world.instances[name].disks
        self.assertEqual(
            [(card.name, disk.name, "10.7.0.90", "STOPPED")],
            self.rows(
                "SELECT 'snf-nic-' || p.id, 'snf-vol-' || v.disk_number, host(i.addr),"
                " s.state FROM compute.server s JOIN compute.port p ON p.server = s.id"
                " JOIN compute.ip i ON i.port = p.id"
                " JOIN compute.volume v ON v.server = s.id"
            ),
        )

    def test_others_that_run_are_left_alone(self) -> None:
        self.foreign(admin_state="up", oper_state=True, status="running")
        [refused] = self.take(rename=True, strip_nics=True)
        self.assertIn("not stopped", refused["detail"])
        self.assertEqual([], self.cloud.ganeti.queue.listed())
