"""How patient the sender of letters is."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from snfd.mail.model import pause
from snfd.mail.states import Step


@frozen
class Pace:
    """How patient the sender is, in seconds.

    :ivar period: between two looks that nobody asked for.
    :ivar hold: how long a letter is held before its end goes out.
    :ivar hold_handed: how long from then on; more than its answer may take.
    :ivar shortest: pause before a letter is tried again, and before another
        connection is.
    :ivar longest: bound of both, which double.
    :ivar give_up: how long a letter is put off by servers until it is given up.
        While no server can be reached that time does not run.
    """

    period: float = 15.0
    hold: float = 60.0
    hold_handed: float = 720.0
    shortest: float = 30.0
    longest: float = 3600.0
    longest_away: float = 60.0
    give_up: timedelta = timedelta(days=3)

    def wait(self, refused: datetime | None, when: datetime, step: Step) -> float:
        """Seconds until a letter that came back ``when`` is tried again.

        :param refused: since when servers put it off; None if they do not.
        """
        if refused is None or not step.counts:
            return 0.0
        return pause(refused, when, self.shortest, self.longest)
