"""Intents as values: what Ganeti shall do, and how far that has come; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from attrs import field, frozen


class State(StrEnum):
    """Where an intent is on its way; the last four are final."""

    NEW = "new"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    CANCELED = "canceled"
    LOST = "lost"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self in FINAL


FINAL = frozenset({State.SUCCESS, State.ERROR, State.CANCELED, State.LOST})


@frozen
class Intent:
    """Something that a cluster shall do.

    :ivar kind: the opcode, a `snfd.ganeti.model.Kind`.
    :ivar subject: what it is done to, ``server:42`` or ``network:5``.
    :ivar request: `snfd.ganeti.requests.Request.stored`; holds no secret.
    :ivar depends_on_subject: wait for the subject's earlier jobs to end, in
        whatever way.
    :ivar depends: further intents whose jobs must have ended before, in
        whatever way; of the same cluster.
    :ivar actor: user who asked, or None for the daemon itself.
    :ivar request_id: of the API request that asked, or None.
    """

    id: UUID
    cluster: int
    kind: str
    subject: str
    request: Mapping[str, Any]
    depends_on_subject: bool = True
    depends: tuple[UUID, ...] = ()
    actor: UUID | None = None
    request_id: str | None = None


@frozen
class Entry:
    """An intent as it stands in the outbox.

    :ivar seq: position among all intents.
    :ivar job: id of its job, None before it is known.
    :ivar submit_after: highest job id seen before it was first submitted:
        its own is higher.
    :ivar submitted: when it was last claimed.
    :ivar result: what became of it: ``{"error": text}`` or the job's result.
    """

    intent: Intent
    seq: int
    state: State
    job: int | None
    submit_after: int | None
    attempts: int
    submitted: datetime | None = None
    finished: datetime | None = None
    result: Any = field(default=None)
