"""Domain errors as identity v3 faults: ``{"error": {code, title, message}}``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from api.operations import Dialect, Fault, Reply
from snfd import errors
from snfd.errors import CloudError


def _fault(status: HTTPStatus) -> Fault:
    return Fault(status.value, status.phrase)


FAULTS: Mapping[type[CloudError], Fault] = {
    CloudError: _fault(HTTPStatus.INTERNAL_SERVER_ERROR),
    errors.Invalid: _fault(HTTPStatus.BAD_REQUEST),
    errors.Unauthorized: _fault(HTTPStatus.UNAUTHORIZED),
    errors.Forbidden: _fault(HTTPStatus.FORBIDDEN),
    errors.NotFound: _fault(HTTPStatus.NOT_FOUND),
    errors.NotAllowed: _fault(HTTPStatus.METHOD_NOT_ALLOWED),
    errors.RequestTimeout: _fault(HTTPStatus.REQUEST_TIMEOUT),
    errors.Conflict: _fault(HTTPStatus.CONFLICT),
    errors.Busy: _fault(HTTPStatus.CONFLICT),
    errors.BuildInProgress: _fault(HTTPStatus.CONFLICT),
    errors.LengthRequired: _fault(HTTPStatus.LENGTH_REQUIRED),
    errors.PreconditionFailed: _fault(HTTPStatus.PRECONDITION_FAILED),
    errors.OverQuota: _fault(HTTPStatus.FORBIDDEN),
    errors.TooLarge: _fault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    errors.BadMediaType: _fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    errors.RangeUnsatisfiable: _fault(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    errors.Unprocessable: _fault(HTTPStatus.UNPROCESSABLE_ENTITY),
    errors.TooManyRequests: _fault(HTTPStatus.TOO_MANY_REQUESTS),
    errors.NotImplementedHere: _fault(HTTPStatus.NOT_IMPLEMENTED),
    errors.Unavailable: _fault(HTTPStatus.SERVICE_UNAVAILABLE),
    errors.Timeout: _fault(HTTPStatus.SERVICE_UNAVAILABLE),
    errors.Closed: _fault(HTTPStatus.SERVICE_UNAVAILABLE),
}


class ErrorPart(Reply):
    """What went wrong; ``title`` is the status in words."""

    code: int
    title: str
    message: str


class ErrorBody(Reply):
    """The body of every fault."""

    error: ErrorPart


def render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    """The body of ``fault``."""
    return msgspec.json.encode(ErrorBody(ErrorPart(fault.status, fault.name, message)))


def keystone(uri: str) -> Dialect:
    """The dialect of identity v3.

    :param uri: of the service, told to whoever has no valid token.
    """
    return Dialect(
        name="openstack",
        title="OpenStack identity",
        faults=FAULTS,
        render=render,
        fault_body=ErrorBody,
        headers={"Vary": "X-Auth-Token", "Cache-Control": "no-store"},
        unauthorized_headers={"WWW-Authenticate": f'Keystone uri="{uri}"'},
    )
