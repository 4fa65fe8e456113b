"""Pages of lists, and what changed since (decision 17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from api.links import Link
from api.times import http_date
from snfd.errors import Invalid, TooLarge

T = TypeVar("T")

MOST = 1000
"""Items on a page of the openstack dialect, by default and at most."""

COMPLETE = 10_000
"""Items in a list of the synnefo dialect, which knows no pages."""

OVERLAP = timedelta(seconds=10)
"""How much earlier than asked ``changes-since`` starts: longer than any
transaction may last."""

POLL_LIMIT = timedelta(seconds=3600)
SKEW = timedelta(seconds=5)

RowId = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Limit = Annotated[int, Meta(ge=0)]
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")]
Id = RowId | Digits
"""The id of a row as clients send it: a number, or its digits."""


def number(ident: int | str) -> int:
    """An `Id` as a number."""
    return int(ident)


def size(limit: int | None) -> int:
    """How many items a page has: ``limit``, at most `MOST`; 0 stands for that."""
    return min(limit or MOST, MOST)


def complete(items: Sequence[T], limit: int | None) -> Sequence[T]:
    """``items`` as a list without pages.

    :param items: one more than asked for, if there are more.
    :raises TooLarge: there are more than `COMPLETE` and no ``limit`` was given.
    """
    if limit is not None and limit <= COMPLETE:
        return items[:limit]
    if len(items) > COMPLETE:
        raise TooLarge(f"the list has more than {COMPLETE} items: give limit=")
    return items


def wanted(limit: int | None) -> int:
    """How many items to ask for, for `complete`."""
    return COMPLETE if limit is None else min(limit, COMPLETE)


def following(url: str, query: Struct, last: object) -> list[Link]:
    """The link to the page after the item ``last``, with the same filters."""
    given: list[tuple[str, str]] = []
    for one in msgspec.structs.fields(query):
        value = getattr(query, one.name)
        if one.encode_name == "marker" or value is None or value == []:
            continue
        values = value if isinstance(value, list) else [value]
        given += [(one.encode_name, _text(part)) for part in values]
    given.append(("marker", str(last)))
    return [Link("next", f"{url}?{urlencode(given)}")]


def _text(value: Any) -> str:
    return str(value)


def moment(text: str, name: str, *, zone: bool = False) -> datetime:
    """``text`` as a time.

    :param zone: whether it must say its offset from UTC; else UTC is meant.
    :raises Invalid: it is no ISO 8601 time.
    """
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise Invalid(f"{name} must be an ISO 8601 time, not {text!r}") from None
    if found.tzinfo is None:
        if zone:
            raise Invalid(f"{name} must say its offset from UTC")
        found = found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise Invalid(f"{name} lies beyond all calendars") from None


def since(text: str | None) -> datetime | None:
    """Where a ``changes-since`` of the openstack dialect starts.

    :raises Invalid: it is no time.
    """
    if text is None:
        return None
    return _earlier(moment(text, "changes-since"))


def recent(text: str | None, now: datetime) -> datetime | None:
    """Where a ``changes-since`` of the synnefo dialect starts.

    :raises Invalid: it is no time with an offset, in the future or too old.
    """
    if text is None:
        return None
    found = moment(text, "changes-since", zone=True)
    if found > now + SKEW:
        raise Invalid("changes-since lies in the future")
    if found < now - POLL_LIMIT:
        raise Invalid(f"changes-since is older than {POLL_LIMIT.seconds} s")
    return _earlier(found)


def _earlier(found: datetime) -> datetime:
    try:
        return found - OVERLAP
    except OverflowError:
        raise Invalid("changes-since lies beyond all calendars") from None


def dated(at: datetime) -> dict[str, str]:
    """The ``Date`` header of a list that was made at ``at``."""
    return {"Date": http_date(at)}


def flag(text: str | None, name: str) -> bool | None:
    """A truth value as clients write it; None for none or "none".

    :raises Invalid: it is none of those.
    """
    if text is None or text.lower() in ("none", ""):
        return None
    if text.lower() in ("true", "1", "yes", "on", "t", "y"):
        return True
    if text.lower() in ("false", "0", "no", "off", "f", "n"):
        return False
    raise Invalid(f"{name} must be true or false, not {text!r}")


def listed_ids(values: Sequence[str]) -> tuple[int, ...] | None:
    """Row ids of a filter: repeated, or one ``in:1,2``; None for no filter.

    What is no number matches nothing.
    """
    if not values:
        return None
    parts = [part for value in values for part in value.removeprefix("in:").split(",")]
    return tuple(int(p) for p in parts if p.isdecimal() and len(p) <= 18)
