"""The sender: what becomes of letters, whatever dies meanwhile."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Unavailable
from snfd.mail import store
from snfd.mail.compose import Composer
from snfd.mail.courier import MemoryCourier
from snfd.mail.model import Kind, Letter
from snfd.mail.sender import BATCH, Sender
from snfd.mail.service import Post
from snfd.mail.texts import Branding, Texts, load
from snfd.secrets import KeyRing, load_or_create
from tests.blocking import BlockingDatabase
from tests.identity.cloud import START, wait_for
from tests.postgres import blocking_database


@define(eq=False)
class Rig:
    """A sender, a server in memory, and a letter box."""

    case: SynchronousTestCase
    clock: Clock = field(factory=Clock)
    courier: MemoryCourier = field(factory=MemoryCourier)
    outcomes: list[str] = field(factory=list)
    senders: list[Sender] = field(factory=list)
    db: BlockingDatabase = field(init=False)
    keys: KeyRing = field(init=False)
    post: Post = field(init=False)
    texts: Texts = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.clock.advance(START.timestamp())
        self.db = blocking_database(self.case)
        folder = Path(self.case.mktemp())
        folder.mkdir(mode=0o700)
        self.keys = load_or_create(folder / "keys")
        self.post = Post(self.keys)
        self.texts = load(None, Branding("Cloud", site="https://c.example.org"))

    def sender(self, **more: Any) -> Sender:
        """A sender, started."""
        given: dict[str, Any] = {
            "db": self.db,
            "courier": self.courier,
            "compose": Composer(self.texts, "snfd@example.org"),
            "counted": self.outcomes.append,
            **more,
        }
        made = Sender(clock=self.clock, sealer=self.keys, **given)
        self.senders.append(made)
        made.startService()
        return made

    def put(self, number: int = 1, to: str = "a@example.org") -> None:
        """Post a letter of an event of its own."""
        values = {"name": f"name {number}", "link": f"https://secret/{number}"}
        letter = Letter(f"reset:{number}", to, Kind.RESET, values)
        wait_for(self.case, self.db.run(self.post.put, letter))

    def row(self, number: int = 1) -> dict[str, Any]:
        """What the database says of the letter."""
        names = "state words attempts due refused tries handed repeats last_error"
        rows = wait_for(
            self.case,
            self.db.read(
                f"SELECT {', '.join(names.split())}, finished FROM ops.mail"
                " WHERE event = %s",
                (f"reset:{number}",),
            ),
        )
        [row] = rows
        return dict(zip([*names.split(), "finished"], row, strict=True))

    def ended(self, number: int) -> tuple[str, int]:
        """State of the letter, and how often it was repeated."""
        row = self.row(number)
        return row["state"], row["repeats"]

    def events(self) -> list[str]:
        """Message-IDs of what was taken."""
        return [
            line
            for parcel in self.courier.taken
            for line in parcel.data.decode().splitlines()
            if line.startswith("Message-ID")
        ]

    def later(self, seconds: float, step: float = 1.0) -> None:
        """Have time pass."""
        for _ in range(int(seconds / step)):
            self.clock.advance(step)


class Away:
    """A database that fails the ``broken`` works, so often."""

    def __init__(self, db: Any, **broken: int) -> None:
        self.db, self.broken = db, broken

    def run(self, work: Any, *args: Any, **kwargs: Any) -> Deferred[Any]:
        name = work.__name__
        if self.broken.get(name, 0) > 0:
            self.broken[name] -= 1
            return fail(Unavailable("away"))
        result: Deferred[Any] = self.db.run(work, *args, **kwargs)
        return result


class SenderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rig = Rig(self)

    def tearDown(self) -> None:
        for sender in self.rig.senders:
            if sender.running:
                self.successResultOf(sender.stopService())
        self.assertEqual([], self.rig.clock.getDelayedCalls())

    def test_a_letter_is_sent_once_and_its_words_forgotten(self) -> None:
        self.rig.put()
        sender = self.rig.sender()
        row = self.rig.row()
        self.assertEqual(
            ("sent", None, None), (row["state"], row["words"], row["due"] and None)
        )
        self.assertIsNotNone(row["finished"])
        [parcel] = self.rig.courier.taken
        self.assertEqual("a@example.org", parcel.to)
        self.assertIn(b"https://secret/1", parcel.data)
        self.assertEqual(["sent"], self.rig.outcomes)
        self.assertEqual(0, sender.waiting.count)
        self.rig.later(100)
        self.assertEqual(1, len(self.rig.courier.taken))

    def test_one_event_is_one_letter_for_one_address(self) -> None:
        self.rig.put()
        self.rig.put()
        self.rig.put(to="b@example.org")
        self.rig.sender()
        self.rig.put()
        self.rig.later(30)
        self.assertEqual(
            ["a@example.org", "b@example.org"],
            sorted(parcel.to for parcel in self.rig.courier.taken),
        )
        self.assertEqual(2, len(set(self.rig.events())))

    def test_a_new_letter_is_sent_when_heard_of_or_after_a_while(self) -> None:
        sender = self.rig.sender()
        self.rig.put(1)
        sender.heard("new")
        self.assertEqual("sent", self.rig.row(1)["state"])
        self.rig.put(2)
        self.rig.later(16)
        self.assertEqual("sent", self.rig.row(2)["state"])

    def test_many_letters_go_by_one_connection(self) -> None:
        for number in range(BATCH * 2 + 3):
            self.rig.put(number)
        self.rig.sender()
        self.assertEqual(BATCH * 2 + 3, len(self.rig.courier.taken))
        self.assertEqual(1, self.rig.courier.connections)

    def test_without_a_server_letters_wait_and_one_line_says_so(self) -> None:
        seen: list[dict[str, Any]] = []
        observer: Any = seen.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.rig.put()
        sender = self.rig.sender(courier=None)
        self.rig.later(120)
        self.assertEqual(1, sender.waiting.count)
        self.assertEqual("new", self.rig.row()["state"])
        told = [one for one in seen if "[mail] server" in str(one.get("log_format"))]
        self.assertEqual(1, len(told))

    def test_a_letter_that_is_refused_fails_and_says_why(self) -> None:
        self.rig.courier.script = {"rcpt": [550]}
        self.rig.put(1)
        self.rig.put(2)
        self.rig.sender()
        row = self.rig.row(1)
        self.assertEqual(("failed", None), (row["state"], row["words"]))
        self.assertIn("550", row["last_error"])
        self.assertEqual("sent", self.rig.row(2)["state"])
        self.assertEqual(["failed", "sent"], self.rig.outcomes)

    def test_a_letter_that_is_put_off_is_tried_after_doubling_pauses(
        self,
    ) -> None:
        tries: list[float] = []

        async def count(point: str) -> None:
            if point == "rcpt":
                tries.append(self.rig.clock.seconds() - START.timestamp())

        self.rig.courier.before = count
        self.rig.courier.script = {"rcpt": [450] * 7}
        self.rig.put()
        self.rig.sender()
        self.rig.later(3000, 10)
        self.assertEqual([0, 30, 60, 120, 240, 480, 960, 1920], tries)
        row = self.rig.row()
        self.assertEqual(("sent", 7), (row["state"], row["tries"]))
        self.assertEqual(["deferred"] * 7 + ["sent"], self.rig.outcomes)

    def test_a_letter_is_given_up_after_days(self) -> None:
        self.rig.courier.script = {"rcpt": [450] * 1000}
        self.rig.put()
        self.rig.sender()
        self.rig.later(2.9 * 86400, 900)
        self.assertEqual("new", self.rig.row()["state"])
        self.rig.later(86400, 900)
        row = self.rig.row()
        self.assertEqual(("failed", None), (row["state"], row["words"]))
        self.assertIn("450", row["last_error"])
        self.assertLess(row["attempts"], 100)

    def test_a_server_that_is_away_costs_no_letter_its_life(self) -> None:
        self.rig.courier.script = {"rcpt": [450], "connect": [0, *["lost"] * 10_000]}
        self.rig.put()
        self.rig.put(2)
        self.rig.sender()
        self.rig.later(6 * 86400, 3600)
        self.assertEqual("new", self.rig.row()["state"])
        self.rig.courier.script = {"rcpt": [450]}
        self.rig.later(7200, 60)
        self.assertEqual("sent", self.rig.row()["state"])
        self.assertEqual("sent", self.rig.row(2)["state"])

    def test_no_letter_is_taken_up_while_the_server_is_away(self) -> None:
        self.rig.courier.script = {"connect": ["lost"] * 50}
        self.rig.put()
        sender = self.rig.sender()
        before = self.rig.db.statements
        for _ in range(100):
            sender.heard()
        self.assertEqual(before, self.rig.db.statements)
        self.rig.later(600)
        self.assertLess(50 - len(self.rig.courier.script["connect"]), 25)
        self.assertEqual(0, self.rig.row()["attempts"])
        self.assertEqual("mail server: away", self.rig.row()["last_error"])
        self.rig.courier.script = {}
        self.rig.later(60)
        self.assertEqual("sent", self.rig.row()["state"])

    def test_a_refusal_of_our_address_is_for_the_operator_to_mend(self) -> None:
        self.rig.courier.script = {"mail": [550] * 10_000}
        for number in range(3):
            self.rig.put(number)
        self.rig.sender()
        self.rig.later(5 * 86400, 3600)
        self.assertEqual([], self.rig.outcomes)
        self.assertEqual("new", self.rig.row(1)["state"])
        self.rig.courier.script = {}
        self.rig.later(120)
        self.assertEqual(["sent"] * 3, self.rig.outcomes)

    def test_a_connection_lost_before_the_end_is_made_again(self) -> None:
        self.rig.courier.script = {"data": ["lost"]}
        self.rig.put(1)
        self.rig.put(2)
        self.rig.sender()
        self.assertEqual("sent", self.rig.row(2)["state"])
        self.assertEqual(2, self.rig.courier.connections)
        row = self.rig.row(1)
        self.assertEqual(("new", None), (row["state"], row["handed"]))
        self.rig.later(31)
        self.assertEqual(
            ("sent", 0), (self.rig.row(1)["state"], self.rig.row(1)["repeats"])
        )

    def test_doubt_is_told_and_the_letter_repeated_with_the_same_id(self) -> None:
        self.rig.courier.script = {"end": ["taken and lost"]}
        self.rig.put()
        self.rig.sender()
        self.assertEqual("new", self.rig.row()["state"])
        self.rig.later(31)
        row = self.rig.row()
        self.assertEqual(("sent", 1), (row["state"], row["repeats"]))
        first, second = self.rig.events()
        self.assertEqual(first, second)
        self.assertEqual(self.rig.courier.taken[0].data, self.rig.courier.taken[1].data)
        self.assertEqual(["deferred", "repeated", "sent"], self.rig.outcomes)

    def test_what_was_taken_is_noted_before_anything_else_once_that_works(self) -> None:
        db: Any = Away(self.rig.db, finish=3)
        self.rig.put()
        self.rig.sender(db=db)
        self.assertEqual("sending", self.rig.row()["state"])
        self.rig.later(5)
        self.assertEqual("sent", self.rig.row()["state"])
        self.rig.later(2000)
        self.assertEqual(1, len(self.rig.courier.taken))

    def test_a_letter_whose_handing_over_cannot_be_noted_does_not_go(self) -> None:
        db: Any = Away(self.rig.db, hand=1)
        self.rig.put()
        self.rig.sender(db=db)
        self.assertEqual([], self.rig.courier.taken)
        self.rig.later(62)
        self.assertEqual("sent", self.rig.row()["state"])
        self.assertEqual(0, self.rig.row()["repeats"])

    def test_the_letters_of_a_process_that_died_are_taken_up_again(self) -> None:
        self.rig.put(1)
        self.rig.put(2)
        when = START
        [first, _] = wait_for(
            self, self.rig.db.run(store.claim, when, when + timedelta(seconds=60), 10)
        )
        handed = when + timedelta(seconds=720)
        wait_for(self, self.rig.db.run(store.hand, first, when, handed))
        self.rig.sender()
        self.rig.later(59)
        self.assertEqual([], self.rig.courier.taken)
        self.rig.later(20)
        self.assertEqual(
            ("sent", 0), (self.rig.row(2)["state"], self.rig.row(2)["repeats"])
        )
        self.assertEqual("sending", self.rig.row(1)["state"])
        self.rig.later(720)
        self.assertEqual(
            ("sent", 1), (self.rig.row(1)["state"], self.rig.row(1)["repeats"])
        )

    def test_a_process_that_slept_too_long_sends_nothing(self) -> None:
        """Another one has taken its letter up."""
        self.rig.put()
        late = timedelta(seconds=100)

        async def sleep(point: str) -> None:
            if point == "data":
                self.rig.courier.before = None
                until = START + late * 2
                [again] = await self.rig.db.run(store.claim, START + late, until, 5)
                self.assertEqual(2, again.attempt)

        self.rig.courier.before = sleep
        self.rig.sender()
        self.assertEqual([], self.rig.courier.taken)
        self.rig.later(250)
        self.assertEqual(1, len(self.rig.courier.taken))
        self.assertEqual("sent", self.rig.row()["state"])

    def test_stopping_waits_for_the_letter_under_way_and_no_other(self) -> None:
        held: Deferred[None] = Deferred()

        async def hold(point: str) -> None:
            if point == "end":
                self.rig.courier.before = None
                await held

        self.rig.courier.before = hold
        self.rig.put(1)
        self.rig.put(2)
        sender = self.rig.sender()
        stopped = sender.stopService()
        self.assertNoResult(stopped)
        held.callback(None)
        self.successResultOf(stopped)
        self.assertEqual("sent", self.rig.row(1)["state"])
        row = self.rig.row(2)
        self.assertEqual(("new", 0), (row["state"], row["repeats"]))
        self.rig.sender()
        self.assertEqual("sent", self.rig.row(2)["state"])
        self.assertEqual(2, len(self.rig.courier.taken))

    def test_a_letter_that_cannot_be_opened_waits_for_its_key(self) -> None:
        self.rig.put()
        keys, folder = self.rig.keys, Path(self.mktemp())
        folder.mkdir(mode=0o700)
        self.rig.keys = load_or_create(folder / "keys")
        sender = self.rig.sender()
        self.assertEqual(("new", 1), (self.rig.row()["state"], self.rig.row()["tries"]))
        sender.sealer = keys
        self.rig.later(31)
        self.assertEqual("sent", self.rig.row()["state"])

    def test_a_letter_of_no_kind_fails_alone(self) -> None:
        self.rig.put(1)
        self.rig.put(2)
        [(first,)] = wait_for(self, self.rig.db.read("SELECT min(id) FROM ops.mail"))

        async def spoil(tx: Any) -> None:
            await tx.execute("UPDATE ops.mail SET kind = 'x' WHERE id = %s", (first,))

        wait_for(self, self.rig.db.run(spoil))
        self.rig.sender()
        self.assertEqual(1, len(self.rig.courier.taken))

    def test_what_is_no_address_gets_no_letter(self) -> None:
        for to in (
            "nobody",
            "a b@example.org",
            "a@example.org\r\nBcc: b@x",
            "x" * 300 + "@y",
        ):
            self.rig.put(to=to)
        rows = wait_for(self, self.rig.db.read("SELECT count(*) FROM ops.mail"))
        self.assertEqual([(0,)], rows)

    def test_old_letters_are_forgotten(self) -> None:
        self.rig.put(1)
        self.rig.courier.script = {"rcpt": [550]}
        self.rig.put(2)
        self.rig.sender()
        self.rig.put(3)
        before = START + timedelta(days=1)
        self.assertEqual(2, wait_for(self, self.rig.db.run(store.purge, before, 100)))
        self.assertEqual("new", self.rig.row(3)["state"])
