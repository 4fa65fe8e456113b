"""Requests to RAPI: what is sent, what comes of answers, and the bounds."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived
from twisted.web.http import Request
from twisted.web.iweb import IAgent
from twisted.web.resource import Resource
from zope.interface import implementer

from snfd.ganeti import requests
from snfd.ganeti.port import Away, Refused
from snfd.ganeti.rapi import Rapi
from snfd.ganeti.transport import Transport
from snfd.probe import DURING_SUBMIT


class Answers(Resource):
    """Answers everything alike and keeps what was asked."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.code = 200
        self.body = b"{}"
        self.asked: list[tuple[str, str, Any, Any]] = []

    def render(self, request: Request) -> bytes:
        assert request.content is not None
        sent = request.content.read()
        self.asked.append(
            (
                request.method.decode(),
                request.uri.decode(),
                json.loads(sent),
                request.getHeader("authorization"),
            )
        )
        request.setResponseCode(self.code)
        return self.body


@implementer(IAgent)
@define(eq=False)
class Silent:
    """Accepts requests and never answers; or answers with a failure."""

    failure: Failure | None = None
    open: int = 0
    most: int = 0
    answers: list[Deferred[Any]] = field(factory=list)

    def request(
        self, method: bytes, uri: bytes, headers: Any = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        self.open += 1
        self.most = max(self.most, self.open)
        if self.failure is not None:
            self.open -= 1
            return fail(self.failure)
        bodyProducer.startProducing(self)
        self.answers.append(Deferred(self.cancelled))
        return self.answers[-1]

    def write(self, data: bytes) -> None:
        pass

    def cancelled(self, answer: Deferred[Any]) -> None:
        self.open -= 1
        answer.errback(ResponseNeverReceived([Failure(CancelledError())]))


class AnswerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.site = Answers()
        self.clock = Clock()
        self.points: list[str] = []
        self.transport = Transport(
            self.clock,
            RequestTraversalAgent(self.site),
            "https://one:5080/",
            "snfd",
            "secret",
            probe=self.points.append,
            body_max=1000,
        )

    def call(self, method: str = "GET", path: str = "/2/x", **more: Any) -> Any:
        return Deferred.fromCoroutine(self.transport.call(method, path, **more))

    def test_what_is_sent(self) -> None:
        self.site.body = b"17\n"
        answer = self.call(
            "PUT", "/2/x", body={"a": 1}, query={"tag": ["a:b", "c d"], "reason": "r"}
        )
        self.assertEqual(17, self.successResultOf(answer))
        [(method, uri, body, authorization)] = self.site.asked
        self.assertEqual(("PUT", {"a": 1}), (method, body))
        self.assertEqual("/2/x?tag=a%3Ab&tag=c+d&reason=r", uri)
        self.assertEqual("Basic c25mZDpzZWNyZXQ=", authorization)

    def test_a_refusal_comes_in_plain_words(self) -> None:
        self.site.code = 400
        self.site.body = json.dumps(
            {"code": 400, "message": "doesn&#x27;t", "explain": "a &lt; b"}
        ).encode()
        error = self.failureResultOf(self.call(), Refused).value
        self.assertEqual(("doesn't: a < b", 400), (error.message, error.code))

    def test_bad_credentials_and_load_are_no_refusals(self) -> None:
        for code in (401, 403, 429, 503):
            self.site.code = code
            error = self.failureResultOf(self.call("POST"), Away).value
            self.assertIs(False, error.queued, code)

    def test_after_other_errors_the_job_may_be_queued(self) -> None:
        for code in (500, 502, 504, 301):
            self.site.code = code
            error = self.failureResultOf(self.call("POST"), Away).value
            self.assertIsNone(error.queued, code)

    def test_what_is_no_json_is_no_answer(self) -> None:
        self.site.body = b"<html>"
        self.failureResultOf(self.call(), Away)

    def test_an_answer_that_is_too_long_is_dropped(self) -> None:
        self.site.body = b" " * 2000
        error = self.failureResultOf(self.call(), Away).value
        self.assertIn("1000 bytes", error.message)
        self.site.body = b"1"
        self.assertEqual(1, self.successResultOf(self.call()))

    def test_long_answers_are_decoded_elsewhere(self) -> None:
        used: list[int] = []

        async def thread(work: Any, data: bytes) -> Any:
            used.append(len(data))
            return work(data)

        self.transport.offload = thread
        self.transport.body_max = 10**6
        self.site.body = json.dumps(["x" * 200_000]).encode()
        self.successResultOf(self.call())
        self.site.body = b"[]"
        self.successResultOf(self.call())
        self.assertEqual([200_004], used)

    def test_only_submits_reach_the_probe(self) -> None:
        for method, path in (
            ("GET", "/2/jobs"),
            ("PUT", "/2/query/job"),
            ("PUT", "/2/instances/snf-1/startup"),
        ):
            self.call(method, path)
            self.clock.advance(0)
        self.assertEqual([DURING_SUBMIT], self.points)

    def test_a_submit_that_is_no_number_is_no_answer(self) -> None:
        self.site.body = b'{"a": 1}'
        submit = Rapi(self.transport).submit(requests.start(1), "snfd:x")
        self.failureResultOf(Deferred.fromCoroutine(submit), Away)

    def test_an_answer_of_another_shape_is_none(self) -> None:
        self.site.body = b'{"data": [[[0, 1]]]}'
        asked = Rapi(self.transport).statuses(0, [])
        self.failureResultOf(Deferred.fromCoroutine(asked), Away)


class BoundTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.agent = Silent()
        self.transport = Transport(
            self.clock, self.agent, "https://one:5080", "snfd", "s", waiting_max=10
        )

    def call(self) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.transport.call("POST", "/2/instances"))

    def test_silence_ends_after_five_seconds(self) -> None:
        answer = self.call()
        self.clock.advance(4.9)
        self.assertNoResult(answer)
        self.clock.advance(0.1)
        error = self.failureResultOf(answer, Away).value
        self.assertIsNone(error.queued)
        self.assertEqual(0, self.agent.open)

    def test_cyclades_89_four_requests_at_a_time(self) -> None:
        answers = [self.call() for _ in range(10)]
        self.assertEqual(4, self.agent.open)
        self.clock.advance(5)
        for answer in answers:
            self.failureResultOf(answer, Away)
        self.assertEqual((0, 4), (self.agent.open, self.agent.most))

    def test_what_only_waited_was_surely_not_queued(self) -> None:
        for _ in range(4):
            self.call().addErrback(lambda _: None)
        self.transport.timeout = 2
        answer = self.call()
        self.clock.advance(2)
        error = self.failureResultOf(answer, Away).value
        self.assertIs(False, error.queued)

    def test_the_wait_is_bounded(self) -> None:
        for _ in range(14):
            self.assertNoResult(self.call().addErrback(lambda _: None))
        error = self.failureResultOf(self.call(), Away).value
        self.assertIs(False, error.queued)

    def test_a_refused_connection_was_surely_not_queued(self) -> None:
        self.agent.failure = Failure(ConnectError())
        error = self.failureResultOf(self.call(), Away).value
        self.assertIs(False, error.queued)

    def test_a_broken_connection_may_have_been(self) -> None:
        answer = self.call()
        self.agent.answers[0].errback(
            ResponseNeverReceived([Failure(ConnectionResetError("reset by peer"))])
        )
        error = self.failureResultOf(answer, Away).value
        self.assertIsNone(error.queued)
        self.assertIn("reset by peer", error.message)

    def test_who_is_cancelled_frees_the_connection(self) -> None:
        answer = self.call()
        answer.addErrback(lambda _: None)
        answer.cancel()
        self.assertEqual(0, self.agent.open)
        self.assertEqual([], self.clock.getDelayedCalls())


@define(eq=False)
class Scripted:
    """A transport that notes calls and answers queries with no rows."""

    calls: list[tuple[str, str, Any]] = field(factory=list)

    async def call(
        self, method: str, path: str, body: Any = None, query: Any = None
    ) -> Any:
        self.calls.append((method, path, body))
        return {"data": [], "fields": []} if "query" in path else []


class QueryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Scripted()
        self.rapi = Rapi(self.wire)

    def test_one_poll_is_one_query_by_id(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.rapi.statuses(7, [3, 5, 3])))
        [(method, path, body)] = self.wire.calls
        self.assertEqual(("PUT", "/2/query/job"), (method, path))
        self.assertEqual(
            {
                "fields": ["id", "status"],
                "qfilter": ["|", [">", "id", 7], ["=", "id", 3], ["=", "id", 5]],
            },
            body,
        )

    def test_many_ids_go_in_portions(self) -> None:
        ids = range(1200)
        self.successResultOf(Deferred.fromCoroutine(self.rapi.statuses(7, ids)))
        sizes = [len(body["qfilter"]) - 1 for _, _, body in self.wire.calls]
        self.assertEqual([501, 500, 200], sizes)
        self.wire.calls.clear()
        self.successResultOf(Deferred.fromCoroutine(self.rapi.jobs(ids)))
        self.assertEqual(12, len(self.wire.calls))

    def test_nobody_waits_or_lists_in_bulk(self) -> None:
        for asked in (
            self.rapi.newest(),
            self.rapi.statuses(0, [1]),
            self.rapi.jobs([1]),
            self.rapi.sightings(),
            self.rapi.instances(["snf-1"]),
            self.rapi.networks(),
        ):
            self.successResultOf(Deferred.fromCoroutine(asked))
        for _, path, _ in self.wire.calls:
            self.assertNotIn("wait", path)
            self.assertNotIn("bulk", path)
