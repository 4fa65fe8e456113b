"""Domain errors as faults of the admin API: a code, words, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from twisted.web.iweb import IRequest

from api.operations import Dialect, Fault, Reply
from snfd import errors
from snfd.errors import CloudError

FAULTS: Mapping[type[CloudError], Fault] = {
    CloudError: Fault(500, "internal"),
    errors.Invalid: Fault(400, "invalid"),
    errors.Unauthorized: Fault(401, "unauthorized"),
    errors.Forbidden: Fault(403, "forbidden"),
    errors.NotFound: Fault(404, "not-found"),
    errors.NotAllowed: Fault(405, "not-allowed"),
    errors.RequestTimeout: Fault(408, "request-timeout"),
    errors.Conflict: Fault(409, "conflict"),
    errors.Busy: Fault(409, "busy"),
    errors.BuildInProgress: Fault(409, "busy"),
    errors.LengthRequired: Fault(411, "length-required"),
    errors.PreconditionFailed: Fault(412, "precondition-failed"),
    errors.OverQuota: Fault(409, "over-quota"),
    errors.TooLarge: Fault(413, "too-large"),
    errors.BadMediaType: Fault(415, "bad-media-type"),
    errors.RangeUnsatisfiable: Fault(416, "range-unsatisfiable"),
    errors.Unprocessable: Fault(422, "unprocessable"),
    errors.TooManyRequests: Fault(429, "too-many-requests"),
    errors.NotImplementedHere: Fault(501, "not-implemented"),
    errors.Unavailable: Fault(503, "unavailable"),
    errors.Timeout: Fault(503, "timeout"),
    errors.Closed: Fault(503, "closed"),
}

HINTS: Mapping[str, str] = {
    "internal": "the daemon's log tells more, by the request id",
    "unauthorized": "log in, and present the token in X-Auth-Token",
    "forbidden": "an administrator may; or run snfctl on the daemon's machine",
    "not-found": "the noun's list shows what there is",
    "conflict": "look at what is there now, and ask again for what is still wanted",
    "busy": "look at what state it is in; if it is being worked on, ask again later",
    "over-quota": "raise the limit first, or have something given back",
    "too-many-requests": "wait as long as Retry-After says",
    "unavailable": "the daemon's log says why; ask again later",
    "timeout": "the daemon's log says why; ask again later",
}
"""What to do about a fault, unless the error itself says it (``hint``)."""


class ErrorFacts(Reply):
    """What went wrong.

    :ivar code: one of a few words, for programs.
    :ivar status: of HTTP.
    :ivar hint: what to do about it; empty where nothing is known.
    """

    code: str
    status: int
    message: str
    hint: str
    details: dict[str, str]
    request_id: str


class ErrorBody(Reply):
    """Every fault of the admin API."""

    error: ErrorFacts


def render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    """The body of ``fault``."""
    facts = {name: str(value) for name, value in details.items()}
    hint = facts.pop("hint", HINTS.get(fault.name, ""))
    return msgspec.json.encode(
        ErrorBody(
            ErrorFacts(fault.name, fault.status, message, hint, facts, request_id)
        )
    )


def whole_path(request: IRequest) -> Mapping[str, str]:
    """No headers for the answer; a removal whose last name is empty is refused.

    A slash at the end means nothing elsewhere: what was to remove one of a list
    would remove all of it.

    :raises Invalid: it is such a one.
    """
    if request.method == b"DELETE" and request.path.endswith(b"/"):
        raise errors.Invalid("the path ends with '/': which one is to be removed?")
    return {}


DIALECT = Dialect(
    name="admin",
    title="Administration",
    faults=FAULTS,
    render=render,
    fault_body=ErrorBody,
    json_only=True,
    before=whole_path,
    headers={"Cache-Control": "no-store", "Vary": "X-Auth-Token"},
)
"""The dialect of ``/admin/v1``."""
