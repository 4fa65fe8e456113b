"""Ganeti's query language: fields and filters over rows of any kind; pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from attrs import frozen

from pocket.errors import Refusal

T = TypeVar("T")
Cell = tuple[int, Any]
Getter = Callable[[T], Any]
Test = Callable[[T], bool]

NORMAL, UNKNOWN, UNAVAILABLE = 0, 1, 3
_DEPTH = 20
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Unavailable(Exception):
    """Raised by a getter: the field exists but this row has no value."""


@frozen
class Field(Generic[T]):
    """One column.

    :ivar kind: number, text, bool, unit, timestamp or other.
    """

    name: str
    kind: str
    get: Getter[T]
    title: str = ""

    def definition(self) -> dict[str, str]:
        """What a query's answer says about this column."""
        title = self.title or self.name.replace(".", "_").capitalize()
        return {
            "name": self.name,
            "title": title,
            "kind": self.kind,
            "doc": self.name.replace("_", " "),
        }


Fields = Mapping[str, Field[T]]


def table(*fields: Field[T]) -> dict[str, Field[T]]:
    """The fields by name."""
    return {field.name: field for field in fields}


def answer(fields: Fields[T], names: list[str], rows: Iterable[T]) -> dict[str, Any]:
    """The answer to a query: definitions of ``names`` and a cell for each."""
    chosen = [fields.get(name) for name in names]
    return {
        "fields": [
            field.definition() if field else _unknown(name)
            for name, field in zip(names, chosen, strict=True)
        ],
        "data": [[cell(field, row) for field in chosen] for row in rows],
    }


def _unknown(name: str) -> dict[str, str]:
    return {"name": name, "title": name, "kind": "unknown", "doc": "Unknown field"}


def cell(field: Field[T] | None, row: T) -> Cell:
    """Status and value of one field of one row."""
    if field is None:
        return UNKNOWN, None
    try:
        return NORMAL, field.get(row)
    except Unavailable:
        return UNAVAILABLE, None


def named(expression: Any, key: str) -> list[Any] | None:
    """The rows that a filter asks for by name, where it does only that.

    :param key: the naming field.
    :return: None where the filter is anything but ``key`` = value, or several
        of these joined by ``|``: then all rows have to be looked at.
    """
    match expression:
        case ["=", field, value] if field == key:
            return [value]
        case ["|", *parts] if parts:
            found: list[Any] = []
            for part in parts:
                names = named(part, key)
                if names is None:
                    return None
                found += names
            return found
    return None


def compiled(fields: Fields[T], expression: Any, depth: int = 0) -> Test[T]:
    """A predicate for ``expression``; None selects every row.

    :raises Refusal: 502, as from Ganeti's query daemon, for a filter that
        makes no sense; also while the predicate runs, for a wrong type.
    """
    if expression is None:
        return lambda row: True
    if not isinstance(expression, list) or not expression or depth > _DEPTH:
        raise _wrong(expression)
    match expression:
        case ["&", *parts]:
            tests = [compiled(fields, part, depth + 1) for part in parts]
            return lambda row: all(test(row) for test in tests)
        case ["|", *parts]:
            return _any_of(fields, parts, depth)
        case ["!", part]:
            test = compiled(fields, part, depth + 1)
            return lambda row: not test(row)
        case ["?", str(name)]:
            return _reading(fields, name, _truth)
        case [str(sign), str(name), value]:
            return _reading(fields, name, _leaf(sign, value))
    raise _wrong(expression)


def _any_of(fields: Fields[T], parts: list[Any], depth: int) -> Test[T]:
    """Many ``=`` of one field become one look into a set."""
    values: dict[str, set[Any]] = {}
    tests: list[Test[T]] = []
    for part in parts:
        match part:
            case ["=", str(name), bool() | int() | str() as value]:
                values.setdefault(name, set()).add(value)
            case _:
                tests.append(compiled(fields, part, depth + 1))
    tests += [_reading(fields, name, _in(wanted)) for name, wanted in values.items()]
    return lambda row: any(test(row) for test in tests)


def _in(wanted: set[Any]) -> Callable[[Any], bool]:
    kinds = {isinstance(value, str) for value in wanted}

    def test(actual: Any) -> bool:
        if isinstance(actual, list | dict) or kinds != {isinstance(actual, str)}:
            raise _mismatch(actual, sorted(map(str, wanted))[0])
        return actual in wanted

    return test


def _reading(fields: Fields[T], name: str, test: Callable[[Any], bool]) -> Test[T]:
    """A row without a value passes, as in Ganeti."""
    field = fields.get(name)
    if field is None:
        raise Refusal(502, f"Can't find field named '{name}'")

    def read(row: T) -> bool:
        status, value = cell(field, row)
        if status != NORMAL:
            return True
        return test(value)

    return read


def _truth(actual: Any) -> bool:
    if not isinstance(actual, bool):
        raise Refusal(502, f"Unexpected value '{actual}' in boolean context")
    return actual


def _leaf(sign: str, value: Any) -> Callable[[Any], bool]:
    if sign in ("=", "=="):
        return _in({value}) if isinstance(value, str | int) else _never(sign, value)
    if sign == "!=":
        equal = _leaf("=", value)
        return lambda actual: not equal(actual)
    if sign == "=[]":
        return lambda actual: isinstance(actual, list) and value in actual
    if sign in _ORDER:
        return _ordered(sign, value)
    raise _wrong([sign, value])


def _never(sign: str, value: Any) -> Callable[[Any], bool]:
    raise _wrong([sign, value])


def _ordered(sign: str, value: Any) -> Callable[[Any], bool]:
    compare = _ORDER[sign]

    def test(actual: Any) -> bool:
        if isinstance(actual, str) != isinstance(value, str) or not isinstance(
            actual, str | int | float
        ):
            raise _mismatch(actual, value)
        return compare(actual, value)

    return test


def _mismatch(actual: Any, value: Any) -> Refusal:
    return Refusal(
        502,
        "Invalid types in comparison, trying to compare"
        f" {str(actual)[:80]} with '{str(value)[:80]}'",
    )


def _wrong(expression: Any) -> Refusal:
    return Refusal(502, f"Unknown filter expression: {str(expression)[:200]}")
