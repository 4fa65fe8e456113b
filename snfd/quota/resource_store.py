"""SQL of single resources (schema ``quota``)."""

from __future__ import annotations

from snfd.db.port import Transaction
from snfd.quota.model import Resource


async def take(tx: Transaction, name: str) -> Resource | None:
    """A resource, locked; None where there is none."""
    row = await tx.row(
        "SELECT name, description, unit, service_type, service_origin,"
        " system_default, project_default, api_visible, ui_visible"
        " FROM quota.resource WHERE name = %s FOR NO KEY UPDATE",
        (name,),
    )
    return None if row is None else Resource(*row)


async def set_defaults(tx: Transaction, one: Resource) -> None:
    """Write the defaults and flags of a locked resource."""
    await tx.execute(
        "UPDATE quota.resource SET system_default = %s, project_default = %s,"
        " api_visible = %s, ui_visible = %s WHERE name = %s",
        (
            one.system_default, one.project_default, one.api_visible, one.ui_visible,
            one.name,
        ),
    )  # fmt: skip
