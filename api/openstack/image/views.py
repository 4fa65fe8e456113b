"""Images as the image service v2 shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, UnsetType

from api.links import Link
from api.operations import Reply
from api.times import whole_z
from snfd.image.model import (
    CONTAINER_FORMATS,
    DISK_FORMATS,
    Image,
    Status,
    Visibility,
)

ImageBody = dict[str, str | int | bool | list[str] | None]
"""An image; the user's properties stand beside the service's own."""

VERSION = "v2.9"


class Version(Reply):
    """A version of the API."""

    id: str
    status: str
    links: list[Link]


class Versions(Reply):
    """All versions of the API."""

    versions: list[Version]


class ImageList(Reply):
    """One page of images.

    :ivar next: path of the next page, absent on the last.
    """

    images: list[ImageBody]
    first: str
    schema: str = "/v2/schemas/images"
    next: str | UnsetType = UNSET


class Member(Reply):
    """A project that an image is shared with."""

    image_id: str
    member_id: str
    status: str
    created_at: str
    updated_at: str
    schema: str = "/v2/schemas/member"


class Members(Reply):
    """All projects that an image is shared with."""

    members: list[Member]
    schema: str = "/v2/schemas/members"


class Stores(Reply):
    """Where images can be kept."""

    stores: list[dict[str, str]]


class Methods(Reply):
    """A choice of words."""

    description: str
    type: str
    value: list[str]


class ImportInfo(Reply, rename="kebab"):
    """How data can come besides an upload."""

    import_methods: Methods


class ShapeLink(Reply):
    """How to come from one answer to another."""

    rel: str
    href: str


class Shape(Reply, rename="camel"):
    """The shape of an answer or of a part of it, in JSON Schema's words."""

    name: str | UnsetType = UNSET
    type: str | list[str] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    read_only: bool | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    max_length: int | UnsetType = UNSET
    enum: list[str | None] | UnsetType = UNSET
    items: Shape | UnsetType = UNSET
    properties: dict[str, Shape] | UnsetType = UNSET
    additional_properties: Shape | UnsetType = UNSET
    links: list[ShapeLink] | UnsetType = UNSET


def versions(base: str) -> Versions:
    """The one version there is, and the number older clients ask for."""
    link = Link("self", f"{base}/v2/")
    return Versions(
        [
            Version(VERSION, "CURRENT", [link]),
            Version("v2.1", "SUPPORTED", [link]),
            Version("v2.0", "SUPPORTED", [link]),
        ]
    )


def image(found: Image) -> ImageBody:
    """One image."""
    details, sums = found.details, found.sums
    own: ImageBody = {
        "id": str(found.id),
        "name": details.name,
        "status": found.status.value,
        "visibility": details.visibility.value,
        "owner": str(found.project),
        "protected": details.protected,
        "os_hidden": details.hidden,
        "disk_format": details.disk_format,
        "container_format": details.container_format,
        "min_disk": details.min_disk,
        "min_ram": details.min_ram,
        "size": found.size,
        "virtual_size": found.size if found.status is Status.ACTIVE else None,
        "checksum": sums.md5.hex() if sums else None,
        "os_hash_algo": "sha512" if sums else None,
        "os_hash_value": sums.sha512.hex() if sums else None,
        "tags": list(details.tags),
        "created_at": whole_z(found.created),
        "updated_at": whole_z(found.updated),
        "self": f"/v2/images/{found.id}",
        "file": f"/v2/images/{found.id}/file",
        "schema": "/v2/schemas/image",
    }
    return {**dict(details.properties), **own}


def page(
    found: Sequence[Image], limit: int, args: Mapping[str, Sequence[str]]
) -> ImageList:
    """One page, with the way to the next if this one is full."""
    kept = [
        (key, value)
        for key, values in args.items()
        if key != "marker"
        for value in values
    ]
    query = urlencode(kept)
    shown = ImageList(
        images=[image(one) for one in found],
        first=f"/v2/images?{query}" if query else "/v2/images",
    )
    if found and len(found) == limit:
        more = urlencode([*kept, ("marker", str(found[-1].id))])
        shown.next = f"/v2/images?{more}"
    return shown


def _text(description: str, read_only: bool = False, **more: Any) -> dict[str, Any]:
    kind: dict[str, Any] = {"type": ["null", "string"], "description": description}
    if read_only:
        kind["readOnly"] = True
    return {**kind, **more}


_IMAGE: dict[str, Any] = {
    "id": _text("Its id", pattern="^([0-9a-fA-F]){8}-([0-9a-fA-F-]){27}$"),
    "name": _text("What people call it", maxLength=255),
    "status": _text(
        "Where it is in its life", True, enum=[one.value for one in Status]
    ),
    "visibility": {"type": "string", "enum": [one.value for one in Visibility]},
    "owner": _text("Project that it belongs to"),
    "protected": {"type": "boolean"},
    "os_hidden": {"type": "boolean"},
    "disk_format": _text("What the data is", enum=[None, *DISK_FORMATS]),
    "container_format": _text("What it is wrapped in", enum=[None, *CONTAINER_FORMATS]),
    "min_disk": {"type": "integer", "description": "GiB"},
    "min_ram": {"type": "integer", "description": "MiB"},
    "size": {"type": ["null", "integer"], "readOnly": True},
    "virtual_size": {"type": ["null", "integer"], "readOnly": True},
    "checksum": _text("MD5 of the data", True),
    "os_hash_algo": _text("Name of the better hash", True),
    "os_hash_value": _text("The better hash of the data", True),
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 255}},
    "created_at": _text("When it was made", True),
    "updated_at": _text("When it last changed", True),
    "self": _text("Path of the image", True),
    "file": _text("Path of its data", True),
    "schema": _text("Path of this schema", True),
}

_MEMBER: dict[str, Any] = {
    "image_id": _text("The image"),
    "member_id": _text("The project"),
    "status": {"type": "string", "enum": ["pending", "accepted", "rejected"]},
    "created_at": _text("When it was shared", True),
    "updated_at": _text("When that last changed", True),
    "schema": _text("Path of this schema", True),
}


def _list(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            name: {"type": "array", "items": dict(one)},
            "schema": {"type": "string"},
            "first": {"type": "string"},
            "next": {"type": "string"},
        },
        "links": [
            {"rel": "first", "href": "{first}"},
            {"rel": "next", "href": "{next}"},
            {"rel": "describedby", "href": "{schema}"},
        ],
    }


_ONE_IMAGE: dict[str, Any] = {
    "name": "image",
    "properties": _IMAGE,
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}
_ONE_MEMBER: dict[str, Any] = {"name": "member", "properties": _MEMBER}

SCHEMAS: Mapping[str, Shape] = msgspec.convert(
    {
        "image": _ONE_IMAGE,
        "images": _list("images", _ONE_IMAGE),
        "member": _ONE_MEMBER,
        "members": _list("members", _ONE_MEMBER),
    },
    dict[str, Shape],
)
"""What clients may ask about the shape of answers."""
