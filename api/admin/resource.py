"""Everything below ``/admin/v1``, for whoever is let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from api.admin.faults import DIALECT
from api.admin.lists import DirectoryApi, LedgerApi
from api.dispatch import Served, build
from snfd.admin.rights import Staff

if TYPE_CHECKING:
    from snfd.cloud import Cloud

PATH = "/admin/v1"

Gate = Callable[[str | None], Awaitable[Staff]]
"""Says who presents a token, and what he may; or raises why he is not let in."""


def apis(cloud: Cloud) -> Sequence[object]:
    """One object for each family of resources."""
    admin = cloud.astakos.admin
    return [DirectoryApi(admin.directory), LedgerApi(admin.ledger)]


def resource(cloud: Cloud, gate: Gate | None = None) -> Served:
    """All operations.

    :param gate: None for tokens of the cloud's users.
    """
    chosen: Any = gate or cloud.astakos.admin.staff
    return build(DIALECT, chosen, *apis(cloud))
