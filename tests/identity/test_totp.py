"""One-time codes: RFC 6238, and accounts that ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen
from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.errors import Conflict, Invalid, NotFound, TooManyRequests, Unauthorized
from snfd.identity import totp
from snfd.identity.model import Caller, Issued, Scope, Scoping, UserRef
from snfd.identity.proof import NEEDS_CODE, REFUSED
from snfd.identity.second_factor import FactorState, SecondFactors
from snfd.identity.throttle import Guess, Throttle
from tests.identity.cloud import identity_cloud

DEFAULT = Scope(Scoping.DEFAULT)
SEED = b"12345678901234567890"


class CodeTests(SynchronousTestCase):
    def test_the_vectors_of_rfc_6238(self) -> None:
        """Appendix B has eight digits; apps show the last six."""
        for seconds, code in (
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (2000000000, "279037"),
            (20000000000, "353130"),
        ):
            self.assertEqual(code, totp.code(SEED, totp.step_of(seconds)))

    def test_a_clock_may_be_half_a_minute_wrong(self) -> None:
        code = totp.code(SEED, 10)
        for at, found in ((269, None), (270, 10), (300, 10), (359, 10), (360, None)):
            self.assertEqual(found, totp.matching(SEED, code, at, 0), at)

    def test_used_codes_and_older_ones_match_no_more(self) -> None:
        code = totp.code(SEED, 10)
        self.assertEqual(10, totp.matching(SEED, code, 300, 9))
        self.assertIsNone(totp.matching(SEED, code, 300, 10))
        self.assertIsNone(totp.matching(SEED, totp.code(SEED, 9), 300, 10))

    def test_what_is_no_code_matches_nothing(self) -> None:
        for given in ("", "12345", "1234567", "x" * 64, "\ud800", "１２３４５６"):
            self.assertIsNone(totp.matching(SEED, given, 300, 0))

    def test_codes_may_have_a_gap(self) -> None:
        code = totp.code(SEED, 10)
        given = f"{code[:3]} {code[3:]}"
        self.assertEqual(10, totp.matching(SEED, given, 300, 0))

    def test_a_seed_as_text_and_for_a_qr_code(self) -> None:
        self.assertEqual(SEED, totp.from_text(totp.as_text(SEED)))
        self.assertEqual(
            "otpauth://totp/Our%20Cloud:demo%40x.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3"
            "TQOJQ&issuer=Our%20Cloud&algorithm=SHA1&digits=6&period=30",
            totp.uri(SEED, "demo@x.org", "Our Cloud"),
        )


@frozen(eq=False, kw_only=True)
class MeanwhileWrong(Throttle):
    """Lets in, and then others fail."""

    meanwhile: Guess

    async def admit(self, guess: Guess) -> None:
        await Throttle.admit(self, guess)
        for _ in range(self.failures):
            await self.failed(self.meanwhile, None)


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")
        self.factors = SecondFactors(
            self.cloud.db,
            self.cloud.verifier,
            self.cloud.clock,
            self.cloud.keys,
            self.cloud.random,
        )

    @property
    def caller(self) -> Caller:
        return self.cloud.wait(
            self.cloud.authenticator(self.cloud.login("demo").secret)
        )

    def code(self, later: int = 0) -> str:
        """The code that the app shows in ``later`` steps."""
        step = totp.step_of(self.cloud.clock.seconds())
        return totp.code(self.seed, step + later)

    def enable(self) -> Sequence[str]:
        """Set it up; the recovery codes."""
        self.me = self.caller
        enrolled = self.cloud.wait(self.factors.enrol(self.me, "secret", ""))
        self.seed = totp.from_text(enrolled.secret)
        codes = self.cloud.wait(self.factors.confirm(self.me, self.code(), ""))
        self.cloud.clock.advance(30)
        return codes

    def login(self, password: str, code: str | None) -> Issued:
        return self.cloud.wait(
            self.cloud.identity.login(UserRef("demo"), password, DEFAULT, passcode=code)
        )

    def refused(self, password: str, code: str | None) -> Exception:
        login = self.cloud.identity.login(
            UserRef("demo"), password, DEFAULT, passcode=code
        )
        return self.cloud.fails(login, Unauthorized, TooManyRequests, Invalid)


class LoginTests(Base):
    def test_password_and_code_together(self) -> None:
        self.enable()
        issued = self.login("secret", self.code())
        self.assertEqual(("password", "totp"), issued.token.methods)

    def test_the_password_alone_is_told_what_is_missing_and_only_that(self) -> None:
        self.enable()
        self.assertEqual(NEEDS_CODE, str(self.refused("secret", None)))
        self.assertEqual(REFUSED, str(self.refused("wrong", None)))
        self.assertEqual(REFUSED, str(self.refused("wrong", self.code())))

    def test_a_code_works_once(self) -> None:
        self.enable()
        code = self.code()
        self.login("secret", code)
        self.assertEqual(REFUSED, str(self.refused("secret", code)))
        self.cloud.clock.advance(30)
        self.assertEqual(REFUSED, str(self.refused("secret", code)))
        self.login("secret", self.code())

    def test_the_code_that_set_it_up_is_used_too(self) -> None:
        self.enable()
        self.cloud.clock.advance(-30)
        self.assertEqual(REFUSED, str(self.refused("secret", self.code())))

    def test_wrong_codes_are_throttled(self) -> None:
        self.enable()
        for _ in range(3):
            self.assertEqual(REFUSED, str(self.refused("secret", "000000")))
        late = self.refused("secret", self.code())
        self.assertIsInstance(late, TooManyRequests)

    def test_other_spellings_of_the_name_buy_no_more_guesses(self) -> None:
        self.enable()
        for name in ("demo", "demo@example.org", str(self.demo)):
            login = self.cloud.identity.login(
                UserRef(name), "secret", DEFAULT, passcode="000000"
            )
            self.cloud.fails(login, Unauthorized)
        late = self.refused("secret", self.code())
        self.assertIsInstance(late, TooManyRequests)

    def test_many_guesses_at_once_are_worth_no_more(self) -> None:
        """A right code that was looked at among many wrong ones is not believed."""
        self.enable()
        throttle = MeanwhileWrong(
            self.cloud.db, self.cloud.clock, meanwhile=Guess(str(self.demo))
        )
        verifier = evolve(self.cloud.verifier, throttle=throttle)
        late = verifier.second_factor(self.demo, self.code(), "")
        self.cloud.fails(late, TooManyRequests)

    def test_recovery_codes_work_once_each_however_they_are_typed(self) -> None:
        first, second, *_ = self.enable()
        self.login("secret", first)
        self.assertEqual(REFUSED, str(self.refused("secret", first)))
        self.login("secret", second.upper().replace("-", " "))
        state = self.cloud.wait(self.factors.state(self.demo))
        self.assertEqual(FactorState(True, 8), state)

    def test_a_token_stands_for_both_factors(self) -> None:
        self.enable()
        issued = self.login("secret", self.code())
        again = self.login(issued.secret, None)
        self.assertEqual(("password", "totp", "token"), again.token.methods)

    def test_who_has_none_must_not_give_one(self) -> None:
        self.assertEqual(REFUSED, str(self.refused("secret", "123456")))
        self.assertIsInstance(self.refused("secret", "1" * 65), Invalid)


class SettingUpTests(Base):
    def test_nothing_is_asked_for_until_a_code_was_right(self) -> None:
        me = self.caller
        self.cloud.wait(self.factors.enrol(me, "secret", ""))
        self.assertEqual(("password",), self.login("secret", None).token.methods)
        self.cloud.fails(self.factors.confirm(me, "000000", ""), Unauthorized)
        self.assertEqual(("password",), self.login("secret", None).token.methods)

    def test_enrolling_anew_replaces_the_seed(self) -> None:
        me = self.caller
        first = self.cloud.wait(self.factors.enrol(me, "secret", ""))
        second = self.cloud.wait(self.factors.enrol(me, "secret", ""))
        self.assertNotEqual(first.secret, second.secret)
        self.seed = totp.from_text(first.secret)
        self.cloud.fails(self.factors.confirm(me, self.code(), ""), Unauthorized)
        self.seed = totp.from_text(second.secret)
        self.cloud.wait(self.factors.confirm(me, self.code(), ""))

    def test_a_token_alone_sets_nothing_up(self) -> None:
        me = self.caller
        self.cloud.fails(self.factors.enrol(me, "wrong", ""), Unauthorized)
        self.cloud.fails(self.factors.confirm(me, "000000", ""), NotFound)

    def test_twice_is_a_conflict(self) -> None:
        self.enable()
        self.cloud.fails(self.factors.enrol(self.me, "secret", ""), Conflict)
        self.cloud.fails(self.factors.confirm(self.me, self.code(), ""), Conflict)

    def test_a_code_ends_it(self) -> None:
        recovery = self.enable()
        self.cloud.fails(self.factors.disable(self.me, "000000", ""), Unauthorized)
        self.cloud.wait(self.factors.disable(self.me, recovery[0], ""))
        self.assertEqual(("password",), self.login("secret", None).token.methods)
        state = self.cloud.wait(self.factors.state(self.demo))
        self.assertEqual(FactorState(False, 0), state)

    def test_administrators_take_it_off(self) -> None:
        self.enable()
        root = Actor(None, "root")
        self.cloud.wait(self.factors.reset(self.demo, root))
        self.cloud.fails(self.factors.reset(self.demo, root), NotFound)
        self.login("secret", None)
        trail = self.cloud.sql("SELECT actor_name, action FROM ops.audit")
        self.assertEqual(
            [("demo", "second_factor.enable"), ("root", "second_factor.disable")], trail
        )

    def test_nothing_of_it_can_be_read_in_a_dump(self) -> None:
        codes = self.enable()
        (row,) = self.cloud.sql("SELECT secret FROM identity.totp")
        assert isinstance(row[0], bytes | memoryview)
        self.assertNotIn(self.seed, bytes(row[0]))
        hashes = self.cloud.sql(
            "SELECT encode(hash, 'escape') FROM identity.recovery_code"
        )
        for code in codes:
            self.assertNotIn(totp.plain(code), str(hashes))
