"""How ``snfctl`` ends: statuses that scripts can tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

OK = 0
REFUSED = 1
USAGE = 2
NO_DAEMON = 3
NOT_FOUND = 4
NOT_ALLOWED = 5
CONFLICT = 6
BROKEN = 7
FINDINGS = 8
INTERRUPTED = 130

MEANINGS: Mapping[int, str] = {
    OK: "done",
    REFUSED: "the cloud refused it, or the configuration is wrong",
    USAGE: "the command was not understood",
    NO_DAEMON: "no daemon answers on the socket, or the cloud cannot be reached",
    NOT_FOUND: "there is no such thing",
    NOT_ALLOWED: "you may not, or you are not logged in",
    CONFLICT: "it exists already, is busy, or would exceed a limit",
    BROKEN: "the cloud failed, or a part of it is away; ask again later",
    FINDINGS: "it was done, but not all is well (verify, doctor, import)",
    INTERRUPTED: "interrupted",
}
"""Exit statuses and what they mean."""

_BY_STATUS = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, 409: CONFLICT}


@frozen
class Problem(Exception):
    """Why a command ends without success.

    :ivar status: to exit with.
    :ivar hint: what to do about it, or empty.
    """

    status: int
    message: str
    hint: str = ""


def refusal(status: int, body: Any) -> Problem:
    """The problem that an answer of the admin API tells of.

    :param body: decoded; anything else than a fault is told as it is.
    """
    ends = BROKEN if status >= 500 else _BY_STATUS.get(status, REFUSED)
    facts = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(facts, Mapping):
        return Problem(ends, f"HTTP {status}: {str(body)[:200]}")
    details = facts.get("details") or {}
    more = ", ".join(f"{name}={value}" for name, value in details.items())
    message = str(facts.get("message", status))
    return Problem(
        ends, f"{message} ({more})" if more else message, str(facts.get("hint", ""))
    )
