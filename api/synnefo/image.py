"""Images as kamaki lists them: the registry's version 1, for reading.

Source: ``spec/cyclades.md`` §2.10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from attrs import frozen
from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.dispatch import Authenticator, Served, build
from api.operations import Answer, Reply, operation
from api.synnefo.faults import DIALECT
from snfd.errors import NotImplementedHere, TooLarge
from snfd.identity.model import Caller
from snfd.image.model import CONTAINER, Image, ImageQuery, Status, Visibility
from snfd.image.service import Images

MOUNT = "/image/v1.0"

BOUND = 10_000
"""Most images of one list without ``limit``."""

STATUSES: Mapping[Status, str] = {
    Status.QUEUED: "SAVING",
    Status.SAVING: "SAVING",
    Status.ACTIVE: "AVAILABLE",
    Status.KILLED: "ERROR",
}

SortKey = Literal[
    "id", "name", "status", "size", "disk_format", "container_format",
    "created_at", "updated_at",
]  # fmt: skip


class ListQuery(Struct):
    """The order of a list, and a page of it."""

    sort_key: SortKey = "created_at"
    sort_dir: Literal["asc", "desc"] = "desc"
    limit: Annotated[int, Meta(ge=1)] | None = None
    marker: UUID | None = None


class ImageView(Reply):
    """An image in short."""

    id: UUID
    name: str
    status: str
    disk_format: str
    container_format: str
    size: int


class ImageDetail(ImageView):
    """All of an image."""

    checksum: str
    location: str
    created_at: str
    updated_at: str
    deleted_at: str
    is_public: bool
    owner: UUID
    properties: dict[str, str]
    is_snapshot: bool
    description: str


@frozen(eq=False)
class ImagesApi:
    """The ``/images`` resources."""

    _images: Images

    @operation("GET", "/images", query=ListQuery)
    async def short(self, caller: Caller, query: ListQuery) -> list[ImageView]:
        """All images, in short."""
        return [view(image) for image in await self._found(caller, query)]

    @operation("GET", "/images/detail", query=ListQuery)
    async def details(self, caller: Caller, query: ListQuery) -> list[ImageDetail]:
        """All images."""
        return [detail(image) for image in await self._found(caller, query)]

    # The paths of GET take HEAD too, unless one of HEAD comes before them: the
    # names of methods decide.
    @operation("HEAD", "/images/<image>", raw=True)
    async def about(
        self, caller: Caller, image: UUID, request: IRequest
    ) -> Answer[None]:
        """One image, in headers."""
        projects = caller.projects | {caller.project}
        found = await self._images.show(caller, image, projects)
        return Answer(None, headers=headers(detail(found)))

    @operation("GET", "/images/<image>", status=204)
    async def data(self, caller: Caller, image: UUID) -> None:
        """Not here: the data is an object."""
        raise NotImplementedHere("the data of an image is in the object store")

    async def _found(self, caller: Caller, query: ListQuery) -> Sequence[Image]:
        wanted = ImageQuery(
            limit=min(query.limit or BOUND + 1, BOUND + 1),
            sort_key=query.sort_key,
            descending=query.sort_dir == "desc",
            marker=query.marker,
        )
        projects = caller.projects | {caller.project}
        found = await self._images.list(caller, wanted, projects)
        if len(found) > BOUND:
            raise TooLarge(f"more than {BOUND} images: ask for pages with limit")
        return found


def view(image: Image) -> ImageView:
    """An image in short."""
    details = image.details
    return ImageView(
        id=image.id,
        name=details.name,
        status=STATUSES[image.status],
        disk_format=_format(details.disk_format),
        container_format=details.container_format or "bare",
        size=image.size or 0,
    )


def detail(image: Image) -> ImageDetail:
    """All of an image."""
    short, details = view(image), image.details
    return ImageDetail(
        id=short.id,
        name=short.name,
        status=short.status,
        disk_format=short.disk_format,
        container_format=short.container_format,
        size=short.size,
        checksum=image.sums.sha256.hex() if image.sums else "",
        location=f"pithos://{image.project}/{CONTAINER}/{image.id}",
        created_at=stamp(image.created),
        updated_at=stamp(image.updated),
        deleted_at="",
        is_public=details.visibility is Visibility.PUBLIC,
        owner=image.owner,
        properties=dict(details.properties),
        is_snapshot=False,
        description=details.properties.get("description", ""),
    )


def headers(image: ImageDetail) -> dict[str, str]:
    """An image as headers; names and values are URL-quoted."""
    found = {}
    for field in image.__struct_fields__:
        if field != "properties":
            value = str(getattr(image, field))
            found[f"X-Image-Meta-{field.replace('_', '-')}"] = quote(value, safe="/: ")
    for key, value in image.properties.items():
        name = quote(key.replace("_", "-"), safe="")
        found[f"X-Image-Meta-Property-{name}"] = quote(value, safe="/: ")
    return found


def stamp(moment: datetime) -> str:
    """A moment in UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _format(kind: str | None) -> str:
    """What Synnefo calls a disk format."""
    return "diskdump" if kind in (None, "raw") else str(kind)


def resource(images: Images, authenticator: Authenticator) -> Served:
    """What is mounted on ``/image/v1.0``."""
    return build(DIALECT, authenticator, ImagesApi(images))
