"""From an intent to a job and back to an outcome, on a fake cluster."""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd import outbox
from snfd.errors import NotFound
from snfd.ganeti import names, network_requests, requests
from snfd.ganeti.model import Event
from snfd.ganeti.requests import Request
from snfd.intent import Intent, State
from tests.ganeti.rig import Rig, new


class DispatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rig = Rig(self)
        self.ganeti = self.rig.ganeti

    def test_an_intent_becomes_a_job_and_the_job_an_outcome(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        entry = self.rig.entry(intent)
        self.assertEqual((State.QUEUED, 1, 0, 1), (
            entry.state, entry.job, entry.submit_after, entry.attempts))  # fmt: skip
        self.ganeti.queue.finish(1)
        self.rig.pump(0.4)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)
        [outcome] = self.rig.outcomes
        self.assertEqual(
            (intent.id, "server:1", Event.CREATED, 1, "", self.rig.cluster),
            (
                outcome.intent.id if outcome.intent else None,
                outcome.subject,
                outcome.event,
                outcome.job.id if outcome.job else None,
                outcome.error,
                outcome.cluster,
            ),
        )
        assert outcome.instance is not None
        self.assertEqual("snf-1", outcome.instance.name)

    def test_the_job_carries_reason_and_tag(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        job = self.ganeti.queue.known(1)
        assert job is not None
        self.assertEqual((names.reason(intent.id),), job.ops[0].reasons)
        self.assertEqual(["a", names.tag(intent.id)], job.ops[0].input["tags"])

    def test_states_of_the_job_show_in_the_outbox(self) -> None:
        self.rig.start()
        self.ganeti.queue.work = True
        intent = self.rig.put(new(1))
        seen = set()
        for _ in range(30):
            seen.add(self.rig.entry(intent).state)
            self.rig.pump(0.1)
        self.assertEqual({State.RUNNING, State.SUCCESS}, seen)

    def test_one_subject_is_served_in_order(self) -> None:
        self.rig.start()
        create = self.rig.put(new(1))
        stop = self.rig.put(requests.stop(1))
        start = self.rig.put(requests.start(1))
        self.assertEqual([1, 2, 3], [
            self.rig.entry(each).job for each in (create, stop, start)])  # fmt: skip
        jobs = [self.ganeti.queue.known(ident) for ident in (1, 2, 3)]
        final = ["success", "error", "canceled"]
        self.assertEqual(
            [None, [[1, final]], [[1, final], [2, final]]],
            [job.ops[0].input.get("depends") for job in jobs if job],
        )

    def test_a_later_intent_waits_while_an_earlier_one_is_in_doubt(self) -> None:
        self.rig.start()
        self.ganeti.trouble.code = 502
        create = self.rig.put(new(1))
        self.ganeti.trouble.code = 0
        remove = self.rig.put(requests.remove(1))
        other = self.rig.put(new(2))
        self.rig.pump(1.0)
        self.assertEqual(
            [State.SUBMITTING, State.NEW, State.QUEUED],
            [self.rig.entry(each).state for each in (create, remove, other)],
        )
        self.rig.pump(10)
        self.assertEqual(
            [("OP_INSTANCE_CREATE", "snf-2"), ("OP_INSTANCE_CREATE", "snf-1"),
             ("OP_INSTANCE_REMOVE", "snf-1")],
            self.rig.submitted,
        )  # fmt: skip

    def test_an_intent_waits_for_those_it_names(self) -> None:
        self.rig.start()
        net = network_requests.NewNetwork(5, "aa:00:01", "10.0.0.0/24")
        add = self.rig.put(network_requests.network_add(net), "network:5")
        connect = self.rig.put(
            network_requests.network_connect(5, "default", "routed", "l"),
            "network:5",
        )
        create = self.rig.put(new(1), depends=(connect.id,))
        job = self.ganeti.queue.known(3)
        assert job is not None
        self.assertEqual([2], [each[0] for each in job.ops[0].input["depends"]])
        for ident in (1, 2, 3):
            self.ganeti.queue.finish(ident)
        self.rig.pump(0.5)
        self.assertEqual(
            [("network:5", "network-added"), ("network:5", "network-connected"),
             ("server:1", "created")],
            self.rig.events,
        )  # fmt: skip
        assert self.rig.outcomes[1].network is not None
        self.assertEqual(("default",), self.rig.outcomes[1].network.groups)
        self.assertEqual(State.SUCCESS, self.rig.entry(add).state)
        self.assertEqual(State.SUCCESS, self.rig.entry(create).state)

    def test_what_is_refused_for_good_ends_as_an_error(self) -> None:
        self.rig.start()
        self.ganeti.trouble.refuses = "no such parameter"
        intent = self.rig.put(new(1))
        self.assertEqual(State.ERROR, self.rig.entry(intent).state)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)
        self.assertEqual("no such parameter", self.rig.outcomes[0].error)
        self.assertIsNone(self.rig.outcomes[0].job)

    def test_a_failed_job_ends_as_an_error_with_its_words(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        self.ganeti.queue.fail(1, "no room", "insufficient_resources")
        self.rig.pump(0.5)
        self.assertEqual(State.ERROR, self.rig.entry(intent).state)
        self.assertEqual({"error": "no room"}, self.rig.entry(intent).result)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)

    def test_a_canceled_job_says_so(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        self.ganeti.queue.cancel(1)
        self.rig.pump(0.5)
        self.assertEqual(State.CANCELED, self.rig.entry(intent).state)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)

    def test_cyclades_82_short_of_resources_is_tried_once_more(
        self,
    ) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        self.ganeti.queue.fail(1, "locked", "temp_insufficient_resources")
        self.rig.pump(0.5)
        self.assertEqual([], self.rig.events)
        job = self.ganeti.queue.known(2)
        assert job is not None
        self.assertFalse(job.ops[0].input["opportunistic_locking"])
        self.assertEqual(2, self.rig.entry(intent).job)
        self.ganeti.queue.fail(2, "locked", "temp_insufficient_resources")
        self.rig.pump(0.5)
        self.assertEqual([("server:1", "create-failed")], self.rig.events)

    def test_removing_what_is_gone_is_a_success(self) -> None:
        self.rig.start()
        intent = self.rig.put(requests.remove(1))
        self.ganeti.queue.finish(1)
        self.rig.pump(0.5)
        self.assertEqual([("server:1", "removed")], self.rig.events)
        self.assertEqual(State.SUCCESS, self.rig.entry(intent).state)

    def test_a_withdrawn_intent_is_never_submitted(self) -> None:
        self.ganeti.trouble.down = True
        self.rig.start()
        intent = self.rig.put(new(1))
        self.rig.pump(3)
        self.assertEqual([intent], self.rig.run(outbox.withdraw, "server:1"))
        self.ganeti.trouble.down = False
        self.rig.pump(10)
        self.assertEqual([], self.rig.submitted)
        self.assertEqual(State.CANCELED, self.rig.entry(intent).state)

    def test_what_was_submitted_cannot_be_withdrawn(self) -> None:
        self.rig.start()
        self.rig.put(new(1))
        self.assertEqual([], self.rig.run(outbox.withdraw, "server:1"))

    def test_putting_twice_is_putting_once(self) -> None:
        self.rig.start()
        intent = self.rig.put(new(1))
        self.rig.run(outbox.put, intent)
        self.rig.pump(2)
        self.assertEqual(1, len(self.rig.submitted))

    def test_without_a_wake_the_outbox_is_read_every_second(self) -> None:
        self.rig.start()
        intent = requests.intent(uuid4(), self.rig.cluster, "server:2", new(2))
        self.rig.run(outbox.put, intent)
        self.assertEqual([], self.rig.submitted)
        self.rig.pump(1.1)
        self.assertEqual(1, len(self.rig.submitted))

    def test_secrets_join_a_request_on_its_way_only(self) -> None:
        async def enrich(request: Request, intent: Intent) -> Request:
            return request.with_body(osparams={"img_id": f"https://x/{intent.id}"})

        rig = Rig(self, enrich=enrich)
        rig.start()
        intent = rig.put(new(1))
        job = rig.ganeti.queue.known(1)
        assert job is not None
        self.assertIn("https://x/", job.ops[0].input["osparams"]["img_id"])
        self.assertNotIn("https://x/", str(rig.entry(intent).intent.request))

    def test_what_cannot_be_enriched_is_an_error(self) -> None:
        async def enrich(request: Request, intent: Intent) -> Request:
            raise NotFound("the image is gone")

        rig = Rig(self, enrich=enrich)
        rig.start()
        intent = rig.put(new(1))
        self.assertEqual([("server:1", "create-failed")], rig.events)
        self.assertEqual({"error": "the image is gone"}, rig.entry(intent).result)
