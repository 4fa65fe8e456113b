"""Domain errors as Swift tells them: a status and a line of text.

Source: ``spec/pithos.md`` §9.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.operations import Dialect, Fault
from snfd import errors
from snfd.errors import CloudError

FAULTS: Mapping[type[CloudError], Fault] = {
    CloudError: Fault(500, "Internal Error"),
    errors.Invalid: Fault(400, "Bad Request"),
    errors.Unauthorized: Fault(401, "Unauthorized"),
    errors.Forbidden: Fault(403, "Forbidden"),
    errors.NotFound: Fault(404, "Not Found"),
    errors.NotAllowed: Fault(405, "Method Not Allowed"),
    errors.RequestTimeout: Fault(408, "Request Timeout"),
    errors.Conflict: Fault(409, "Conflict"),
    errors.Busy: Fault(409, "Conflict"),
    errors.BuildInProgress: Fault(409, "Conflict"),
    errors.LengthRequired: Fault(411, "Length Required"),
    errors.PreconditionFailed: Fault(412, "Precondition Failed"),
    errors.OverQuota: Fault(413, "Upload exceeds quota."),
    errors.TooLarge: Fault(413, "Request Entity Too Large"),
    errors.BadMediaType: Fault(415, "Unsupported Media Type"),
    errors.RangeUnsatisfiable: Fault(416, "Requested Range Not Satisfiable"),
    errors.Unprocessable: Fault(422, "Unprocessable Entity"),
    errors.TooManyRequests: Fault(429, "Too Many Requests"),
    errors.NotImplementedHere: Fault(501, "Not Implemented"),
    errors.Unavailable: Fault(503, "Service Unavailable"),
    errors.Timeout: Fault(503, "Service Unavailable"),
    errors.Closed: Fault(503, "Service Unavailable"),
}


def render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    """The body of ``fault``: its name and the message."""
    return f"{fault.name}: {message}\n".encode("utf-8", "replace")


DIALECT = Dialect(
    name="swift",
    title="Swift",
    faults=FAULTS,
    render=render,
    fault_body=bytes,
    content_type="application/json; charset=utf-8",
    fault_content_type="text/plain; charset=utf-8",
    headers={"Vary": "X-Auth-Token"},
    unauthorized_headers={"WWW-Authenticate": 'Swift realm="AUTH"'},
)
"""The dialect of swiftclient and rclone."""
