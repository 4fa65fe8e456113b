"""How logins end is counted, by method; so are commissions and good tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid, TooManyRequests, Unauthorized, Unavailable
from snfd.identity.model import UserRef
from snfd.identity.tally import OUTCOMES, counted
from snfd.identity.upkeep import TokenUpkeep
from snfd.observe import Metrics
from snfd.quota.watch import CommissionWatch
from snfd.wiring.figures import commissions, tally, validations
from tests.identity.cloud import identity_cloud


class CountedTests(SynchronousTestCase):
    def test_every_end_has_a_word(self) -> None:
        told: list[tuple[str, str]] = []
        ends: tuple[type[Exception], ...] = (
            Unauthorized,
            Invalid,
            TooManyRequests,
            Unavailable,
            KeyError,
        )
        for end in ends:
            with self.assertRaises(end), counted(lambda *one: told.append(one), "x"):
                raise end("why")
        with counted(lambda *one: told.append(one), "x"):
            pass
        with counted(lambda *one: told.append(one), "x", success=False):
            pass
        words = "refused", "refused", "throttled", "unavailable", "broken", "success"
        self.assertEqual([("x", word) for word in words], told)
        self.assertEqual(set(OUTCOMES), set(words))


class FiguresTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.user = self.cloud.user("demo", "secret")
        self.metrics = Metrics()

    def figure(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    def test_passwords(self) -> None:
        verifier = evolve(self.cloud.verifier, tally=tally(self.metrics))

        def attempt(password: str) -> Deferred[Any]:
            proving = verifier.by_password(UserRef("demo"), password, None, "")
            return Deferred.fromCoroutine(proving)

        self.successResultOf(attempt("secret"))
        for _ in range(3):
            self.failureResultOf(attempt("wrong"), Unauthorized)
        self.failureResultOf(attempt("wrong"), TooManyRequests)
        counts = [
            self.figure("snfd_logins_total", method="password", outcome=one)
            for one in ("success", "refused", "throttled", "broken")
        ]
        self.assertEqual([1, 3, 1, 0], counts)

    def test_tokens(self) -> None:
        upkeep = TokenUpkeep(self.cloud.clock, self.cloud.db)
        validations(self.metrics, upkeep)
        for _ in range(2):
            upkeep.used(b"hash")
        self.assertEqual(2, self.figure("snfd_token_validations_total"))

    def test_commissions(self) -> None:
        watch = CommissionWatch(self.cloud.clock, self.cloud.db)
        commissions(self.metrics, watch)
        self.cloud.wait(watch.round())
        figures = "snfd_commissions_pending", "snfd_commissions_oldest_seconds"
        self.assertEqual([0, 0], [self.figure(name) for name in figures])
        self.cloud.execute(
            "INSERT INTO quota.commission (clientkey, name, issued_at)"
            " VALUES ('x', '', to_timestamp(%s))",
            (self.cloud.clock.seconds() - timedelta(hours=1).total_seconds(),),
        )
        self.cloud.wait(watch.round())
        self.assertEqual([1, 3600], [self.figure(name) for name in figures])
