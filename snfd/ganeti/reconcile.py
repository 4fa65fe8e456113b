"""Where rows and instances disagree, and what follows from that; pure.

Rules are those of spec/cyclades.md §3.10 and appendix B5: what would take
something from a user needs two looks, a minute apart; a list that lacks too
much is not believed; nothing is ever deleted from a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from snfd.ganeti import names
from snfd.ganeti.model import Card, Event, Sighting

AGE_MIN = 60.0
"""Seconds between the first look and the one that is acted on."""

EVENTS_MAX = 200
"""Events that one run tells of; the rest waits for the next."""

MISSING_MIN = 3
MISSING_SHARE = 0.05
"""More missing servers than this share, and than three, are not believed."""

AGAIN = 20
"""Looks after which a difference that did not go is told of once more."""


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
    SIZE = "size"
    """It has other processors or memory than its flavor."""
    CARDS = "cards"
    """Its network cards, or their addresses, are not those of its ports."""
    STUCK = "stuck"
    """It is said to be busy, but nothing is being done to it."""
    DISBELIEVED = "disbelieved"
    """The cluster lacks so much that its list is not believed."""
    NETWORK_ORPHAN = "network-orphan"
    """The cluster has a network of ours that nobody knows."""
    NETWORK_PARTED = "network-parted"
    """The cluster has a network that we do not know to be there."""
    NETWORK_MISSING = "network-missing"
    """The cluster lacks a network that it had."""
    NETWORK_HANGING = "network-hanging"
    """A network is not connected to every node group."""
    NETWORK_UNSYNCED = "network-unsynced"
    """A network is there, but its row does not say so."""
    ADDRESS = "address"
    """An address is held by nobody, or by somebody though it is free."""
    POOL = "pool"
    """A MAC prefix or a bridge likewise."""
    QUOTA = "quota"
    """Usage that is charged is not what there is."""


@frozen
class Known:
    """A server's row.

    :ivar state: ``BUILD``, ``STARTED``, ``STOPPED`` or ``ERROR``.
    :ivar serial: of the instance's configuration when last seen, or None.
    :ivar settled: when what was last settled had happened.
    :ivar size: processors and MiB that it is charged for, or None: whatever it has.
    :ivar cards: that its ports say it has, and whether each of them works by now;
        None: whatever it has.
    :ivar busy: whether it has a task, though no intent is under way.
    """

    subject: str
    state: str
    serial: int | None = None
    settled: datetime | None = None
    size: tuple[int, int] | None = None
    cards: Mapping[Card, bool] | None = None
    busy: bool = False


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
    missing = [row for row in rows if row.subject not in ours and _is_missed(row)]
    found = [_judge(row, ours[row.subject]) for row in rows if row.subject in ours]
    found += [
        Finding(row.subject, Kind.STUCK, row.state)
        for row in rows
        if row.busy and row.subject not in ours
    ]
    orphans = [Finding(subject, Kind.ORPHAN) for subject in sorted(ours.keys() - every)]
    stale = [Finding(row.subject, Kind.STALE, row.state) for row in missing]
    return [
        *(finding for finding in found if finding is not None),
        *stale,
        *orphans,
        *_disbelief(len(missing), len(rows), bool(ours)),
    ]


def _is_missed(row: Known) -> bool:
    return row.state != "ERROR" and not row.busy


def _disbelief(missing: int, known: int, any_seen: bool) -> Iterator[Finding]:
    most = max(MISSING_MIN, MISSING_SHARE * known)
    if missing > most or (missing and not any_seen):
        yield Finding(
            "cluster:all", Kind.DISBELIEVED, f"{missing} of {known} servers are missing"
        )


def _judge(row: Known, seen: Sighting) -> Finding | None:
    if row.busy:
        return Finding(row.subject, Kind.STUCK, row.state)
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
    return _parts(row, seen)


def _parts(row: Known, seen: Sighting) -> Finding | None:
    if None not in (row.size, seen.size) and row.size != seen.size:
        return Finding(row.subject, Kind.SIZE, f"{seen.size}, not {row.size}")
    if row.cards is None or row.cards == dict.fromkeys(seen.cards, True):
        return None
    told = ", ".join(_card(*card) for card in sorted(seen.cards, key=str))
    return Finding(row.subject, Kind.CARDS, told[:500] or "none")


def _card(name: str, address: str | None) -> str:
    return f"{name or 'unnamed'} {address or ''}".rstrip()


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
    Kind.SIZE: Event.MODIFIED,
    Kind.CARDS: Event.MODIFIED,
}
_TWICE = frozenset({Kind.CRASHED, Kind.SIZE, Kind.CARDS})
"""What needs a second look before it is told of."""


def events(
    found: Sequence[Finding], looks: Mapping[tuple[str, str], Looks]
) -> list[Told]:
    """What follows from the findings, at most `EVENTS_MAX`."""
    believed = all(each.kind is not Kind.DISBELIEVED for each in found)
    told = (_event(each, looks[each.subject, each.kind], believed) for each in found)
    return [each for each in told if each is not None][:EVENTS_MAX]


def _event(finding: Finding, looks: Looks, believed: bool) -> Told | None:
    if finding.kind is Kind.STALE:
        if not believed or not _twice(looks):
            return None
        building = finding.detail == "BUILD"
        event = Event.CREATE_FAILED if building else Event.REMOVED
        detail = "reconciliation found no instance"
        return Told(finding.subject, event, detail, look=False)
    if finding.kind not in _EVENTS or not _is_due(finding.kind, looks.number):
        return None
    detail = f"reconciliation: {finding.detail}"
    return Told(finding.subject, _EVENTS[finding.kind], detail, look=True)


def _is_due(kind: Kind, looks: int) -> bool:
    """Whether to tell of it now: what no event puts right is told of seldom."""
    first = 2 if kind in _TWICE else 1
    return (
        looks == first
        or (looks > first and kind not in _RARE)
        or (looks % AGAIN == first)
    )


_RARE = frozenset({Kind.SIZE, Kind.CARDS})


def subjects(told: Iterable[Told]) -> list[str]:
    """Names of the instances to look at again."""
    return [names.name_of_subject(each.subject) for each in told if each.look]


def stuck(
    found: Sequence[Finding], looks: Mapping[tuple[str, str], Looks]
) -> list[str]:
    """Servers whose task is to be ended, because nothing works on it."""
    return [
        each.subject
        for each in found
        if each.kind is Kind.STUCK and _twice(looks[each.subject, each.kind])
    ][:EVENTS_MAX]


def _twice(looks: Looks) -> bool:
    return looks.number >= 2 and looks.age >= AGE_MIN
