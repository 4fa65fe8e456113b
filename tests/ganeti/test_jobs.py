"""From real jobs' JSON to events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.ganeti import jobs, names, network_requests, requests
from snfd.ganeti.model import Event, Kind, Op, Status
from snfd.ganeti.reach import Reach
from snfd.ganeti.requests import NewDisk, NewInstance, NewNic


def row(**values: Any) -> dict[str, Any]:
    """A job as RAPI tells of one, with the given parts."""
    made: dict[str, Any] = {
        "id": 11,
        "status": "success",
        "ops": [
            {
                "OP_ID": "OP_INSTANCE_SHUTDOWN",
                "instance_name": "snf-1",
                "depends": None,
                "dry_run": False,
                "reason": [
                    ["gnt:user", "snfd:abc", 1795362034048196608],
                    ["gnt:library:rlib2:instances_name_shutdown", "", 179],
                    ["gnt:opcode:instance_shutdown", "job=11;index=0", 179],
                ],
            }
        ],
        "opstatus": ["success"],
        "opresult": [None],
        "oplog": [[[1, [1795362032, 905705], "message", "* disk 0, size 16M"]]],
        "received_ts": [1795362034, 50645],
        "start_ts": [1795362034, 250715],
        "end_ts": [1795362034, 490702],
    }
    return {**made, **values}


def op(code: str, status: Status = Status.SUCCESS, **given: Any) -> Op:
    return Op(code, status, given)


class JobTests(SynchronousTestCase):
    def test_a_job_of_ours(self) -> None:
        job = jobs.job_of(row())
        self.assertEqual((11, Status.SUCCESS), (job.id, job.status))
        self.assertEqual(datetime(2026, 11, 22, 15, 40, 34, 490702, UTC), job.ended)
        self.assertEqual(("* disk 0, size 16M",), job.ops[0].log)
        self.assertTrue(jobs.carries(job, "snfd:abc"))
        self.assertEqual([("server:1", Event.STOPPED)], list(jobs.changes(job)))

    def test_a_job_that_waits(self) -> None:
        job = jobs.job_of(
            row(
                status="waiting",
                opstatus=["waiting"],
                opresult=None,
                oplog=None,
                start_ts=None,
                end_ts=None,
            )
        )
        self.assertEqual((None, None), (job.started, job.ended))
        self.assertEqual([], list(jobs.changes(job)))

    def test_a_job_of_several_opcodes(self) -> None:
        one = row()["ops"][0]
        two = {**one, "OP_ID": "OP_INSTANCE_STARTUP", "instance_name": "snf-2"}
        job = jobs.job_of(
            row(
                ops=[one, two],
                opstatus=["success", "error"],
                opresult=[None, ["OpExecError", ["it broke"]]],
                oplog=[[], []],
                status="error",
            )
        )
        self.assertEqual([("server:1", Event.STOPPED)], list(jobs.changes(job)))
        self.assertEqual(("it broke", ""), jobs.error(job))

    def test_errors_in_all_their_forms(self) -> None:
        for result, expected in (
            (["OpPrereqError", ["text", "wrong_state"]], ("text", "wrong_state")),
            (["OpExecError", ["text"]], ("text", "")),
            (["OpExecError", "odd"], ("OpExecError", "")),
            (None, ("no reason was given", "")),
        ):
            job = jobs.job_of(
                row(status="error", opstatus=["error"], opresult=[result])
            )
            self.assertEqual(expected, jobs.error(job))
        job = jobs.job_of(row(status="canceled", opstatus=["canceled"]))
        self.assertEqual(("the job was canceled", ""), jobs.error(job))

    def test_whose_opcode_it_is(self) -> None:
        cases: tuple[tuple[dict[str, str], str | None], ...] = (
            ({"instance_name": "snf-7"}, "server:7"),
            ({"instance_name": "snf-07"}, None),
            ({"instance_name": "snf-7.example.org"}, None),
            ({"instance_name": "web"}, None),
            ({"kind": "instance", "name": "snf-7"}, "server:7"),
            ({"kind": "cluster", "name": "snf-7"}, None),
            ({"network_name": "snf-net-3"}, "network:3"),
            ({"network_name": "snf-3"}, None),
            ({}, None),
        )
        for given, expected in cases:
            self.assertEqual(expected, jobs.subject(Op("OP_X", Status.SUCCESS, given)))

    def test_every_kind_has_both_ends(self) -> None:
        for kind in Kind:
            good, bad = jobs.EVENTS[kind]
            self.assertEqual(good, jobs.event(op(kind)))
            self.assertEqual(bad, jobs.event(op(kind, Status.ERROR)))
            self.assertEqual(bad, jobs.event(op(kind, Status.CANCELED)))
            self.assertIsNone(jobs.event(op(kind, Status.RUNNING)))
            self.assertIsNone(jobs.event(op(kind, dry_run=True)))

    def test_what_changes_nothing_is_no_event(self) -> None:
        for code in ("OP_INSTANCE_QUERY_DATA", "OP_INSTANCE_MIGRATE", "OP_NEW"):
            self.assertIsNone(jobs.event(op(code)))


class NamesTests(SynchronousTestCase):
    def test_names_and_subjects_are_inverse(self) -> None:
        self.assertEqual("snf-42", names.name_of_subject("server:42"))
        self.assertEqual("snf-net-5", names.name_of_subject("network:5"))
        self.assertEqual("server:42", names.subject_of_instance("snf-42"))
        self.assertEqual("network:5", names.subject_of_network("snf-net-5"))
        self.assertRaises(ValueError, names.name_of_subject, "volume:1")


class RequestTests(SynchronousTestCase):
    def test_a_create_in_ganetis_words(self) -> None:
        request = requests.create(
            NewInstance(
                42,
                "kvm",
                "snf-image+default",
                "ext",
                2,
                512,
                [NewDisk(11, 1024, {"provider": "archipelago"})],
                [NewNic(7, 5, "10.0.0.2"), NewNic(8, 6, None, "aa:00:00:00:00:01")],
                {"img_format": "diskdump"},
                tags=["a:b"],
            )
        )
        self.assertEqual(
            {
                "__version__": 1,
                "mode": "create",
                "name": "snf-42",
                "os_type": "snf-image+default",
                "hypervisor": "kvm",
                "disk_template": "ext",
                "disks": [
                    {"name": "snf-vol-11", "size": 1024, "provider": "archipelago"}
                ],
                "nics": [
                    {"name": "snf-nic-7", "network": "snf-net-5", "ip": "10.0.0.2"},
                    {
                        "name": "snf-nic-8",
                        "network": "snf-net-6",
                        "ip": None,
                        "mac": "aa:00:00:00:00:01",
                    },
                ],
                "beparams": {
                    "auto_balance": True,
                    "vcpus": 2,
                    "minmem": 512,
                    "maxmem": 512,
                },
                "hvparams": {},
                "osparams": {"img_format": "diskdump"},
                "tags": ["a:b"],
                "ip_check": False,
                "name_check": False,
                "wait_for_sync": False,
                "opportunistic_locking": True,
                "start": True,
            },
            request.body,
        )

    def test_an_intent_keeps_all_of_a_request(self) -> None:
        from uuid import uuid4

        request = requests.add_tags(4, ["a:b"])
        kept = requests.intent(uuid4(), 1, "server:4", request)
        self.assertEqual(request, requests.Request.of(kept))

    def test_a_network_without_ipv4_gets_a_dummy(self) -> None:
        new = network_requests.NewNetwork(
            3, "aa:00:13", gateway="10.9.9.1", subnet6="fd00::/64", public=True
        )
        body = network_requests.network_add(new).body
        self.assertEqual("10.0.0.0/29", body["network"])
        self.assertNotIn("gateway", body)
        self.assertFalse(body["conflicts_check"])

    def test_only_public_networks_are_checked_for_conflicts(self) -> None:
        new = network_requests.NewNetwork(3, "aa:00:13", "10.0.0.0/24", public=True)
        self.assertTrue(network_requests.network_add(new).body["conflicts_check"])


class ReachTests(SynchronousTestCase):
    def test_three_failures(self) -> None:
        reach = Reach()
        for second in (0.0, 0.3, 0.6):
            self.assertTrue(reach.reachable)
            reach = reach.failed(second, second + 0.1)
        self.assertFalse(reach.reachable)
        self.assertTrue(reach.succeeded().reachable)

    def test_five_seconds_of_silence(self) -> None:
        self.assertFalse(Reach().failed(0.0, 5.0).reachable)
        self.assertTrue(Reach().failed(0.0, 4.9).reachable)

    def test_failures_apart_do_not_add_up(self) -> None:
        reach = Reach().failed(0, 1).failed(1, 2).succeeded().failed(10, 11)
        self.assertEqual(1, reach.failures)

    def test_pauses_grow_to_five_seconds(self) -> None:
        reach, pauses = Reach(), []
        for second in range(10):
            reach = reach.failed(second, second)
            pauses.append(reach.pause)
        self.assertEqual([0.3, 0.3, 0.3, 0.6, 1.2, 2.4, 4.8, 5.0, 5.0, 5.0], pauses)
