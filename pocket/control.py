"""The resource ``/pocket/``, for tests only: faults, latency, archiving."""

from __future__ import annotations

from typing import Any

from pocket.errors import Refusal
from pocket.faults import Faults
from pocket.jobs import JobQueue


def control(jobs: JobQueue, faults: Faults, method: str, path: str, body: Any) -> Any:
    """Answer a request below ``/pocket/``.

    ``POST faults`` {kind, match, times, status} adds one, ``DELETE faults``
    removes all, ``GET faults`` shows which were met; ``PUT latency`` takes
    seconds per operation, ``PUT drained`` true or false, ``POST archive`` the
    age in seconds from which ended jobs are archived, ``POST rewind`` the number
    after which jobs are counted anew, none being known any more.

    :raises Refusal: 400 or 404.
    """
    match method, path:
        case "GET", "/pocket/faults":
            return [list(hit) for hit in faults.hits]
        case "POST", "/pocket/faults":
            return _add(faults, body)
        case "DELETE", "/pocket/faults":
            faults.clear()
        case "PUT", "/pocket/latency":
            jobs.latency = _number(body)
        case "PUT", "/pocket/drained":
            jobs.drained = body is True
        case "POST", "/pocket/archive":
            return jobs.archive(_number(body))
        case "POST", "/pocket/rewind":
            jobs.rewind(int(_number(body)))
        case _:
            raise Refusal(404, "Nothing matches the given URI")
    return None


def _number(body: Any) -> float:
    if isinstance(body, bool) or not isinstance(body, int | float) or body < 0:
        raise Refusal(400, "A number that is not negative is expected")
    return float(body)


def _add(faults: Faults, body: Any) -> None:
    keys = {"kind": str, "match": str, "times": int | None, "status": int}
    if not isinstance(body, dict) or not set(body) <= set(keys) or "kind" not in body:
        raise Refusal(400, f"A fault has {', '.join(keys)}")
    for key, value in body.items():
        if not isinstance(value, keys[key]):
            raise Refusal(400, f"{key} has a wrong type")
    faults.add(**body)
