"""What `Courier` promises, for the memory's and a real server's."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from snfd.errors import Unavailable
from snfd.mail.port import Connection, Courier, Parcel
from snfd.mail.states import Outcome

LOST = "lost"
LOST_AFTER = "taken and lost"


async def go() -> bool:
    """Nobody minds."""
    return True


class CourierContract(TestCase):
    """Subclasses set ``courier`` in `setUp`; import the module, not this.

    :ivar silent: whether a fault means waiting for a timeout.
    """

    courier: Courier

    def happens(self, **events: Sequence[int | str]) -> None:
        """Have these things happen at ``connect mail rcpt data end``, each once."""
        raise NotImplementedError

    def taken(self) -> Sequence[tuple[str, str, bytes]]:
        """(sender, recipient, data) of what the server took."""
        raise NotImplementedError

    def connections(self) -> int:
        """How many connections took letters, or were made."""
        raise NotImplementedError

    async def connected(self) -> Connection:
        """A connection that is closed at the end of the test."""
        made = await self.courier.connect()
        self.addCleanup(lambda: self._closed(made))
        return made

    def _closed(self, made: Connection) -> object:
        return Deferred.fromCoroutine(made.close())

    def parcel(self, to: str = "a@example.org", text: str = "hello") -> Parcel:
        """A letter."""
        data = f"Subject: x\r\nTo: {to}\r\n\r\n{text}\r\n".encode()
        return Parcel("snfd@example.org", to, data)

    async def test_a_letter_arrives_as_it_is(self) -> None:
        lines = "a\r\n.\r\n..\r\n.hidden\r\n" + "x" * 900 + "\r\nend ünd"
        parcel = self.parcel(text=lines)
        verdict = await (await self.connected()).send(parcel, go)
        self.assertEqual(Outcome.TAKEN, verdict.outcome, verdict)
        self.assertEqual([(parcel.sender, parcel.to, parcel.data)], list(self.taken()))

    async def test_several_letters_go_by_one_connection(self) -> None:
        connection = await self.connected()
        for number in range(3):
            verdict = await connection.send(self.parcel(f"{number}@example.org"), go)
            self.assertEqual(Outcome.TAKEN, verdict.outcome)
            self.assertTrue(connection.usable)
        self.assertEqual(3, len(self.taken()))
        self.assertEqual(1, self.connections())

    async def test_nothing_is_taken_of_a_letter_that_may_not_go(self) -> None:
        async def stop() -> bool:
            return False

        connection = await self.connected()
        verdict = await connection.send(self.parcel(), stop)
        self.assertEqual(Outcome.UNTRIED, verdict.outcome)
        self.assertFalse(connection.usable)
        self.assertEqual([], list(self.taken()))

    async def test_nothing_is_taken_of_a_letter_when_asking_fails(self) -> None:
        async def fails() -> bool:
            raise Unavailable("database")

        connection = await self.connected()
        with self.assertRaises(Unavailable):
            await connection.send(self.parcel(), fails)
        self.assertFalse(connection.usable)
        self.assertEqual([], list(self.taken()))

    async def test_asked_once_and_only_for_what_is_accepted_so_far(self) -> None:
        asked: list[str] = []

        async def count() -> bool:
            asked.append("x")
            return True

        self.happens(rcpt=[550], data=[451], mail=[])
        connection = await self.connected()
        await connection.send(self.parcel(), count)
        await connection.send(self.parcel(), count)
        self.assertEqual([], asked)
        await connection.send(self.parcel(), count)
        self.assertEqual(["x"], asked)

    async def test_what_is_put_off_is_put_off(self) -> None:
        for point in ("mail", "rcpt", "data", "end"):
            self.happens(**{point: [450]})
            connection = await self.connected()
            verdict = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.LATER, verdict.outcome, point)
            self.assertIn("450", verdict.reason)
            self.assertTrue(connection.usable, point)
            again = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.TAKEN, again.outcome, (point, again))
        self.assertEqual(4, len(self.taken()))

    async def test_what_is_refused_for_good_is_refused(self) -> None:
        for point in ("rcpt", "data", "end"):
            self.happens(**{point: [550]})
            connection = await self.connected()
            verdict = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.REFUSED, verdict.outcome, point)
            self.assertIn("550", verdict.reason)
            again = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.TAKEN, again.outcome, (point, again))

    async def test_a_refusal_of_us_is_none_of_the_letter(self) -> None:
        self.happens(mail=[550], rcpt=[])
        connection = await self.connected()
        verdict = await connection.send(self.parcel(), go)
        self.assertEqual(Outcome.UNTRIED, verdict.outcome)
        self.assertIn("550", verdict.reason)
        self.assertFalse(connection.usable)

    async def test_a_connection_lost_before_the_end_leaves_no_doubt(self) -> None:
        for point in ("mail", "rcpt", "data"):
            self.happens(**{point: [LOST]})
            connection = await self.connected()
            verdict = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.LATER, verdict.outcome, point)
            self.assertNotEqual("", verdict.reason)
            self.assertFalse(connection.usable)
            verdict = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.LATER, verdict.outcome, point)
        self.assertEqual([], list(self.taken()))

    async def test_a_connection_lost_at_the_end_leaves_doubt(self) -> None:
        for event, count in ((LOST, 0), (LOST_AFTER, 1)):
            self.happens(end=[event])
            connection = await self.connected()
            verdict = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.DOUBTFUL, verdict.outcome)
            self.assertFalse(connection.usable)
            self.assertEqual(count, len(self.taken()))

    async def test_a_server_that_says_goodbye_takes_no_more(self) -> None:
        self.happens(mail=[421])
        connection = await self.connected()
        verdict = await connection.send(self.parcel(), go)
        self.assertEqual(Outcome.LATER, verdict.outcome)
        self.assertFalse(connection.usable)

    async def test_no_server(self) -> None:
        self.happens(connect=[LOST])
        with self.assertRaises(Unavailable):
            await self.courier.connect()
        await self.connected()
