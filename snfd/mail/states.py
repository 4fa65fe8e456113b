"""The life of a letter: which outcome of a try leads where."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


class State(StrEnum):
    """Where a letter stands; ``sending`` is held by one process for a while."""

    NEW = "new"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more happens to it."""
        return self in (State.SENT, State.FAILED)


class Outcome(StrEnum):
    """How one try to send a letter ended.

    ``later``: the server put it off, or was lost before the letter's end went
    out; ``doubtful``: its end went out and no answer came back, so it may have
    been taken; ``untried``: it was not offered to a server.
    """

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    DOUBTFUL = "doubtful"
    UNTRIED = "untried"


@frozen
class Step:
    """What an outcome does to a letter.

    :ivar counts: whether it counts towards giving up.
    :ivar handed: whether the letter may have been taken nevertheless.
    """

    state: State
    counts: bool = False
    handed: bool = False


STEPS: Mapping[Outcome, Step] = {
    Outcome.TAKEN: Step(State.SENT),
    Outcome.REFUSED: Step(State.FAILED),
    Outcome.LATER: Step(State.NEW, counts=True),
    Outcome.DOUBTFUL: Step(State.NEW, counts=True, handed=True),
    Outcome.UNTRIED: Step(State.NEW),
}
"""From ``sending``; nothing else leads out of it but that its time is over."""
