"""Where rows and instances disagree, and what follows from that; pure.

Rules are those of spec/cyclades.md §3.10 and appendix B5: what would take
something from a user needs two looks, a minute apart; a list that lacks too
much is not believed; nothing is ever deleted from a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from attrs import frozen

from snfd.ganeti import names
from snfd.ganeti.model import Event, Sighting

AGE_MIN = 60.0
"""Seconds between the first look and the one that is acted on."""

EVENTS_MAX = 200
"""Events that one run tells of; the rest waits for the next."""

MISSING_MIN = 3
MISSING_SHARE = 0.05
"""More missing servers than this share, and than three, are not believed."""


class Kind(StrEnum):
    """In what way rows and instances disagree."""

    STALE = "stale"
    """There is a row but no instance."""
    ORPHAN = "orphan"
    """There is an instance with a name of ours but no row."""
    BUILT = "built"
    """The row says that it is being made; it exists."""
    RUNS = "runs"
    DOWN = "down"
    CRASHED = "crashed"
    """It is down though it is meant to be up."""
    SILENT = "silent"
    """Nobody knows whether it runs: the last state stands."""
    CHANGED = "changed"
    """Its configuration has another serial number."""
    DISBELIEVED = "disbelieved"
    """The cluster lacks so much that its list is not believed."""


@frozen
class Known:
    """A server's row.

    :ivar state: ``BUILD``, ``STARTED``, ``STOPPED`` or ``ERROR``.
    :ivar serial: of the instance's configuration when last seen, or None.
    """

    subject: str
    state: str
    serial: int | None = None


@frozen
class Finding:
    """A server on which row and instance disagree."""

    subject: str
    kind: Kind
    detail: str = ""


@frozen
class Looks:
    """How often a finding was made in a row.

    :ivar age: seconds since the first of them.
    """

    number: int
    age: float


def findings(
    rows: Sequence[Known], every: frozenset[str], seen: Sequence[Sighting]
) -> list[Finding]:
    """All that disagrees.

    :param rows: servers that nothing is being done to, read before ``seen``.
    :param every: all servers, those too that something is being done to.
    """
    ours = {
        subject: each
        for each in seen
        if (subject := names.subject_of_instance(each.name)) is not None
    }
    missing = [row for row in rows if row.subject not in ours and row.state != "ERROR"]
    found = [_judge(row, ours[row.subject]) for row in rows if row.subject in ours]
    orphans = [Finding(subject, Kind.ORPHAN) for subject in sorted(ours.keys() - every)]
    stale = [Finding(row.subject, Kind.STALE, row.state) for row in missing]
    return [
        *(finding for finding in found if finding is not None),
        *stale,
        *orphans,
        *_disbelief(len(missing), len(rows), bool(ours)),
    ]


def _disbelief(missing: int, known: int, any_seen: bool) -> Iterator[Finding]:
    most = max(MISSING_MIN, MISSING_SHARE * known)
    if missing > most or (missing and not any_seen):
        yield Finding(
            "cluster:all", Kind.DISBELIEVED, f"{missing} of {known} servers are missing"
        )


def _judge(row: Known, seen: Sighting) -> Finding | None:
    if row.state == "ERROR":
        return None
    if seen.oper_state is None or seen.status.startswith("ERROR_node"):
        return Finding(row.subject, Kind.SILENT, seen.status)
    if row.state == "BUILD":
        return Finding(row.subject, Kind.BUILT, seen.status)
    if seen.oper_state != (row.state == "STARTED"):
        return Finding(row.subject, _power(seen), seen.status)
    if row.serial is not None and row.serial != seen.serial:
        return Finding(row.subject, Kind.CHANGED, f"serial {seen.serial}")
    return None


def _power(seen: Sighting) -> Kind:
    if seen.oper_state:
        return Kind.RUNS
    wanted = seen.admin_state == "up" and seen.status != "USER_down"
    return Kind.CRASHED if wanted else Kind.DOWN


@frozen
class Told:
    """An event to tell of.

    :ivar look: whether to look at the instance again for it.
    """

    subject: str
    event: Event
    detail: str
    look: bool


_EVENTS: Mapping[Kind, Event] = {
    Kind.BUILT: Event.CREATED,
    Kind.RUNS: Event.STARTED,
    Kind.DOWN: Event.STOPPED,
    Kind.CRASHED: Event.CRASHED,
    Kind.CHANGED: Event.MODIFIED,
}


def events(
    found: Sequence[Finding], looks: Mapping[tuple[str, str], Looks]
) -> list[Told]:
    """What follows from the findings, at most `EVENTS_MAX`."""
    believed = all(each.kind is not Kind.DISBELIEVED for each in found)
    told = (_event(each, looks[each.subject, each.kind], believed) for each in found)
    return [each for each in told if each is not None][:EVENTS_MAX]


def _event(finding: Finding, looks: Looks, believed: bool) -> Told | None:
    if finding.kind is Kind.STALE:
        if not believed or looks.number < 2 or looks.age < AGE_MIN:
            return None
        building = finding.detail == "BUILD"
        event = Event.CREATE_FAILED if building else Event.REMOVED
        detail = "reconciliation found no instance"
        return Told(finding.subject, event, detail, look=False)
    if finding.kind is Kind.CRASHED and looks.number < 2:
        return None
    if finding.kind not in _EVENTS:
        return None
    detail = f"reconciliation: {finding.detail}"
    return Told(finding.subject, _EVENTS[finding.kind], detail, look=True)


def subjects(told: Iterable[Told]) -> list[str]:
    """Names of the instances to look at again."""
    return [names.name_of_subject(each.subject) for each in told if each.look]
