"""From Ganeti's jobs to values and events; pure (spec/cyclades.md §3.2, §6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from snfd.ganeti import names
from snfd.ganeti.model import Event, Job, JobStatus, Kind, Op, Status

STATUS_FIELDS = ("id", "status")
JOB_FIELDS = (
    *STATUS_FIELDS,
    "ops",
    "opstatus",
    "opresult",
    "oplog",
    "received_ts",
    "start_ts",
    "end_ts",
)

LOG_LINES = 20
"""Messages that are kept of each opcode, from the end."""

EVENTS: Mapping[str, tuple[Event, Event]] = {
    Kind.CREATE: (Event.CREATED, Event.CREATE_FAILED),
    Kind.REMOVE: (Event.REMOVED, Event.REMOVE_FAILED),
    Kind.START: (Event.STARTED, Event.START_FAILED),
    Kind.STOP: (Event.STOPPED, Event.STOP_FAILED),
    Kind.REBOOT: (Event.REBOOTED, Event.REBOOT_FAILED),
    Kind.MODIFY: (Event.MODIFIED, Event.MODIFY_FAILED),
    Kind.GROW_DISK: (Event.MODIFIED, Event.MODIFY_FAILED),
    Kind.REINSTALL: (Event.REINSTALLED, Event.REINSTALL_FAILED),
    Kind.ADD_TAGS: (Event.TAGGED, Event.TAG_FAILED),
    Kind.REMOVE_TAGS: (Event.UNTAGGED, Event.UNTAG_FAILED),
    Kind.NETWORK_ADD: (Event.NETWORK_ADDED, Event.NETWORK_ADD_FAILED),
    Kind.NETWORK_CONNECT: (Event.NETWORK_CONNECTED, Event.NETWORK_CONNECT_FAILED),
    Kind.NETWORK_DISCONNECT: (
        Event.NETWORK_DISCONNECTED,
        Event.NETWORK_DISCONNECT_FAILED,
    ),
    Kind.NETWORK_MODIFY: (Event.NETWORK_MODIFIED, Event.NETWORK_MODIFY_FAILED),
    Kind.NETWORK_REMOVE: (Event.NETWORK_REMOVED, Event.NETWORK_REMOVE_FAILED),
}
"""What success and failure of an opcode mean; others change no state of ours."""

LOOKS_AT_INSTANCE = frozenset(
    {
        Event.CREATED,
        Event.STARTED,
        Event.REBOOTED,
        Event.MODIFIED,
        Event.MODIFY_FAILED,
        Event.REINSTALLED,
        Event.REINSTALL_FAILED,
    }
)
"""Events whose outcome carries the instance as it is now."""

LOOKS_AT_NETWORK = frozenset({Event.NETWORK_ADDED, Event.NETWORK_CONNECTED})


def status_of(row: Mapping[str, Any]) -> JobStatus:
    """The job that a row of `STATUS_FIELDS` tells of."""
    return JobStatus(int(row["id"]), Status(row["status"]))


def job_of(row: Mapping[str, Any]) -> Job:
    """The job that a row of `JOB_FIELDS` tells of."""
    parts = zip(
        row["ops"],
        row["opstatus"],
        _padded(row.get("opresult"), len(row["ops"])),
        _padded(row.get("oplog"), len(row["ops"])),
        strict=True,
    )
    return Job(
        int(row["id"]),
        Status(row["status"]),
        tuple(_op(*part) for part in parts),
        *(moment(row.get(key)) for key in ("received_ts", "start_ts", "end_ts")),
    )


def moment(stamp: Sequence[int] | None) -> datetime | None:
    """The time that Ganeti writes as ``[seconds, microseconds]``."""
    if not stamp:
        return None
    seconds, micros = stamp
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)


def _padded(values: Sequence[Any] | None, length: int) -> list[Any]:
    have = list(values or ())
    return have + [None] * (length - len(have))


def _op(given: Mapping[str, Any], status: str, result: Any, log: Any) -> Op:
    return Op(
        given["OP_ID"],
        Status(status),
        given,
        result,
        (*(str(each[1]) for each in given.get("reason") or ()), *_mark(given)),
        tuple(str(entry[3]) for entry in (log or ())[-LOG_LINES:]),
    )


def marked(url: str, reason: str) -> str:
    """A hand-off's URL that names the reason, as a fragment: nobody sends that."""
    return f"{url}#{reason}"


def _mark(given: Mapping[str, Any]) -> Iterator[str]:
    """The reason that a hand-off's URL names; RAPI takes no other to reinstall."""
    url = (given.get("osparams") or {}).get("config_url")
    mark = str(url or "").partition("#")[2]
    if mark:
        yield mark


def carries(job: Job, reason: str) -> bool:
    """Whether ``reason`` was given when the job was submitted."""
    return any(reason in op.reasons for op in job.ops)


def subject(op: Op) -> str | None:
    """What the opcode is done to; None if it is nothing of ours."""
    if name := op.input.get("network_name"):
        return names.subject_of_network(str(name))
    name = op.input.get("instance_name")
    if name is None and op.input.get("kind") == "instance":
        name = op.input.get("name")
    return names.subject_of_instance(str(name)) if name else None


def event(op: Op) -> Event | None:
    """What the opcode did; None while it is under way, or changes nothing."""
    pair = EVENTS.get(op.code)
    if pair is None or not op.status.final or op.input.get("dry_run"):
        return None
    return pair[0 if op.status is Status.SUCCESS else 1]


def changes(job: Job) -> Iterator[tuple[str, Event]]:
    """What somebody else's job did to things of ours; nothing that failed."""
    for op in job.ops:
        whose, what = subject(op), event(op)
        if whose and what and op.status is Status.SUCCESS:
            yield whose, what


def error(job: Job) -> tuple[str, str]:
    """Why the job failed, in Ganeti's words, and Ganeti's code for it.

    Both are empty where nothing failed; the code also where there is none.
    """
    for op in job.ops:
        if op.status is Status.CANCELED:
            return "the job was canceled", ""
        if op.status is Status.ERROR:
            return _explained(op.result)
    return "", ""


def _explained(result: Any) -> tuple[str, str]:
    match result:
        case [_, [str(text), str(code)]]:
            return text, code
        case [_, [str(text), *_]]:
            return text, ""
        case [str(kind), _]:
            return kind, ""
    return "no reason was given", ""
