"""Images as compute v2.1 has them; everything else is the image service's."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Struct, UnsetType
from msgspec import field as named

from api.links import Link, Links
from api.operations import Reply, operation
from api.paging import Limit, following, size
from api.services import Images
from api.times import whole_z
from snfd.identity.model import Caller
from snfd.image.model import Image, ImageQuery


class ImagesQuery(Struct):
    """How a list of images is cut."""

    limit: Limit | None = None
    marker: UUID | None = None


class BriefImage(Reply):
    """An image by name."""

    id: str
    name: str
    links: list[Link]


class ImageView(Reply):
    """An image in full."""

    id: str
    name: str
    status: str
    progress: int
    created: str
    updated: str
    min_disk: int = named(name="minDisk")
    min_ram: int = named(name="minRam")
    size: int | None = named(name="OS-EXT-IMG-SIZE:size")
    metadata: dict[str, str]
    links: list[Link]


class BriefImagesReply(Reply):
    """One page of images by name."""

    images: list[BriefImage]
    images_links: list[Link] | UnsetType = UNSET


class ImagesReply(Reply):
    """One page of images in full."""

    images: list[ImageView]
    images_links: list[Link] | UnsetType = UNSET


class ImageReply(Reply):
    """One image."""

    image: ImageView


_PROGRESS = {"active": 100, "saving": 50}


@frozen(eq=False)
class ImagesApi:
    """Images, shown as nova shows them; everything else is glance's."""

    images: Images
    links: Links

    @operation("GET", "/images", query=ImagesQuery)
    async def index(self, caller: Caller, query: ImagesQuery) -> BriefImagesReply:
        """List images by name."""
        found, more = await self._page(caller, "images", query)
        return BriefImagesReply([self._brief(one) for one in found], more)

    @operation("GET", "/images/detail", query=ImagesQuery)
    async def detail(self, caller: Caller, query: ImagesQuery) -> ImagesReply:
        """List images in full."""
        found, more = await self._page(caller, "images/detail", query)
        return ImagesReply([self._view(one) for one in found], more)

    @operation("GET", "/images/<image>")
    async def show(self, caller: Caller, image: UUID) -> ImageReply:
        """Show an image."""
        return ImageReply(self._view(await self.images.show(caller, image)))

    async def _page(
        self, caller: Caller, path: str, query: ImagesQuery
    ) -> tuple[Sequence[Image], list[Link] | UnsetType]:
        limit = size(query.limit)
        found = await self.images.list(
            caller, ImageQuery(limit=limit + 1, marker=query.marker)
        )
        more: list[Link] | UnsetType = UNSET
        if len(found) > limit:
            more = following(f"{self.links.base}/{path}", query, found[limit - 1].id)
        return found[:limit], more

    def _brief(self, one: Image) -> BriefImage:
        links = self.links.of("images", one.id)
        return BriefImage(str(one.id), one.details.name, links)

    def _view(self, one: Image) -> ImageView:
        status = one.status.value
        return ImageView(
            id=str(one.id),
            name=one.details.name,
            status={"active": "ACTIVE", "killed": "ERROR"}.get(status, "SAVING"),
            progress=_PROGRESS.get(status, 0),
            created=whole_z(one.created),
            updated=whole_z(one.updated),
            min_disk=one.details.min_disk,
            min_ram=one.details.min_ram,
            size=one.size,
            metadata=dict(one.details.properties),
            links=self.links.of("images", one.id),
        )
