"""What administrators see of a lost key, and do for those whom it shut out."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from api.admin.faults import DIALECT
from api.admin.operations import WatchApi
from api.admin.people import FactorsApi
from api.dispatch import build
from snfd.admin.doctor import Doctor
from snfd.errors import Unavailable
from snfd.identity import totp
from snfd.identity.proof import Verifier
from snfd.identity.second_factor import SecondFactors
from snfd.projects.application_store import undecided
from snfd.quota.integrity import Integrity
from snfd.secrets import KeyRing, _Key
from tests.admin.test_api import AdminCase
from tests.api.memory import Browser

OTHER = KeyRing((_Key(b"\x01" * 32),))


class LostKeyTests(AdminCase):
    """User demo has one-time codes, sealed with a key that is gone."""

    def setUp(self) -> None:
        super().setUp()
        cloud = self.cloud
        factors = SecondFactors(
            cloud.db, cloud.verifier, cloud.clock, cloud.keys, cloud.random
        )
        caller = self.wait(cloud.authenticator(cloud.login("demo").secret))
        made = self.wait(factors.enrol(caller, "secret", ""))
        code = totp.code(
            totp.from_text(made.secret), totp.step_of(cloud.clock.seconds())
        )
        self.codes = self.wait(factors.confirm(caller, code, ""))
        gate: Any = self.services.staff
        integrity = Integrity(cloud.db, undecided)
        doctor = Doctor(cloud.db, integrity, OTHER.idents)
        watch = WatchApi(self.services.trail, doctor, self.services.statistics)
        self.web = Browser(
            build(DIALECT, gate, watch, FactorsApi(self.services, factors)),
            cloud.login("admin").secret,
        )
        self.verifier = Verifier(
            cloud.db,
            cloud.verifier.passwords,
            cloud.clock,
            OTHER,
            cloud.verifier.throttle,
        )

    def wait(self, work: Any) -> Any:
        return self.cloud.wait(work)

    def test_the_doctor_counts_what_cannot_be_opened(self) -> None:
        (found,) = (
            one for one in self.get("/doctor")["items"] if one["check"] == "secret-lost"
        )
        self.assertEqual("identity.totp, secret", found["what"])
        self.assertIn("1 of 1 sealed with a key that is missing", found["how"])
        self.assertIn("snfctl user remove-second-factor", found["remedy"])

    def test_a_recovery_code_needs_no_key(self) -> None:
        proved = self.verifier.second_factor(self.demo, self.codes[0], "")
        self.assertEqual(("totp",), self.wait(proved))
        wrong = self.verifier.second_factor(self.demo, "000000", "")
        self.failureResultOf(Deferred.fromCoroutine(wrong), Unavailable)

    def test_an_administrator_takes_the_second_factor_off(self) -> None:
        answer = self.web.delete("/users/demo/second-factor")
        self.assertEqual(204, answer.status, answer.body)
        self.assertEqual(404, self.web.delete("/users/demo/second-factor").status)
        self.assertEqual(
            (), self.wait(self.verifier.second_factor(self.demo, None, ""))
        )
        self.web.token = self.cloud.login("helper").secret
        self.assertEqual(403, self.web.delete("/users/demo/second-factor").status)
