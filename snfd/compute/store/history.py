"""What servers were asked for, from the outbox."""

from __future__ import annotations

from typing import Any

from snfd.compute.history import Step
from snfd.db.port import Database
from snfd.intent import State


async def steps(db: Database, subject: str, most: int) -> list[Step]:
    """What clusters were asked to do to a server, newest first.

    :param most: steps that are told, from the newest on.
    """
    rows = await db.read(
        "SELECT coalesce(request_id, 'req-' || id), kind, request -> 'body', state, "
        "result ->> 'error', actor, created, finished FROM ops.outbox "
        "WHERE subject = %s ORDER BY seq DESC LIMIT %s",
        (subject, most),
    )
    return [_step(*row) for row in rows]


def _step(
    request: str, kind: str, body: Any, state: str, error: str | None, *times: Any
) -> Step:
    return Step(request, kind, body or {}, State(state), error or "", *times)
