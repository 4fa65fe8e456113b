"""One job: a value that the queue moves from state to state."""

from __future__ import annotations

from typing import Any

from attrs import asdict, define, field

from pocket.params import SECRET, Op, masked, summary
from pocket.query import Field, Unavailable, table

Timestamp = list[int]


def split(seconds: float) -> Timestamp:
    """A time as Ganeti writes it: seconds and microseconds."""
    whole = int(seconds)
    return [whole, min(999_999, round((seconds - whole) * 1_000_000))]


@define(eq=False)
class Job:
    """A job and all that is known of it.

    :ivar received: when it was submitted, in seconds since the epoch; so are
        ``start`` (admitted), ``exec`` (got its locks) and ``end``, or None.
    :ivar log: serial number, time, text.
    """

    id: int
    op: Op
    received: float
    status: str = "queued"
    start: float | None = None
    exec: float | None = None
    end: float | None = None
    result: Any = None
    log: list[tuple[int, Timestamp, str]] = field(factory=list)
    archived: bool = False

    @classmethod
    def submitted(cls, ident: int, op: Op, now: float) -> Job:
        """A new job; its reason trail ends with its own number."""
        word = str(op["OP_ID"]).removeprefix("OP_").lower()
        own = [f"gnt:opcode:{word}", f"job={ident};index=0", int(now * 1e9)]
        return cls(ident, {**op, "reason": [*op["reason"], own]}, now)

    @classmethod
    def restored(cls, record: dict[str, Any]) -> Job:
        """The job that `record` described."""
        log = [(serial, when, text) for serial, when, text in record.pop("log")]
        return cls(**record, log=log)

    def record(self) -> dict[str, Any]:
        """All of it, for the store; secrets too until the job has ended."""
        return asdict(self, recurse=False)

    def depends(self) -> dict[int, list[str]]:
        """The jobs that must have ended first, and how they may have."""
        return {int(ident): states for ident, states in self.op["depends"] or ()}

    def finish(self, status: str, result: Any, now: float) -> None:
        """The end; secret parameters are forgotten here."""
        self.status, self.result, self.end = status, result, now
        self.op = {**masked(self.op)}

    def secrets(self) -> frozenset[str]:
        """The names of the secret parameters."""
        return frozenset(name for key in SECRET for name in self.op.get(key) or ())


def _time(value: float | None) -> Timestamp:
    if value is None:
        raise Unavailable
    return split(value)


def _optional(value: float | None) -> list[Timestamp | None]:
    return [None if value is None else split(value)]


FIELDS = table(
    Field[Job]("id", "number", lambda job: job.id, "ID"),
    Field[Job]("status", "text", lambda job: job.status),
    Field[Job]("priority", "number", lambda job: job.op["priority"]),
    Field[Job]("archived", "bool", lambda job: job.archived),
    Field[Job]("ops", "other", lambda job: [masked(job.op)], "OpCodes"),
    Field[Job]("opresult", "other", lambda job: [job.result], "OpCode_result"),
    Field[Job]("opstatus", "other", lambda job: [job.status], "OpCode_status"),
    Field[Job](
        "oplog",
        "other",
        lambda job: [
            [[serial, when, "message", text] for serial, when, text in job.log]
        ],
        "OpCode_log",
    ),
    Field[Job]("opstart", "other", lambda job: _optional(job.start), "OpCode_start"),
    Field[Job]("opexec", "other", lambda job: _optional(job.exec), "OpCode_exec"),
    Field[Job]("opend", "other", lambda job: _optional(job.end), "OpCode_end"),
    Field[Job]("oppriority", "other", lambda job: [job.op["priority"]], "OpCode_prio"),
    Field[Job]("summary", "other", lambda job: [summary(job.op)]),
    Field[Job]("received_ts", "timestamp", lambda job: _time(job.received), "Received"),
    Field[Job]("start_ts", "timestamp", lambda job: _time(job.start), "Start"),
    Field[Job]("end_ts", "timestamp", lambda job: _time(job.end), "End"),
)

BULK = (
    "id",
    "ops",
    "status",
    "summary",
    "opstatus",
    "received_ts",
    "start_ts",
    "end_ts",
)
FULL = (*BULK, "oplog", "opresult")
