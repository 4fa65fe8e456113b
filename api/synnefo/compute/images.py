"""Images as Synnefo's compute v2.0 has them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from api.links import Link, Links
from api.operations import Reply, operation
from api.paging import complete, wanted
from api.services import Images
from api.times import micros_offset
from snfd.identity.model import Caller
from snfd.image.model import Image, ImageQuery


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
    user_id: str
    tenant_id: str
    public: bool
    is_snapshot: bool
    metadata: dict[str, str]
    links: list[Link]


class ImagesReply(Reply):
    """Images in full."""

    images: list[ImageView]


class BriefImagesReply(Reply):
    """Images by name."""

    images: list[BriefImage]


class ImageReply(Reply):
    """One image."""

    image: ImageView


@frozen(eq=False)
class ImagesApi:
    """Images, as compute shows them."""

    images: Images
    links: Links

    @operation("GET", "/images")
    async def index(self, caller: Caller) -> BriefImagesReply:
        """List images by name."""
        return BriefImagesReply(
            [
                BriefImage(
                    str(one.id), one.details.name, self.links.of("images", one.id)
                )
                for one in await self._all(caller)
            ]
        )

    @operation("GET", "/images/detail")
    async def detail(self, caller: Caller) -> ImagesReply:
        """List images in full."""
        return ImagesReply([self._view(one) for one in await self._all(caller)])

    @operation("GET", "/images/<image>")
    async def show(self, caller: Caller, image: UUID) -> ImageReply:
        """Show an image."""
        return ImageReply(self._view(await self.images.show(caller, image)))

    async def _all(self, caller: Caller) -> Sequence[Image]:
        found = await self.images.list(caller, ImageQuery(limit=wanted(None) + 1))
        return complete(found, None)

    def _view(self, one: Image) -> ImageView:
        status = one.status.value
        return ImageView(
            id=str(one.id),
            name=one.details.name,
            status={"active": "ACTIVE", "killed": "ERROR"}.get(status, "SAVING"),
            progress=100 if status == "active" else 0,
            created=micros_offset(one.created),
            updated=micros_offset(one.updated),
            user_id=str(one.owner),
            tenant_id=str(one.project),
            public=one.details.visibility.value == "public",
            is_snapshot=False,
            metadata=dict(one.details.properties),
            links=self.links.of("images", one.id),
        )
