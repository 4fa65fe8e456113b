"""Status, headers and bodies of answers, and of faults among them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from twisted.logger import Logger
from twisted.web.iweb import IRequest

from api.operations import Dialect, Fault
from snfd.errors import CloudError, Unauthorized, Unavailable
from snfd.observe import request_id

_log = Logger(namespace="api")


def write_head(
    request: IRequest, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Set status and headers of an answer; twisted.web's own type is no default."""
    request.setResponseCode(status)
    told = request.responseHeaders
    if "Content-Type" not in headers:
        told.removeHeader(b"content-type")
    if status not in (204, 304):
        told.setRawHeaders(b"Content-Length", (b"%d" % len(body),))
    for name, value in headers.items():
        told.setRawHeaders(name, (value,))


def tell(dialect: Dialect, request: IRequest, error: CloudError) -> bytes:
    """Set status and headers for ``error`` and return the fault's body."""
    fault = dialect.fault(error)
    body = dialect.render(fault, error.told, error.details, _ident(request))
    if isinstance(error, Unavailable):
        # who looks after the cloud must learn it too
        _log.warn(
            "answered {status}: {why}",
            status=fault.status,
            why=error.message,
            request_id=_ident(request),
        )
    request.setResponseCode(fault.status, _phrase(fault.status))
    headers = {
        **dialect.headers,
        **_fault_headers(dialect, fault, error),
        "Content-Type": dialect.fault_content_type,
        "Content-Length": str(len(body)),
    }
    for name, value in headers.items():
        request.setHeader(name.encode(), value.encode())
    return body


def _phrase(status: int) -> bytes:
    """What stands behind ``status`` in the first line of an answer."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _fault_headers(
    dialect: Dialect, fault: Fault, error: CloudError
) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    if "allow" in error.details:
        headers["Allow"] = str(error.details["allow"])
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, Unauthorized):
        headers.update(dialect.unauthorized_headers)
    return headers


def _ident(request: IRequest) -> str:
    """The request's id, also outside of its scope: a body is read before it."""
    told = request.responseHeaders.getRawHeaders(b"X-Openstack-Request-Id")
    return told[0].decode() if told else request_id()
