"""Jobs that run an OS definition again, and chains that break where one fails."""

from __future__ import annotations

import json

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd.ganeti import requests
from snfd.ganeti.jobs import carries, job_of
from snfd.ganeti.model import Status
from snfd.ganeti.port import Refused
from snfd.ganeti.rapi import RapiJobs
from snfd.ganeti.requests import Request
from snfd.ganeti.transport import Transport
from snfd.intent import Intent, State
from tests.ganeti.rig import Rig, new
from tests.ganeti.test_transport import Answers

REASON = "snfd:12345678-1234-1234-1234-123456789abc"


class WordsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.site = Answers()
        self.site.body = b"17\n"
        agent = RequestTraversalAgent(self.site)
        self.jobs = RapiJobs(Transport(Clock(), agent, "https://one:5080", "u", "p"))

    def submit(self, request: Request) -> Deferred[int]:
        return Deferred.fromCoroutine(self.jobs.submit(request, REASON))

    def test_its_url_carries_the_reason(self) -> None:
        request = requests.reinstall(
            7, "snfd+default", start=True, osparams={"config_url": "https://x/1"}
        )
        self.assertEqual(17, self.successResultOf(self.submit(request)))
        [(method, uri, body, _)] = self.site.asked
        self.assertEqual(("POST", "/2/instances/snf-7/reinstall"), (method, uri))
        url = f"https://x/1#{REASON}"
        self.assertEqual(
            {"os": "snfd+default", "start": True, "osparams": {"config_url": url}}, body
        )
        op = {"OP_ID": "OP_INSTANCE_REINSTALL", "osparams": {"config_url": url}}
        row = {"id": 17, "status": "running", "ops": [op], "opstatus": ["running"]}
        self.assertTrue(carries(job_of(json.loads(json.dumps(row))), REASON))

    def test_without_a_hand_off_it_is_not_sent(self) -> None:
        self.failureResultOf(
            self.submit(requests.reinstall(7, "snfd+default", start=True)), Refused
        )
        self.assertEqual([], self.site.asked)

    def test_others_jobs_carry_nothing(self) -> None:
        for params in (None, {}, {"config_url": "https://x/1"}):
            op = {"OP_ID": "OP_INSTANCE_REINSTALL", "osparams": params}
            row = {"id": 1, "status": "queued", "ops": [op], "opstatus": ["queued"]}
            self.assertEqual((), job_of(row).ops[0].reasons)


class OrderTests(SynchronousTestCase):
    def setUp(self) -> None:
        async def enrich(request: Request, intent: Intent) -> Request:
            return request

        self.rig = Rig(self, enrich=enrich)
        self.rig.start()
        self.queue = self.rig.ganeti.queue
        self.rig.put(new(1))
        self.queue.finish(1)
        self.rig.pump(0.5)

    def state(self, intent: Intent) -> State:
        return self.rig.entry(intent).state

    def test_it_waits_for_the_end_of_all_before(self) -> None:
        stop = self.rig.put(requests.stop(1))
        again = self.rig.put(requests.reinstall(1, "snfd+default", start=True))
        after = self.rig.put(requests.stop(1))
        self.rig.pump(3)
        self.assertEqual(
            [State.QUEUED, State.NEW, State.NEW],
            [self.state(each) for each in (stop, again, after)],
        )
        self.queue.finish(2)
        self.rig.pump(3)
        self.assertEqual(
            [State.SUCCESS, State.QUEUED, State.QUEUED],
            [self.state(each) for each in (stop, again, after)],
        )
        job = self.queue.known(3)
        assert job is not None
        self.assertNotIn("depends", job.ops[0].input)
        self.queue.finish(3)
        self.rig.pump(1)
        self.assertEqual(("server:1", "reinstalled"), self.rig.events[-1])

    def test_a_strict_one_fails_where_what_it_names_failed(self) -> None:
        stop = self.rig.put(requests.stop(1))
        change = Request("OP_INSTANCE_SET_PARAMS", "snf-1", {"beparams": {}}, {}, True)
        strict = self.rig.put(change, depends=(stop.id,))
        start = self.rig.put(requests.start(1), depends=(strict.id,))
        found = [self.queue.known(ident) for ident in (3, 4)]
        final = ["success", "error", "canceled"]
        self.assertEqual(
            [[[2, ["success"]]], [[2, final], [3, final]]],
            [job.ops[0].input["depends"] for job in found if job],
        )
        self.queue.fail(2, "the guest does not stop", "")
        for ident in (3, 4):
            self.queue.finish(ident)
        self.rig.pump(1)
        self.assertEqual(
            [State.ERROR, State.ERROR, State.SUCCESS],
            [self.state(each) for each in (stop, strict, start)],
        )

    def test_a_canceled_or_lost_one_is_settled_with_what_there_is(self) -> None:
        again = self.rig.put(requests.reinstall(1, "snfd+default", start=True))
        self.queue.cancel(2)
        self.rig.pump(1)
        self.assertEqual(State.CANCELED, self.state(again))
        self.assertEqual(("server:1", "reinstall-failed"), self.rig.events[-1])
        self.assertIsNotNone(self.rig.outcomes[-1].instance)
        lost = self.rig.put(requests.reinstall(1, "snfd+default", start=True))
        self.queue.forget(3, purge=True)
        self.rig.pump(90)
        self.assertEqual(State.LOST, self.state(lost))
        self.assertEqual(("server:1", "reinstall-failed"), self.rig.events[-1])
        self.assertEqual(Status.CANCELED, self.rig.outcomes[-2].job.status)  # type: ignore[union-attr]
