"""Which jobs are followed and what the last look says of them; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from attrs import define, field, frozen

from snfd.ganeti.model import JobStatus, Status

FRESH_MAX = 100
"""Unknown jobs that one turn looks into."""

FOREIGN_MAX = 1000
"""Other people's jobs that are followed at a time; reconciliation finds out
what the rest did."""

MISSES_MAX = 2
"""Looks in a row after which a job that does not show is lost."""

_DELAY_MAX = 60.0


@define(eq=False)
class Watch:
    """A job that is followed.

    :ivar intent: that it was submitted for; None if somebody else did.
    :ivar status: as last dealt with, or None.
    :ivar misses: looks in a row that did not find it.
    :ivar tries: attempts to settle it that failed.
    :ivar not_before: when the next attempt is due, in seconds.
    """

    job: int
    intent: UUID | None
    status: Status | None = None
    misses: int = 0
    tries: int = 0
    not_before: float = 0.0

    def failed(self, now: float) -> None:
        """An attempt to settle it failed: wait longer each time."""
        self.tries += 1
        self.not_before = now + min(_DELAY_MAX, 0.3 * 2.0 ** min(self.tries, 10))


@frozen
class News:
    """What a look says.

    :ivar fresh: ids above all that were seen so far, the lowest ones.
    :ivar moved: jobs of ours with another state, which is not final.
    :ivar ended: jobs that have ended and are due to be settled.
    :ivar lost: likewise, of jobs that do not show any more.
    :ivar seen: up to where the fresh ones go.
    :ivar more: whether there are more fresh ones.
    """

    fresh: tuple[int, ...]
    moved: tuple[tuple[Watch, Status], ...]
    ended: tuple[Watch, ...]
    lost: tuple[Watch, ...]
    seen: int
    more: bool


@define(eq=False)
class Watchlist:
    """The jobs that are followed.

    :ivar seen: the highest id that was dealt with; None before the first look.
    """

    seen: int | None = None
    _watches: dict[int, Watch] = field(init=False, factory=dict)

    def own(self, job: int, intent: UUID) -> None:
        """Follow a job of ours; twice does no harm."""
        known = self._watches.get(job)
        if known is None or known.intent != intent:
            self._watches[job] = Watch(job, intent)

    def foreign(self, job: int, status: Status) -> None:
        """Follow somebody else's job, if there is room."""
        others = sum(1 for watch in self if watch.intent is None)
        if others < FOREIGN_MAX:
            self._watches.setdefault(job, Watch(job, None, status))

    def drop(self, job: int) -> None:
        """Follow a job no longer."""
        self._watches.pop(job, None)

    def __iter__(self) -> Iterator[Watch]:
        return iter(list(self._watches.values()))

    def __len__(self) -> int:
        return len(self._watches)

    @property
    def ids(self) -> list[int]:
        """Ids of the jobs that are followed, ascending."""
        return sorted(self._watches)

    def digest(self, rows: Sequence[JobStatus], now: float) -> News:
        """Compare a look with what is known.

        :param rows: every job above `seen`, and of `ids` those that exist.
        :param now: seconds.
        """
        seen = self.seen or 0
        found = {row.id: row.status for row in rows}
        fresh = sorted(
            ident for ident in found if ident > seen and ident not in self._watches
        )
        some = fresh[:FRESH_MAX]
        more = len(some) < len(fresh)
        return News(
            tuple(some),
            tuple(self._moved(found)),
            tuple(self._due(found, now)),
            tuple(self._lost(found, now)),
            some[-1] if more else max(seen, *found, 0) if found else seen,
            more,
        )

    def _sorted(self) -> list[Watch]:
        return [self._watches[ident] for ident in self.ids]

    def _moved(self, found: dict[int, Status]) -> Iterator[tuple[Watch, Status]]:
        for watch in self._sorted():
            status = found.get(watch.job)
            if status and not status.final and status is not watch.status:
                yield watch, status

    def _due(self, found: dict[int, Status], now: float) -> Iterator[Watch]:
        for watch in self._sorted():
            status = found.get(watch.job)
            if status and status.final and now >= watch.not_before:
                yield watch

    def _lost(self, found: dict[int, Status], now: float) -> Iterator[Watch]:
        for watch in self._sorted():
            if watch.job in found:
                watch.misses = 0
                continue
            watch.misses += 1
            if watch.misses >= MISSES_MAX and now >= watch.not_before:
                yield watch
