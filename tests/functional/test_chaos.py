"""Whatever goes wrong, in the end servers, addresses and quota are the cluster's truth.

Plans are drawn by hypothesis: what users and the cluster's administrators do, among
faults of RAPI, lost and archived jobs, numbers of jobs that go back, processes that are
killed at the worst points and a PostgreSQL that drops every connection.
"""

from __future__ import annotations

from os import environ
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.trial.unittest import TestCase

from pocket.tap import Settings, make_pocket
from pocket.users import WRITE, User
from snfd import probe
from tests.functional.chaos import Chaos, Killed, in_reactor
from tests.functional.wire import close_all
from tests.postgres import fresh_dsn

EXAMPLES = 5
"""Plans of one run; ``CHAOS`` in the environment says how many instead."""

EXAMPLES_LONG = 80

WHICH = st.integers(0, 7)
MATCHES = ("*", "POST /2/instances", "DELETE /2/instances/*", "PUT /2/instances/*",
           "PUT /2/query/job", "PUT /2/query/instance", "GET /2/jobs")  # fmt: skip
POINTS = (probe.DURING_SUBMIT, probe.AFTER_SUBMIT, probe.WHILE_SETTLING)

CREATE = st.tuples(st.just("create"))
ACT = st.tuples(
    st.just("act"), st.sampled_from(("start", "stop", "reboot", "delete")), WHICH
)
FOREIGN = st.tuples(
    st.just("foreign"), st.sampled_from(("start", "stop", "remove", "grow")), WHICH
)
FAULT = st.one_of(
    st.tuples(
        st.just("fault"),
        st.sampled_from(("reset", "error", "error", "lose", "lose-hang", "hang")),
        st.sampled_from(MATCHES),
        st.integers(1, 3),
        st.sampled_from((500, 502, 503)),
    ),
    st.tuples(
        st.just("fault"), st.just("empty"), st.just("PUT /2/query/instance"),
        st.just(1), st.just(0),
    ),
    st.tuples(
        st.just("fault"), st.sampled_from(("fail", "full")),
        st.sampled_from(("OP_INSTANCE_CREATE", "OP_INSTANCE_*")), st.just(1),
        st.just(0),
    ),
)  # fmt: skip
TROUBLE = st.one_of(
    FAULT,
    st.tuples(st.just("archive")),
    st.tuples(st.just("rewind"), st.sampled_from((0, 5, 10_000))),
    st.tuples(st.just("reboot")),
    st.tuples(st.just("crash"), st.sampled_from(POINTS)),
    st.tuples(st.just("cut")),
    st.tuples(st.just("latency"), st.sampled_from((0.0, 0.1, 0.4))),
)
PAUSE = st.tuples(st.just("pause"), st.sampled_from((0.05, 0.3, 1.0)))
PLANS = st.lists(
    st.one_of(CREATE, ACT, ACT, FOREIGN, TROUBLE, TROUBLE, PAUSE),
    min_size=6,
    max_size=16,
)


class ChaosCase(TestCase):
    async def setUp(self) -> None:  # type: ignore[override]
        data = Path(self.mktemp())
        data.mkdir(parents=True)
        pocket = make_pocket(
            Settings(
                data=data,
                port="tcp:0:interface=127.0.0.1",
                users=(User("snfd", "secret", frozenset({WRITE})),),
                hypervisor="fake",
            ),
            reactor,
        )
        pocket.startService()
        self.addCleanup(pocket.stopService)
        close_all(self)
        await pocket.ready
        [pem] = data.glob("**/*cert*.pem")
        ca = "".join(pem.read_text().partition("-----BEGIN CERTIFICATE-----")[1:])
        self.pocket = pocket
        self.chaos = Chaos(self, fresh_dsn(self), pocket, ca)
        await self.chaos.prepare()

    async def survives(self, plan: Any) -> None:
        """Do a plan, then nothing goes wrong any more, and all is right in the end."""
        for step in plan:
            await self.chaos.do(step)
        await self.chaos.calm()
        await self.chaos.settled()
        self.flushLoggedErrors(Killed)

    def drive(self, examples: int) -> None:
        """In a thread: hypothesis knows no Deferreds."""

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(PLANS)
        def run(plan: Any) -> None:
            note(str(plan))
            here: Any = reactor
            blockingCallFromThread(here, lambda: in_reactor(self.survives(plan)))

        run()


@pytest.mark.rig("pocket")
@pytest.mark.timeout(900)
class ChaosTests(ChaosCase):
    timeout = 880

    async def test_cyclades_80_81_83_84_whatever_happens(self) -> None:
        await deferToThread(self.drive, int(environ.get("CHAOS", EXAMPLES)))
        [(made,)] = await self.chaos.db.read("SELECT count(*) FROM compute.server")
        self.assertGreater(made, 0)

    async def test_the_oracle_sees_what_is_wrong(self) -> None:
        await self.survives([("create",)])
        for damage in (
            "UPDATE compute.server SET state = 'STOPPED'",
            "UPDATE compute.server SET flavor = (SELECT max(id) FROM compute.flavor)",
            "UPDATE compute.ip SET addr = addr + 7",
            "UPDATE compute.ip_slot SET state = 'free'",
            "UPDATE compute.port SET mac = 'aa:00:01:02:03:04'",
            "UPDATE quota.holding SET usage_max = 9, usage_min = 9",
            "DELETE FROM compute.port",
        ):
            self.assertNotEqual([], await self.chaos.wrong_after(damage), damage)
        self.assertEqual([], await self.chaos.wrong())

    async def test_a_quiet_day(self) -> None:
        await self.survives(
            [("create",), ("create",), ("pause", 1.0), ("act", "stop", 0),
             ("act", "delete", 1), ("foreign", "grow", 0)]
        )  # fmt: skip


@pytest.mark.rig("pocket")
@pytest.mark.long
@pytest.mark.timeout(7200)
class LongChaosTests(ChaosCase):
    """Many plans: an hour on a slow machine."""

    timeout = 7180

    async def test_chaos(self) -> None:
        await deferToThread(self.drive, int(environ.get("CHAOS", EXAMPLES_LONG)))
