"""Failed logins are counted, by name and by address, for all processes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import TooManyRequests, Unauthorized
from snfd.identity import throttle_store
from snfd.identity.model import By, Issued, Scope, Scoping, UserRef
from snfd.identity.throttle import (
    MAX_TOLD,
    PER_ADDRESS,
    WINDOW,
    Guess,
    Throttle,
    network,
)
from tests.identity.cloud import START, identity_cloud

DEFAULT = Scope(Scoping.DEFAULT)
HOME = "192.0.2.1"


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.demo = self.cloud.user("demo")

    def guess(
        self, name: str, password: str = "wrong", address: str = HOME, by: By = By.ANY
    ) -> Exception:
        login = self.cloud.identity.login(
            UserRef(name, by), password, DEFAULT, address=address
        )
        return self.cloud.fails(login, Unauthorized, TooManyRequests)

    def right(self, name: str = "demo", address: str = HOME) -> Issued:
        login = self.cloud.identity.login(
            UserRef(name), "secret", DEFAULT, address=address
        )
        return self.cloud.wait(login)

    def trail(self) -> list[tuple[object, ...]]:
        return self.cloud.sql("SELECT action, target, details FROM ops.audit")


class ThrottleTests(Base):
    def test_astakos_64_the_fourth_wrong_password_and_then_even_the_right(self) -> None:
        for _ in range(3):
            self.assertIsInstance(self.guess("demo"), Unauthorized)
        self.cloud.clock.advance(10)
        refused = self.guess("demo")
        self.assertIsInstance(refused, TooManyRequests)
        assert isinstance(refused, TooManyRequests)
        self.assertEqual({"retry_after": 50}, refused.details)
        self.assertIsInstance(self.guess("demo", "secret"), TooManyRequests)
        self.cloud.clock.advance(49)
        self.assertIsInstance(self.guess("demo", "secret"), TooManyRequests)
        self.cloud.clock.advance(1)
        self.assertEqual(self.demo, self.right().token.user.uuid)

    def test_names_that_nobody_has_count_alike(self) -> None:
        told = {
            name: [str(self.guess(name)) for _ in range(5)] for name in ("demo", "x")
        }
        self.assertEqual(told["demo"], told["x"])

    def test_a_refused_guess_costs_no_hash_and_no_row(self) -> None:
        for _ in range(3):
            self.guess("demo")
        works, rows = self.cloud.thread.works, self.trail()
        for _ in range(3):
            self.guess("demo")
        self.assertEqual(works, self.cloud.thread.works)
        self.assertEqual(rows, self.trail())

    def test_unknown_user_and_wrong_password_cost_one_hash_each(self) -> None:
        for name in ("demo", "nobody"):
            before = self.cloud.thread.works
            statements = self.cloud.db.statements
            self.guess(name, address="")
            self.assertEqual(1, self.cloud.thread.works - before)
            cost = self.cloud.db.statements - statements
            if name == "demo":
                first = cost
        self.assertLessEqual(cost, first)

    def test_spellings_of_a_name_in_other_letters_are_one(self) -> None:
        for name in ("demo", "DEMO", " Demo "):
            self.guess(name)
        self.assertIsInstance(self.guess("demo"), TooManyRequests)

    def test_name_and_mail_count_apart_or_they_would_tell_each_other(self) -> None:
        for _ in range(3):
            self.guess("demo@example.org")
        self.assertIsInstance(self.guess("demo"), Unauthorized)

    def test_uuids_are_one_however_they_are_written(self) -> None:
        for name in (str(self.demo), self.demo.hex, str(self.demo).upper()):
            self.guess(name, by=By.ID)
        self.assertIsInstance(self.guess(str(self.demo)), TooManyRequests)

    def test_an_address_may_be_an_office_but_not_a_dictionary(self) -> None:
        for number in range(3 * PER_ADDRESS):
            self.assertIsInstance(self.guess(f"user{number}"), Unauthorized)
        self.assertIsInstance(self.guess("another"), TooManyRequests)
        self.assertIsInstance(self.guess("demo", "secret"), TooManyRequests)
        self.assertEqual(self.demo, self.right(address="192.0.2.2").token.user.uuid)

    def test_others_are_not_throttled(self) -> None:
        for _ in range(4):
            self.guess("nobody")
        self.assertEqual(self.demo, self.right().token.user.uuid)

    def test_a_token_in_place_of_the_password_is_no_guess(self) -> None:
        token = self.right().secret
        for _ in range(4):
            self.guess("demo")
        login = self.cloud.identity.login(UserRef("demo"), token, DEFAULT, address=HOME)
        self.assertEqual(self.demo, self.cloud.wait(login).token.user.uuid)

    def test_many_guesses_at_once_are_worth_no_more(self) -> None:
        """Those that were let in before the limit are not believed after it."""
        guess = Guess("demo", HOME)
        self.cloud.wait(self.cloud.throttle.admit(guess))
        for _ in range(3):
            self.cloud.wait(self.cloud.throttle.failed(guess, self.demo))
        late = self.cloud.throttle.failed(guess, self.demo)
        self.cloud.fails(late, TooManyRequests)
        self.cloud.fails(self.cloud.throttle.admit(guess), TooManyRequests)

    def test_all_processes_count_together(self) -> None:
        other = Throttle(self.cloud.db, self.cloud.clock)
        for _ in range(3):
            self.cloud.wait(other.failed(Guess("demo"), self.demo))
        self.assertIsInstance(self.guess("demo"), TooManyRequests)

    def test_old_counts_are_removed(self) -> None:
        self.guess("demo")
        purge = throttle_store.purge
        self.assertEqual(0, self.cloud.wait(self.cloud.db.run(purge, START, 10)))
        late = START + 2 * WINDOW
        self.assertEqual(2, self.cloud.wait(self.cloud.db.run(purge, late, 10)))


class TrailTests(Base):
    def test_the_first_failure_and_the_limit_are_told(self) -> None:
        for _ in range(6):
            self.guess("demo")
        self.assertEqual(
            [
                ("login.failed", f"user:{self.demo}", {"address": HOME, "failures": 1}),
                (
                    "login.throttled",
                    f"user:{self.demo}",
                    {"address": HOME, "failures": 3},
                ),
            ],
            self.trail(),
        )

    def test_what_nobody_is_called_is_not_told(self) -> None:
        self.guess("my password")
        ((action, target, details),) = self.trail()
        self.assertEqual(("login.failed", "user:unknown"), (action, target))
        self.assertNotIn("my password", str(details))

    def test_it_cannot_be_flooded(self) -> None:
        for number in range(MAX_TOLD + 5):
            self.guess(f"user{number}", address="")
        self.assertEqual(MAX_TOLD, len(self.trail()))


class NetworkTests(SynchronousTestCase):
    def test_what_one_customer_has_counts_as_one(self) -> None:
        self.assertEqual("192.0.2.1", network("192.0.2.1"))
        self.assertEqual("192.0.2.1", network("::ffff:192.0.2.1"))
        self.assertEqual(network("2001:db8::1"), network("2001:db8::ffff:1"))
        self.assertNotEqual(network("2001:db8::1"), network("2001:db8:0:1::1"))
        self.assertEqual("spam", network("spam"))
