"""Domain errors as faults of the image service."""

from __future__ import annotations

from collections.abc import Mapping

from api.openstack.identity.faults import FAULTS as IDENTITY
from api.openstack.identity.faults import ErrorBody, render
from api.operations import Dialect, Fault
from snfd import errors
from snfd.errors import CloudError

FAULTS: Mapping[type[CloudError], Fault] = {
    **IDENTITY,
    errors.OverQuota: Fault(413, "Request Entity Too Large"),
    errors.Unprocessable: Fault(400, "Bad Request"),
}

DIALECT = Dialect(
    name="openstack",
    title="OpenStack image",
    faults=FAULTS,
    render=render,
    fault_body=ErrorBody,
    headers={"Vary": "X-Auth-Token"},
    unauthorized_headers={"WWW-Authenticate": "Keystone"},
)
"""The dialect of the image service."""
