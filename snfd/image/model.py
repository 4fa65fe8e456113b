"""Values and pure rules of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

from attrs import field, frozen

from snfd.errors import Forbidden, Invalid
from snfd.identity.model import Caller

CONTAINER = "images"
"""Container, in the account of the image's project, that holds the data."""

MAX_IMAGE = 1024**4
"""Longest image, in bytes."""

DISK_FORMATS = ("raw", "diskdump", "extdump", "ntfsdump", "iso")
"""What servers can start from; nothing is converted."""

CONTAINER_FORMATS = ("bare", "ovf", "ami", "ari", "aki")

SORT_KEYS = (
    "id", "name", "status", "size", "disk_format", "container_format",
    "created_at", "updated_at",
)  # fmt: skip
"""What lists can be sorted by."""

MAX_PROPERTIES = 128
MAX_KEY = 255
MAX_VALUE = 4096
MAX_TAGS = 128


class Status(Enum):
    """Where an image is in its life."""

    QUEUED = "queued"
    SAVING = "saving"
    ACTIVE = "active"
    KILLED = "killed"


class Visibility(Enum):
    """Who may use an image."""

    PUBLIC = "public"
    PRIVATE = "private"
    SHARED = "shared"
    COMMUNITY = "community"


@frozen
class Sums:
    """Hashes of an image's whole data, raw bytes."""

    md5: bytes
    sha256: bytes
    sha512: bytes


@frozen
class Details:
    """What the owner of an image may set.

    :ivar min_disk: GiB.
    :ivar min_ram: MiB.
    """

    name: str = ""
    visibility: Visibility = Visibility.SHARED
    protected: bool = False
    hidden: bool = False
    disk_format: str | None = None
    container_format: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    properties: Mapping[str, str] = field(factory=dict)
    tags: Sequence[str] = ()


@frozen
class Image:
    """An image.

    :ivar project: whose members may use and change it.
    :ivar owner: the user who registered it.
    :ivar size: bytes, None before there is data.
    :ivar sums: None before there is data.
    :ivar map_id: of its data, or None.
    """

    id: UUID
    project: UUID
    owner: UUID
    status: Status
    details: Details
    size: int | None
    sums: Sums | None
    map_id: int | None
    created: datetime
    updated: datetime

    def seen_by(self, caller: Caller, projects: frozenset[UUID]) -> bool:
        """Whether ``caller``, acting in ``projects``, may know of it."""
        public = (Visibility.PUBLIC, Visibility.COMMUNITY)
        if caller.is_admin or self.project in projects:
            return True
        return self.details.visibility in public


def check_details(details: Details) -> None:
    """Refuse what no image can have.

    :raises Invalid: names the key and the bound.
    """
    if len(details.name) > MAX_KEY:
        raise Invalid(f"name has at most {MAX_KEY} characters")
    _check_format("disk_format", details.disk_format, DISK_FORMATS)
    _check_format("container_format", details.container_format, CONTAINER_FORMATS)
    for key in ("min_disk", "min_ram"):
        if not 0 <= getattr(details, key) < 2**31:
            raise Invalid(f"{key} is out of range")
    if len(details.properties) > MAX_PROPERTIES:
        raise Invalid(f"an image has at most {MAX_PROPERTIES} properties")
    for key, value in details.properties.items():
        if not 0 < len(key) <= MAX_KEY:
            raise Invalid(f"a property's name has 1 to {MAX_KEY} characters")
        if len(value) > MAX_VALUE:
            raise Invalid(f"property {key!r} is longer than {MAX_VALUE} characters")
    if len(details.tags) > MAX_TAGS or any(
        not 0 < len(tag) <= MAX_KEY for tag in details.tags
    ):
        raise Invalid(f"an image has at most {MAX_TAGS} tags of {MAX_KEY} characters")


def check_publishing(caller: Caller, details: Details) -> None:
    """Refuse to make an image public for everybody.

    :raises Forbidden: the caller is no administrator.
    """
    if details.visibility is Visibility.PUBLIC and not caller.is_admin:
        raise Forbidden("only administrators make images public")


def check_complete(details: Details) -> None:
    """Refuse data for an image that does not say what it will be.

    :raises Invalid: a format is missing.
    """
    if not details.disk_format or not details.container_format:
        raise Invalid("disk_format and container_format must be set before the data")


def _check_format(key: str, value: str | None, known: Sequence[str]) -> None:
    if value is not None and value not in known:
        raise Invalid(f"{key} {value!r} is not supported; use {', '.join(known)}")


@frozen
class ImageQuery:
    """One page of a list of images.

    :ivar ids: only these; None for all.
    :ivar tags: all of them.
    :ivar properties: exactly these values.
    :ivar marker: the image behind which the page starts.
    :ivar descending: order of ``sort_key``; the id breaks ties.
    """

    limit: int
    sort_key: str = "created_at"
    descending: bool = True
    marker: UUID | None = None
    ids: Sequence[UUID] | None = None
    names: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    visibility: str | None = None
    owner: UUID | None = None
    disk_formats: Sequence[str] | None = None
    container_formats: Sequence[str] | None = None
    size_min: int | None = None
    size_max: int | None = None
    protected: bool | None = None
    hidden: bool = False
    tags: Sequence[str] = ()
    properties: Mapping[str, str] = field(factory=dict)
