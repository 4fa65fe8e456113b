"""Says what a value had to be, where msgspec only says what it is not.

Its messages list no enum's values and give no example of a time, and of a query
string, where all is text, they say ``Expected `int`, got `str```.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from msgspec import inspect

_PLACE = re.compile(r" - at (`key` in )?`(\$[^`]*)`$")
_STEP = re.compile(r"\[(\d+|\.\.\.)\]")
_KNOWN = 1000
"""How many places' words are kept."""

_ENOUGH = frozenset(("a list", "an object", "anything", "null"))
"""What msgspec says in its own words."""

_EXAMPLES: dict[type, str] = {
    datetime: "a date and time such as 2026-01-31T12:00:00Z",
    date: "a date such as 2026-01-31",
    time: "a time such as 12:00:00",
    timedelta: "a duration such as PT1H30M",
    UUID: "a UUID such as 2f0c7c3e-9f57-4f34-8d43-0d1d51f7b4aa",
}
_BY_TYPE: dict[type[inspect.Type], type] = {
    inspect.DateTimeType: datetime,
    inspect.DateType: date,
    inspect.TimeType: time,
    inspect.TimeDeltaType: timedelta,
    inspect.UUIDType: UUID,
    inspect.DecimalType: Decimal,
}


def explained(error: msgspec.ValidationError, kind: Any) -> str:
    """What ``error`` says, and what is wanted there where that is known.

    :param kind: the type that the value was to have.
    """
    said = str(error)
    found = _PLACE.search(said)
    key, place = (bool(found[1]), found[2]) if found else (False, "$")
    try:
        wanted = _wanted(kind, place, key)
    except (TypeError, ValueError):
        return said  # a type that cannot be described, or is no key of a cache
    return f"{said}; it must be {wanted}" if wanted else said


@lru_cache(maxsize=_KNOWN)
def _wanted(kind: Any, place: str, key: bool) -> str:
    found: Sequence[inspect.Type] = list(_flat(inspect.type_info(kind)))
    rest = place[1:]
    while rest:
        found, rest = _step(found, rest)
    if key:
        found = [one.key_type for one in found if isinstance(one, inspect.DictType)]
    words = dict.fromkeys(_words(one) for kind in found for one in _flat(kind))
    return "" if words.keys() <= _ENOUGH else " or ".join(words)


def _step(
    found: Sequence[inspect.Type], rest: str
) -> tuple[Sequence[inspect.Type], str]:
    """What is one step further on the way, and the way from there."""
    index = _STEP.match(rest)
    if index:
        return [two for one in found for two in _items(one, index[1])], rest[
            index.end() :
        ]
    fields = {
        field.encode_name: field.type
        for one in found
        for field in getattr(one, "fields", ())
        if _goes(rest, field.encode_name)
    }
    if not fields:
        return [], ""
    name = max(fields, key=len)
    return list(_flat(fields[name])), rest[len(name) + 1 :]


def _goes(rest: str, name: str) -> bool:
    """Whether the way goes on with the field ``name``."""
    after = rest.removeprefix(f".{name}")
    return after != rest and after[:1] in ("", ".", "[")


def _items(one: inspect.Type, index: str) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.DictType):
        yield from _flat(one.value_type)
    elif isinstance(one, inspect.TupleType):
        yield from _flat(one.item_types[int(index)])
    elif hasattr(one, "item_type"):
        yield from _flat(one.item_type)


def _flat(one: inspect.Type) -> Iterator[inspect.Type]:
    """The alternatives of a type; what is said of it beside is no matter."""
    if isinstance(one, inspect.Metadata):
        yield from _flat(one.type)
    elif isinstance(one, inspect.UnionType):
        for part in one.types:
            yield from _flat(part)
    else:
        yield one


def _words(one: inspect.Type) -> str:
    """What a value of that type is."""
    if isinstance(one, inspect.EnumType):
        return _one_of([member.value for member in one.cls])
    if isinstance(one, inspect.LiteralType):
        return _one_of(one.values)
    if isinstance(one, inspect.IntType):
        return "a whole number" + _bounds(one)
    if isinstance(one, inspect.FloatType | inspect.DecimalType):
        return "a number" + _bounds(one)
    if isinstance(one, inspect.StrType):
        return _text(one)
    if isinstance(one, inspect.NoneType):
        return "null"
    if isinstance(one, inspect.BoolType):
        return "true or false"
    if hasattr(one, "item_type") or isinstance(one, inspect.TupleType):
        return "a list"
    if hasattr(one, "fields") or isinstance(one, inspect.DictType):
        return "an object"
    return _EXAMPLES.get(_BY_TYPE.get(type(one), str), "anything")


def _one_of(values: Any) -> str:
    shown = [msgspec.json.encode(one).decode().strip('"') for one in values]
    return f"one of: {', '.join(shown)}" if len(shown) > 1 else "".join(shown)


def _bounds(one: Any) -> str:
    """Between which numbers, in words."""
    low, high = getattr(one, "ge", None), getattr(one, "le", None)
    above, below = getattr(one, "gt", None), getattr(one, "lt", None)
    if low is not None and high is not None:
        return f" from {low} to {high}"
    said = [
        f" {word} {bound}"
        for word, bound in (
            ("of at least", low),
            ("above", above),
            ("of at most", high),
            ("below", below),
        )
        if bound is not None
    ]
    return " and".join(said)


def _text(one: inspect.StrType) -> str:
    least, most = one.min_length, one.max_length
    said = "text"
    if least is not None and most is not None:
        said += f" of {least} to {most} characters"
    elif most is not None:
        said += f" of at most {most} characters"
    elif least is not None:
        said += f" of at least {least} character{'s' if least > 1 else ''}"
    return f"{said} that matches {one.pattern}" if one.pattern else said
