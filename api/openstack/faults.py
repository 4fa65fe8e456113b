"""Domain errors as faults of nova and of neutron."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from api.openstack.microversion import NotAcceptable, negotiated
from api.operations import Dialect, Fault, Reply
from snfd import errors
from snfd.errors import CloudError

FAULTS: Mapping[type[CloudError], Fault] = {
    CloudError: Fault(500, "computeFault"),
    NotAcceptable: Fault(406, "computeFault"),
    errors.Invalid: Fault(400, "badRequest"),
    errors.Unauthorized: Fault(401, "unauthorized"),
    errors.Forbidden: Fault(403, "forbidden"),
    errors.NotFound: Fault(404, "itemNotFound"),
    errors.NotAllowed: Fault(405, "badMethod"),
    errors.RequestTimeout: Fault(408, "requestTimeout"),
    errors.Conflict: Fault(409, "conflictingRequest"),
    errors.Busy: Fault(409, "conflictingRequest"),
    errors.BuildInProgress: Fault(409, "conflictingRequest"),
    errors.LengthRequired: Fault(411, "lengthRequired"),
    errors.PreconditionFailed: Fault(412, "preconditionFailed"),
    errors.OverQuota: Fault(403, "forbidden"),
    errors.TooLarge: Fault(413, "overLimit"),
    errors.BadMediaType: Fault(415, "badMediaType"),
    errors.RangeUnsatisfiable: Fault(416, "rangeNotSatisfiable"),
    errors.Unprocessable: Fault(422, "unprocessableEntity"),
    errors.TooManyRequests: Fault(429, "overLimit"),
    errors.NotImplementedHere: Fault(501, "notImplemented"),
    errors.Unavailable: Fault(503, "serviceUnavailable"),
    errors.Timeout: Fault(503, "serviceUnavailable"),
    errors.Closed: Fault(503, "serviceUnavailable"),
}


class FaultPart(Reply):
    """What stands below the fault's name."""

    code: int
    message: str


def render(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    """The body of a compute fault."""
    return msgspec.json.encode({fault.name: FaultPart(fault.status, message)})


NOVA = Dialect(
    name="openstack",
    title="OpenStack compute",
    faults=FAULTS,
    render=render,
    fault_body=dict[str, FaultPart],
    headers={"Cache-Control": "no-store"},
    fault_content_type="application/json; charset=UTF-8",
    before=negotiated,
)
"""Compute v2.1: microversions, closed replies, nova's codes."""


NEUTRON_FAULTS: Mapping[type[CloudError], Fault] = {
    CloudError: Fault(500, "HTTPInternalServerError"),
    errors.Invalid: Fault(400, "BadRequest"),
    errors.Unauthorized: Fault(401, "HTTPUnauthorized"),
    errors.Forbidden: Fault(403, "PolicyNotAuthorized"),
    errors.NotFound: Fault(404, "HTTPNotFound"),
    errors.NotAllowed: Fault(405, "HTTPMethodNotAllowed"),
    errors.RequestTimeout: Fault(408, "HTTPRequestTimeout"),
    errors.Conflict: Fault(409, "Conflict"),
    errors.Busy: Fault(409, "Conflict"),
    errors.BuildInProgress: Fault(409, "Conflict"),
    errors.LengthRequired: Fault(411, "HTTPLengthRequired"),
    errors.PreconditionFailed: Fault(412, "HTTPPreconditionFailed"),
    errors.OverQuota: Fault(409, "OverQuota"),
    errors.TooLarge: Fault(400, "InvalidInput"),
    errors.BadMediaType: Fault(415, "HTTPUnsupportedMediaType"),
    errors.RangeUnsatisfiable: Fault(416, "HTTPRequestRangeNotSatisfiable"),
    errors.Unprocessable: Fault(422, "HTTPUnprocessableEntity"),
    errors.TooManyRequests: Fault(429, "HTTPTooManyRequests"),
    errors.NotImplementedHere: Fault(501, "NotImplemented"),
    errors.Unavailable: Fault(503, "ServiceUnavailable"),
    errors.Timeout: Fault(503, "ServiceUnavailable"),
    errors.Closed: Fault(503, "ServiceUnavailable"),
}


class NeutronErrorPart(Reply):
    """What went wrong; ``type`` is neutron's name for it."""

    type: str
    message: str
    detail: str


class NeutronError(Reply, rename={"error": "NeutronError"}):
    """The body of a network fault."""

    error: NeutronErrorPart


def render_neutron(
    fault: Fault, message: str, details: Mapping[str, object], request_id: str
) -> bytes:
    """The body of a network fault; ``details["kind"]`` gives a closer type."""
    kind = str(details.get("kind", fault.name))
    return msgspec.json.encode(NeutronError(NeutronErrorPart(kind, message, "")))


NEUTRON = Dialect(
    name="openstack",
    title="OpenStack network",
    faults=NEUTRON_FAULTS,
    render=render_neutron,
    fault_body=NeutronError,
    headers={"Vary": "X-Auth-Token", "Cache-Control": "no-store"},
)
"""Network v2.0: neutron's codes and types of errors."""
