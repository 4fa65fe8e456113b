"""Flavors, key pairs, images and versions of Synnefo's compute v2.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from attrs import frozen
from msgspec import field as named

from api.links import Link, Links, MediaType
from api.operations import Reply, operation
from api.paging import complete, flag, wanted
from api.synnefo.compute.bodies import CreateKeypair, FlavorsQuery
from api.synnefo.compute.catalog_views import (
    BriefFlavor,
    BriefFlavorsReply,
    FlavorReply,
    FlavorsReply,
    FlavorView,
    FullKeypairReply,
    FullKeypairView,
    KeypairReply,
    KeypairsReply,
    KeypairView,
    SpecsReply,
)
from api.times import micros_offset
from snfd.compute.catalog import Flavors
from snfd.compute.keypairs import Keypairs
from snfd.compute.model import Flavor
from snfd.errors import NotFound
from snfd.identity.model import Caller
from snfd.image.model import Image, ImageQuery


@frozen(eq=False)
class FlavorsApi:
    """Sizes that servers come in."""

    flavors: Flavors
    links: Links

    @operation("GET", "/flavors", query=FlavorsQuery)
    async def index(self, caller: Caller, query: FlavorsQuery) -> BriefFlavorsReply:
        """List flavors by name."""
        found = await self._found(caller, query)
        return BriefFlavorsReply(
            [
                BriefFlavor(one.id, one.name, self.links.of("flavors", one.id))
                for one in found
            ]
        )

    @operation("GET", "/flavors/detail", query=FlavorsQuery)
    async def detail(self, caller: Caller, query: FlavorsQuery) -> FlavorsReply:
        """List flavors in full."""
        found = await self._found(caller, query)
        return FlavorsReply([self._view(caller, one) for one in found])

    @operation("GET", "/flavors/<flavor>")
    async def show(self, caller: Caller, flavor: int) -> FlavorReply:
        """Show a flavor."""
        found = await self.flavors.show(caller, flavor)
        return FlavorReply(self._view(caller, found))

    @operation("GET", "/flavors/<flavor>/os-extra_specs")
    async def specs(self, caller: Caller, flavor: int) -> SpecsReply:
        """Show a flavor's extra specs."""
        found = await self.flavors.show(caller, flavor)
        return SpecsReply(dict(found.specs))

    async def _found(self, caller: Caller, query: FlavorsQuery) -> Sequence[Flavor]:
        public = flag(query.public, "SNF:is_public")
        if not query.names_mine(caller):
            return ()
        found = await self.flavors.list(caller, public)
        if query.access is None:
            return complete(found, None)
        return [one for one in found if query.access in one.projects]

    def _view(self, caller: Caller, one: Flavor) -> FlavorView:
        mine = frozenset(str(project) for project in caller.projects)
        return FlavorView.of(one, self.links, mine)


@frozen(eq=False)
class KeypairsApi:
    """The caller's key pairs."""

    keypairs: Keypairs

    @operation("GET", "/os-keypairs")
    async def index(self, caller: Caller) -> KeypairsReply:
        """List key pairs."""
        found = await self.keypairs.list(caller)
        return KeypairsReply([KeypairReply(KeypairView.of(one)) for one in found])

    @operation("POST", "/os-keypairs", body=CreateKeypair, status=201)
    async def create(self, caller: Caller, body: CreateKeypair) -> KeypairReply:
        """Import a public key, or make a pair."""
        made, private = await self.keypairs.create(
            caller, body.keypair.name, body.keypair.public_key
        )
        return KeypairReply(KeypairView.of(made, private))

    @operation("GET", "/os-keypairs/<name>")
    async def show(self, caller: Caller, name: str) -> FullKeypairReply:
        """Show a key pair."""
        found = await self.keypairs.show(caller, name)
        return FullKeypairReply(FullKeypairView.of(found))

    @operation("DELETE", "/os-keypairs/<name>", status=204)
    async def delete(self, caller: Caller, name: str) -> None:
        """Remove a key pair."""
        await self.keypairs.delete(caller, name)


class Images(Protocol):
    """What is needed of the image service."""

    async def list(self, caller: Caller, query: ImageQuery) -> Sequence[Image]:
        """One page of images."""

    async def show(self, caller: Caller, ident: UUID) -> Image:
        """One image.

        :raises NotFound: the caller sees none.
        """


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


class VersionView(Reply):
    """A version of the API in a list."""

    id: str
    status: str
    links: list[Link]
    updated: str


class FullVersionView(Reply):
    """A version of the API."""

    id: str
    status: str
    links: list[Link]
    updated: str
    media_types: list[MediaType] = named(name="media-types")


class VersionsReply(Reply):
    """All versions."""

    versions: list[VersionView]


class VersionReply(Reply):
    """The one version."""

    version: FullVersionView


class ExtensionsReply(Reply):
    """Extensions; there are none."""

    extensions: list[str]


UPDATED = "2011-01-21T11:33:21-06:00"


@frozen(eq=False)
class VersionsApi:
    """Which versions of a service there are.

    :ivar base: URL of v2.0.
    """

    base: str

    @operation("GET", "", auth=False)
    async def versions(self) -> VersionsReply:
        """List the versions of the API."""
        link = Link("self", self.base + "/")
        return VersionsReply([VersionView("v2.0", "CURRENT", [link], UPDATED)])


@frozen(eq=False)
class AboutApi:
    """What compute v2.0 says of itself.

    :ivar base: its URL.
    """

    base: str

    @operation("GET", "", auth=False)
    async def version(self) -> VersionReply:
        """Describe this version of the API."""
        media = MediaType(
            "application/json", "application/vnd.openstack.compute.v2+json"
        )
        link = Link("self", self.base + "/")
        return VersionReply(
            FullVersionView("v2.0", "CURRENT", [link], UPDATED, [media])
        )

    @operation("GET", "/extensions")
    async def extensions(self, caller: Caller) -> ExtensionsReply:
        """List extensions: none."""
        return ExtensionsReply([])

    @operation("GET", "/extensions/<alias>")
    async def extension(self, caller: Caller, alias: str) -> ExtensionsReply:
        """There are no extensions."""
        raise NotFound(f"there is no extension {alias!r}")
