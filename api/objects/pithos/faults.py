"""Domain errors as Pithos tells them.

Source: ``spec/pithos.md`` §1.4 and §1.5.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from api.operations import Dialect, Fault
from api.synnefo import faults as synnefo
from snfd import errors
from snfd.errors import CloudError

FAULTS: Mapping[type[CloudError], Fault] = {
    **synnefo.FAULTS,
    errors.OverQuota: Fault(413, "requestEntityTooLarge"),
}

DIALECT: Dialect = evolve(
    synnefo.DIALECT,
    name="pithos",
    title="Pithos",
    faults=FAULTS,
    json_only=False,
)
"""The dialect of kamaki and of sync clients."""
