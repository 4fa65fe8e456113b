"""Domain errors as Synnefo faults: one key, the fault's name.

Sources: ``spec/astakos.md`` §2.0 and ``spec/cyclades.md`` §1.5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from snfd import errors
from snfd.errors import CloudError

FAULTS: Mapping[type[CloudError], tuple[HTTPStatus, str]] = {
    CloudError: (HTTPStatus.INTERNAL_SERVER_ERROR, "internalServerError"),
    errors.Invalid: (HTTPStatus.BAD_REQUEST, "badRequest"),
    errors.Unauthorized: (HTTPStatus.UNAUTHORIZED, "unauthorized"),
    errors.Forbidden: (HTTPStatus.FORBIDDEN, "forbidden"),
    errors.NotFound: (HTTPStatus.NOT_FOUND, "itemNotFound"),
    errors.NotAllowed: (HTTPStatus.METHOD_NOT_ALLOWED, "notAllowed"),
    errors.RequestTimeout: (HTTPStatus.REQUEST_TIMEOUT, "requestTimeout"),
    errors.Conflict: (HTTPStatus.CONFLICT, "conflict"),
    errors.Busy: (HTTPStatus.CONFLICT, "conflict"),
    errors.BuildInProgress: (HTTPStatus.CONFLICT, "buildInProgress"),
    errors.LengthRequired: (HTTPStatus.LENGTH_REQUIRED, "lengthRequired"),
    errors.PreconditionFailed: (HTTPStatus.PRECONDITION_FAILED, "preconditionFailed"),
    errors.OverQuota: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "overLimit"),
    errors.TooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "requestEntityTooLarge"),
    errors.BadMediaType: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "badMediaType"),
    errors.RangeUnsatisfiable: (
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "rangeNotSatisfiable",
    ),
    errors.Unprocessable: (HTTPStatus.UNPROCESSABLE_ENTITY, "unprocessableEntity"),
    errors.TooManyRequests: (HTTPStatus.TOO_MANY_REQUESTS, "tooManyRequests"),
    errors.NotImplementedHere: (HTTPStatus.NOT_IMPLEMENTED, "notImplemented"),
    errors.Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "serviceUnavailable"),
    errors.Timeout: (HTTPStatus.SERVICE_UNAVAILABLE, "serviceUnavailable"),
    errors.Closed: (HTTPStatus.SERVICE_UNAVAILABLE, "serviceUnavailable"),
}

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache, no-store, must-revalidate, max-age=0",
    "Vary": "X-Auth-Token",
}
"""What every answer of this dialect carries besides its type and length."""

JSON_TYPE = "application/json; charset=UTF-8"
"""The content type of every JSON answer of this dialect."""


def fault(
    status: int, name: str, message: str, details: Mapping[str, object]
) -> Mapping[str, object]:
    """Give the body of a fault: one key, with code, message and details.

    ``details`` is a string in this dialect: the facts as JSON, else empty.
    """
    facts = json.dumps(dict(details), default=str, sort_keys=True) if details else ""
    return {name: {"code": int(status), "message": message, "details": facts}}
