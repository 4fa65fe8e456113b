"""Conditions and pages of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    db: Database,
    select: str,
    alias: str,
    tests: Conditions,
    wanted: Filter,
    sorts: Mapping[str, str] | None = None,
) -> list[Row]:
    """The rows that follow the marker; one more than the limit.

    They come by what ``wanted`` says, then by id.

    :param sorts: attributes that they can be sorted by, each with its column.
    :raises Invalid: the marker is no row that the caller sees, or there is no
        sorting by what is wanted.
    """
    params = {**tests.params, "marker": wanted.marker, "most": wanted.limit + 1}
    keys = [*_keys(wanted, sorts or {}), (f"{alias}.id", False)]
    if wanted.marker is not None:
        known = f"{select} WHERE {alias}.id = %(marker)s AND {tests.visible}"
        if not await db.read(known, params):
            raise Invalid(f"marker {wanted.marker} is no item of this list")
        tests.where.append(_beyond(select, alias, keys))
    conditions = " AND ".join(tests.where)
    order = ", ".join(f"{name}{_DOWN if down else _UP}" for name, down in keys)
    return await db.read(
        f"{select} WHERE {conditions} ORDER BY {order} LIMIT %(most)s", params
    )


_UP, _DOWN = " ASC NULLS LAST", " DESC NULLS FIRST"
Key = tuple[str, bool]


def _keys(wanted: Filter, sorts: Mapping[str, str]) -> list[Key]:
    for name, _ in wanted.sort:
        if name not in sorts:
            raise Invalid(f"sorting is by {', '.join(sorts)}, not by {name!r}")
    return [(sorts[name], down) for name, down in wanted.sort]


def _beyond(select: str, alias: str, keys: Sequence[Key]) -> str:
    """A condition: a row comes after that of the marker, by ``keys``.

    Null is above everything.
    """
    tables = select[select.rindex("FROM compute.") :]
    found = "false"
    for name, down in reversed(keys):
        if name == f"{alias}.id":
            found = f"{name} > %(marker)s"
            continue
        at = f"(SELECT {name} {tables} WHERE {alias}.id = %(marker)s)"
        if down:
            past = f"({name} < {at} OR ({at} IS NULL AND {name} IS NOT NULL))"
        else:
            past = f"({name} > {at} OR ({name} IS NULL AND {at} IS NOT NULL))"
        found = f"({past} OR ({name} IS NOT DISTINCT FROM {at} AND {found}))"
    return found
