"""What clients of the image service send, as values; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from attrs import evolve
from msgspec import Struct

from snfd.errors import Conflict, Forbidden, Invalid
from snfd.image.model import SORT_KEYS, Details, ImageQuery, Visibility
from snfd.wanted import explained

MAX_PAGE = 1000

READ_ONLY = frozenset(
    {
        "status", "size", "virtual_size", "checksum", "os_hash_algo",
        "os_hash_value", "created_at", "updated_at", "self", "file", "schema",
        "direct_url", "locations", "deleted", "deleted_at", "stores", "owner",
    }
)  # fmt: skip
"""Keys that only the service sets."""

KEYS: Mapping[str, tuple[str, Any]] = {
    "name": ("name", str | None),
    "visibility": ("visibility", Visibility),
    "protected": ("protected", bool),
    "os_hidden": ("hidden", bool),
    "disk_format": ("disk_format", str | None),
    "container_format": ("container_format", str | None),
    "min_disk": ("min_disk", int),
    "min_ram": ("min_ram", int),
    "tags": ("tags", list[str]),
}
"""Keys that the owner sets: the field in `Details`, and its type."""


class PatchStep(Struct):
    """One step of a JSON patch on an image."""

    op: Literal["add", "replace", "remove"]
    path: str
    value: Any = None


Patch = list[PatchStep]
"""What changes an image."""


def created(body: Mapping[str, Any]) -> tuple[Details, UUID | None]:
    """The details of a new image, and the id that it shall have.

    :raises Invalid: a value is of the wrong type.
    :raises Forbidden: a key that only the service sets.
    """
    details, ident = Details(), None
    for key, value in body.items():
        if key == "id":
            ident = _as("id", value, UUID)
        elif key == "owner" and value is None:
            continue
        else:
            details = with_key(details, key, value)
    return details, ident


def with_key(details: Details, key: str, value: object) -> Details:
    """``details`` with one key set.

    :raises Invalid: a value is of the wrong type.
    :raises Forbidden: a key that only the service sets.
    """
    if key in READ_ONLY or key == "id":
        raise Forbidden(f"{key} is set by the service alone")
    if key in KEYS:
        field, kind = KEYS[key]
        given = _as(key, value, kind)
        if key == "tags":
            given = tuple(dict.fromkeys(given))
        if key == "name":
            given = given or ""
        return evolve(details, **{field: given})
    text = _as(key, value, str)
    return evolve(details, properties={**details.properties, key: text})


def without_key(details: Details, key: str) -> Details:
    """``details`` without a property.

    :raises Forbidden: a key that an image always has.
    :raises Conflict: there is no such property.
    """
    if key in READ_ONLY or key in KEYS or key == "id":
        raise Forbidden(f"{key} cannot be removed")
    _check_there(details, key)
    left = {name: text for name, text in details.properties.items() if name != key}
    return evolve(details, properties=left)


def patched(steps: Sequence[PatchStep]) -> Callable[[Details], Details]:
    """What a JSON patch makes of details, all of it or nothing.

    :raises Invalid: (of the result too) a path that is none.
    """

    def change(details: Details) -> Details:
        for step in steps:
            key = _key(step.path)
            if step.op == "remove":
                details = without_key(details, key)
                continue
            changed = with_key(details, key, step.value)
            if step.op == "replace" and key not in KEYS:
                _check_there(details, key)
            details = changed
        return details

    return change


def tagged(tag: str, there: bool) -> Callable[[Details], Details]:
    """Set or take away one tag."""

    def change(details: Details) -> Details:
        others = tuple(one for one in details.tags if one != tag)
        return evolve(details, tags=(*others, tag) if there else others)

    return change


def query(args: Mapping[str, Sequence[str]]) -> ImageQuery:
    """The page of images that a query string asks for.

    :raises Invalid: a value that cannot be.
    """
    given = {key: values[-1] for key, values in args.items() if values}
    key, descending = _order(given)
    return ImageQuery(
        limit=_limit(given.pop("limit", None)),
        sort_key=key,
        descending=descending,
        marker=_uuid("marker", given.pop("marker", None)),
        ids=_uuids(given.pop("id", None)),
        names=_choices(given.pop("name", None)),
        statuses=_choices(given.pop("status", None)),
        visibility=_visibility(given.pop("visibility", None)),
        owner=_uuid("owner", given.pop("owner", None)),
        disk_formats=_choices(given.pop("disk_format", None)),
        container_formats=_choices(given.pop("container_format", None)),
        size_min=_number("size_min", given.pop("size_min", None)),
        size_max=_number("size_max", given.pop("size_max", None)),
        protected=_truth("protected", given.pop("protected", None)),
        hidden=bool(_truth("os_hidden", given.pop("os_hidden", None))),
        tags=args.get("tag", ()),
        properties=_properties(given),
    )


def _properties(left: Mapping[str, str]) -> dict[str, str]:
    known = {"sort", "sort_key", "sort_dir", "tag", "member_status", "fields"}
    return {key: value for key, value in left.items() if key not in known}


def _order(given: Mapping[str, str]) -> tuple[str, bool]:
    first = given.get("sort", "").split(",")[0]
    key, _, way = first.partition(":")
    key = key or given.get("sort_key", "") or "created_at"
    way = way or given.get("sort_dir", "") or "desc"
    if key not in SORT_KEYS or way not in ("asc", "desc"):
        raise Invalid(f"cannot sort by {key}:{way}; keys are {', '.join(SORT_KEYS)}")
    return key, way == "desc"


def _limit(text: str | None) -> int:
    number = _number("limit", text)
    return MAX_PAGE if number is None else min(number, MAX_PAGE)


def _number(key: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(f"{key} is no number")
    return int(text)


def _truth(key: str, text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in ("true", "false", "1", "0"):
        raise Invalid(f"{key} is true or false")
    return text.lower() in ("true", "1")


def _choices(text: str | None) -> Sequence[str] | None:
    if text is None:
        return None
    if not text.startswith("in:"):
        return [text]
    return [part.strip('"') for part in text[3:].split(",")][:MAX_PAGE]


def _uuids(text: str | None) -> Sequence[UUID] | None:
    """Ids; one that is none names no image."""
    found = []
    for part in _choices(text) or ():
        try:
            found.append(UUID(part))
        except ValueError:
            continue
    return None if text is None else found


def _uuid(key: str, text: str | None) -> UUID | None:
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{key} is no uuid") from None


def _visibility(text: str | None) -> str | None:
    if text in (None, "all"):
        return None
    if text not in {one.value for one in Visibility}:
        raise Invalid(f"there is no visibility {text!r}")
    return text


def _key(path: str) -> str:
    key = path.removeprefix("/").replace("~1", "/").replace("~0", "~")
    if not path.startswith("/") or not key or "/" in path[1:]:
        raise Invalid(f"{path!r} is no path to a key of an image")
    return key


def _check_there(details: Details, key: str) -> None:
    if key not in details.properties:
        raise Conflict(f"the image has no property {key!r}")


def _as(key: str, value: object, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise Invalid(f"{key}: {explained(error, kind)}") from None
