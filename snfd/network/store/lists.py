"""Conditions and pages of lists."""

from __future__ import annotations

from datetime import datetime

from snfd.db.port import Database, Row
from snfd.errors import Invalid
from snfd.network.model import Filter
from snfd.network.scope import Scope


class Conditions:
    """What a list is narrowed to, as SQL and its parameters."""

    def __init__(self, scope: Scope, visible: str) -> None:
        self.visible = visible
        self.where = [visible]
        self.params: dict[str, object] = dict(scope.params)

    def add(self, sql: str, name: str, value: object) -> None:
        """Demand ``sql``, which refers to ``name``, unless ``value`` is None."""
        if value is not None:
            self.where.append(sql)
            self.params[name] = list(value) if isinstance(value, tuple) else value

    def changed(self, alias: str, since: datetime | None) -> None:
        """Demand a change since then; without, that the row is not deleted."""
        if since is None:
            self.where.append(f"NOT {alias}.deleted")
        self.add(f"{alias}.updated >= %(since)s", "since", since)


async def page(
    db: Database, select: str, alias: str, tests: Conditions, wanted: Filter
) -> list[Row]:
    """The rows that follow the marker, by id; one more than the limit.

    :raises Invalid: the marker is no row that the caller sees.
    """
    params = {**tests.params, "marker": wanted.marker, "most": wanted.limit + 1}
    if wanted.marker is not None:
        known = f"{select} WHERE {alias}.id = %(marker)s AND {tests.visible}"
        if not await db.read(known, params):
            raise Invalid(f"marker {wanted.marker} is no item of this list")
        tests.where.append(f"{alias}.id > %(marker)s")
    conditions = " AND ".join(tests.where)
    return await db.read(
        f"{select} WHERE {conditions} ORDER BY {alias}.id LIMIT %(most)s", params
    )
