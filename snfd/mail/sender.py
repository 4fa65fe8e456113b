"""Sends the letters that wait: each once, whatever dies meanwhile.

A process takes up a few letters for a while (`store.claim`). Right before the
end of a letter goes out it notes that the letter may be taken from now on, and
learns whether it is still this process's to send (`store.hand`). As soon as
the server has taken it that is noted, before anything else is done. A process
that dies before that leaves the letter to be sent once more, with the same
Message-ID; nothing else sends one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from snfd import probe
from snfd.clock import now
from snfd.db.port import Database
from snfd.errors import CloudError, Unavailable
from snfd.loop import Loop
from snfd.mail import store
from snfd.mail.compose import Composer
from snfd.mail.model import PutBack, Queued, given_up, pause
from snfd.mail.pace import Pace
from snfd.mail.port import Connection, Courier, Parcel, Verdict
from snfd.mail.states import STEPS, Outcome, State
from snfd.sealed import MAIL, Sealer

BATCH = 10
"""Letters that are taken up at once, and go by one connection."""

GRACE = 10.0
"""Seconds that a letter under way has to end once the daemon stops."""


@frozen
class Waiting:
    """Letters that have not ended, as of the last look.

    :ivar oldest: since when the oldest waits, or None.
    """

    count: int = 0
    oldest: datetime | None = None


@define(eq=False)
class Sender(Service):
    """Sends letters while it runs.

    :ivar courier: None where no mail server is configured: letters wait then.
    :ivar counted: called with ``sent``, ``failed``, ``deferred``, ``repeated``.
    """

    clock: Any
    db: Database
    sealer: Sealer
    compose: Composer
    courier: Courier | None
    pace: Pace = field(factory=Pace)
    counted: Callable[[str], object] = lambda outcome: None
    probe: probe.Probe = probe.nothing
    waiting: Waiting = field(init=False, default=Waiting())
    _loop: Loop = field(init=False)
    _untold: dict[int, tuple[Queued, Verdict]] = field(init=False, factory=dict)
    _connection: Connection | None = field(init=False, default=None)
    _connecting: Deferred[Connection] | None = field(init=False, default=None)
    _away_since: datetime | None = field(init=False, default=None)
    _away: str = field(init=False, default="")
    _told_waiting: bool = field(init=False, default=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._loop = Loop(self.clock, self._turn, "sending letters")

    def startService(self) -> None:
        """Look for letters at once."""
        Service.startService(self)
        self._loop.start()

    def stopService(self) -> Deferred[None]:
        """Take up nothing more; a letter under way may end, within `GRACE`."""
        Service.stopService(self)
        if self._connecting is not None:
            self._connecting.cancel()
        ended = self._loop.stop()
        if not ended.called:
            late = self.clock.callLater(GRACE, self._break_off)
            ended.addBoth(lambda _: late.cancel() if late.active() else None)
        return ended

    def heard(self, _: str = "") -> None:
        """There are letters: look now, unless no server answers anyway."""
        if self._away_since is None:
            self._loop.wake()

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest letter waits; 0 if none does."""
        oldest = self.waiting.oldest
        return 0.0 if oldest is None else (now(self.clock) - oldest).total_seconds()

    def _break_off(self) -> None:
        if self._connection is not None:
            Deferred.fromCoroutine(self._connection.close())

    async def _turn(self) -> float:
        """Send what is due; seconds until the next turn."""
        for letter, verdict in list(self._untold.values()):
            await self._note(letter, verdict)
        due = await self._look()
        if self.courier is None or due is None:
            return self.pace.period
        if due <= now(self.clock):
            await self._send_all()
            due = await self._look()
        if self._away_since is not None:
            await self.db.run(store.excuse, self._away, now(self.clock), BATCH)
            longest = self.pace.longest_away
            return pause(self._away_since, now(self.clock), 1.0, longest)
        left = 0.0 if due is None else (due - now(self.clock)).total_seconds()
        return min(self.pace.period, max(1.0, left))

    async def _look(self) -> datetime | None:
        """Count what waits; when the next of it is due, or None."""
        count, oldest, due = await self.db.run(store.waiting)
        self.waiting = Waiting(count, oldest)
        if self.courier is None and count and not self._told_waiting:
            self._told_waiting = True
            self._log.warn(
                "letters wait: set [mail] server to have them sent", count=count
            )
        return due

    async def _send_all(self) -> None:
        """Send what is due, as long as there is a way to."""
        letters: list[Queued] | None = None
        try:
            while letters != [] and self.running and await self._connected():
                when = now(self.clock)
                until = when + timedelta(seconds=self.pace.hold)
                letters = await self.db.run(store.claim, when, until, BATCH)
                if not letters:
                    self._is_back()
                elif not await self._send_some(letters):
                    break
        finally:
            await self._disconnect()

    async def _send_some(self, letters: list[Queued]) -> bool:
        """Send these, or put them back; whether the server takes letters."""
        left = list(letters)
        good = True
        while left and good and self.running and await self._connected():
            good = await self._send(left.pop(0))
        for letter in left:
            await self._note(letter, Verdict(Outcome.UNTRIED))
        return good and not left

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> bool:
        """Whether there is a connection by which a letter can go."""
        if self._connection is not None:
            if self._connection.usable:
                return True
            await self._disconnect()
        assert self.courier is not None
        self._connecting = Deferred.fromCoroutine(self.courier.connect())
        try:
            self._connection = await self._connecting
        except (Unavailable, CancelledError) as error:
            if self.running:
                self._is_away(str(error))
            return False
        finally:
            self._connecting = None
        return True

    def _is_back(self) -> None:
        if self._away_since is not None:
            self._away_since = None
            self._log.info("the mail server is back")

    def _is_away(self, why: str) -> None:
        self._away = why
        if self._away_since is None:
            self._away_since = now(self.clock)
            self._log.warn("letters wait: {why}", why=why)

    async def _send(self, letter: Queued) -> bool:
        """Send one letter, and note what became of it; False: we are not served."""
        assert self._connection is not None
        try:
            parcel = self._parcel(letter)
        except CloudError as error:
            await self._note(letter, Verdict(Outcome.LATER, error.message))
            return True
        except Exception as error:
            self._log.failure("a letter cannot be written: {event}", event=letter.event)
            reason = f"it cannot be written: {type(error).__name__}"
            await self._note(letter, Verdict(Outcome.REFUSED, reason))
            return True
        if letter.repeat:
            self.counted("repeated")
            self._log.warn(
                "a letter is sent again that may have arrived: {event}",
                event=letter.event,
                letter=letter.id,
            )
        self.probe(probe.LETTER_HELD)
        verdict = await self._connection.send(parcel, lambda: self._may_go(letter))
        self.probe(probe.LETTER_TAKEN)
        await self._note(letter, verdict)
        self.probe(probe.LETTER_NOTED)
        if verdict.outcome is Outcome.UNTRIED and verdict.reason:
            self._is_away(verdict.reason)
            return False
        self._is_back()
        return True

    def _parcel(self, letter: Queued) -> Parcel:
        sealed = MAIL.at(f"{letter.event}/{letter.to}")
        words = msgspec.json.decode(
            self.sealer.open(letter.words, *sealed), type=dict[str, str]
        )
        return self.compose(letter, words)

    async def _may_go(self, letter: Queued) -> bool:
        when = now(self.clock)
        until = when + timedelta(seconds=self.pace.hold_handed)
        ours = await self.db.run(store.hand, letter, when, until)
        self.probe(probe.LETTER_HANDED)
        return ours and bool(self.running)

    async def _note(self, letter: Queued, verdict: Verdict) -> None:
        """Write down what became of a letter; until that worked it is kept in mind."""
        self._untold[letter.id] = letter, verdict
        when = now(self.clock)
        step = STEPS[verdict.outcome]
        refused = (letter.refused or when) if step.counts else letter.refused
        tries = letter.tries + step.counts
        gone = step.counts and given_up(tries, refused or when, when, self.pace.give_up)
        state = State.FAILED if gone else step.state
        if state.final:
            reason = verdict.reason or None
            await self.db.run(store.finish, letter, state, reason, when)
        else:
            back = PutBack(
                when + timedelta(seconds=self.pace.wait(refused, when, step)),
                verdict.reason or None,
                refused,
                tries,
                step.handed or (letter.repeat and not step.counts),
            )
            await self.db.run(store.put_back, letter, back)
        del self._untold[letter.id]
        self._tell(letter, verdict, state)

    def _tell(self, letter: Queued, verdict: Verdict, state: State) -> None:
        told = {
            "event": letter.event,
            "letter": letter.id,
            "attempt": letter.attempt,
            "reason": verdict.reason,
            "request_id": letter.request_id,
        }
        if state is State.SENT:
            self.counted("sent")
            self._log.info("sent a letter: {event}", **told)
        elif state is State.FAILED:
            self.counted("failed")
            self._log.warn("gave up a letter: {event}: {reason}", **told)
        elif verdict.outcome is not Outcome.UNTRIED:
            self.counted("deferred")
            self._log.info("a letter waits: {event}: {reason}", **told)
