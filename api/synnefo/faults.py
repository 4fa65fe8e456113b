"""Domain errors as Synnefo faults: one key, the fault's name.

Sources: ``spec/astakos.md`` §2.0 and ``spec/cyclades.md`` §1.4, §1.5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from api.operations import Dialect, Fault, Reply
from snfd import errors
from snfd.errors import CloudError
from snfd.mail.feedback import NobodyListens

FAULTS: Mapping[type[CloudError], Fault] = {
    CloudError: Fault(500, "internalServerError"),
    errors.Invalid: Fault(400, "badRequest"),
    errors.Unauthorized: Fault(401, "unauthorized"),
    errors.Forbidden: Fault(403, "forbidden"),
    errors.NotFound: Fault(404, "itemNotFound"),
    errors.NotAllowed: Fault(405, "notAllowed"),
    errors.RequestTimeout: Fault(408, "requestTimeout"),
    errors.Conflict: Fault(409, "conflict"),
    errors.Busy: Fault(409, "conflict"),
    errors.BuildInProgress: Fault(409, "buildInProgress"),
    errors.LengthRequired: Fault(411, "lengthRequired"),
    errors.PreconditionFailed: Fault(412, "preconditionFailed"),
    errors.OverQuota: Fault(413, "overLimit"),
    errors.TooLarge: Fault(413, "requestEntityTooLarge"),
    errors.BadMediaType: Fault(415, "badMediaType"),
    errors.RangeUnsatisfiable: Fault(416, "rangeNotSatisfiable"),
    errors.Unprocessable: Fault(422, "unprocessableEntity"),
    errors.TooManyRequests: Fault(429, "tooManyRequests"),
    errors.NotImplementedHere: Fault(501, "notImplemented"),
    errors.Unavailable: Fault(503, "serviceUnavailable"),
    errors.Timeout: Fault(503, "serviceUnavailable"),
    errors.Closed: Fault(503, "serviceUnavailable"),
}


class FaultBody(Reply):
    """What stands below the fault's name.

    ``details`` is the error's facts as JSON text, or an empty string.
    """

    code: int
    message: str
    details: str


def render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    """The body of ``fault``: one key, with code, message and details.

    A refused commission tells its ``data`` instead of details.
    """
    if "data" in details:
        told = {"code": fault.status, "message": message, "data": details["data"]}
        return msgspec.json.encode({fault.name: told})
    facts = json.dumps(dict(details), default=str, sort_keys=True) if details else ""
    return msgspec.json.encode({fault.name: FaultBody(fault.status, message, facts)})


DIALECT = Dialect(
    name="synnefo",
    title="Synnefo",
    faults={**FAULTS, NobodyListens: Fault(502, "badGateway")},
    render=render,
    fault_body=dict[str, FaultBody],
    unknown_path=errors.Invalid,
    bad_segment=errors.Invalid,
    json_only=True,
    content_type="application/json; charset=UTF-8",
    fault_content_type="application/json; charset=UTF-8",
    headers={
        "Cache-Control": "no-cache, no-store, must-revalidate, max-age=0",
        "Vary": "X-Auth-Token",
    },
)
"""Every Synnefo mount but Pithos: unknown paths are 400, bodies JSON only."""
